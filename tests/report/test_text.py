"""The report for a person."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sample import BACKLOG, HEAD, KEEPALIVE, LEAK, SCREEN

from advisor.findings import Change, Evidence, Location, Missing, Relation, Safety, Step
from advisor.records import replace
from advisor.report.frame import frame
from advisor.report.result import Head, Result
from advisor.report.terminal import Paint, cells, clip, visible, wrap
from advisor.report.text import render
from advisor.report.words import evidence_words, step_words
from advisor.units import NONE, N

if TYPE_CHECKING:
    from collections.abc import Callable

    from advisor.findings import Finding

PLAIN = Paint(colour=False)
SGR = re.compile(r"\x1b\[[0-9;]*m")
LINE = st.text("ab;\t 公\x1b\u202e", max_size=60)
ANY = st.text(st.characters(codec=None), max_size=60)


def only(finding: Finding) -> Result:
    return Result(HEAD, [finding], [], 0, [])


def test_the_screen(golden: Callable[[str, str], None]) -> None:
    golden("screen.txt", render(SCREEN))


def test_a_narrow_screen(golden: Callable[[str, str], None]) -> None:
    golden("narrow.txt", render(SCREEN, 48))


def test_a_hostile_file_cannot_speak_to_the_terminal(golden: Callable[[str, str], None]) -> None:
    bad = "\x1b]0;owned\x07 \u202edrow\r\udcff"
    finding = replace(
        KEEPALIVE,
        rule=f"rule{bad}",
        message=f"said {bad}",
        why=bad,
        doubt=bad,
        location=Location("x", f"/etc/{bad}", 3, 9, 2, f"{bad}; listen {bad}"),
        evidence=(Evidence(f"item.{bad}", 7, NONE, bad, f"{bad}7"),),
        steps=(Step(Safety.UNSAFE, bad, (bad,), (Change(bad, Relation.EXACTLY, bad),), skipped=bad),),
        expected=(bad,),
    )
    head = Head(name=bad, kernel=bad, nginx=bad, netns=bad)
    golden("hostile.txt", render(Result(head, [finding], [(bad, Missing(bad, bad))], 1, [(bad, bad)])))


def test_nothing_found() -> None:
    text = render(replace(SCREEN, findings=[], unknown=[], problems=[]))
    assert text.endswith("\n\nno findings · 52 rules quiet\nnext: in CI: advisor gate --fail-on high\n")


def test_nothing_judged_is_never_green() -> None:
    nothing = Result(Head(), [], [("a", Missing("nginx", "no /etc/nginx/nginx.conf"))], 0, [])
    text = render(nothing)
    assert text.startswith("no host was read\nnothing was written\n")
    assert "nothing could be judged" in text
    assert "no findings" not in text


def test_the_head_leaves_out_what_was_not_read() -> None:
    assert render(Result(Head(workers=1, cpus=1), [], [], 1, [])).startswith("1 CPU · nginx, 1 worker\n")


def test_colour_changes_no_letter() -> None:
    coloured = render(SCREEN, colour=True)
    assert coloured != render(SCREEN)
    assert SGR.sub("", coloured) == render(SCREEN)


@given(text=ANY, width=st.integers(40, 120))
def test_any_text_is_told_within_the_width(text: str, width: int) -> None:
    finding = replace(
        KEEPALIVE, message=text, why=text, location=Location("x", None, 7, 1, 5, text, key=text), expected=(text,)
    )
    lines = render(only(finding), width).split("\n")
    for line in lines:
        assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in line), line
        assert cells(line) <= width or "-->" in line or line.startswith("next:"), line
    "\n".join(lines).encode()


@given(before=LINE, mark=LINE.filter(bool), after=LINE, width=st.integers(40, 300))
def test_carets_stand_under_the_marked_text(before: str, mark: str, after: str, width: int) -> None:
    place = Location("x", "/f", 1234, len(before) + 1, len(mark), before + mark + after)
    lines = frame(replace(KEEPALIVE, location=place), width, PLAIN)
    row = next(index for index, line in enumerate(lines) if line.startswith("1234 |"))
    source, carets = f"{lines[row]} ".removeprefix("1234 | "), lines[row + 1].removeprefix("     | ")
    start = len(carets) - len(carets.lstrip())
    shown = "".join(map(visible, mark.replace("\t", "    ")))
    wanted = clip(shown, width - len("1234 | "))
    assert carets.count("^") == cells(wanted)
    left = next(index for index in range(len(source) + 1) if cells(source[:index]) == start or index == len(source))
    # spaces at the end of a source line are not printed
    assert source[left : left + len(wanted)].rstrip() == wanted.rstrip()


def test_a_long_line_is_cut_around_the_mark() -> None:
    excerpt = "a " * 5000 + "keepalive_timeout 300;" + " b" * 5000
    place = Location("x", "/f", 1, 10019, 3, excerpt)
    lines = frame(replace(KEEPALIVE, location=place), 80, PLAIN)
    source, carets = lines[3], lines[4]
    assert source[carets.index("^") : carets.rindex("^") + 1] == "300"
    assert source.startswith(" 1 | …")
    assert source.endswith("…")
    assert len(source) == 80


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Change("net.core.somaxconn", Relation.AT_LEAST, 4096), "net.core.somaxconn = 4096    safe"),
        (
            Change("net.ipv4.ip_local_reserved_ports", Relation.INCLUDES, "8080"),
            "net.ipv4.ip_local_reserved_ports includes 8080    safe",
        ),
        (BACKLOG.steps[1].changes[0], "listen ... backlog=128;    safe"),
        (KEEPALIVE.steps[0].changes[0], "keepalive_timeout 60;    safe"),
        (
            replace(KEEPALIVE.steps[0].changes[0], target="upstream.reuse", value=8),
            "keepalive 8; and what lets connections last    safe",
        ),
    ],
)
def test_a_change_in_words(change: Change, words: str) -> None:
    assert step_words(Step(Safety.SAFE, "", changes=(change,))) == words


def test_a_need_that_has_no_words_is_named() -> None:
    assert step_words(Step(Safety.MANUAL, "ask", ("patience",))) == "advice: ask; needs patience"


def test_evidence_that_the_message_says_is_not_said_again() -> None:
    assert (
        evidence_words(BACKLOG)
        == "(not seen in 1 s) drops 0 (SOCK_DIAG); TcpExt.ListenOverflows.delta 0 (/proc/net/netstat)"
    )


def test_evidence_is_bounded() -> None:
    assert evidence_words(LEAK).endswith("value5 5.5 (/proc); and 3 more in -f json")


def test_without_evidence_it_follows_from_the_configuration() -> None:
    assert evidence_words(replace(LEAK, evidence=())) == "it follows from what is configured"


def test_what_nobody_can_check_is_no_evidence_for_a_person() -> None:
    kept = Evidence("item.old", 7, N, "SOCK_DIAG", "7")
    noise = (
        Evidence("params.many", 100, N, "parameter", "100"),
        Evidence("item.behind_proxy", False, NONE, "/n:1", "no"),  # noqa: FBT003 (evidence of a yes or no)
        Evidence("site.load_balancer_idle", None, NONE, "site", "not set"),
    )
    assert evidence_words(replace(KEEPALIVE, evidence=(*noise, kept))) == "old 7 (SOCK_DIAG)"


def test_what_a_rule_computes_has_no_source() -> None:
    computed = Evidence("share", 0.5, NONE, "item.ports / ports.usable", "0.5")
    assert evidence_words(replace(KEEPALIVE, evidence=(computed,))) == "share 0.5"


def test_what_the_message_says_is_said_again_rather_than_nothing() -> None:
    said = Evidence("sockets.held", 300, N, "SOCK_DIAG", "300")
    assert evidence_words(replace(KEEPALIVE, evidence=(said,))) == "sockets.held 300 (SOCK_DIAG)"
    assert evidence_words(replace(BACKLOG, evidence=BACKLOG.evidence[:1])) == "(not seen in 1 s)"


def test_a_change_that_changes_nothing_is_not_said() -> None:
    changes = (
        Change("net.ipv4.ip_local_reserved_ports", Relation.INCLUDES, ""),
        Change("net.ipv4.tcp_tw_reuse", Relation.EXACTLY, 1),
    )
    assert step_words(Step(Safety.UNSAFE, "ask", changes=changes)) == "net.ipv4.tcp_tw_reuse = 1    unsafe: ask"


@given(ANY, st.integers(1, 30))
def test_wrapping_loses_only_spaces(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert "".join(lines).replace(" ", "") == visible(text).replace(" ", "")
    assert all(cells(line) <= max(width, 2) for line in lines)


def test_wide_and_combining_characters_take_their_cells() -> None:
    assert [cells(text) for text in ("abc", "公開", "e\u0301", "\uff21")] == [3, 4, 1, 2]


def test_a_huge_value_is_cut() -> None:
    assert len(visible("x" * 10**6)) == 2000


def test_reasons_that_differ_in_the_sysctl_they_name_are_told_together() -> None:
    keys = ["net.core.somaxconn", "net.ipv4.tcp_sack", "net.ipv4.tcp_mem", "fs.file-max"]
    unknown = [(f"rule-{key}", Missing("sysctls", f"no file sets {key}")) for key in keys]
    text = render(replace(SCREEN, findings=[], unknown=unknown, problems=[]))
    assert text.count("unknown: ") == 1
    told = " ".join(text.split())
    assert "4 rules need 'sysctls': no file sets net.core.somaxconn, net.ipv4.tcp_sack, net.ipv4.tcp_mem, and 1" in told
