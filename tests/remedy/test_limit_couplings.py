"""Limits that stand behind one another: what a patch raises brings along what would hold it back, or is left out."""

from __future__ import annotations

from typing import Any

import pytest
from support.cured import planned, rules

from advisor.engine.cases import snapshot_of
from advisor.engine.judge import judge
from advisor.facts.derive import Facts
from advisor.remedy.plan import Outcome, Plan


def plan_of(*, capable: bool | None = True, hard: int = 4096, **host: str) -> Plan:
    given: dict[str, Any] = {
        "nginx": "worker_processes 2;\nevents { worker_connections 2000000; }\nhttp { server { listen 80; } }\n",
        "sysctl": {"fs.nr_open": "1048576"},
        "processes": {
            "master": {"pid": 1, "started": 0, "nofile": 1024, "nofile_hard": hard},
            "workers": [{"pid": pid, "started": 0, "nofile": 1024, "descriptors": 20} for pid in (2, 3)],
            "sys_resource": capable,
        },
        "host": {"kernel": "6.1.0", "cpus": 2, "memory": 2**36, **host},
    }
    return planned(snapshot_of(given))


def changed(plan: Plan) -> dict[str, str]:
    return {one.key: one.after for one in plan.prediction.sysctls} | {
        one.target: str(one.after) for one in plan.prediction.directives
    }


def test_more_descriptors_than_nr_open_raise_it_too() -> None:
    plan = plan_of()
    wanted = 2_000_000 + 1 + 64
    assert changed(plan) == {"worker_rlimit_nofile": f"worker_rlimit_nofile {wanted}", "fs.nr_open": str(2**21)}
    assert "reload" in plan.needs
    after = judge(rules(), Facts(plan.prediction.snapshot))
    assert not [one for one in after if one.finding and one.rule.startswith("worker-nofile")]


@pytest.mark.parametrize(
    ("given", "blamed"),
    [
        ({"capable": False}, "worker-nofile-above-hard-limit"),
        ({"container": "docker", "netns": "4026532000"}, "worker-nofile-above-nr-open"),
    ],
)
def test_what_could_not_be_set_is_not_asked_for(given: dict[str, Any], blamed: str) -> None:
    plan = plan_of(**given)
    assert changed(plan) == {}
    (one,) = [one for one in plan.findings if one.finding.rule == "worker-limit-below-connections"]
    assert (one.outcome, one.why) == (Outcome.NOT_ADDRESSED, f"its step would make {blamed} fail (main)")
