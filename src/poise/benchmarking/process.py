"""The parent's end of a `worker`: starts it, has it work, and says in one line how it failed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from poise.benchmarking.figures import Burst, Speed, sum_up
from poise.benchmarking.matrix import Configuration
from poise.benchmarking.rivals import Rival
from poise.closing import Closing
from poise.errors import ModelError


class Process(Closing):
    """A child process that has loaded a configuration, or a rival, and is warm.

    Raises:
        ModelError: It cannot run; the message says why.
    """

    def __init__(
        self, configuration: Configuration, pictures: Path, *, rival: Rival | None = None
    ) -> None:
        # What it complains about may be much; a file never fills up as a pipe does.
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115  (closed in close)
        self._child = subprocess.Popen(
            # -P: what lies in the user's folder is not imported.
            [sys.executable, "-P", "-m", "poise.benchmarking.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
            encoding="utf-8",
            # rtmlib imports onnxruntime, which would send reports to its maker.
            env={**os.environ, "ORT_DISABLE_TELEMETRY": "1"},
        )
        self._bursts: list[Burst] = []
        order = {
            "configuration": configuration.to_json(),
            "pictures": str(pictures),
            "rival": None if rival is None else {"name": rival.name, "weights": rival.weights},
        }
        try:
            self._ready = self._ask(json.dumps(order))
        except BaseException:
            self.close()
            raise

    @property
    def bursts(self) -> list[Burst]:
        """What it has done so far."""
        return self._bursts

    def burst(self) -> None:
        """Have it work for a moment."""
        said = self._ask("burst")
        self._bursts.append(
            Burst(tuple(said["seconds"]), said["frames"], said["network"], said["people"])
        )

    def finish(self) -> Speed:
        """End it; return what it reached."""
        return sum_up(self._bursts, self._ready, self._ask("end")["peak"])

    def _ask(self, order: str) -> dict[str, Any]:
        orders, replies = self._child.stdin, self._child.stdout
        line = ""
        if orders is not None and replies is not None:
            try:
                orders.write(order + "\n")
                orders.flush()
                line = replies.readline()
            except BrokenPipeError:
                line = ""
        if not line:
            raise ModelError(f"its process ended with code {self._child.wait()}{self._last()}")
        said: dict[str, Any] = json.loads(line)
        if "problem" in said:
            raise ModelError(said["problem"])
        return said

    def _last(self) -> str:
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        return f": {lines[-1].strip()}" if lines else ""

    def close(self) -> None:
        """End the process if it still runs; closing twice does nothing more."""
        self._child.kill()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                # An order that nobody reads any more.
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue
        self._child.wait()
        self._complaints.close()
