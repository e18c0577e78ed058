"""``poise doctor``: what is installed, what it can do, and what is missing. Never the network."""

from __future__ import annotations

import json
import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Annotated, Any

import typer

from poise import __version__
from poise.errors import PoiseError
from poise.models.choice import remembered
from poise.weights import Shelf, home, offline

_PACKAGES = ("numpy", "openvino", "av", "pillow", "typer", "rich", "platformdirs")
# What to look for in the codecs: the encoder that each kind of output needs first.
_ENCODERS = {"h264": ("libx264", "libopenh264", "h264"), "vp9": ("libvpx-vp9",), "gif": ("gif",)}
_SIZES = {"free_bytes": "free disk", "cached_bytes": "in the cache"}
_DECODERS = ("h264", "hevc", "vp9", "av1", "mjpeg")


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Say what is installed, what works here, and what is missing."""
    findings = examine()
    if as_json:
        typer.echo(json.dumps(findings, indent=2))
        return
    for title, found in findings.items():
        typer.echo(f"{title}:")
        for line in _lines(found):
            typer.echo(f"  {line}")


def examine() -> dict[str, Any]:
    """Return everything that ``poise doctor`` shows, ready for JSON."""
    return {
        "versions": {
            "poise": __version__,
            "python": platform.python_version(),
            **{name: _version(name) or "missing: pip install poise" for name in _PACKAGES},
        },
        "machine": {"system": platform.platform(), "cores": os.cpu_count()},
        "engine": _guard(_engine),
        "second engine": _guard(_second_engine),
        "codecs": _guard(_codecs),
        "weights": _weights(),
        "extras": _extras(),
    }


def _lines(found: Any) -> list[str]:
    if not isinstance(found, dict):
        return [str(found)]
    return [_line(name, value) for name, value in found.items()]


def _line(name: str, value: Any) -> str:
    if name.endswith("_bytes"):
        name, value = _SIZES.get(name, name), f"{value / 1e6:,.0f} MB"
    if isinstance(value, list):
        value = ", ".join(map(str, value)) or "none"
    return f"{name}: {'yes' if value is True else 'no' if value is False else value}"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _guard(check: Any) -> dict[str, Any]:
    # A broken installation is what the doctor is asked about, so it must not stop him.
    try:
        found: dict[str, Any] = check()
    except (ImportError, OSError, RuntimeError, PoiseError) as error:
        return {"problem": f"{type(error).__name__}: {error}"}
    return found


def _engine() -> dict[str, Any]:
    from poise import runtime

    return {
        "name": "openvino",
        "version": runtime.engine_version(),
        "devices": runtime.devices(),
        "precision": runtime.best_precision(),
    }


def _second_engine() -> dict[str, Any]:
    from poise import runtime

    name = "onnxruntime"
    return {
        "name": name,
        "version": runtime.engine_version(name),
        "devices": runtime.devices(name),
    }


def _codecs() -> dict[str, Any]:
    import av

    here = av.codecs_available
    encoders = {
        name: next((codec for codec in codecs if _can_encode(codec)), None)
        for name, codecs in _ENCODERS.items()
    }
    return {
        "write": [f"{name} ({codec})" for name, codec in encoders.items() if codec],
        "cannot write": [name for name, codec in encoders.items() if not codec],
        "read": [name for name in _DECODERS if name in here],
    }


def _can_encode(codec: str) -> bool:
    import av

    try:
        av.codec.Codec(codec, "w")
    except (ValueError, av.error.FFmpegError):
        return False
    return True


def _weights() -> dict[str, Any]:
    folder = home()
    files = [path for path in (folder / "weights").glob("*/*") if path.is_file()]
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return {
        "folder": str(folder),
        "writable": os.access(existing, os.W_OK),
        "free_bytes": shutil.disk_usage(existing).free,
        "cached": sorted(path.name for path in files),
        "cached_bytes": sum(path.stat().st_size for path in files),
        "auto": remembered() or "not chosen yet",
        "POISE_MODELS": [_named(folder) for folder in Shelf.from_environment().folders],
        "offline": offline(),
    }


def _named(folder: Path) -> str:
    return str(folder) if folder.is_dir() else f"{folder} (no such folder)"


def _extras() -> dict[str, str]:
    """What each optional extra is: there, or the line that installs it."""
    missing: dict[str, list[str]] = {}
    for requirement in requires("poise") or ():
        package, _, marker = requirement.partition(";")
        if "extra ==" not in marker:
            continue
        extra = marker.rpartition("extra ==")[2].strip().strip("\"'")
        name = package.strip().split("[")[0].split(" ")[0]
        bare = name[: next((i for i, c in enumerate(name) if c in "<>=!~"), len(name))]
        missing.setdefault(extra, []).extend([] if _version(bare) else [bare])
    return {
        extra: f"missing {', '.join(names)}: pip install 'poise[{extra}]'" if names else "installed"
        for extra, names in missing.items()
        if extra not in ("test", "docs")
    }
