"""``advisor rules`` and ``advisor rules test``."""

from __future__ import annotations

from typing import Annotated

import typer

from advisor.cli import options as o

app = typer.Typer(help="List the rules, or test them.", invoke_without_command=True)


@app.callback()
def list_rules(context: typer.Context) -> None:
    """List the rules, or test them."""
    from advisor.jobs import explain, load

    if context.invoked_subcommand is None:
        typer.echo(explain.listing(load.rules(), o.width()), nl=False)


@app.command("test")
def run_cases(
    folder: Annotated[
        str | None,
        typer.Argument(metavar="[FOLDER]", help="A folder of rules; those that came with advisor if left out."),
    ] = None,
) -> None:
    """Run every case of every rule: it must say what the case expects, and its step must cure it."""
    from advisor.jobs import cases, load

    found = load.rules(folder=folder)
    wrong = cases.failures(found)
    for line in wrong:
        typer.echo(line, err=True)
    total = sum(len(rule.cases) for rule in found)
    typer.echo(f"{len(found)} rules, {total} cases, {len(wrong)} failed")
    if wrong:
        raise typer.Exit(1)
