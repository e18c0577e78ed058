"""The names that rules and measures are written with, and what to say of one that is wrong."""

from __future__ import annotations

from functools import lru_cache

from poise.angles import JOINT_NAMES, JOINTS, LIMB_NAMES, LIMBS
from poise.errors import UsageError, suggest
from poise.skeleton_table import LAYOUTS

Measure = tuple[str, ...]

# Each kind of measure and what the words after its name are.
KINDS: dict[str, tuple[str, ...]] = {
    "angle": ("joint",),
    "elevation": ("limb",),
    "heading": ("limb",),
    "ratio": ("limb", "limb"),
    "height": ("place", "place"),
    "distance": ("place", "place"),
    "aside": ("place", "place"),
    "across": ("place", "place"),
    "leaning": (),
}
HEADS = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
_BODIES = ("coco17", "body25", "blazepose33", "halpe26", "mpii16", "mpii15", "h36m17")


def _places() -> tuple[str, ...]:
    keypoints = [name for body in _BODIES for name in LAYOUTS[body][0]]
    names = dict.fromkeys(["neck", "head", *keypoints])
    sided = [name.removeprefix("left_") for name in names if name.startswith("left_")]
    return tuple(dict.fromkeys([*names, *(f"mid_{name}" for name in sided)]))


PLACES = _places()
NAMES: dict[str, tuple[str, ...]] = {"joint": JOINT_NAMES, "limb": LIMB_NAMES, "place": PLACES}


def check_name(kind: str, name: str) -> str:
    """Return the name of a ``joint``, ``limb`` or ``place`` if there is such a one.

    Raises:
        UsageError: There is none; the message names the nearest, or the choices.
    """
    if name not in _sets()[kind]:
        raise UsageError(f"no {kind} named '{name}'", remedy=suggest(name, NAMES[kind]))
    return name


@lru_cache
def _sets() -> dict[str, frozenset[str]]:
    return {kind: frozenset(names) for kind, names in NAMES.items()}


@lru_cache(maxsize=512)
def find_measure(name: str) -> Measure:
    """Return the parts of a dotted name such as ``height.left_wrist.neck``.

    Raises:
        UsageError: There is no such measure, joint, limb or place.
    """
    kind, *names = name.split(".")
    if kind == "speed":
        if not names or names[0] == "speed":
            raise UsageError(
                f"'{name}' needs one measure after 'speed.'",
                remedy="write it as speed.height.mid_hip.mid_ankle",
            )
        return ("speed", *find_measure(".".join(names)))
    if kind not in KINDS:
        raise UsageError(f"no measure named '{kind}'", remedy=suggest(kind, [*KINDS, "speed"]))
    wanted = KINDS[kind]
    if len(names) != len(wanted):
        form = ".".join([kind, *(word.upper() for word in wanted)])
        raise UsageError(
            f"'{name}' has {len(names)} of {len(wanted)} names after '{kind}'",
            remedy=f"write it as {form}",
        )
    for word, one in zip(wanted, names, strict=True):
        check_name(word, one)
    return (kind, *names)


_TRUNK = ("left_hip", "right_hip", "left_shoulder", "right_shoulder")


@lru_cache(maxsize=512)
def keypoints_of(measure: Measure) -> tuple[str, ...]:
    """Return the keypoints that a measure reads; the stature, which all heights need, left out."""
    kind, *names = measure
    if kind == "speed":
        return keypoints_of(tuple(names))
    if kind == "leaning":
        return _TRUNK
    return tuple(dict.fromkeys(point for name in names for point in _points_of(kind, name)))


def _points_of(kind: str, name: str) -> tuple[str, ...]:
    if KINDS[kind][0] == "joint":
        joint = JOINTS[JOINT_NAMES.index(name)]
        return (*joint.first, *joint.middle, *joint.last)
    if KINDS[kind][0] == "limb":
        limb = LIMBS[LIMB_NAMES.index(name)]
        return (*limb.start, *limb.end)
    if name == "head":
        return HEADS
    part = "shoulder" if name == "neck" else name.removeprefix("mid_")
    return (f"left_{part}", f"right_{part}") if name in ("neck", f"mid_{part}") else (name,)
