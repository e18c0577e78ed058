"""Many sources, one after another: mirrored outputs, a record, failures that stop nobody else."""

from __future__ import annotations

import dataclasses
import errno
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from poise.batch.counting import Report
from poise.batch.ledger import Entry, Ledger
from poise.batch.single import Output, Summary, check_outputs, output_suffix, write_estimate
from poise.draw import Style
from poise.errors import OutputError, PoiseError
from poise.io.sources import Source
from poise.models.base import PoseModel
from poise.options import Options
from poise.output import translated

LEDGER = ".poise/ledger.sqlite3"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Watcher(Protocol):
    """Is told how a run goes on; the command line shows it."""

    def begin(self, source: str, number: int, total: int) -> Report | None:
        """A source begins; the answer is told of its frames."""

    def end(self, source: str, summary: Summary | None, error: PoiseError | None) -> None:
        """A source is done (summary), failed (error), or was done before (neither)."""


@dataclass
class Result:
    """What came of a run.

    Attributes:
        done: Sources finished in this run.
        skipped: Sources that were complete and unchanged.
        failed: Each source that failed, with its error.
        frames: Frames written in this run.
    """

    done: int = 0
    skipped: int = 0
    failed: list[tuple[str, PoiseError]] = field(default_factory=list)
    frames: int = 0


@dataclass(frozen=True)
class Run:
    """A run over many sources into one folder.

    Attributes:
        folder: The outputs' folder; its tree mirrors the sources'.
        formats: One output a source for each: pose formats and picture suffixes.
        model: The loaded model.
        options: How to estimate.
        style: How pictures are painted.
        resume: Skip what is complete and unchanged.
        overwrite: Replace outputs that exist.
    """

    folder: Path
    formats: tuple[str, ...]
    model: PoseModel
    options: Options
    style: Style = field(default_factory=Style)
    resume: bool = False
    overwrite: bool = False

    def process(self, sources: Sequence[Source], watcher: Watcher) -> Result:
        """Estimate every source; one that fails is listed and the next one begins.

        Raises:
            UsageError: There is no such format.
            OutputError: The folder cannot be written, its disk is full, or outputs exist and
                neither ``resume`` nor ``overwrite`` is set.
        """
        result = Result()
        jobs = list(self._jobs(sources))
        if not (self.resume or self.overwrite):
            self._refuse_existing(jobs)
        cleaned: set[Path] = set()
        with Ledger(self.folder / LEDGER) as ledger:
            if self.resume:
                _refuse_others(ledger, jobs)
            for number, (source, outputs) in enumerate(jobs, start=1):
                self._clean(outputs, cleaned)
                report = watcher.begin(source.address, number, len(jobs))
                summary, error = None, None
                if self.resume and self._is_done(ledger, source, outputs):
                    result.skipped += 1
                else:
                    summary, error = self._try(ledger, source, outputs, report)
                    result.done += summary is not None
                    result.frames += summary.frames if summary else 0
                    result.failed += [(source.address, error)] if error else []
                watcher.end(source.address, summary, error)
        return result

    def _jobs(self, sources: Sequence[Source]) -> Iterator[tuple[Source, list[Output]]]:
        stems = Counter(Path(source.relative).with_suffix("") for source in sources)
        for source in sources:
            relative = Path(source.relative)
            # Two sources that differ in their suffix alone keep it, so that both have an output.
            base = relative if stems[relative.with_suffix("")] > 1 else relative.with_suffix("")
            yield source, [_output(self.folder / base, form) for form in self.formats]

    def _refuse_existing(self, jobs: list[tuple[Source, list[Output]]]) -> None:
        for source, outputs in jobs:
            check_outputs(source.address, outputs, overwrite=True)
            try:
                check_outputs(source.address, outputs, overwrite=False)
            except OutputError as error:
                remedy = "add --resume to go on, or --overwrite to do all anew"
                raise OutputError(error.what, where=error.where, remedy=remedy) from None

    def _clean(self, outputs: list[Output], cleaned: set[Path]) -> None:
        """Remove what a killed run left under temporary names; the ledger's lock makes it safe."""
        for folder in {Path(output.path).parent for output in outputs} - cleaned:
            cleaned.add(folder)
            with translated(folder):
                for left in folder.glob(".poise-*.part"):
                    shutil.rmtree(left) if left.is_dir() else left.unlink()

    def _settings(self) -> str:
        values = dataclasses.asdict(self.options) | {"formats": self.formats}
        values |= {f"style_{name}": value for name, value in vars(self.style).items()}
        values |= {"model": self.model.name, "precision": self.model.precision}
        return json.dumps(values, sort_keys=True)

    def _is_done(self, ledger: Ledger, source: Source, outputs: list[Output]) -> bool:
        entry = ledger.find(source.address)
        return (
            entry is not None
            and (entry.size, entry.modified) == _state(source.address)
            and entry.settings == self._settings()
            and entry.outputs == _sizes(outputs)
        )

    def _try(
        self, ledger: Ledger, source: Source, outputs: list[Output], report: Report | None
    ) -> tuple[Summary | None, PoiseError | None]:
        try:
            size, modified = _state(source.address)
            ledger.forget(source.address)
            for output in outputs:
                _make_folder(Path(output.path).parent)
            summary = write_estimate(
                source.address,
                outputs,
                self.model,
                self.options,
                overwrite=True,
                style=self.style,
                report=report,
            )
        except PoiseError as error:
            if getattr(error.__cause__, "errno", None) in _FULL:
                raise
            return None, error
        except Exception as error:  # noqa: BLE001 (one source must not stop the others)
            return None, PoiseError(
                f"unexpected {type(error).__name__}: {error}", where=source.address
            )
        sizes = _sizes(outputs)
        ledger.record(
            Entry(source.address, size, modified, self._settings(), sizes, summary.frames)
        )
        return summary, None


def _refuse_others(ledger: Ledger, jobs: list[tuple[Source, list[Output]]]) -> None:
    """Refuse to go on where that would replace what was made from other sources."""
    makers = ledger.makers()
    for source, outputs in jobs:
        for output in outputs:
            maker = makers.get(output.path, source.address)
            if maker != source.address and not _is_same(maker, source.address):
                what, remedy = f"was made from {maker}", "name another folder with -o"
                raise OutputError(what, where=output.path, remedy=remedy)


def _is_same(one: str, other: str) -> bool:
    """Whether two names lead to one file; a file that is gone is not told apart."""
    try:
        return Path(one).samefile(other)
    except OSError:
        return True


def _output(base: Path, form: str) -> Output:
    return Output(f"{base}{output_suffix(form)}", form)


def _state(path: str) -> tuple[int, int]:
    try:
        stat = Path(path).stat()
    except OSError:
        return 0, 0
    return stat.st_size, stat.st_mtime_ns


def _sizes(outputs: list[Output]) -> str:
    return json.dumps([[o.path, _state(o.path)[0]] for o in outputs])


def _make_folder(folder: Path) -> None:
    with translated(folder):
        folder.mkdir(parents=True, exist_ok=True)
