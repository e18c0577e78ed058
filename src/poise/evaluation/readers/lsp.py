"""Leeds Sports Pose and its extension: ``joints.mat``, 14 joints of one person in each picture.

- LSP: 3 x 14 x 2000, pictures im0001.jpg on; its third row says whether the joint is hidden, and
  every joint is labelled.
- LSP-extended: 14 x 3 x 10000, pictures im00001.jpg on; its third column says whether the joint is
  labelled, and the others hold nonsense.

There are neither boxes nor areas: `entries` says what counts. OKS and AP are no official figures
of LSP. In half-labelled pictures others may be seen who have no labels.

Source: Johnson and Everingham, BMVC 2010 and CVPR 2011, and the data sets' README files.
"""

from __future__ import annotations

from pathlib import Path

from poise.errors import InputError
from poise.evaluation.readers.entries import make_person
from poise.evaluation.readers.matlab import read_arrays
from poise.evaluation.truth import Floats, TruePicture, Truth
from poise.io.formats.source import well_formed
from poise.skeleton import get_skeleton

_COUNT = 14


def read(where: Path) -> Truth:
    """Return the truth of a ``joints.mat``.

    Raises:
        InputError: It cannot be read, or holds something else.
    """
    joints = read_arrays(where).get("joints")
    wanted = "give LSP's joints.mat: joints, 3 x 14 x pictures or 14 x 3 x pictures"
    if joints is None or joints.ndim != 3 or sorted(joints.shape[:2]) != [3, _COUNT]:
        shape = "no joints" if joints is None else f"joints of {joints.shape}"
        raise InputError(f"holds {shape}", where=where, remedy=wanted)
    extended = joints.shape[0] == _COUNT
    people: Floats = joints.transpose(2, 0, 1) if extended else joints.transpose(2, 1, 0)
    keypoints = people.copy()
    keypoints[..., 2] = 2.0 * (people[..., 2] > 0) if extended else 2 - (people[..., 2] > 0)
    keypoints[keypoints[..., 2] == 0] = 0
    digits = 5 if extended else 4
    with well_formed(where, "LSP annotations"):
        pictures = tuple(
            TruePicture(
                number,
                f"im{number:0{digits}d}.jpg",
                people=(make_person(points, _COUNT, name=number),),
            )
            for number, points in enumerate(keypoints, start=1)
        )
    return Truth(get_skeleton("lsp14"), pictures, "lsp-extended" if extended else "lsp")
