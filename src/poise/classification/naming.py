"""Everything that can be named in a clip: by rules, from examples, and falls."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from poise.classification.account import Account, order_events
from poise.classification.events import Event
from poise.classification.falls import find_falls_in
from poise.classification.learning import Classifier
from poise.classification.rules import RuleSet, classify_clip, load_rules
from poise.clip import Clip
from poise.errors import UsageError, suggest
from poise.loading import choose_track

FALL = "fall"

# A class that is learned has no duration of its own; what is shorter is a flicker.
_SHORTEST_LEARNED = 0.3  # seconds


def classify(
    clip: Clip,
    rules: RuleSet | None = None,
    classifier: Classifier | None = None,
    *,
    kinds: Sequence[str] | None = None,
) -> tuple[Event, ...]:
    """Name what everybody in a clip does, when, and how surely.

    Args:
        clip: Its people have ids.
        rules: That name poses and gestures; the built-in ones when not given.
        classifier: Learned from examples.
        kinds: Which kinds of labels are wanted. All by default: falls, what the rules name and
            what was learned; with a classifier and no rules, only what was learned.

    Returns:
        Events in order of start, person and kind. Of a single picture, start and end are its
        time; and there are no falls in separate pictures.

    Raises:
        UsageError: There is no such kind, or there are people, but nobody has an id.
    """
    wanted = choose_kinds(rules, classifier, kinds)
    found: list[Event] = []
    if wanted - {FALL} - _taught(classifier):
        found += classify_clip(clip, rules)
    if FALL in wanted and not _separate(clip):
        found += find_falls_in(clip)
    if classifier is not None and classifier.kind in wanted:
        found += _recognize(clip, classifier)
    return order_events(event for event in found if event.kind in wanted)


def choose_kinds(
    rules: RuleSet | None, classifier: Classifier | None, kinds: Sequence[str] | None
) -> frozenset[str]:
    """Return the kinds of labels that are to be named; see ``classify``.

    Raises:
        UsageError: One of them does not exist; the message names those that do.
    """
    taught = _taught(classifier)
    if kinds is None and taught and rules is None:
        return taught
    known = {FALL, *(rules or load_rules()).kinds(), *taught}
    for kind in kinds or ():
        if kind not in known:
            raise UsageError(f"no kind named '{kind}'", where="kinds",
                             remedy=suggest(kind, sorted(known)))  # fmt: skip
    return frozenset(known if kinds is None else kinds)


def give_account(
    source: str,
    clip: Clip,
    events: Collection[Event],
    *,
    person: int | None = None,
    footage: str | None = None,
) -> Account:
    """Return what happened in a source, to everybody or to one person.

    Raises:
        UsageError: Nobody has this id; the message names those that are there.
    """
    if person is None:
        return Account(source, clip, tuple(sorted(clip.ids())), tuple(events), footage)
    choose_track(clip, person)
    own = tuple(event for event in events if event.person == person)
    return Account(source, clip, (person,), own, footage)


def _taught(classifier: Classifier | None) -> frozenset[str]:
    return frozenset() if classifier is None else frozenset({classifier.kind})


def _separate(clip: Clip) -> bool:
    """Whether it is one picture, or several that have nothing to do with one another."""
    return len(clip) == 1 or clip.names is not None


def _recognize(clip: Clip, classifier: Classifier) -> Iterator[Event]:
    shortest = 0.0 if _separate(clip) else _SHORTEST_LEARNED
    for track in clip.tracks():
        yield from classifier.label_track(track).events(shortest)
