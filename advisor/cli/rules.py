"""``advisor rules`` and ``advisor rules test``."""

from __future__ import annotations

import sys
from typing import Annotated

from advisor.cli import options as o
from advisor.cli.command import Option, say


def list_rules() -> int:
    """List the rules, or test them."""
    from advisor.jobs import explain, load

    sys.stdout.write(explain.listing(load.rules(), o.width()))
    return 0


def run_cases(
    *,
    folder: Annotated[
        str | None,
        Option((), "A folder of rules; those that came with advisor if left out.", "[FOLDER]"),
    ] = None,
) -> int:
    """Run every case of every rule: it must say what the case expects, and its step must cure it."""
    from advisor.jobs import cases, load

    found = load.rules(folder=folder)
    wrong = cases.failures(found)
    for line in wrong:
        say(line)
    total = sum(len(rule.cases) for rule in found)
    sys.stdout.write(f"{len(found)} rules, {total} cases, {len(wrong)} failed\n")
    return 1 if wrong else 0
