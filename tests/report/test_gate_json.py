"""The gate's report for programs, and its schema."""

from __future__ import annotations

import base64
import json
import pathlib
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.gated import FAILED, GATED, GREEN, LATIN_FIX, REFUSED, hostile

import advisor.report
from advisor.report.gate_json import document, render
from advisor.report.gate_schema import Document, schema_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from advisor.report.gated import Gated

SHIPPED = pathlib.Path(advisor.report.__file__).with_name("gate-v1.schema.json")
ANY = st.text(st.characters(codec=None), max_size=20)


@pytest.fixture(scope="module")
def check() -> Callable[[dict[str, Any]], None]:
    schema = json.loads(SHIPPED.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema).validate


def test_the_shipped_schema_is_the_generated_one() -> None:
    assert SHIPPED.read_text() == schema_text(), "regenerate: advisor.report.gate_schema.schema_text()"


def test_the_document(golden: Callable[[str, str], None]) -> None:
    golden("gate/report.json", render(GATED))


@pytest.mark.parametrize("gated", [GATED, FAILED, GREEN, REFUSED, hostile(), hostile("\ud800\udcff")])
def test_every_report_is_as_the_schema_has_it(check: Callable[[dict[str, Any]], None], gated: Gated) -> None:
    check(json.loads(render(gated).encode()))


@pytest.mark.parametrize("where", ["verdict", "summary", ("findings", 0), ("faults", 0), ("targets", 0)])
def test_the_schema_refuses_what_it_does_not_know(check: Callable[[dict[str, Any]], None], where: Any) -> None:
    told = json.loads(render(GATED))
    inner = told[where] if isinstance(where, str) else told[where[0]][where[1]]
    inner["score"] = 7
    with pytest.raises(jsonschema.ValidationError):
        check(told)


@given(text=ANY)
def test_any_text_makes_a_document_that_every_reader_takes(text: str) -> None:
    Document.model_validate(json.loads(render(hostile(text)).encode(), parse_constant=pytest.fail))


def test_the_verdict_and_what_it_rests_on() -> None:
    told = document(FAILED)
    assert told["verdict"] == {"exit_code": 1, "failed": True, "policy": "high or graver, observed or surer"}
    assert told["summary"]["counting"] == sum(row["counts"] for row in told["findings"]) == 4
    assert told["summary"]["findings"] + sum(told["summary"]["suppressed"].values()) == len(told["findings"])
    assert told["summary"]["suppressed"] == {"comment": 1, "configuration": 1, "baseline": 1}
    assert told["summary"]["fixed"] == 3


def test_findings_say_why_they_do_not_count_and_who_answers_for_them() -> None:
    rows = {row["rule"]: row for row in document(GATED)["findings"]}
    assert rows["fin-timeout-lowered"]["why_not"] == "medium is below high"
    assert rows["listen-backlog-capped"]["suppression"] == {
        "kind": "comment",
        "reason": "the balancer in front takes the burst",
        "where": "conf/sites/größe 1.conf:111",
        "until": "2027-01-01",
    }
    assert rows["keepalive-timeout-long"]["suppression"] is None


def test_fingerprints_are_the_reports_own() -> None:
    assert [row["fingerprint"] for row in document(GATED)["findings"]] == [one.fingerprint for one in GATED.findings]


def test_replacements_hold_every_byte() -> None:
    rows = document(GATED)["findings"][0]["fix"]
    assert [base64.b64decode(row["new"]) for row in rows] == [one.new for one in LATIN_FIX]
    assert [row["text"] for row in rows] == ["60s", None, ""]
