"""The plan of the house, held: floors, budgets, public names, a light import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import poise

SOURCE = Path(poise.__file__).parent
FLOORS = [
    ["errors", "closing"],
    ["mesh_table"],
    ["skeleton_table"],
    ["skeleton_sigmas"],
    ["skeleton"],
    ["poses"],
    ["clip"],
    ["geometry"],
    [
        "tracking",
        "smoothing",
        "gaps",
        "swaps",
        "cuts",
        "assignment",
        "angles",
        "alignment",
        "metrics",
    ],
    ["output", "markup"],
    ["runtime"],
    ["io", "draw", "weights", "crop", "options"],
    ["models", "synthetic", "testing"],
    ["pipeline"],
    ["loading"],
    ["batch", "comparison", "classification", "evaluation", "lineup", "benchmarking", "checking"],
    ["cli"],
]
MODULES = sorted(SOURCE.rglob("*.py"))


def _room(path: Path) -> str:
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def _floor(room: str) -> int:
    for number, rooms in enumerate(FLOORS):
        if room in rooms:
            return number
    raise AssertionError(f"{room} stands on no floor: add it to FLOORS")


def _imports(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("poise."):
            rooms.add(node.module.split(".")[1])
        elif isinstance(node, ast.ImportFrom) and node.module == "poise":
            rooms.update(alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            rooms.update(a.name.split(".")[1] for a in node.names if a.name.startswith("poise."))
    return rooms


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_down(path: Path) -> None:
    room = _room(path)
    if room in ("__init__", "__main__"):
        return
    for other in _imports(path) - {room, "__version__"}:
        assert _floor(other) <= _floor(room), f"{room} imports {other}, which stands above it"
        if _floor(other) == _floor(room):
            # The world's rooms share no code but options; the models may use the fakes.
            allowed = {("models", "testing"), ("testing", "models"), ("testing", "synthetic")}
            assert (room, other) in allowed, f"{room} imports {other} on the same floor"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_budgets(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    code = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    if code:
        assert text.count("\n") <= 300, f"{path.name} is longer than 300 lines"
    for node in code:
        doc = node.body[0] if ast.get_docstring(node) else None
        size = node.end_lineno - node.lineno + 1 - (doc.end_lineno - doc.lineno + 1 if doc else 0)
        assert size <= 40, f"{path.name}: {node.name} has {size} lines"
        positional = [a.arg for a in node.args.posonlyargs + node.args.args]
        positional = [a for a in positional if a not in ("self", "cls")]
        dunder = node.name in ("__exit__", "__init__")
        assert dunder or len(positional) <= 5, f"{path.name}: {node.name} takes {positional}"


def test_public_names_are_few_and_real() -> None:
    assert len(poise.__all__) <= 30
    assert poise.__all__ == sorted(poise.__all__)
    for name in poise.__all__:
        assert getattr(poise, name) is not None


def test_unknown_public_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'estimat'"):
        _ = poise.estimat


def test_import_is_light() -> None:
    code = (
        "import sys, time; start = time.perf_counter(); import poise; "
        "heavy = {'av', 'PIL', 'openvino', 'cv2', 'torch', 'typer', 'rich', 'ray', 'fastapi',"
        " 'matplotlib', 'onnxruntime', 'pyarrow', 'scipy'} & set(sys.modules); "
        "print(sorted(heavy), list(m for m in sys.modules if m.startswith('poise')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("[] ['poise']")
