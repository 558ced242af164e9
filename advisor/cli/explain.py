"""``advisor explain``."""

from __future__ import annotations

import sys
from typing import Annotated

from advisor.cli import options as o
from advisor.cli.command import Option


def command(
    *,
    rule: Annotated[str, Option((), "Its id: see advisor rules.", "RULE")],
) -> int:
    """Say what a rule looks for, why, when to leave it, what it would change and where that is written.

    Example:
        advisor explain listen-backlog-capped
    """
    from advisor.jobs import explain, load

    sys.stdout.write(explain.explain(load.named(load.rules(), rule), o.width()))
    return 0
