"""The findings for GitLab's Code Quality."""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from support.gated import CONF, GATED, GREEN, LONG, REFUSED, SITE, hostile, judged

from advisor.records import replace
from advisor.report.gate_gitlab import render

if TYPE_CHECKING:
    from collections.abc import Callable

    from advisor.report.gated import Gated


def issues(gated: Gated) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(render(gated))
    return found


def strings(issue: dict[str, Any]) -> list[str]:
    return [issue["description"], issue["check_name"], issue["location"]["path"]]


def test_the_report(golden: Callable[[str, str], None]) -> None:
    golden("gate/gitlab.json", render(GATED))


def test_an_issue_has_what_gitlab_asks_for() -> None:
    assert issues(GATED)[2] == {
        "description": "idle connections are held for 300 s",
        "check_name": "keepalive-timeout-long",
        "fingerprint": "2" * 32,
        "severity": "critical",
        "location": {"path": CONF, "lines": {"begin": 31}},
    }
    assert issues(GATED)[1]["location"]["path"] == SITE


def test_what_somebody_answered_for_is_left_out() -> None:
    names = {issue["check_name"] for issue in issues(GATED)}
    assert not names & {one.finding.rule for one in GATED.suppressed}
    assert len(issues(GATED)) == len(GATED.findings) - len(GATED.suppressed) + len(GATED.faults)


def test_severities() -> None:
    assert [issue["severity"] for issue in issues(GATED)] == [
        *("blocker", "blocker", "critical", "critical", "critical"),
        *("critical", "major", "minor", "info"),
    ]


def test_what_stands_in_no_file_of_the_repository_stands_at_its_target() -> None:
    outside, live = issues(GATED)[3:5]
    assert outside["location"] == {"path": "conf/nginx.conf", "lines": {"begin": 1}}
    assert outside["description"].endswith("(/etc/nginx/nginx.conf:31:23)")
    assert live["location"] == {"path": "db-1.json", "lines": {"begin": 1}}
    climbing = judged(LONG, "1", target="../.././/srv/nginx.conf", path=None)
    assert issues(replace(GREEN, findings=[climbing]))[0]["location"]["path"] == "srv/nginx.conf"


def test_faults_are_no_empty_report() -> None:
    assert [issue["check_name"] for issue in issues(REFUSED)] == [
        *("configuration-fault", "rule-fault", "configuration-fault")
    ]
    assert issues(REFUSED)[2]["location"] == {"path": "advisor", "lines": {"begin": 1}}
    twice = replace(REFUSED, faults=REFUSED.faults * 3)
    assert len({issue["fingerprint"] for issue in issues(twice)}) == 9


def test_nothing_found_is_an_empty_array() -> None:
    assert render(replace(GREEN, findings=[])) == "[]\n"


@given(st.text(st.characters(codec=None), max_size=60))
def test_any_text_keeps_the_report_whole(text: str) -> None:
    found = issues(hostile(text))
    assert len({issue["fingerprint"] for issue in found}) == len(found) == 5
    for issue in found:
        path = issue["location"]["path"]
        assert path
        assert not {"", ".", ".."} & set(path.split("/"))
        assert issue["location"]["lines"]["begin"] >= 1
        # A page would obey what reorders a line, and PostgreSQL takes no NUL.
        assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in "".join(strings(issue)))
    render(hostile(text)).encode()
