"""The gate's verdict for a pull request, read as a page would show it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from support.gated import FAILED, GATED, GREEN, LONG, REFUSED, hostile, judged

from advisor.records import replace
from advisor.report.gate_markdown import escape, render
from advisor.report.gated import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from markdown_it.token import Token

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
OURS = {"<code>", "</code>", "<span>", "</span>"}
BLOCK = re.compile(r"<details><summary>(?:[^<>]|</?code>|</?span>)*</summary>\n|</details>\n")
MARKUP = {"text", "code_inline", "html_inline", "link_open", "link_close", "strong_open", "strong_close"}
ANY = st.text(st.characters(codec=None), max_size=60)
MEAN = st.text("|`<>*_[]()#@!$\\&\n\r~ :/.w-+=1aé\udcff\u202e", max_size=40)


def inline(text: str) -> Iterator[Token]:
    return (child for token in READER.parse(text) for child in token.children or ())


def widths(text: str) -> list[int]:
    """How many cells each row of each table has."""
    rows: list[int] = []
    for token in READER.parse(text):
        if token.type == "tr_open":
            rows.append(0)
        elif token.type in {"td_open", "th_open"}:
            rows[-1] += 1
    return rows


def shown(text: str) -> str:
    """What a reader of a line sees."""
    return "".join(token.content for token in inline(text) if token.type in {"text", "code_inline"})


def test_the_comment(golden: Callable[[str, str], None]) -> None:
    golden("gate/comment.md", render(GATED))


def test_the_verdict_is_the_heading() -> None:
    assert render(GATED).startswith("### advisor gate: failed\n\n1 target could not be judged; 4 findings count")
    assert render(GREEN).startswith("### advisor gate: passed\n\nno finding counts")
    assert render(replace(FAILED, exit_code=0)).startswith("### advisor gate: passed (--exit-zero)\n")
    assert render(REFUSED).startswith("### advisor gate: failed\n\nnothing could be judged")


def test_the_tables_hold_every_finding() -> None:
    assert widths(render(GATED)) == [4] * (1 + len(GATED.counting)) + [5] * (1 + 7)


def test_a_rule_is_linked_to_its_source_where_that_has_an_address() -> None:
    hrefs = [token.attrGet("href") for token in inline(render(GATED)) if token.type == "link_open"]
    assert set(hrefs) == {
        "https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_timeout",
        "https://docs.kernel.org/networking/ip-sysctl.html",
    }
    unlinked = replace(GREEN, findings=[judged(replace(LONG, references=("man:tcp(7)",)), "1", counts=True)])
    assert "| `keepalive-timeout-long` |" in render(unlinked)


@pytest.mark.parametrize(
    "text", ["@team", "see #12", "a|b", "<b>x</b>", "`x`", "$a$", "[x](y)", "~~x~~ *y* __z__", "https://x.y www.x"]
)
def test_escaped_text_is_shown_and_does_nothing(text: str) -> None:
    escaped = escape(text)
    assert shown(f"- {escaped}").replace("\u200b", "") == text
    assert not re.search(r"[@#]\w|\$\w|://|www\.", re.sub(r"&#[0-9]+;", "", escaped))
    assert {token.type for token in inline(f"- {escaped}")} <= {"text", "html_inline"}


def test_a_comment_fits_and_says_what_is_left_out() -> None:
    long = replace(LONG, message="ü" * 299)
    many = [judged(long, f"{index}", counts=index % 2 == 0, why_not="why") for index in range(2000)]
    text = render(replace(GATED, findings=many, faults=[Fault("f" * 299, path=f"{one}") for one in range(500)]))
    assert len(text.encode()) <= 65_536
    assert text.count(" more did not fit here: `-f json` has all of them.\n") == 4
    assert set(widths(text)) == {4, 5}
    assert text.count("<details>") == text.count("</details>")
    assert text.count("**fixed**") == 2


def test_what_is_not_there_takes_no_room() -> None:
    text = render(replace(GREEN, findings=[], unknown=[]))
    assert text == "### advisor gate: passed\n\nno finding counts (high or graver, observed or surer)\n"


@given(ANY | MEAN)
@settings(max_examples=60)
def test_no_text_is_markup(text: str) -> None:
    page = render(hostile(text))
    assert len(page.encode()) <= 65_536
    tokens = READER.parse(page)
    assert sum(token.type == "heading_open" for token in tokens) == 1
    assert widths(page) == [4, 4, 4, 5, 5]
    # A reader drops the cells that a row has too many.
    assert [line.count("|") for line in page.splitlines() if line.startswith("| ")] == [5, 5, 5, 5, 6, 6, 6]
    for token in tokens:
        if token.type == "html_block":
            assert BLOCK.fullmatch(token.content), token.content
    for child in inline(page):
        assert child.type in MARKUP, child
        assert child.type != "html_inline" or child.content in OURS
        assert child.type != "text" or not re.search(r"[@#]\w", child.content)
