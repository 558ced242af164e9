"""The table of sources: all that a snapshot holds stands in it; what comes after the budget is left out and said."""

from __future__ import annotations

import subprocess
import sys

import pytest

from advisor.collect import run
from advisor.collect.budget import Budget
from advisor.collect.run import Request, collect
from advisor.collect.sources import TABLE, Source
from advisor.engine.judge import judge
from advisor.facts.derive import Facts
from advisor.findings import State
from advisor.jobs import load
from advisor.snapshot.model import SOURCES


def test_every_source_of_a_snapshot_stands_in_it_once() -> None:
    assert sorted(source.name for source in TABLE) == sorted(SOURCES)


@pytest.mark.parametrize("source", TABLE, ids=lambda source: source.name)
def test_each_says_what_it_touches_and_has_a_reader(source: Source) -> None:
    assert source.before or source.after
    assert source.touches
    assert source.cost.fixed > 0


class _Clock:
    """CPU seconds that are spent when a source is begun."""

    def __init__(self) -> None:
        self.spent = 0.0

    def __call__(self) -> float:
        return self.spent


def test_past_the_budget_sources_are_left_out_and_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = _Clock()
    monkeypatch.setattr(run, "Budget", lambda seconds: Budget(seconds, clock))

    def say(what: str) -> None:
        clock.spent += 100 * (what == "counters")

    snapshot = collect(Request(sample=0, budget=2), say)
    costly = {source.name for source in TABLE if source.costly}
    assert costly
    for name in costly:
        assert snapshot.unread[name] == ("left out: more CPU than the 2 s of reading; --budget 4 allows more")
    assert snapshot.counters is not None
    assert snapshot.sockets is not None
    assert snapshot.cpu == 200
    found = judge(load.rules(), Facts(snapshot))
    lacking = {one.rule: one.state for one in found if any(miss.source in costly for miss in one.missing)}
    assert lacking["close-wait-leak"] is State.UNKNOWN
    assert set(lacking.values()) == {State.UNKNOWN}
    [leak] = [one for one in found if one.rule == "close-wait-leak"]
    assert leak.state is State.UNKNOWN


def test_within_the_budget_nothing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = _Clock()
    monkeypatch.setattr(run, "Budget", lambda seconds: Budget(seconds, clock))
    snapshot = collect(Request(sample=0))
    assert not [why for why in snapshot.unread.values() if "left out" in why]
    assert snapshot.held is not None


def test_a_budget_is_counted_from_when_it_was_made() -> None:
    clock = _Clock()
    clock.spent = 5.0
    budget = Budget(2.0, clock)
    assert (budget.spent, budget.left) == (0.0, 2.0)
    clock.spent = 6.25
    assert (budget.spent, budget.left) == (1.25, 0.75)
    assert budget.affords(0.25)
    assert not budget.affords(0.26)
    clock.spent = 8.0
    assert (budget.spent, budget.left) == (3.0, 0.0)
    assert not budget.affords()


def test_children_count() -> None:
    """A child that was waited for adds to it: the hundredths that times(2) has of it."""
    budget = Budget()
    subprocess.run([sys.executable, "-c", "sum(range(3_000_000))"], check=True)
    assert budget.spent >= 0.02
