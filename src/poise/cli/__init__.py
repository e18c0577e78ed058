"""The command line: ``poise``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; ends the process with the documented exit code."""
    from poise.cli.app import run

    sys.exit(run(sys.argv[1:]))
