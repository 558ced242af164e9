"""``advisor explain``."""

from __future__ import annotations

from typing import Annotated

import typer

from advisor.cli import options as o


def command(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="Its id: see advisor rules.")],
) -> None:
    """Say what a rule looks for, why, when to leave it, what it would change and where that is written.

    Example:
        advisor explain listen-backlog-capped
    """
    from advisor.jobs import explain, load

    typer.echo(explain.explain(load.named(load.rules(), rule), o.width()), nl=False)
