"""Every keypoint format by its name; the one place where formats are listed."""

from __future__ import annotations

from poise.io.formats import (
    alphapose,
    coco,
    jsonl,
    mmpose,
    npy,
    npz,
    openpifpaf,
    openpose,
    parquet,
    wide_csv,
)
from poise.io.formats.base import Format

FORMATS: dict[str, Format] = {
    entry.name: entry
    for entry in (
        jsonl.FORMAT,
        npz.FORMAT,
        npy.FORMAT,
        parquet.FORMAT,
        wide_csv.FORMAT,
        openpose.FORMAT,
        coco.RESULTS,
        coco.ANNOTATIONS,
        alphapose.COCO,
        alphapose.CMU,
        alphapose.OPEN,
        mmpose.FORMAT,
        openpifpaf.FORMAT,
    )
}
