"""The commands of ``poise`` and the one place where errors become exit codes."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Annotated, NoReturn

import typer

from poise import __version__
from poise.cli import convert, demo, doctor, models, rules
from poise.cli.angles import angles
from poise.cli.benchmark import benchmark
from poise.cli.classify import classify
from poise.cli.compare import compare
from poise.cli.compare_models import compare_models
from poise.cli.correct import correct
from poise.cli.estimate import estimate
from poise.cli.evaluate import evaluate
from poise.cli.reps import reps
from poise.cli.teach import teach
from poise.errors import OutputError, PoiseError

# What Pillow wants to say of a damaged picture becomes our error, or nothing.
_SILENCE = logging.NullHandler()

app = typer.Typer(
    name="poise",
    help="Human pose from any picture, video, folder or camera.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(estimate)
app.command()(compare)
app.command()(correct)
app.command()(angles)
app.command()(classify)
app.command()(reps)
app.command()(teach)
app.command()(evaluate)
app.command()(compare_models)
app.command()(benchmark)
app.command()(demo.demo)
app.command()(convert.convert)
app.add_typer(models.app, name="models")
app.add_typer(rules.app, name="rules")
app.command()(doctor.doctor)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"poise {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Human pose from any picture, video, folder or camera."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line.

    Returns:
        The exit code: 0 ok, 1 failure, 2 usage, 3 some inputs failed, 4 no input matched, 5 model
        or weights, 6 input, 7 output, 8 a score too low, 130 interrupted, 143 terminated.
    """
    signal.signal(signal.SIGTERM, _terminate)
    logging.getLogger("PIL").addHandler(_SILENCE)
    try:
        app(args=list(arguments), prog_name="poise")
    except SystemExit as stop:
        # Typer makes exits of its own of a broken pipe and of an interruption.
        if isinstance(stop.__context__, BrokenPipeError):
            return _let_go(0)
        if _code(stop) == 130:
            sys.stderr.write("poise: interrupted\n")
        return _code(stop)
    except PoiseError as error:
        if isinstance(error.__cause__, BrokenPipeError):
            return _let_go(0)
        _complain(str(error))
        return error.exit_code
    except OSError as error:
        # Where a file is opened, its errors are translated; what is left is the standard output.
        where = error.filename or "the standard output"
        _complain(f"{where}: cannot be written: {error.strerror or error}")
        return _let_go(OutputError.exit_code)
    return 0


def _let_go(code: int) -> int:
    """Nothing more can be written: a reader such as `head` went away, or the disk is full."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _code(stop: SystemExit) -> int:
    return stop.code if isinstance(stop.code, int) else int(stop.code is not None)


def _complain(line: str) -> None:
    sys.stderr.write(f"poise: error: {line}\n")
