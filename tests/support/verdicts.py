"""What the shipped rules say of one nginx configuration, by item."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from advisor.engine.cases import snapshot_of
from advisor.engine.judge import judge
from advisor.facts.derive import Facts
from advisor.jobs import load

if TYPE_CHECKING:
    from advisor.engine.rule import Rule


@cache
def _rules() -> dict[str, Rule]:
    return {rule.id: rule for rule in load.rules()}


def states(rule: str, nginx: str, **given: Any) -> dict[str, str]:
    """The state of every item of a rule."""
    facts = Facts(snapshot_of({"nginx": nginx, **given}))
    return {verdict.item: str(verdict.state) for verdict in judge([_rules()[rule]], facts)}


def failing(rule: str, nginx: str, **given: Any) -> set[str]:
    """The items that fail."""
    return {item for item, state in states(rule, nginx, **given).items() if state == "fail"}
