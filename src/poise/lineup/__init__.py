"""Several models at the same picture or video: what each found, side by side, and in figures."""

from poise.lineup.figures import Figures, measure
from poise.lineup.outputs import tell, to_document
from poise.lineup.picture import write_lineup
from poise.lineup.walk import Entry, run_model

__all__ = ["Entry", "Figures", "measure", "run_model", "tell", "to_document", "write_lineup"]
