"""``advisor rules``, ``advisor rules test`` and ``advisor rules schema``."""

from __future__ import annotations

import sys
from typing import Annotated

from advisor.cli import options as o
from advisor.cli.command import Option, say

For = Annotated[str, Option(("--for",), "Of what: rule for a rule's file, config for advisor.yaml.", "rule|config")]


def list_rules() -> int:
    """List the rules that come with advisor; test those of a pack, or print the schema of their files."""
    from advisor.jobs import explain, load

    sys.stdout.write(explain.listing(load.rules(), o.width()))
    return 0


def run_cases(
    *,
    packs: Annotated[
        list[str] | None,
        Option((), "Folders of rules; those that come with advisor if left out.", "PACK"),
    ] = None,
) -> int:
    """Try rules by their own cases: each fires, is quiet, is unknown without its sources, and its own step cures it.

    Examples:
        advisor rules test
        advisor rules test our-rules/
    """
    from advisor.jobs import cases, load

    rules = load.tried(packs or ())
    ours = [rule for rule in rules if rule.foreign]
    found = [cases.tried(rule) for rule in ours or rules]
    for one in found:
        if ours:
            sys.stdout.write(f"{one.line}\n")
        for wrong in one.wrong:
            say(f"{one.rule.file}: {wrong}")
    failed = sum(len(one.wrong) for one in found)
    total = sum(len(one.rule.cases) for one in found)
    counted = f"{len(found)} {'rule' if len(found) == 1 else 'rules'}"
    sys.stdout.write(f"{counted}, {total} cases, {failed} failed\n")
    return 1 if failed else 0


def schema(*, of: For = "rule") -> int:
    """Print the JSON Schema of a rule's file, or of advisor.yaml, for editors.

    Examples:
        advisor rules schema > rule.schema.json
        advisor rules schema --for config > advisor.schema.json
    """
    from advisor.jobs import schemas

    sys.stdout.write(schemas.text(of))
    return 0
