"""Snapshots judged by the shipped rules in this process, which has to load them only once."""

from __future__ import annotations

import functools
import pathlib
from collections import defaultdict
from typing import TYPE_CHECKING

from advisor.engine.judge import judge
from advisor.engine.judging import Judging
from advisor.facts.derive import Facts
from advisor.jobs import load, patch
from advisor.remedy.plan import Allowed

if TYPE_CHECKING:
    from advisor.engine.rule import Rule
    from advisor.findings import Finding
    from advisor.remedy.plan import Plan
    from advisor.snapshot.model import Snapshot


@functools.cache
def rules() -> list[Rule]:
    """The shipped rules."""
    return load.rules()


def findings(snapshot: Snapshot, **params: str) -> dict[str, dict[str, Finding]]:
    """The findings by rule and item; ``__`` in a parameter's name stands for the dot, ``_`` for ``-``."""
    overrides = {name.replace("__", ".").replace("_", "-"): text for name, text in params.items()}
    found: dict[str, dict[str, Finding]] = defaultdict(dict)
    for verdict in judge(rules(), Facts(snapshot), overrides):
        if verdict.finding is not None:
            found[verdict.rule][verdict.item] = verdict.finding
    return found


def planned(snapshot: Snapshot) -> Plan:
    """What a patch of safe steps changes."""
    return patch.plan(snapshot, Judging(rules()), Allowed(unsafe=False))


def write(plan: Plan) -> None:
    """Put the nginx files of a plan in their places."""
    for path, content in plan.prediction.files.items():
        pathlib.Path(path).write_bytes(content)
