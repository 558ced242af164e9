"""A baseline: the same bytes for the same findings, silent through drift, one more speaks, one less is told."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sample import KEEPALIVE

from advisor.errors import UsageError
from advisor.facts.places import Location
from advisor.findings import Finding, Severity, State, Suppression
from advisor.gate.baseline import Baseline, Comparison, Entry, baseline_of, compare, dumps, loads
from advisor.records import replace

FILE = ".advisor-baseline.json"


def finding(rule: str = "r", place: str = "http", file: str | None = "a.conf", line: int = 1) -> Finding:
    return replace(KEEPALIVE, rule=rule, item=f"{place} #{line}", lasting=place, location=Location("", file, line, 1))


def answered(one: Finding, kind: str = "comment") -> Finding:
    return replace(one, state=State.SUPPRESSED, suppression=Suppression(kind, "r"))  # type: ignore[arg-type]


def against(held: list[Finding], found: list[Finding]) -> Comparison:
    return compare(baseline_of(held), found, FILE)


def new(held: list[Finding], found: list[Finding]) -> list[tuple[str | None, int | None]]:
    """File and line of the findings that a baseline does not know."""
    return [(one.location.file, one.location.line) for one in against(held, found).findings if one.state is State.FAIL]


def test_what_is_known_is_marked_with_the_baseline() -> None:
    (same,) = against([finding()], [finding(line=99)]).findings
    assert same.state is State.SUPPRESSED
    assert same.suppression == Suppression("baseline", "it was there when the baseline was written", FILE)
    assert replace(same, state=State.FAIL, suppression=None) == finding(line=99)


def test_drift_stays_silent() -> None:
    drifted = replace(
        finding(file="moved.conf", line=7), severity=Severity.CRITICAL, message="another value", doubt="x"
    )
    assert against([finding()], [drifted]) == Comparison(
        [answered_by_baseline(drifted)], [], Baseline((Entry("r", "http", "moved.conf", 1),))
    )


def answered_by_baseline(one: Finding) -> Finding:
    return replace(
        one,
        state=State.SUPPRESSED,
        suppression=Suppression("baseline", "it was there when the baseline was written", FILE),
    )


def test_one_more_speaks() -> None:
    assert new([finding()], [finding(), finding(place="server a")]) == [("a.conf", 1)]
    assert new([finding()], [finding(), finding("other", line=2)]) == [("a.conf", 2)]
    assert new([finding(), finding(line=3)], [finding(line=line) for line in (9, 3, 5)]) == [("a.conf", 9)]


def test_of_more_than_are_held_those_in_the_same_file_are_known() -> None:
    held = [finding(file="b.conf"), finding(file="c.conf")]
    found = [finding(file=f"{name}.conf") for name in "abcd"]
    assert new(held, found) == [("a.conf", 1), ("d.conf", 1)]
    assert new(held, found[:2]) == []
    assert new(held, [found[0], found[0], found[2]]) == [("a.conf", 1)]


def test_one_less_is_told() -> None:
    held = [finding(file="a.conf"), finding(file="b.conf"), finding(file="b.conf", line=2), finding("s", file=None)]
    assert against(held, held[:2]).gone == [Entry("r", "http", "b.conf", 1), Entry("s", "http", None, 1)]
    assert against(held, held).gone == []
    assert against(held, held[:2]).pruned == baseline_of(held[:2])


def test_what_a_comment_answers_for_is_there_but_needs_no_entry() -> None:
    compared = against([finding(), finding(line=2)], [answered(finding()), finding(line=2)])
    assert [one.suppression.kind for one in compared.findings if one.suppression] == ["comment", "baseline"]
    assert compared.gone == []
    assert compared.pruned == baseline_of([finding()])
    assert new([finding()], [answered(finding()), finding(line=2, file="b.conf")]) == [("b.conf", 2)]
    assert new([finding()], [answered(finding()), finding(line=2)]) == []


def test_what_somebody_answers_for_and_the_gates_own_are_not_held() -> None:
    own = finding("ignore-unused")
    assert baseline_of([answered(finding()), own]) == Baseline()
    assert baseline_of([answered(finding(), "baseline")]) == baseline_of([finding()])
    forged = Baseline((Entry("ignore-unused", "http", "a.conf", 1),))
    assert compare(forged, [own], FILE).findings == [own]


def test_a_run_over_a_part_leaves_the_rest_alone() -> None:
    """A finding of another file may not take the place of one that was not looked at."""
    held = baseline_of([finding(file="b.conf"), finding("s")])
    part = compare(held, [finding()], FILE, concerns=lambda entry: entry.path == "a.conf" and entry.rule != "s")
    assert part == Comparison([finding()], [], held)


def test_what_a_rule_can_not_judge_everywhere_is_known_and_never_cured() -> None:
    held = baseline_of([finding(), finding("s")])
    compared = compare(held, [finding(line=2)], FILE, sure=lambda entry: entry.rule != "s")
    assert [one.state for one in compared.findings] == [State.SUPPRESSED]
    assert (compared.gone, compared.pruned) == ([], held)


def test_a_place_is_known_by_all_its_names_its_own_first() -> None:
    also = replace(finding(place="server a"), also=("server b", "http"))
    assert new([finding(place="server b")], [also]) == []
    assert new([finding(place="server b")], [also, finding(place="server b", line=7)]) == [("a.conf", 1)]
    assert new([finding(place="server b"), finding(place="http")], [also]) == []
    assert against([finding(place="server b"), finding(place="http")], [also]).gone == [
        Entry("r", "server b", "a.conf", 1)
    ]


def test_files_are_called_as_the_run_says() -> None:
    named = {"../a.conf": "conf/a.conf"}
    held = baseline_of([finding(file="../a.conf")], named.__getitem__)
    assert held.entries == (Entry("r", "http", "conf/a.conf", 1),)
    assert compare(held, [finding(file="../a.conf")], FILE, named.__getitem__).pruned == held


def test_a_rule_that_was_renamed_keeps_its_entries() -> None:
    text = dumps(Baseline((Entry("new", "http", "a", 1), Entry("old", "http", "a", 2)))).encode()
    assert loads(text, FILE, {"old": "new", "new": "new"}) == Baseline((Entry("new", "http", "a", 3),))


def test_the_document() -> None:
    held = [finding("s", "", None), finding(), finding(line=2), finding(place="server \udcff\n")]
    assert dumps(baseline_of(held)) == (
        '{\n  "schema": "advisor.baseline/v1",\n  "findings": [\n'
        '    {"rule": "r", "place": "http", "path": "a.conf", "count": 2},\n'
        '    {"rule": "r", "place": "server \\udcff\\n", "path": "a.conf", "count": 1},\n'
        '    {"rule": "s", "place": "", "path": null, "count": 1}\n  ]\n}\n'
    )
    assert dumps(Baseline()) == '{\n  "schema": "advisor.baseline/v1",\n  "findings": [\n  ]\n}\n'


def row(**given: object) -> str:
    return json.dumps({"rule": "r", "place": "p", "path": "f", "count": 1} | given)


def document(*rows: str) -> str:
    return '{"schema": "advisor.baseline/v1", "findings": [\n' + ",\n".join(rows) + "\n]}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "b:1:1: no JSON: Expecting value"),
        ("{\n,", "b:2:1: no JSON"),
        ("[]", "b:1: no baseline: its schema is not advisor.baseline/v1"),
        ('{"schema": "advisor.baseline/v2"}', "b:1: no baseline: its schema is not advisor.baseline/v1"),
        ('{"schema": "advisor.baseline/v1"}', "b:1: a baseline has the keys schema and findings"),
        ('{"schema": "advisor.baseline/v1", "findings": {}}', "b:1: a baseline has the keys schema and findings"),
        (document("7"), "b:2: an entry has the keys rule, place, path and count"),
        (document(row(), row(more=1)), "b:3: an entry has the keys"),
        (document(row(), row(rule="s"), row(count=0)), "b:4: count is a number from 1 to 1,000,000"),
        (document(row(count=True)), "b:2: count is a number"),
        (document(row(count=1e3)), "b:2: count is a number"),
        (document(row(rule=None)), "b:2: rule and place are texts"),
        (document(row(path=3)), "b:2: rule and place are texts"),
        (document(row(), row(count=2)), "b:3: this entry is here twice; keep the one with the right count"),
        (document(row(), "1").replace("findings", "\\u0066indings"), "b:1: an entry has the keys"),
        (document(row(count=1)).replace("1}", "1" * 5000 + "}"), "b:1: no baseline: a number is too long"),
        ("[" * 200_000, "b:1: no baseline"),
        ("\ufeff{}", "b:1:1: no JSON"),
    ],
    ids=range(18),
)
def test_what_is_no_baseline_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        loads(text.encode(), "b", {})
    assert str(caught.value).startswith(said)
    assert caught.value.exit_code == 2


def test_what_is_no_text_or_too_large_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^b:2: not UTF-8; write it anew with --write-baseline$"):
        loads(b"{\n\xff", "b")
    with pytest.raises(UsageError, match="has at most 32 MiB"):
        loads(b" " * (32 * 2**20 + 1), "b")


FINDINGS = st.lists(
    st.builds(
        finding,
        st.sampled_from("rs"),
        st.sampled_from(["", "http", "server ü"]),
        st.sampled_from(["a", "b", "c/d", None]),
        st.integers(1, 9),
    ),
    max_size=9,
)


@given(FINDINGS)
def test_the_same_findings_give_the_same_bytes_and_are_all_known(found: list[Finding]) -> None:
    held = baseline_of(found)
    assert dumps(baseline_of(found[::-1])) == dumps(held)
    assert loads(dumps(held).encode(), "b") == held
    compared = compare(held, found, FILE)
    assert not [one for one in compared.findings if one.state is State.FAIL]
    assert (compared.gone, compared.pruned) == ([], held)


def per_place(findings: list[Finding]) -> Counter[tuple[str, str]]:
    return Counter((one.rule, one.place) for one in findings)


@given(FINDINGS, FINDINGS)
def test_new_and_gone_are_what_the_counts_say(held: list[Finding], found: list[Finding]) -> None:
    """Multisets of rules and places are compared, whatever the files; pruning adds nothing and loses no mark."""
    compared = against(held, found)
    assert per_place([one for one in compared.findings if one.state is State.FAIL]) == (
        per_place(found) - per_place(held)
    )
    gone: Counter[tuple[str, str]] = Counter()
    for entry in compared.gone:
        gone[entry.key] += entry.count
    assert gone == per_place(held) - per_place(found)
    again = compare(compared.pruned, found, FILE)
    assert (again.findings, again.gone, again.pruned) == (compared.findings, [], compared.pruned)
    assert sum(one.count for one in compared.pruned.entries) <= len(held)
