"""What happened, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from poise.classification.account import Account
from poise.poses import Poses


def tell_account(account: Account) -> str:
    """Return one line an event: who, what, from, to, confidence. Of pictures, one line a person.

    Empty where nothing has a name.
    """
    if account.separate:
        frames = enumerate(account.clip.frames)
        return "\n".join(line for n, poses in frames for line in _tell_picture(account, n, poses))
    return "\n".join(_tell_video(account))


def tell_accounts(accounts: Sequence[Account]) -> str:
    """Return the lines of several sources, each under its name."""
    lines: list[str] = []
    for account in accounts:
        told = tell_account(account) or "nothing was named"
        lines += [f"{account.source}:", *(f"  {line}" for line in told.splitlines())]
    return "\n".join(lines)


def spell(label: str) -> str:
    """Return a label as it is written into pictures: ``hands up`` for ``hands_up``."""
    return label.replace("_", " ")


def format_time(seconds: float, decimals: int = 1) -> str:
    """Return minutes and seconds: ``1:02.3``."""
    sign = "-" if round(seconds, decimals) < 0 else ""
    minutes, rest = divmod(round(abs(seconds), decimals), 60)
    width = 3 + decimals if decimals else 2
    return f"{sign}{minutes:.0f}:{rest:0{width}.{decimals}f}"


def _tell_video(account: Account) -> Iterator[str]:
    who = max((len(str(event.person)) for event in account.events), default=0)
    what = max((len(event.label) for event in account.events), default=0)
    ends = [(format_time(event.start), format_time(event.end)) for event in account.events]
    when = max((len(text) for pair in ends for text in pair), default=0)
    for event, (start, end) in zip(account.events, ends, strict=True):
        yield (
            f"person {event.person:<{who}}  {event.label:<{what}}  "
            f"{start:>{when}} to {end:>{when}}  {event.confidence:.2f}"
        )


def _tell_picture(account: Account, number: int, poses: Poses) -> Iterator[str]:
    names = account.clip.names
    picture = f"{names[number]}  " if names and not account.still else ""
    active = account.active(poses.time)
    ids = [] if poses.ids is None else poses.ids.tolist()
    for person in sorted(set(ids) & set(account.people)):
        labels = ", ".join(f"{one.label} {one.confidence:.2f}" for one in active.get(person, []))
        yield f"{picture}person {person}  {labels or 'unknown'}"
