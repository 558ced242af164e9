"""The command line as a whole: its commands, its errors, its exit codes.

0 fine; 1 a gate failed; 2 usage, configuration or rule; 3 nothing could be judged, or a target could not be read.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from advisor.cli import quick
from advisor.cli.command import Command
from advisor.errors import AdvisorError

if TYPE_CHECKING:
    import typer


class _Entry(NamedTuple):
    """A command: the panel of the help it stands in, its module in this room, and what it is called there."""

    panel: str
    module: str
    function: str = "command"


COMMANDS = {
    "audit": _Entry("Look", "audit"),
    "capture": _Entry("Look", "capture"),
    "effective": _Entry("Look", "effective"),
    "explain": _Entry("Look", "explain"),
    "patch": _Entry("Change", "patch"),
    "gate": _Entry("Guard", "gate"),
    "upgrade-check": _Entry("Guard", "upgrade"),
    "rules": _Entry("Guard", "rules", "list_rules"),
    "rules test": _Entry("Guard", "rules", "run_cases"),
    "rules schema": _Entry("Guard", "rules", "schema"),
    "collect": _Entry("Move", "collect"),
}
"""In the order of the help. ``a b`` is the command ``b`` below ``a``."""


def app() -> typer.Typer:
    """The command line as typer has it."""
    from advisor.cli import typed

    return typed.build({name: (entry.panel, _command(entry)) for name, entry in COMMANDS.items()})


def run(arguments: list[str] | None = None) -> int:
    """Run a command line; returns the exit code. Every failure is one clear message on standard error."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        code = _run(words)
        sys.stdout.flush()
    except AdvisorError as error:
        print(f"advisor: {error}", file=sys.stderr)  # noqa: T201 (this is where errors are said)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except (BrokenPipeError, SystemExit):
        # The reader went away (| head), which typer turns into an exit: nothing is left to be said, not even by the
        # interpreter at its end. As from the shell's own tools: a gate nobody could read is neither green nor red.
        from signal import SIGPIPE

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + SIGPIPE
    return code


def _run(words: list[str]) -> int:
    """A command line that is plainly right needs no typer, which would take longer than most commands."""
    for length in (2, 1):
        entry = COMMANDS.get(" ".join(words[:length])) if len(words) >= length else None
        if entry is not None:
            command = _command(entry)
            values = quick.parse(command.parameters(), words[length:])
            return _run_by_typer(words) if values is None else command.run(values)
    return _run_by_typer(words)


def _command(entry: _Entry) -> Command:
    found = getattr(import_module(f"advisor.cli.{entry.module}"), entry.function)
    return found if isinstance(found, Command) else Command(found)


def _run_by_typer(words: list[str]) -> int:
    import typer

    try:
        code = app()(words, prog_name="advisor", standalone_mode=False)
    except typer.Abort:
        return 130
    except Exception as error:
        show = getattr(error, "show", None)
        if show is None:
            raise
        show()
        return int(getattr(error, "exit_code", 2))
    return code if isinstance(code, int) else 0
