"""OpenPose's kin."""

from __future__ import annotations

from poise.models.card import Card
from poise.weights import WeightFile

ROWS = (
    Card(
        name="openpose-mobilenet-v2-small",
        family="paf",
        kind="pose",
        skeleton="coco18",
        # tf-pose's own size; it brings the whole picture to it, here the proportions stay. BGR was
        # measured (benchmarks/channel_order.py): RGB finds 0.18 of the people instead of 0.32.
        size=(432, 368),
        layout="NHWC",
        channels="BGR",
        settings={"grouping": "tfpose", "enlarge": 4},
        licence="Apache-2.0 (tf-pose-estimation, which keeps the weights)",
        data="COCO train2017",
        accuracy="AP 17.3 (COCO val2014; tf-pose-estimation)",
        files=(
            WeightFile(
                "openpose-mobilenet-v2-small.pb",
                "428a9d6e7bfc0319e1ce4de8c0191a9111cd281bea6ae2b496fd42c92d574160",
                2096019,
                (
                    "https://github.com/ildoonet/tf-pose-estimation/raw/9aaf34708e98/"
                    "models/graph/mobilenet_v2_small/graph_opt.pb",
                ),
            ),
        ),
        note="everyone in one pass; the smallest of its kind, and far from the best",
    ),
)
