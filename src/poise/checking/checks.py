"""All checks of one card, in an order in which an error does not hide the next one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from poise.checking.bodies import check_orientation, check_skeleton
from poise.checking.findings import Finding, Level, Report
from poise.checking.inputs import check_input
from poise.checking.scenes import Scene, draw_empty, draw_scenes
from poise.checking.sights import CropSubject, DetectorSubject, Subject, WholeSubject
from poise.checking.trials import Trial, check_channels, check_range, feed
from poise.errors import ModelError, PoiseError
from poise.models import Card
from poise.models.loading import load_card
from poise.models.topdown import TopDown
from poise.poses import Image

# Shares of the height of the person: up to these a mean error is good, or doubtful.
_GOOD_ERROR, _BAD_ERROR = 0.04, 0.1
_SURE, _DOUBTFUL = 0.35, 0.15
# Of a picture without truth: how sure the right order of channels is, at least, of the other one.
_WORTH = 0.95


def check_model(
    card: Card,
    paths: Sequence[Path],
    *,
    detector: tuple[Card, Sequence[Path]] | None = None,
    image: Image | None = None,
) -> Report:
    """Run a model on drawn pictures, and say what looks wrong about its card.

    Args:
        card: The card of a detector, a crop model or a whole model.
        paths: Its files of weights.
        detector: For a crop model that needs points of its own detector: that one's.
        image: A picture of the user's own to run it on besides.

    Returns:
        The findings; errors of the model are findings too.
    """

    def load(changed: Card) -> Subject:
        return _subject(load_card(changed, paths, precision="f32"), changed, detector)

    findings: list[Finding] = []
    try:
        if card.family != "fake":
            first, card = check_input(card, paths)
            findings.append(first)
        own = Trial.run(card, load(card), draw_scenes())
    except PoiseError as error:
        findings.append(Finding("outputs", "fail", str(error)))
        return Report(card.name, tuple(findings))
    findings += _check_readings(own, load, image)
    return Report(card.name, tuple(findings))


def _subject(model: Any, card: Card, detector: tuple[Card, Sequence[Path]] | None) -> Subject:
    if card.kind == "detector":
        return DetectorSubject(model)
    if card.settings.get("anchors"):
        if detector is None:
            raise ModelError("it needs its own detector", where=f"card {card.name}")
        finder = load_card(detector[0], detector[1], precision="f32")
        return WholeSubject(TopDown(finder, model, name=card.name))
    return CropSubject(model) if card.kind == "crop" else WholeSubject(model)


def _check_readings(own: Trial, load: Any, image: Image | None) -> list[Finding]:
    scenes = draw_scenes()
    findings = [Finding("outputs", "ok", "the family reads them")]
    findings.append(_check_found(own, scenes))
    ranges, best = check_range(own, load, scenes)
    channels, best = check_channels(best, scenes)
    orientation, best = check_orientation(best, scenes)
    findings += [ranges, channels, orientation, check_skeleton(best, scenes)]
    findings += [_check_scores(own), _check_empty(own), _check_batch(own, scenes)]
    if image is not None:
        findings.append(_check_picture(own, image))
    return findings


def _check_found(own: Trial, scenes: Sequence[Scene]) -> Finding:
    layout = own.subject.layout
    found = [sight.count > 0 for sight in own.sights]
    if layout is None:
        share = float(np.mean(own.qualities >= _SURE))
        text = f"{sum(found)} of {len(scenes)} drawn people, {share:.0%} of them surely and whole"
        return Finding("people", "ok" if share >= 0.75 else "fail", text)
    errors = []
    for sight, scene in zip(own.sights, scenes, strict=True):
        away = np.linalg.norm(sight.placed() - scene.points(layout).keypoints[0], axis=1)
        errors.append(np.nanmean(away) / scene.height if np.isfinite(away).any() else np.inf)
    middle = float(np.median(errors))
    text = f"{sum(found)} of {len(scenes)} drawn people"
    if np.isfinite(middle):
        text += f"; keypoints are off by {middle:.1%} of their height (median)"
    level: Level = "ok" if middle <= _GOOD_ERROR else "warn" if middle <= _BAD_ERROR else "fail"
    return Finding("people", level, text)


def _check_scores(own: Trial) -> Finding:
    scores = np.concatenate([sight.scores for sight in own.sights])
    low, middle, high = (float(v) for v in np.quantile(scores, (0, 0.5, 1)))
    text = f"from {low:.2f} to {high:.2f}, half of them above {middle:.2f}"
    if not np.isfinite(scores).all() or low < 0 or high > 1:
        return Finding("scores", "fail", f"{text}; wanted 0 to 1")
    if len(scores) > 1 and high - low < 1e-3:
        return Finding("scores", "fail", f"{text}: they say nothing")
    if middle < _DOUBTFUL:
        return Finding("scores", "warn", f"{text}: so low that thresholds will hide most")
    return Finding("scores", "ok", text)


def _check_empty(own: Trial) -> Finding:
    count = len(own.subject.people(draw_empty()))
    if count:
        plural = "people" if count > 1 else "person"
        return Finding("empty room", "warn", f"finds {count} {plural} where nobody is")
    return Finding("empty room", "ok", "finds nobody")


def _check_batch(own: Trial, scenes: Sequence[Scene]) -> Finding:
    try:
        together = own.subject.see_together(scenes[:3])
    except PoiseError as error:
        return Finding("batch", "fail", str(error))
    worst = 0.0
    for one, other in zip(own.sights, together, strict=False):
        if one.points.shape != other.points.shape or one.count != other.count:
            return Finding("batch", "fail", "three at once are read otherwise than one by one")
        if (np.isfinite(one.points) != np.isfinite(other.points)).any():
            return Finding("batch", "fail", "some keypoints are only found one by one, or together")
        away = np.nan_to_num(np.abs(one.points - other.points))
        worst = max(worst, float(away.max(initial=0)))
    if worst > 0.5:
        text = f"three at once are read otherwise than one by one: up to {worst:.1f} px apart"
        return Finding("batch", "fail", text)
    return Finding("batch", "ok", "three at once are read as one by one")


def _check_picture(own: Trial, image: Image) -> Finding:
    told, sure = [], []
    for swapped, how in ((False, "as it is"), (True, "with red and blue exchanged")):
        scores = own.subject.people(feed(image, swapped=swapped))
        sure.append(float(scores.sum()))
        mean = f", {scores.mean():.2f} sure on average" if len(scores) else ""
        told.append(f"{how} it finds {len(scores)}{mean}")
    good = sure[0] > 0 and sure[0] >= _WORTH * sure[1]
    return Finding("your picture", "ok" if good else "warn", "; ".join(told))
