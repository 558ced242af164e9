"""Counters in their units: a rule can't mix them, and what is missing says why."""

from __future__ import annotations

import pytest

from advisor.catalog.counters import ABSENT, COUNTERS, FILES, GAUGES, measure
from advisor.engine.cases import snapshot_of
from advisor.engine.compile import compile_expression
from advisor.engine.scope import Scope
from advisor.engine.syntax import Source
from advisor.errors import RuleError, Unread
from advisor.facts.derive import Facts
from advisor.units import NONE, PAGE, N, S


def counted(name: str, first: int, last: int, aspect: str, sample: float = 2.0) -> float:
    facts = Facts(snapshot_of({"counters": {name: [first, last]}, "sample": sample}))
    return facts.counters.value(name, aspect)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("psi.cpu.some", 1.5), ("TcpExt.TCPMemoryPressuresChrono", 1500), ("softnet.dropped", 1_500_000)],
)
def test_times_are_in_seconds_and_events_as_they_are(name: str, expected: float) -> None:
    assert counted(name, 500_000, 2_000_000, "delta") == expected
    assert counted(name, 500_000, 2_000_000, "per_second") == expected / 2


def test_a_count_too_large_for_a_float_stays_what_it_is() -> None:
    assert counted("softnet.processed", 2**62 + 1, 2**62 + 3, "since_boot") == 2**62 + 3


def test_every_counter_has_its_file_and_its_unit() -> None:
    assert {name.partition(".")[0] for name in COUNTERS} == FILES.keys() >= ABSENT.keys()
    assert GAUGES.keys() <= COUNTERS.keys()
    assert [measure(name)[0] for name in ("Tcp.OutSegs", "sockstat.TCP.mem", "cgroup.throttled")] == [N, PAGE, S]


def test_time_a_second_is_a_share() -> None:
    code = compile_expression(Source("counters.psi.cpu.some.per_second", "r.yaml"), Scope(Facts), frozenset())
    assert code.type.unit == NONE


@pytest.mark.parametrize(
    "text",
    [
        "counters.psi.cpu.some.delta > counters.softnet.dropped.delta",
        "counters.sockstat.TCP.mem.since_boot > counters.file.allocated.since_boot",
        "counters.cgroup.throttled.delta + counters.cgroup.nr_throttled.delta",
    ],
)
def test_units_do_not_mix(text: str) -> None:
    with pytest.raises(RuleError, match=r"with|adds seconds to a count"):
        compile_expression(Source(text, "r.yaml"), Scope(Facts), frozenset())


def test_what_is_missing_says_why() -> None:
    facts = Facts(snapshot_of({"counters": {}}))
    with pytest.raises(Unread, match=r"no psi\.cpu\.some: the kernel does not keep it \(psi=1"):
        facts.counters.value("psi.cpu.some", "since_boot")
