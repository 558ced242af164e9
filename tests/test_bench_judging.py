"""The host that the bench judges is of the size it says, is well, and is all judged."""

from __future__ import annotations

import importlib.util
import pathlib

from advisor.engine.judge import judge
from advisor.facts.derive import Facts
from advisor.jobs import load

SCRIPT = pathlib.Path(__file__).parent / "bench" / "judge_many.py"


def test_the_host_of_the_bench_is_large_and_well() -> None:
    spec = importlib.util.spec_from_file_location("judge_many", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    facts = Facts(bench.snapshot())
    sizes = len(facts.sockets.listeners), len(facts.sockets.destinations), len(facts.nginx.servers)
    assert sizes == (bench.LISTENERS, bench.DESTINATIONS, bench.SERVERS) == (50, 200, 20)
    found = judge(load.rules(), facts)
    assert [one.rule for one in found if one.finding is not None and one.finding.severity >= 2] == []
    assert len(found) > 600
