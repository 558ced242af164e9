"""The gate's findings as workflow commands, read as GitHub's runner reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from support.gated import GATED, GREEN, LONG, REFUSED, hostile, judged

from advisor.records import replace
from advisor.report.gate_github import render, summary
from advisor.report.gated import Fault
from advisor.report.terminal import visible

if TYPE_CHECKING:
    from collections.abc import Callable

MANY = replace(
    GATED,
    findings=[judged(LONG, f"{index}", counts=True) for index in range(25)]
    + [judged(LONG, f"-{index}", why_not="ignored") for index in range(25)],
)


def command(line: str) -> tuple[str, dict[str, str], str] | None:
    """Level, properties and message; None for a line that is none (actions/runner, ActionCommand.cs)."""
    trimmed = line.lstrip()
    end = trimmed.find("::", 2)
    if not trimmed.startswith("::") or end < 0:
        return None
    level, _, told = trimmed[2:end].partition(" ")
    pairs = [pair.split("=", 1) for pair in told.strip().split(",") if pair]
    return level, {key: unescaped(value, ":,") for key, value in pairs}, unescaped(trimmed[end + 2 :], "")


def unescaped(text: str, more: str) -> str:
    for char in f"\r\n{more}%":
        text = text.replace(f"%{ord(char):02X}", char)
    return text


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    return [found for line in text.splitlines() if (found := command(line))]


def test_the_lines(golden: Callable[[str, str], None]) -> None:
    golden("gate/github.txt", render(GATED))


def test_an_annotation_marks_the_value() -> None:
    level, properties, message = commands(render(GATED))[2]
    assert level == "error"
    assert properties == {
        "file": "conf/nginx.conf",
        "line": "31",
        "endLine": "31",
        "col": "23",
        "endColumn": "26",
        "title": "high: keepalive-timeout-long",
    }
    assert message.startswith("idle connections are held for 300 s\ncertain: ")


def test_worst_first_and_what_does_not_count_is_no_error() -> None:
    levels = [level for level, _, _ in commands(render(GATED))]
    assert levels == ["error"] * 5 + ["warning"] * 2 + ["notice"] * 2


def test_a_file_outside_of_the_repository_is_named_in_the_message_alone() -> None:
    _, properties, message = commands(render(GATED))[3]
    assert "file" not in properties
    assert message.startswith("idle connections are held for 300 s (/etc/nginx/nginx.conf:31:23)\n")


def test_what_somebody_answered_for_is_no_annotation() -> None:
    assert "listen-backlog-capped" not in render(GATED)


def test_at_most_ten_annotations_and_the_last_line_says_how_many_more() -> None:
    text = render(MANY)
    assert len(commands(text)) == 10
    assert text.splitlines()[-1].startswith("gate: failed: 1 target could not be judged; 25 findings count")
    assert text.endswith("; 41 annotations more than GitHub shows: the summary of this step has them\n")
    faults = replace(MANY, faults=[Fault(f"fault {index}") for index in range(12)])
    assert [message for _, _, message in commands(render(faults))] == [f"fault {index}" for index in range(10)]


def test_a_green_gate_has_a_plain_last_line() -> None:
    assert render(replace(GREEN, findings=[])) == (
        "gate: passed: no finding counts (high or graver, observed or surer)\n"
    )


def test_a_wrong_configuration_is_annotated_where_it_is_wrong() -> None:
    _, properties, _ = commands(render(REFUSED))[0]
    assert properties["file"] == "advisor.yaml"
    assert (properties["line"], properties["col"]) == ("3", "7")


def test_the_summary_is_the_whole_table(golden: Callable[[str, str], None]) -> None:
    golden("gate/summary.md", summary(GATED))
    assert summary(MANY).count("\n| **high** |") == 25


def test_the_summary_keeps_below_a_mebibyte_and_says_what_is_left_out() -> None:
    long = replace(LONG, message="m" * 299)
    huge = replace(GATED, findings=[judged(long, f"{index}", counts=True) for index in range(5000)])
    text = summary(huge)
    rows = text.count("\n| **high** |")
    assert 500 < rows < 5000
    assert f"\n{5000 - rows:,} more did not fit here: `-f json` has all of them.\n" in text
    assert 500_000 < len(text.encode()) < 2**20


@given(st.text(st.characters(codec=None), max_size=60) | st.text("%0AD:,=\r\n; ]#[", max_size=30))
def test_no_text_is_a_command_of_its_own(text: str) -> None:
    gated = hostile(text)
    lines = render(gated).split("\n")
    assert lines.pop() == ""
    assert len(lines) == len(gated.faults) + 2 + 1
    assert command(lines[-1]) is None
    for line in lines[:-1]:
        found = command(line)
        assert found is not None
        assert found[1].keys() <= {"file", "line", "endLine", "col", "endColumn", "title"}
        assert found[1]["title"].startswith(("high: ", "target: ", "configuration: ", "rule: "))
        assert found[0] == "error"
        assert found[2].startswith(f"said {visible(text)}") == found[1]["title"].startswith("high: ")
    "".join(lines).encode()
