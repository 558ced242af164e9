"""Findings that somebody answers for are marked; ignores that do not hold, or that nothing needs, are told."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import pytest
from support.sample import KEEPALIVE

from advisor.facts.places import Location
from advisor.findings import Confidence, Finding, State, Suppression
from advisor.formats.nginx import scan
from advisor.gate import notices
from advisor.gate.comments import in_nginx
from advisor.gate.ignores import Ignored, Run, mark
from advisor.records import replace

KNOWN = {"one": "one", "two": "two", "uno": "one"}
TODAY = dt.date(2026, 12, 31)
JUDGED = {"conf/a.conf": {"one", "two"}, "conf/b.conf": {"one"}}


def finding(rule: str = "one", line: int | None = 1, file: str | None = "conf/a.conf", key: str = "gzip") -> Finding:
    return replace(KEEPALIVE, rule=rule, item=f"{rule} {line}", location=Location("", file, line, 1, key=key))


def run(**given: Any) -> Run:
    return Run(**{"known": KNOWN, "judged": JUDGED, "today": TODAY, **given})


def marked(findings: list[Finding], text: str = "", *configured: Ignored, **given: Any) -> list[Finding]:
    said = {"conf/a.conf": in_nginx(text.encode(), "conf/a.conf", scan(text.encode(), "conf/a.conf"))}
    return mark(findings, said, configured, run(**given))


def answers(findings: list[Finding]) -> list[tuple[str, str | None]]:
    """Each rule, and who answers."""
    return [(one.rule, one.suppression.where if one.suppression else None) for one in findings]


def test_a_comment_marks_what_it_holds_for_and_nothing_else() -> None:
    found = [finding(line=2), finding("two", line=2), finding(line=3), finding(line=2, file="conf/b.conf")]
    first, *others = marked(found, "# advisor: ignore[one] long polls; until 2026-12-31\na 1;\nb;")
    assert first.state is State.SUPPRESSED
    assert first.suppression == Suppression("comment", "long polls", "conf/a.conf:1", "2026-12-31")
    assert others == found[1:]


def test_an_alias_means_its_rule() -> None:
    assert answers(marked([finding()], "a; # advisor: ignore[uno, one] r")) == [("one", "conf/a.conf:1")]


def test_the_comment_that_begins_last_answers_and_the_outer_one_is_used_all_the_same() -> None:
    text = """# advisor: ignore-begin[one] outer
    a; # advisor: ignore[one] inner
    b;
    # advisor: ignore-end
    c;"""
    found = [finding(line=line) for line in (5, 3, 2)]
    assert answers(marked(found, text)) == [("one", None), ("one", "conf/a.conf:1"), ("one", "conf/a.conf:2")]


@pytest.mark.parametrize(
    ("text", "notice", "message"),
    [
        ("a; # advisor: ignore[one]", "ignore-without-reason", "ignore[one] says no reason, and covers nothing"),
        ("a; # advisor: ignore[one] -- ", "ignore-without-reason", "ignore[one] says no reason, and covers nothing"),
        ("a; # advisor: ignore[one] r; until 2026-12-30", "ignore-expired", "ignore[one] held until 2026-12-30"),
        (
            "a; # advisor: ignore[one, tow] r",
            "ignore-malformed",
            "this covers nothing: no rule is called 'tow'; did you mean 'two'?; see: advisor rules",
        ),
        (
            "a; # advisor: ignore[one, ignore-unused] r",
            "ignore-malformed",
            "this covers nothing: ignore-unused is the gate's own, and can be ignored in the configuration only",
        ),
        ("a; # advisor: ignore[] r", "ignore-malformed", "this covers nothing: '' is no rule's id; "),
        ("# advisor: ignore-begin[one] r\na;", "ignore-malformed", "this covers nothing: the block of one never ends"),
    ],
)
def test_what_does_not_hold_marks_nothing_and_is_told(text: str, notice: str, message: str) -> None:
    found = [finding(line=text.count("\n") + 1)]
    same, told = marked(found, text, known=KNOWN | dict.fromkeys(notices.IDS, "x"))
    assert same == found[0]
    assert told.rule == notice
    assert told.message.startswith(message)
    assert (told.location.file, told.location.line, told.state) == ("conf/a.conf", 1, State.FAIL)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# advisor: ignore[one] r\nb;\na;", ["ignore[one] covers no finding of one"]),
        ("\n\na; # advisor: ignore[one, two] r", ["ignore[one, two] covers no finding of two"]),
        ("\n\na; # advisor: ignore[one] r\n", []),
        ("# advisor: ignore[three] r\n\na;", []),
    ],
)
def test_a_comment_is_needless_only_of_rules_that_were_judged(text: str, expected: list[str]) -> None:
    known = KNOWN | {"three": "three"}
    told = marked([finding(line=3)], text, known=known)[1:]
    assert [(one.rule, one.message) for one in told] == [("ignore-unused", message) for message in expected]


def test_a_comment_in_a_file_that_was_not_judged_is_not_needless() -> None:
    assert marked([], "a; # advisor: ignore[one] r", judged={}) == []


@pytest.mark.parametrize(
    ("entry", "fits"),
    [
        (Ignored("one", "r", "c", path="conf/**"), True),
        (Ignored("uno", "r", "c", path="*.conf"), True),
        (Ignored("one", "r", "c", path="conf/b*"), False),
        (Ignored("one", "r", "c", key="gzip"), True),
        (Ignored("one", "r", "c", key="sendfile"), False),
        (Ignored("one", "r", "c", server="A.example"), True),
        (Ignored("one", "r", "c", server="b.example"), False),
        (Ignored("one", "r", "c", server="a.example", key="gzip", path="/conf/a.conf"), False),
        (Ignored("two", "r", "c"), False),
        (Ignored("one", "r", "c"), True),
        (Ignored("one", " ", "c"), False),
        (Ignored("one", "r", "c", until="2026-12-31"), True),
        (Ignored("one", "r", "c", until="2026-12-30"), False),
    ],
)
def test_an_entry_of_the_configuration_marks_where_all_that_it_names_fits(entry: Ignored, *, fits: bool) -> None:
    found, *_ = marked([finding()], "", entry, servers=lambda _: ("a.Example", ""))
    assert (found.state is State.SUPPRESSED) is fits
    assert not fits or found.suppression == Suppression("configuration", "r", "c", entry.until)


@pytest.mark.parametrize("written", ["net.ipv4.conf.eth0/5.rp_filter", "net/ipv4/conf/eth0.5/rp_filter"])
def test_a_sysctl_is_named_as_files_name_it(written: str) -> None:
    found = finding(key="net.ipv4.conf.eth0/5.rp_filter")
    assert answers(marked([found], "", Ignored("one", "r", "c", key=written))) == [("one", "c")]


def test_patterns_see_the_name_that_the_run_gives_a_file() -> None:
    entry = Ignored("one", "r", "c", path="a.conf")
    assert answers(marked([finding()], "", replace(entry, path="./a.conf"), whole=False)) == [("one", None)]
    inside = marked([finding()], "", replace(entry, path="./a.conf"), path=lambda name: name.removeprefix("conf/"))
    assert answers(inside) == [("one", "c")]


def test_what_stands_in_no_file_fits_no_pattern() -> None:
    assert answers(marked([finding(file=None)], "", Ignored("one", "r", "c", path="**"), whole=False))[0][1] is None


@pytest.mark.parametrize(
    ("entry", "given", "told"),
    [
        (Ignored("two", "r", "c.yaml:7", path="conf/*"), {}, "ignore[two] in conf/* covers no finding"),
        (Ignored("two", "r", "c.yaml:7", key="k", server="s"), {}, "ignore[two] in server s of k covers no finding"),
        (Ignored("two", "r", "c.yaml:7", path="gone/*"), {}, "ignore[two] in gone/* covers no finding"),
        (Ignored("two", "r", "c.yaml:7", path="gone/*"), {"whole": False}, None),
        (Ignored("two", "r", "c.yaml:7", key="k"), {"whole": False}, None),
        (Ignored("two", "r", "c.yaml:7", path="conf/a*"), {"whole": False}, "ignore[two] in conf/a* covers no finding"),
        (Ignored("two", "r", "c.yaml:7", path="conf/b*"), {}, None),
        (Ignored("three", "r", "c.yaml:7", path="conf/*"), {}, None),
        (Ignored("ignore-unused", "r", "c.yaml:7", path="conf/*"), {}, None),
        (Ignored("two", "", "c.yaml:7"), {}, "ignore[two] says no reason, and covers nothing"),
        (Ignored("two", "r", "c.yaml:7", until="2026-01-01"), {}, "ignore[two] held until 2026-01-01"),
    ],
)
def test_an_entry_that_covers_nothing_is_told_where_that_is_known(
    entry: Ignored, given: dict[str, Any], told: str | None
) -> None:
    found = marked([finding()], "", entry, **given)[1:]
    assert [one.message for one in found] == ([] if told is None else [told])
    assert all((one.location.file, one.location.line) == ("c.yaml", 7) for one in found)


def test_a_file_is_named_once_however_many_entries_ask() -> None:
    asked: list[str] = []

    def named(file: str) -> str:
        asked.append(file)
        return file

    entries = [Ignored("one", "r", f"c:{number}", path=f"**/gone{number}/*") for number in range(50)]
    files = {f"conf/{number}.conf": {"one"} for number in range(40)}
    found = marked([], "", *entries, judged=files, path=named)
    assert (len(found), len(asked)) == (50, 40)


def test_only_the_configuration_answers_for_notices() -> None:
    own = (Ignored("ignore-unused", "r", "c"), Ignored("ignore-expired", "r", "c", path="c"))
    old = Ignored("one", "r", "c", until="2020-01-01")
    text = "a; # advisor: ignore[two] r"
    assert answers(marked([], text, *own, old)) == [("ignore-unused", "c"), ("ignore-expired", "c")]


def test_a_comment_comes_before_the_configuration_which_counts_as_used() -> None:
    assert answers(marked([finding()], "a; # advisor: ignore[one] r", Ignored("one", "r", "c"))) == [
        ("one", "conf/a.conf:1")
    ]


def test_notices_are_described_as_rules_are() -> None:
    assert {one.id for one in notices.RULES} == notices.IDS
    for one in notices.RULES:
        told = notices.told(one, Location("f", "f", 9), "ignore[x]", "m")
        assert (told.rule, told.title, told.severity, told.why) == (one.id, one.title, one.severity, one.why)
        assert (told.confidence, told.maturity, told.place) == (Confidence.CERTAIN, "stable", "ignore[x]")
        assert [step.text for step in told.steps] == list(one.steps)


def test_many_comments_and_findings_take_bounded_time() -> None:
    """10,000 nested blocks that end before 10,000 findings; and as many unknown rules."""
    text = "# advisor: ignore-begin[one] r\n" * 10_000 + "# advisor: ignore-end\n" * 10_000
    said = {"f": in_nginx(text.encode(), "f", [])}
    found = [finding(line=line, file="f") for line in range(20_000, 30_000)]
    begun = time.process_time()
    assert mark(found, said, (), run())[5_000].state is State.FAIL
    unknown = "# advisor: ignore[keepalive-timeout-lnog] r\n" * 10_000
    mark(found, {"f": in_nginx(unknown.encode(), "f", [])}, (), run(known=KNOWN | {f"r{n}": "r" for n in range(300)}))
    assert time.process_time() - begun < 6
