"""The report for programs, and its schema."""

from __future__ import annotations

import json
import math
import pathlib
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sample import HEAD, KEEPALIVE, SCREEN

import advisor.report
from advisor.findings import Change, Evidence, Location, Missing, Relation, Safety, Step
from advisor.records import replace
from advisor.report.json import render
from advisor.report.result import Head, Result
from advisor.report.schema import Document, schema_text
from advisor.units import NONE, PER_S

if TYPE_CHECKING:
    from collections.abc import Callable

SHIPPED = pathlib.Path(advisor.report.__file__).with_name("findings-v1.schema.json")
ANY = st.text(st.characters(codec=None), max_size=20)


@pytest.fixture(scope="module")
def check() -> Callable[[dict[str, Any]], None]:
    schema = json.loads(SHIPPED.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema).validate


def no_constants(word: str) -> None:
    raise AssertionError(word)


def test_the_shipped_schema_is_the_generated_one() -> None:
    assert SHIPPED.read_text() == schema_text(), "regenerate: advisor.report.schema.schema_text()"


def test_the_document(golden: Callable[[str, str], None], check: Callable[[dict[str, Any]], None]) -> None:
    text = render(SCREEN)
    golden("screen.json", text)
    check(json.loads(text))


def test_an_empty_result_is_a_valid_document(check: Callable[[dict[str, Any]], None]) -> None:
    check(json.loads(render(Result(Head(), [], [], 0, []))))


def test_the_schema_refuses_what_it_does_not_know(check: Callable[[dict[str, Any]], None]) -> None:
    document = json.loads(render(SCREEN))
    document["findings"][0]["score"] = 7
    with pytest.raises(jsonschema.ValidationError):
        check(document)


def test_numbers_stay_numbers() -> None:
    item = Evidence("item.rate", 0.25, PER_S, "SOCK_DIAG", "0.25 per second")
    finding = replace(KEEPALIVE, evidence=(item, replace(item, value=2**62), replace(item, value=True)))
    values = [row["value"] for row in json.loads(render(Result(HEAD, [finding], [], 0, [])))["findings"][0]["evidence"]]
    assert values == [0.25, 2**62, True]
    assert [type(value) for value in values] == [float, int, bool]


@given(text=ANY, value=st.one_of(st.floats(), st.integers(-(2**63), 2**63), ANY, st.none()))
def test_any_result_is_a_document_that_every_reader_takes(text: str, value: float | str | None) -> None:
    change = Change(text, Relation.EXACTLY, value if value is not None else 0)
    finding = replace(
        KEEPALIVE,
        item=text,
        message=text,
        location=Location(text, text, 1, 1, 1, text, text),
        evidence=(Evidence(text, value, NONE, text, text),),
        steps=(Step(Safety.SAFE, text, (text,), (change,), text),),
    )
    data = render(Result(HEAD, [finding], [(text, Missing(text, text))], 1, [(text, text)])).encode()
    document = json.loads(data, parse_constant=no_constants)
    Document.model_validate(document)
    told = document["findings"][0]["evidence"][0]["value"]
    if isinstance(value, float):
        assert told == (value if math.isfinite(value) else None)
    elif not isinstance(value, str):
        assert told == value


def test_bytes_that_are_no_utf8_become_replacement_characters() -> None:
    assert json.loads(render(Result(Head(name="a\udcffb"), [], [], 1, [])))["host"]["name"] == "a\ufffdb"
