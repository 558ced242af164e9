"""Which error logs hold everything, and what their lines mean for the workers that run now."""

from __future__ import annotations

from typing import Any

import pytest

from advisor.engine.cases import snapshot_of
from advisor.errors import Unread
from advisor.facts.derive import Facts
from advisor.facts.errorlog import ErrorLogFacts, targets
from advisor.records import replace
from advisor.snapshot.model import ErrorLog, Logged

EVENTS = "events { }"


def facts(nginx: str = EVENTS, **given: Any) -> Facts:
    return Facts(snapshot_of({"nginx": nginx, **given}))


def log_of(*logs: ErrorLog, nginx: str = EVENTS) -> ErrorLogFacts:
    return Facts(replace(snapshot_of({"nginx": nginx}), error_log=[*logs])).nginx.log


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("error_log /a;", [("/a", "error")]),
        ("error_log /a crit;", [("/a", "crit")]),
        ("error_log /a debug_http debug_event;", [("/a", "debug")]),
        # Several of one block get the same lines: the most talkative has all.
        ("error_log /a; error_log /b warn; error_log /c alert;", [("/b", "warn")]),
        ("error_log /a; error_log stderr debug;", [("/a", "error")]),
        ("error_log /a; http { error_log /b; server { error_log /a; } }", [("/a", "error"), ("/b", "error")]),
        ("error_log syslog:server=a; http { error_log memory:1m debug; }", []),
        ("error_log;", []),
        ("stream { error_log /s; }", []),
    ],
)
def test_files_that_hold_all(text: str, expected: list[tuple[str, str]]) -> None:
    assert targets(facts(text).nginx.config) == expected


def test_lines_about_one_thing_in_several_logs_are_one_item() -> None:
    row = Logged(kind="refused", subject="10.0.0.5:80", count=3)
    log = log_of(ErrorLog(path="/a", logged=[row]), ErrorLog(path="/b", logged=[replace(row, count=4)]))
    (found,) = log.refused
    assert (found.id, found.count, found.location.file) == ("10.0.0.5:80", 7, "/a")
    with pytest.raises(Unread, match="/a tells no time zone"):
        _ = found.ages


def test_nothing_found_is_no_answer_where_not_all_was_read() -> None:
    closed = ErrorLog(path="/b", unread="/b: Permission denied")
    with pytest.raises(Unread, match="/b: Permission denied"):
        _ = log_of(ErrorLog(path="/a"), closed).refused
    row = Logged(kind="refused", subject="a", count=1)
    assert len(log_of(ErrorLog(path="/a", logged=[row]), closed).refused) == 1


def test_warnings_need_a_level_that_shows_them() -> None:
    for level, shown in (("", False), ("crit", False), ("warn", True), ("info", True), ("debug_http", True)):
        log = log_of(ErrorLog(path="/a"), nginx=f"error_log /a {level}; {EVENTS}")
        if shown:
            assert log.connections_reused == []
        else:
            with pytest.raises(Unread, match="hides warnings"):
                _ = log.connections_reused
        assert log.connections_exhausted == []


def test_only_what_the_present_workers_wrote_is_current() -> None:
    rows = {"master": {"pid": 1, "started": 0}, "workers": [{"pid": 2, "started": 3000}, {"pid": 3, "started": 3500}]}
    given = {"processes": rows, "taken": "1970-01-01T01:00:00Z"}
    (young,) = facts(**given, error_log={"too_many_files": {"nginx": {500: 5}}}).nginx.log.too_many_files
    assert young.current.total == 5
    # Not even in part, as one would think from the bucket of 300 to 600 s.
    rows["workers"][0]["started"] = 3200
    (old,) = facts(**given, error_log={"too_many_files": {"nginx": {500: 5, 590: 4}}}).nginx.log.too_many_files
    assert (old.current.total, old.ages.total) == (0, 9)
    (unknown,) = facts(error_log={"too_many_files": {"nginx": {1: 5}}}).nginx.log.too_many_files
    with pytest.raises(Unread, match="not given"):
        _ = unknown.current


def test_names_that_two_servers_claim() -> None:
    found = facts(
        "http { server { listen 80; listen 81; server_name a b; }\n"
        "server { listen 81; server_name c B; }\n"
        "server { listen 82; server_name a b; } }"
    ).nginx.name_conflicts
    assert [(one.id, one.address, one.name, one.other) for one in found] == [
        ("server c", "0.0.0.0:81", "b", "/etc/nginx/nginx.conf:1")
    ]
    assert found[0].location.line == 2
