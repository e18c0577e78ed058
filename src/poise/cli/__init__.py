"""The command line: ``poise``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; ends the process with the documented exit code."""
    try:
        from poise.cli.app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while this was still loading
        sys.stderr.write("poise: interrupted\n")
        code = 130
    sys.exit(code)
