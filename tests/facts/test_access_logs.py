"""Access logs by what may be wrong with them."""

from __future__ import annotations

import pytest
from support.judged import facts_of

from advisor.facts.logs import AccessLogs


def logs(http: str) -> AccessLogs:
    return facts_of(f"http {{ {http} }}").nginx.access_logs


@pytest.mark.parametrize(
    ("http", "count"),
    [
        ("", 1),
        ("access_log off;", 0),
        ("access_log a.log; server { access_log a.log main; access_log b.log main if=$x; }", 3),
        ("access_log a.log main buffer=64k; access_log b.log main gzip flush=5s; access_log c.log main gzip=3;", 0),
        ("access_log syslog:server=10.0.0.1; access_log /dev/null;", 0),
    ],
)
def test_how_many_write_line_by_line(http: str, count: int) -> None:
    assert logs(http).unbuffered == count


def test_a_variable_in_a_condition_is_none_in_the_path() -> None:
    assert [one.path for one in logs("access_log a.log main if=$x; access_log $host.log;").variable] == ["$host.log"]


def test_only_what_stands_beside_off_is_silenced() -> None:
    found = logs("access_log a.log; server { access_log b.log; access_log off; location / { access_log c.log; } }")
    assert [one.path for one in found.silenced] == ["b.log"]
