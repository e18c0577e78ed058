"""A pose against the one that it should be, in the words of a teacher."""

from poise.classification.correction.gauges import Gauges
from poise.classification.correction.judging import Finding, Judgement, judge, rank_targets
from poise.classification.correction.reading import (
    find_pose,
    format_pose,
    pose_names,
    read_pose,
    write_pose,
)
from poise.classification.correction.taking import take_pose
from poise.classification.correction.target import Check, Target
from poise.classification.correction.words import say, tell, unseen

__all__ = [
    "Check",
    "Finding",
    "Gauges",
    "Judgement",
    "Target",
    "find_pose",
    "format_pose",
    "judge",
    "pose_names",
    "rank_targets",
    "read_pose",
    "say",
    "take_pose",
    "tell",
    "unseen",
    "write_pose",
]
