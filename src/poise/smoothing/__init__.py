"""Smoothing of keypoints over time: causal for live pictures, without delay for files.

Nothing is invented: a keypoint that is absent stays absent, and each run of frames in which it is
present is filtered by itself. Scores are kept. Time is the true one, so frames may come unevenly.
"""

from poise.smoothing.causal import OneEuro
from poise.smoothing.offline import METHODS, Smoother, smooth

__all__ = ["METHODS", "OneEuro", "Smoother", "smooth"]
