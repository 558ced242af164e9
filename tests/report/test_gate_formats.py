"""All of the gate's formats: how they are found, and what they cost."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from support.gated import FINDINGS, GATED, GREEN, REFUSED

from advisor.records import replace
from advisor.report.gate_formats import FORMATS

TOLD = ("text", "concise", "junit", "github", "gitlab", "markdown")
MANY = 5_000
"""Findings, two in five of which count."""


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_ends_with_a_newline_and_is_the_same_twice(name: str) -> None:
    for gated in (GATED, GREEN, REFUSED):
        text = FORMATS[name](gated)
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        assert text == FORMATS[name](gated, width=80, colour=False)


def test_a_format_is_imported_when_it_is_used() -> None:
    script = (
        "import sys; import advisor.report.gate_formats\n"
        "assert not {'xml', 'json', 'advisor.report.gate_text', 'advisor.report.sarif'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("name", TOLD)
def test_many_findings_take_bounded_time(name: str) -> None:
    many = [replace(FINDINGS[index % len(FINDINGS)], fingerprint=f"{index:032x}") for index in range(MANY)]
    began = time.process_time()
    FORMATS[name](replace(GATED, findings=many))
    # The slowest (text) takes 0.7 s while two other programs want the same two cores.
    assert time.process_time() - began < 4
