"""Which frames of an attempt belong to which frames of a reference: dynamic time warping.

``warp`` is the classic form. ``align`` limits the local tempo, leaves the ends of the attempt free,
and names what the attempt leaves out or adds. ``occurrences`` finds every performance in a long
attempt. Rows are always frames of the reference, columns frames of the attempt.
"""

from poise.alignment.classic import warp
from poise.alignment.gapped import align, occurrences
from poise.alignment.path import Path, path_times

__all__ = ["Path", "align", "occurrences", "path_times", "warp"]
