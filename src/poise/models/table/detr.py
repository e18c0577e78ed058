"""RT-DETR, D-FINE, RF-DETR and DETRPose. Users export the networks themselves; none is fetched."""

from __future__ import annotations

from typing import Any

from poise.models.card import Card
from poise.models.table.files import IMAGENET, own

_PARTS: dict[str, Any] = {"std": (255.0, 255.0, 255.0)}
_DETECTOR: dict[str, Any] = {
    "family": "detr",
    "kind": "detector",
    "licence": "Apache-2.0",
}
_POSE: dict[str, Any] = {
    "family": "detr_pose",
    "kind": "pose",
    "skeleton": "coco17",
    "licence": "Apache-2.0",
    "data": "COCO train2017",
}
_DETRPOSE = {"n": "57.2", "s": "67.0", "m": "69.4", "l": "72.5", "x": "73.3"}

ROWS = (
    Card(
        name="rtdetr-r18",
        size=(640, 640),
        data="COCO train2017",
        accuracy="box AP 46.4 (80 classes of COCO val2017; lyuwenyu/RT-DETR, rtdetr_pytorch)",
        files=own("rtdetr-r18.onnx"),
        note="export rtdetr_r18vd yourself: RT-DETR's tools/export_onnx.py, or Transformers'",
        **_PARTS,
        **_DETECTOR,
    ),
    Card(
        name="dfine-n",
        size=(640, 640),
        data="COCO train2017",
        accuracy="box AP 42.7 (80 classes of COCO val2017; measured by rfdetr 1.11.2's README)",
        files=own("dfine-n.onnx"),
        note="export dfine_n_coco yourself with D-FINE's tools/deployment/export_onnx.py",
        **_PARTS,
        **_DETECTOR,
    ),
    Card(
        name="rf-detr-nano",
        size=(384, 384),
        # Its classes are numbered as COCO numbers its categories.
        settings={"person": 1},
        data="Objects365 and COCO train2017",
        accuracy="box AP 48.4 (80 classes of COCO val2017; rfdetr 1.11.2's README)",
        files=own("rf-detr-nano.onnx"),
        note="export it yourself with rfdetr: RFDETRNano().export()",
        **IMAGENET,
        **_DETECTOR,
    ),
    Card(
        name="rf-detr-keypoint-preview",
        size=(576, 576),
        accuracy="AP 71.8 (COCO val2017; rfdetr 1.11.2's README)",
        files=own("rf-detr-keypoint-preview.onnx"),
        note="export it yourself with rfdetr: RFDETRKeypointPreview().export()",
        **IMAGENET,
        **_POSE,
    ),
    *(
        Card(
            name=f"detrpose-{grade}",
            size=(640, 640),
            accuracy=f"AP {accuracy} (COCO val2017; DETRPose's README)",
            files=own(f"detrpose-{grade}.onnx"),
            note=f"export detrpose_hgnetv2_{grade} yourself with DETRPose's export_onnx.py; "
            "keypoints have no scores of their own",
            **_PARTS,
            **_POSE,
        )
        for grade, accuracy in _DETRPOSE.items()
    ),
)
