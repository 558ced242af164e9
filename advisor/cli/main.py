"""The command line as a whole: its commands, its errors, its exit codes.

0 fine; 1 a gate failed; 2 usage, configuration or rule; 3 nothing could be judged, or a target could not be read.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated

import typer

from advisor.cli import audit, collect, explain, gate, patch, rules
from advisor.errors import AdvisorError

app = typer.Typer(
    name="advisor",
    help="Say which sysctl and nginx settings hold this host back, with the measured numbers, and write the patch.",
    epilog="Exit codes: 0 fine, 1 a gate failed, 2 usage or rule, 3 a target could not be read or judged.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("audit", rich_help_panel="Look")(audit.command)
app.command("explain", rich_help_panel="Look")(explain.command)
app.command("patch", rich_help_panel="Change")(patch.command)
app.command("gate", rich_help_panel="Guard")(gate.command)
app.add_typer(rules.app, name="rules", rich_help_panel="Guard")
app.command("collect", rich_help_panel="Move")(collect.command)


@app.callback()
def _top(
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.", is_eager=True)] = False,
) -> None:
    if version:
        from advisor import __version__

        typer.echo(f"advisor {__version__}")
        raise typer.Exit


def run(arguments: list[str] | None = None) -> int:
    """Run a command line; returns the exit code. Every failure is one clear message on standard error."""
    try:
        code = app(arguments, prog_name="advisor", standalone_mode=False)
        sys.stdout.flush()
    except AdvisorError as error:
        print(f"advisor: {error}", file=sys.stderr)  # noqa: T201 (this is where errors are said)
        return error.exit_code
    except typer.Abort:
        return 130
    except KeyboardInterrupt:
        return 130
    except (BrokenPipeError, SystemExit):
        # The reader went away (| head), which typer turns into an exit: nothing is left to be said, not even by the
        # interpreter at its end. As from the shell's own tools: a gate nobody could read is neither green nor red.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Exception as error:
        show = getattr(error, "show", None)
        if show is None:
            raise
        show()
        return int(getattr(error, "exit_code", 2))
    return code if isinstance(code, int) else 0
