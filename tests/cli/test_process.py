"""The command as a process: its help, what its version costs, and a reader that goes away."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys

import pytest

from advisor.cli.main import COMMANDS

GOLDEN = pathlib.Path(__file__).parent.parent / "golden" / "help"


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_reads_as_it_did(command: str) -> None:
    """Set ADVISOR_UPDATE_GOLDEN=1 to write the files anew, and read what changed."""
    asked = [sys.executable, "-m", "advisor", *command.split(), "--help"]
    keys = {"COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1", "PATH": os.environ["PATH"]}
    said = subprocess.run(asked, capture_output=True, text=True, env=keys, timeout=60, check=True).stdout
    said = "\n".join(line.rstrip() for line in said.splitlines()) + "\n"
    path = GOLDEN / f"{command.replace(' ', '-') or 'advisor'}.txt"
    if os.environ.get("ADVISOR_UPDATE_GOLDEN") == "1":
        path.write_text(said)
    assert said == path.read_text()
    assert max(map(len, said.splitlines())) <= 80


@pytest.mark.parametrize("arguments", [["--version"], ["audit", "--help"]])
def test_the_version_costs_no_imports(arguments: list[str]) -> None:
    """The second command line shows that the check can fail."""
    code = (
        "import sys; from advisor.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'typer', 'pydantic', 'click', 'yaml', 'crossplane', 'psutil'}\n"
        "print(sorted(heavy & {*sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60, check=True
    )
    if arguments == ["--version"]:
        assert done.stdout.startswith("advisor ")
        assert done.stderr == "[]\n"
    else:
        assert "'typer'" in done.stderr


def test_a_reader_that_goes_away_ends_it_in_silence() -> None:
    asked = [sys.executable, "-m", "advisor", "rules"]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(30) == 128 + signal.SIGPIPE
