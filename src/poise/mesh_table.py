"""MediaPipe's face mesh as data: the names of its 478 points, and the lines that are drawn.

The order is MediaPipe's: 468 points of a surface, then five for each iris: the middle, and four
on the rim. A point of one side is named after MediaPipe's number of the right one of its pair,
``left_mesh_33`` and ``right_mesh_33``; a point in the middle is ``mesh_10``. MediaPipe numbers the
220 points of the person's right side before those of the left and both in the same order, so the
k-th of the one is the mirror image of the k-th of the other: mirrored photographs agree for all,
and so do the surface's triangles but for six of 1322 sides.

Where a point is the same landmark as one of the 68 of the face (iBUG 300-W), it has that name: so
it is for 50 of them, as the published tables of correspondence say (P. Yan,
Mediapipe_2_Dlib_Landmarks, and others; where these differ, at the outer ends of brows and nostrils,
what most of them say). The 16 of the jaw beside the chin are not among them: in
the 68 they lie on the outline that the camera sees, in the mesh on the surface, and no two tables
agree; nor are the upper two of the nose's bridge.

Lines: ``mediapipe/python/solutions/face_mesh_connections.py``.
"""

from __future__ import annotations

import itertools

_MIDDLE = (
    0, 1, 2, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 94, 151, 152, 164, 168, 175,
    195, 197, 199, 200,
)  # fmt: skip
# The rims of the irises are numbered as the camera sees them: 469 is on the left of the picture.
_IRISES = ((468, 473), (469, 476), (470, 475), (471, 474), (472, 477))
PAIRS: tuple[tuple[int, int], ...] = (
    *zip((i for i in range(248) if i not in _MIDDLE), range(248, 468), strict=True), *_IRISES,
)  # fmt: skip

_MIDDLE_NAMES = {
    5: "nose_bridge_2", 4: "nose_bridge_3", 2: "nose_base", 152: "chin",
    0: "lip_top", 17: "lip_bottom", 13: "lip_inner_top", 14: "lip_inner_bottom",
}  # fmt: skip
_RIGHT_NAMES = {
    70: "brow_0", 63: "brow_1", 105: "brow_2", 66: "brow_3", 107: "brow_4",
    98: "nostril_0", 97: "nostril_1",
    33: "eyelid_outer", 160: "eyelid_upper_0", 158: "eyelid_upper_1", 133: "eyelid_inner",
    144: "eyelid_lower_0", 153: "eyelid_lower_1",
    61: "lip_corner", 39: "lip_top_0", 37: "lip_top_1", 91: "lip_bottom_0", 84: "lip_bottom_1",
    78: "lip_inner_corner", 82: "lip_inner_top", 87: "lip_inner_bottom",
    468: "iris", 469: "iris_outer", 470: "iris_upper", 471: "iris_inner", 472: "iris_lower",
}  # fmt: skip

_NAMES = {i: _MIDDLE_NAMES.get(i, f"mesh_{i}") for i in _MIDDLE}
for _right, _left in PAIRS:
    _word = _RIGHT_NAMES.get(_right, f"mesh_{_right}")
    _NAMES[_right], _NAMES[_left] = f"right_{_word}", f"left_{_word}"
FACE478: tuple[str, ...] = tuple(_NAMES[i] for i in range(478))

# Of lines that go over to the other side, only the right half is here.
_RIGHT_LINES = (
    (10, 109, 67, 103, 54, 21, 162, 127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152),
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246, 33),
    (46, 53, 52, 65, 55), (70, 63, 105, 66, 107),
    (0, 37, 39, 40, 185, 61, 146, 91, 181, 84, 17), (13, 82, 81, 80, 191, 78, 95, 88, 178, 87, 14),
    (98, 97, 2), (469, 470, 471, 472, 469),
)  # fmt: skip
_MIDDLE_LINE = (168, 6, 197, 195, 5, 4, 1, 19, 94, 2)
_MIRROR = {**dict(PAIRS), **{left: right for right, left in PAIRS}}
FACE478_EDGES: tuple[tuple[int, int], ...] = tuple(
    edge
    for line in (
        _MIDDLE_LINE, *_RIGHT_LINES,
        *(tuple(_MIRROR.get(i, i) for i in line) for line in _RIGHT_LINES),
    )
    for edge in itertools.pairwise(line)
)  # fmt: skip
