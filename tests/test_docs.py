"""Every page of the documentation is built, and every Python example in it runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^poise [a-z].*$", re.MULTILINE)


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_examples_run(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The blocks of one page run in order, as one program, in an empty folder."""
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    if not blocks:
        pytest.skip("this page has no Python example")
    program = "\n".join(blocks)
    if "load_model(" in program or "estimate(" in program:
        request.getfixturevalue("default_weights")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONUTF8": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_site_builds_without_warnings(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", str(ROOT / "docs")]
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "index.html").is_file()


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_commands_exist(page: Path) -> None:
    """Every ``poise`` command line in a page names a command and flags that there are."""
    from typer.main import get_command

    from poise.cli.app import app

    root = get_command(app)
    for line in COMMAND.findall(page.read_text(encoding="utf-8")):
        words = line.split("#")[0].split()[1:]
        command = root
        while words and hasattr(command, "commands") and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        assert command is not root or words[0].startswith("-"), f"no such command: {line}"
        known = {flag for p in command.params for flag in [*p.opts, *p.secondary_opts]}
        for word in words:
            if re.match(r"--?[a-z]", word):
                assert word.split("=")[0] in {*known, "--help", "-h"}, f"no such flag: {line}"
