"""Identity: who of this frame is who of the frames before."""

from poise.tracking.assignment import assign
from poise.tracking.tracker import Tracker

__all__ = ["Tracker", "assign"]
