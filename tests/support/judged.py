"""What a shipped rule says of one nginx configuration, by item."""

from __future__ import annotations

import pathlib
from functools import cache
from typing import TYPE_CHECKING, Any

from advisor.engine.cases import snapshot_of
from advisor.engine.judge import judge
from advisor.engine.pack import load_rule
from advisor.facts.derive import Facts

if TYPE_CHECKING:
    from advisor.engine.rule import Rule

RULES = pathlib.Path(__file__).parents[2] / "rules"


@cache
def _rule(name: str) -> Rule:
    (path,) = RULES.rglob(f"{name}.yaml")
    return load_rule(path.read_bytes(), str(path), Facts)


def facts_of(nginx: str, **given: Any) -> Facts:
    """What is known of a configuration; the rest is given as in a rule's case."""
    return Facts(snapshot_of({"nginx": nginx, **given}))


def states(rule: str, nginx: str, **given: Any) -> dict[str, str]:
    """The state of every item of a rule."""
    facts = facts_of(nginx, **given)
    return {verdict.item: str(verdict.state) for verdict in judge([_rule(rule)], facts)}


def failing(rule: str, nginx: str, **given: Any) -> set[str]:
    """The items that fail."""
    return {item for item, state in states(rule, nginx, **given).items() if state == "fail"}
