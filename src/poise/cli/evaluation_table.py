"""The figures of an evaluation as a table for people."""

from __future__ import annotations

import math
from collections.abc import Iterable

from poise.evaluation import Evaluation
from poise.evaluation.truth import name_some

_HEADS = {"box": "0.6 of the head's box", "segment": "from upper neck to head top"}


def tell(result: Evaluation) -> str:
    """Return the figures as a table for people."""
    lines = [*_whose(result), "", *_coco(result), "", *_shares(result), "", *_sizes(result)]
    kinds = ", ".join(f"{kind} {_number(share)}" for kind, share in result.mistakes.items())
    keypoints, people = result.keypoint_scores, result.person_scores
    lines += [
        "",
        f"keypoints of those found: {kinds}",
        f"calibration error of the scores: keypoints {_number(keypoints.error)} of "
        f"{keypoints.count}, people {_number(people.error)} of {people.count}",
        *_tracks(result),
        "",
        *_keypoints(result),
    ]
    return "\n".join(lines)


def _whose(result: Evaluation) -> Iterable[str]:
    yield f"{result.model}, boxes: {result.boxes}; annotations: {result.dataset}"
    seconds = f"; {result.seconds:.1f} s" if math.isfinite(result.seconds) else ""
    yield (
        f"pictures {result.images}, missing {result.missing}; people with keypoints "
        f"{result.people}, found {result.matched}{seconds}"
    )
    if result.left_out:
        total = result.keypoints + len(result.left_out)
        yield (
            f"all figures are of {result.keypoints} of the {total} annotated keypoints; this "
            f"layout lacks {name_some(result.left_out)}"
        )


def _coco(result: Evaluation) -> Iterable[str]:
    coco = result.precision
    yield "      all   at 0.50   at 0.75   medium    large"
    yield f"AP {_row(coco.AP, coco.AP50, coco.AP75, coco.AP_medium, coco.AP_large)}"
    yield f"AR {_row(coco.AR, coco.AR50, coco.AR75, coco.AR_medium, coco.AR_large)}"
    if result.crowding:
        values = ", ".join(f"{kind} {_number(one)}" for kind, one in result.crowding.items())
        yield f"AP by crowding: {values}"


def _shares(result: Evaluation) -> Iterable[str]:
    found = _number(result.mean_oks_matched)
    yield f"mean OKS  {_number(result.mean_oks)} (of those found {found})"
    yield f"PCK@0.2   {_number(result.pck)} (of the torso), {_number(result.pck_box)} (of the box)"
    if result.head is not None:
        yield f"PCKh@0.5  {_number(result.pckh)} ({_HEADS[result.head]})"


def _sizes(result: Evaluation) -> Iterable[str]:
    yield "people   annotated   found   mean OKS   of those found   PCK@0.2"
    for name, one in result.sizes.items():
        yield (
            f"{name:<10}{one.people:8d}{one.matched:8d}    {_number(one.mean_oks)}"
            f"      {_number(one.mean_oks_matched)}            {_number(one.pck)}"
        )


def _tracks(result: Evaluation) -> Iterable[str]:
    ids, motion = result.identities, result.motion
    if ids is not None:
        yield (
            f"ids: HOTA {_number(ids.HOTA)}, IDF1 {_number(ids.IDF1)}, MOTA {_number(ids.MOTA)}, "
            f"switches {ids.switches}; {ids.tracks} people, {ids.found_tracks} ids"
        )
    if motion is not None:
        lag = f"{motion.lag_frames:.2f} frames" if math.isfinite(motion.lag_frames) else "unknown"
        time = f" ({motion.lag_ms:.0f} ms)" if math.isfinite(motion.lag_ms) else ""
        yield (
            f"jitter: {_percent(motion.jitter)} of the size a frame (truth "
            f"{_percent(motion.true_jitter)}), at rest {_percent(motion.rest_jitter)}; "
            f"lag: {lag}{time}"
        )


def _percent(value: float) -> str:
    return f"{value:.2%}" if math.isfinite(value) else "-"


def _keypoints(result: Evaluation) -> Iterable[str]:
    heads = result.head is not None
    yield f"{'keypoint':<20} OKS    PCK@0.2" + ("  PCKh@0.5" if heads else "")
    for name, value in result.per_keypoint.items():
        head = f"    {_number(result.pckh_per_keypoint[name])}" if heads else ""
        yield f"{name:<20} {_number(value)}  {_number(result.pck_per_keypoint[name])}{head}"


def _row(*values: float) -> str:
    return "     ".join(_number(value) for value in values)


def _number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "  -  "
