"""Directives of several words, and parameters that a directive has not got yet, as a patch writes them."""

from __future__ import annotations

import pytest
from support.judged import facts_of

from advisor.engine.cases import ENTRY
from advisor.errors import PlanError
from advisor.facts.places import Place
from advisor.findings import Change, Relation
from advisor.remedy.lattice import Target, Wants, join
from advisor.remedy.nginx import edited, nginx_changes


def written(text: str, target: str, value: float | str, block: str = "http#0") -> str:
    """The file after a step wants a value of a target, exactly."""
    directive = target.partition(".")[0]
    wants: dict[Target, Wants] = {}
    join(wants, Change(target, Relation.EXACTLY, value, Place(ENTRY, block, directive)), "a-rule")
    facts = facts_of(text)
    (change,) = nginx_changes(facts, wants)
    result = edited(facts, [change])[ENTRY].decode()
    assert f"{change.after};" in result, "what is said differs from what is written"
    return result


@pytest.mark.parametrize(
    ("target", "value", "before", "after"),
    [
        ("access_log.flush", 5, "access_log a.log main gzip;", "access_log a.log main gzip flush=5s;"),
        (
            "proxy_cache_path.use_temp_path",
            "off",
            "proxy_cache_path /c keys_zone=one:1m;",
            "proxy_cache_path /c keys_zone=one:1m use_temp_path=off;",
        ),
        (
            "proxy_next_upstream",
            "error timeout",
            "proxy_next_upstream error timeout non_idempotent;",
            "proxy_next_upstream error timeout;",
        ),
    ],
)
def test_what_is_there_is_changed_in_its_place(target: str, value: float | str, before: str, after: str) -> None:
    assert written(f"http {{ {before} }}", target, value) == f"http {{ {after} }}"


def test_words_are_written_as_words() -> None:
    text = written("http { access_log $host.log; }", "open_log_file_cache", "max=10 valid=1m")
    assert "open_log_file_cache max=10 valid=1m;" in text


def test_a_parameter_needs_its_directive() -> None:
    with pytest.raises(PlanError, match="the access_log in http#0 is not there any more"):
        written("http { gzip on; }", "access_log.flush", 5)
