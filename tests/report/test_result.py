"""Joining what was read and how it was judged."""

from __future__ import annotations

import subprocess
import sys
from random import Random

from support.sample import BACKLOG, KEEPALIVE, LEAK, SCREEN

from advisor.findings import Confidence, Finding, Missing, Severity, State, Verdict
from advisor.records import replace
from advisor.report import FORMATS
from advisor.report.result import Head, result_of
from advisor.snapshot.model import ConfigFile, Host, Nginx, Process, Processes, Snapshot

EMPTY = Snapshot(advisor="0", taken="2026-01-01T00:00:00Z")
UNREAD = Missing("sockets", "permission denied")


def fails(*findings: Finding) -> list[Verdict]:
    return [Verdict(finding.rule, finding.item, State.FAIL, finding) for finding in findings]


def test_the_gravest_and_surest_comes_first() -> None:
    ordered = [
        replace(KEEPALIVE, rule="z", severity=Severity.CRITICAL, confidence=Confidence.POTENTIAL),
        replace(KEEPALIVE, rule="b", confidence=Confidence.CERTAIN),
        replace(KEEPALIVE, rule="a"),
        replace(KEEPALIVE, rule="a", location=replace(KEEPALIVE.location, line=32)),
        replace(KEEPALIVE, rule="c", severity=Severity.LOW),
    ]
    for seed in range(5):
        mixed = ordered.copy()
        Random(seed).shuffle(mixed)  # noqa: S311 (an order, no secret)
        assert result_of(EMPTY, fails(*mixed)).findings == ordered


def test_a_rule_is_quiet_when_all_its_items_are() -> None:
    verdicts = [
        *fails(LEAK),
        Verdict(LEAK.rule, "another", State.PASS),
        Verdict("half", "a", State.PASS),
        Verdict("half", "b", State.UNKNOWN, missing=(UNREAD,)),
        Verdict("quiet", "a", State.PASS),
        Verdict("quiet", "b", State.NOT_APPLICABLE),
        Verdict("absent", "", State.NOT_APPLICABLE),
    ]
    result = result_of(EMPTY, verdicts)
    assert result.quiet == 2
    assert result.unknown == [("half", UNREAD)]


def test_each_reason_of_a_rule_is_told_once() -> None:
    other = Missing("counters", "not collected")
    verdicts = [Verdict("a", item, State.UNKNOWN, missing=(UNREAD, other)) for item in "xyz"]
    result = result_of(EMPTY, verdicts)
    assert result.unknown == [("a", other), ("a", UNREAD)]
    assert result.unknown_rules == 1


def test_only_unknown_is_not_judged() -> None:
    assert not result_of(EMPTY, [Verdict("a", "", State.UNKNOWN, missing=(UNREAD,))]).judged
    assert not result_of(EMPTY, []).judged
    assert result_of(EMPTY, [Verdict("a", "", State.PASS)]).judged
    assert result_of(EMPTY, fails(BACKLOG)).judged


def test_suppressed_findings_are_kept_but_do_not_fail() -> None:
    hushed = replace(BACKLOG, state=State.SUPPRESSED)
    result = result_of(EMPTY, [Verdict(hushed.rule, hushed.item, State.SUPPRESSED, hushed)])
    assert result.findings == [hushed]
    assert result.failing == []


def test_the_head_holds_what_was_read() -> None:
    snapshot = replace(
        EMPTY,
        host=Host(name="web", kernel="6.1", cpus=2, memory=4, netns="host", root=True),
        nginx=Nginx(entry="/n", files={}, version="1.22.1"),
        processes=Processes(master=Process(pid=1, started=0), workers=[Process(pid=2, started=0)]),
        sample=1.0,
        took=1.5,
        problems=[("a", "b")],
    )
    result = result_of(snapshot, [])
    assert result.head == Head("web", "6.1", 2, 4, "1.22.1", 1, "host", 1.5, 1.0, root=True)
    assert result.problems == [("a", "b")]
    assert result_of(EMPTY, []).head == Head()


def test_formats_are_imported_when_used() -> None:
    script = (
        "import sys, advisor.report as report\n"
        "assert not {'advisor.report.text', 'advisor.report.json', 'pydantic'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    assert FORMATS["text"](SCREEN, width=60).startswith("web-7")
    assert FORMATS["json"](SCREEN, width=60, colour=True).startswith("{")


def test_a_file_that_is_read_in_two_ways_is_a_problem() -> None:
    file = ConfigFile(content=b"a;", differs="line 1: crossplane reads 'b'")
    snapshot = Snapshot(advisor="0", taken="", nginx=Nginx(entry="/n", files={"/n": file}))
    assert result_of(snapshot, []).problems == [
        ("nginx", "/n is judged, but never edited: line 1: crossplane reads 'b'")
    ]
