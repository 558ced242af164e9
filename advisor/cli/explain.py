"""``advisor explain``."""

from __future__ import annotations

import sys
from typing import Annotated

from advisor.cli import options as o
from advisor.cli import reading as r
from advisor.cli.command import Option


def command(
    *,
    rule: Annotated[str, Option((), "Its id: see advisor rules.", "RULE")],
    config: r.ConfigFile = None,
    isolated: r.Isolated = False,
    rules: r.Packs = None,
) -> int:
    """Say what a rule looks for, why, when to leave it, what it would change and where that is written.

    Example:
        advisor explain listen-backlog-capped
    """
    from advisor.jobs import explain
    from advisor.jobs.configure import Asked, known

    sys.stdout.write(explain.told(rule, known(Asked(config, isolated, rules or ())), o.width()))
    return 0
