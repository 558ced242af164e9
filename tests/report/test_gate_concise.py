"""The gate's findings as one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from support.gated import GATED, GREEN, REFUSED, hostile

from advisor.records import replace
from advisor.report.gate_concise import render

if TYPE_CHECKING:
    from collections.abc import Callable


def test_the_lines(golden: Callable[[str, str], None]) -> None:
    golden("gate/concise.txt", render(GATED))


def test_an_editor_finds_file_line_and_column() -> None:
    assert "conf/nginx.conf:31:23: high[keepalive-timeout-long] idle connections are held for 300 s\n" in render(GATED)


def test_what_does_not_count_says_why() -> None:
    lines = render(GATED).splitlines()
    marked = [line for line in lines if "(does not count: " in line]
    assert len(marked) == len(GATED.findings) - len(GATED.counting)
    assert any(line.endswith("(does not count: in the baseline)") for line in marked)


def test_faults_come_first_and_nothing_else_is_told() -> None:
    assert render(GATED).startswith("conf/broken.conf:3:14: error: unexpected end of file, expecting '}'\n")
    assert render(replace(GREEN, findings=[])) == ""


def test_a_fault_whose_message_names_its_place_does_not_say_it_twice() -> None:
    assert render(REFUSED).splitlines() == [
        "advisor.yaml:3:7: error: fail_on: 'hihg' is no severity; did you mean 'high'?",
        "packs/own.yaml:9:1: error: 'whenn' is no key of a rule",
        "error: no such file",
    ]


@given(st.text(st.characters(codec=None), max_size=60))
def test_one_line_each_whatever_the_text_holds(text: str) -> None:
    gated = hostile(text)
    said = render(gated)
    assert len(said.splitlines()) == len(gated.faults) + len(gated.findings)
    assert all(line.isprintable() or not line.isascii() for line in said.splitlines())
    said.encode()
