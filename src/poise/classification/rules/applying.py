"""People in, labels out: one track, everyone in one frame, or a whole clip."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from poise.classification.events import Event, Flags, Floats, Labelling
from poise.classification.measures import Measures
from poise.classification.rules.conditions import measures_of
from poise.classification.rules.evaluating import Evaluation, Truth
from poise.classification.rules.reading import load_rules
from poise.classification.rules.ruleset import Rule, RuleSet
from poise.classification.rules.timing import Labels, find_runs, find_short, latch
from poise.classification.vocabulary import keypoints_of
from poise.clip import Clip, Track
from poise.poses import Poses

UNKNOWN, NONE = -1, ""


def classify_track(track: Track, rules: RuleSet | None = None) -> tuple[Labelling, ...]:
    """Name what one person does in every frame, one labelling for each kind of label.

    A frame has the first label of its kind that is true, where all before it are surely false;
    "" where all are surely false; and unknown (-1) where that cannot be said. Hysteresis and
    durations are those of the rules; a single frame has none.

    The confidence is the mean score of the keypoints that the rule reads, times how clearly its
    comparisons hold: 0.5 on the bound, 1 at 20 degrees, 0.08 body heights or 0.5 of a ratio
    beyond it; the least of an ``all``, the greatest of an ``any``. It is 0 where unknown.
    """
    rules = rules or load_rules()
    judge = _Judge(partial(Measures, track), timed=len(track) > 1)
    return tuple(
        Labelling(track.id, kind, judge.times, *judge.name(rules.of_kind(kind)))
        for kind in rules.kinds()
    )


def classify_poses(poses: Poses, rules: RuleSet | None = None) -> tuple[Event, ...]:
    """Name what everyone does in one frame, without regard to time.

    People without ids are numbered by their rows. Unknown and no label give no event.
    """
    rules = rules or load_rules()
    judge = _Judge(partial(Measures.of_people, poses), timed=False)
    ids = range(len(poses)) if poses.ids is None else poses.ids.tolist()
    found = []
    for kind in rules.kinds():
        labels, names, sure = judge.name(rules.of_kind(kind))
        for person, label, confidence in zip(ids, labels, sure, strict=True):
            if label != UNKNOWN and names[label] != NONE:
                time = poses.time
                found.append(Event(person, names[label], kind, time, time, float(confidence)))
    return tuple(sorted(found, key=lambda event: event.person))


def classify_clip(clip: Clip, rules: RuleSet | None = None) -> tuple[Event, ...]:
    """Name what everyone does, as events in order of time.

    Separate pictures are judged one by one.

    Raises:
        UsageError: There are people, but nobody has an id.
    """
    rules = rules or load_rules()
    if clip.names is not None or len(clip) == 1:
        return tuple(event for poses in clip.frames for event in classify_poses(poses, rules))
    found = [
        event
        for track in clip.tracks()
        for labelling in classify_track(track, rules)
        for event in collect_events(labelling, rules)
    ]
    return tuple(sorted(found, key=lambda event: (event.start, event.person, event.kind)))


def collect_events(labelling: Labelling, rules: RuleSet) -> list[Event]:
    """Return the events of one labelling; gaps that its rules allow do not end them."""
    found = []
    for number, rule in enumerate(rules.of_kind(labelling.kind)):
        mine = labelling.labels == number
        others = (labelling.labels >= 0) & ~mine & (labelling.labels != len(labelling.names) - 1)
        for run in find_runs(mine, labelling.times, rule.max_gap, others):
            start, end = float(labelling.times[run[0]]), float(labelling.times[run[-1]])
            if end - start < rule.min_duration - 1e-9:
                continue  # a piece that another label cut off
            sure = float(labelling.confidences[run].mean())
            found.append(Event(labelling.person, rule.label, rule.kind, start, end, sure))
    return found


class _Judge:
    """Works out the rules of one person, or of everyone in one frame."""

    def __init__(self, measure: partial[Measures], *, timed: bool) -> None:
        self._measure, self._timed = measure, timed
        self._measured: dict[float, Measures] = {}
        self._evaluated: dict[object, Evaluation] = {}

    @property
    def times(self) -> Floats:
        return self._measures(0.0).times

    def _measures(self, least_score: float) -> Measures:
        if least_score not in self._measured:
            self._measured[least_score] = self._measure(least_score=least_score)
        return self._measured[least_score]

    def name(self, rules: Sequence[Rule]) -> tuple[Labels, tuple[str, ...], Floats]:
        """Return labels, names and confidences of one kind."""
        truths = [self._hold(rule) for rule in rules]
        count = len(truths[0].yes)
        labels = np.full(count, len(rules))
        sure = 1 - np.fmax.reduce([truth.degree for truth in truths])
        # From the last to the first: what comes earlier in the file overrules.
        for number in reversed(range(len(rules))):
            truth = truths[number]
            labels[~truth.no] = UNKNOWN
            labels[truth.yes] = number
            degree = truth.degree * self._certainty(rules[number])
            sure[truth.yes] = degree[truth.yes]
        if self._timed:
            self._drop_short(labels, rules)
        sure = np.where(labels == UNKNOWN, 0.0, np.nan_to_num(sure))
        return labels, (*(rule.label for rule in rules), NONE), np.clip(sure, 0, 1)

    def _drop_short(self, labels: Labels, rules: Sequence[Rule]) -> None:
        short: Flags = np.zeros(len(labels), bool)
        for number, rule in enumerate(rules):
            if rule.min_duration > 0:
                gap = min(rule.max_gap, rule.min_duration)
                short |= find_short(labels == number, self.times, rule.min_duration, gap)
        labels[short] = len(rules)

    def _hold(self, rule: Rule) -> Truth:
        strict = self._evaluate(rule, None).of(rule.condition)
        if not (self._timed and rule.hysteresis):
            return strict
        loose = self._evaluate(rule, rule.hysteresis).of(rule.condition)
        held = latch(strict.yes, loose.yes)
        degree = np.where(held, np.fmax(strict.degree, 0.5), strict.degree)
        return Truth(held, strict.no & ~held, degree)

    def _evaluate(self, rule: Rule, slack: object) -> Evaluation:
        key = rule.min_score, slack
        if key not in self._evaluated:
            self._evaluated[key] = Evaluation(self._measures(rule.min_score), slack)  # type: ignore[arg-type]
        return self._evaluated[key]

    def _certainty(self, rule: Rule) -> Floats:
        needed = {point for one in measures_of(rule.condition) for point in keypoints_of(one)}
        return self._measures(rule.min_score).certainty(tuple(sorted(needed)))
