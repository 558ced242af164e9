"""Shares of CPU time, from two readings; and what can't be told."""

from __future__ import annotations

from typing import Any

import pytest

from advisor.engine.cases import snapshot_of
from advisor.errors import Unread
from advisor.facts.cpu import CpuFacts
from advisor.facts.derive import Facts

MASTER = {"pid": 1, "started": 1}


def cpu(workers: list[dict[str, Any]] | None = None, timed: float | None = 2.0, **given: Any) -> CpuFacts:
    if workers is not None:
        rows = [{"pid": 2 + at, "started": 1, **row} for at, row in enumerate(workers)]
        given["processes"] = {"master": MASTER, "workers": rows, "timed": timed}
    return Facts(snapshot_of(given)).cpu


def ran(first: int, last: int, waited: int = 0) -> dict[str, Any]:
    return {"cpu": {"first": first, "last": last}, "waited": {"first": 5, "last": 5 + waited}}


def test_each_share_is_that_of_the_worker_with_most() -> None:
    facts = cpu([ran(1000, 2000, waited=800), ran(500, 1700), ran(0, 0, waited=900)])
    assert (facts.busiest, facts.waiting, facts.needed) == (0.6, 0.45, 0.9)


def test_no_worker_has_more_than_all_of_the_time() -> None:
    assert cpu([ran(0, 2005, waited=3)]).needed == 1.0


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        (cpu(), "not given in this case"),
        (cpu([]), "no worker process was seen"),
        (cpu([ran(0, 1), {}]), "the kernel keeps no times of the workers"),
        (cpu([{"cpu": {"first": 1}}]), "read once only"),
        (cpu([ran(0, 1)], timed=None), "read once only"),
    ],
)
def test_what_was_not_read_is_not_guessed(facts: CpuFacts, why: str) -> None:
    with pytest.raises(Unread, match=why):
        assert facts.busiest is None


def test_a_group_without_a_quota_is_never_throttled() -> None:
    host = {"kernel": "6.1.0", "cgroup": {}}
    assert cpu(host=host).throttled == 0.0
    with pytest.raises(Unread, match="not given"):
        assert cpu(host={"kernel": "6.1.0", "cgroup": {"cpus": 1}}).throttled is None
    with pytest.raises(Unread, match="not given"):
        assert cpu().throttled is None


def test_throttled_periods_are_those_of_the_sample() -> None:
    host = {"kernel": "6.1.0", "cgroup": {"cpus": 1}}
    counted = {"cgroup.nr_periods": [100, 120], "cgroup.nr_throttled": [90, 95]}
    assert cpu(host=host, counters=counted).throttled == 0.25
    still = {"cgroup.nr_periods": [100, 100], "cgroup.nr_throttled": [90, 90]}
    assert cpu(host=host, counters=still).throttled == 0.0


def test_pressure_is_a_share_of_time() -> None:
    assert cpu(counters={"psi.cpu.some": [1_000_000, 2_500_000]}, sample=2).pressure == 0.75
