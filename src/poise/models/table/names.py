"""Names that are no rows: purposes, other systems' names, and what `auto` tries.

The reasons are on the page about models.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tier:
    """A name for a purpose; it always means the same model.

    Attributes:
        model: What it means.
        why: What was measured or published that it was chosen for.
        instead: What to take where its weights cannot be had.
    """

    model: str
    why: str
    instead: str


# What `auto` tries, best first.
PREFERENCE = ("rtmpose-m", "rtmdet-nano+tinypose-256", "blazepose")

TIERS: dict[str, Tier] = {
    "fast": Tier(
        "picodet-s-pedestrian+tinypose-128",
        "the least processor time a frame of a video, and it still finds 0.74 of labelled people",
        "blazepose",
    ),
    "accurate": Tier(
        "rtmpose-l-384",
        "the highest published AP (78.3) among the rows that can be fetched and checked, but for "
        "the twice as large rtmpose-x-384 (78.8)",
        "picodet-s-pedestrian+tinypose-256",
    ),
    "crowd": Tier(
        "picodet-s-pedestrian+tinypose-256",
        "finds most labelled people: 0.82, and no other detector that was measured above 0.74",
        "rtmpose-m",
    ),
    "3d": Tier("blazepose", "the only one that gives metres", "blazepose-lite"),
}

# Names that MMPose's inferencer takes, and its names of configurations (mmpose, docs,
# user_guides/inference; configs/body_2d_keypoint/rtmpose). Its ``wholebody`` is RTMPose-m of the
# same architecture, input and keypoints, trained on less than DWPose-m; it has no ONNX. Its
# ``vitpose`` is ViTPose-B, before ViTPose++.
ALIASES: dict[str, str] = {
    "human": "rtmpose-m",
    "body": "rtmpose-m",
    "body17": "rtmpose-m",
    "body26": "rtmpose-m-body26",
    "wholebody": "dwpose-m",
    "vitpose": "vitpose-b",
    "rtmpose-t_8xb256-420e_body8-256x192": "rtmpose-t",
    "rtmpose-s_8xb256-420e_body8-256x192": "rtmpose-s",
    "rtmpose-m_8xb256-420e_body8-256x192": "rtmpose-m",
    "rtmpose-l_8xb256-420e_body8-256x192": "rtmpose-l",
    "rtmpose-m_8xb256-420e_body8-384x288": "rtmpose-m-384",
    "rtmpose-l_8xb256-420e_body8-384x288": "rtmpose-l-384",
    "rtmpose-x_8xb256-700e_body8-384x288": "rtmpose-x-384",
    "rtmpose-m_8xb512-700e_body8-halpe26-256x192": "rtmpose-m-body26",
    "rtmpose-l_8xb512-700e_body8-halpe26-256x192": "rtmpose-l-body26",
    "rtmpose-m_8xb512-700e_body8-halpe26-384x288": "rtmpose-m-body26-384",
    "rtmpose-l_8xb512-700e_body8-halpe26-384x288": "rtmpose-l-body26-384",
    "rtmpose-x_8xb256-700e_body8-halpe26-384x288": "rtmpose-x-body26-384",
    "td-hm_res50_8xb64-210e_coco-256x192": "simplebaseline-resnet50",
    "td-hm_hrnet-w32_8xb64-210e_coco-256x192": "hrnet-w32",
    "td-hm_hrnet-w32_8xb64-210e_coco-384x288": "hrnet-w32-384",
    "td-hm_hrnet-w48_8xb32-210e_coco-256x192": "hrnet-w48",
    "td-hm_hrnet-w48_8xb32-210e_coco-384x288": "hrnet-w48-384",
}
