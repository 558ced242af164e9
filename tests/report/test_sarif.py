"""The report for code scanning: the OASIS schema, GitHub's limits, and texts that mean to be more than texts."""

from __future__ import annotations

import base64
import gzip
import json
import os
import pathlib
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.gated import (
    BAD,
    CONF,
    FAILED,
    FINDINGS,
    FIX,
    FLOW,
    GATED,
    GREEN,
    LATIN_FIX,
    LONG,
    REFUSED,
    SITE,
    hostile,
    judged,
    rule,
)

from advisor.findings import Location, Missing, Severity, Waypoint
from advisor.records import replace
from advisor.report import sarif
from advisor.report.gated import Fault, Replacement, Unknown
from advisor.report.sarif import MOST_RESULTS, render
from advisor.report.sarif_place import artifact, message
from advisor.report.sarif_rule import descriptor

if TYPE_CHECKING:
    from collections.abc import Callable

    from advisor.report.gated import Gated

ANY = st.text(st.characters(codec=None), max_size=20)
URI = re.compile(r"(file://)?[A-Za-z0-9._~/%-]+", re.ASCII)


def run_of(gated: Gated) -> dict[str, Any]:
    (run,) = json.loads(render(gated).encode(), parse_constant=pytest.fail)["runs"]
    found: dict[str, Any] = run
    return found


def results(gated: Gated) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run_of(gated)["results"]
    return found


@pytest.fixture(scope="module")
def check() -> Callable[[Gated], None]:
    folder = os.environ.get("ADVISOR_SCHEMAS")
    if not folder:
        pytest.skip("ADVISOR_SCHEMAS names no folder with OASIS' sarif-schema-2.1.0.json")
    schema = json.loads((pathlib.Path(folder) / "sarif-schema-2.1.0.json").read_bytes())
    validator = jsonschema.Draft4Validator(schema)
    return lambda gated: validator.validate(json.loads(render(gated)))


def test_the_log(golden: Callable[[str, str], None]) -> None:
    golden("gate/report.sarif", json.dumps(json.loads(render(GATED)), indent=2, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("gated", [GATED, FAILED, GREEN, REFUSED, hostile(), hostile("{0}[a](1)\ud800")])
def test_every_log_is_as_the_schema_has_it(check: Callable[[Gated], None], gated: Gated) -> None:
    check(gated)


def test_the_schema_is_really_asked(check: Callable[[Gated], None]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        check(replace(GATED, exit_code="3"))  # type: ignore[arg-type]  # wrong on purpose


@given(text=ANY)
def test_any_text_leaves_the_log_whole(text: str) -> None:
    for row in results(hostile(text)):
        for location in row["locations"]:
            assert URI.fullmatch(location["physicalLocation"]["artifactLocation"]["uri"])


def test_one_line_a_result_and_the_same_bytes_again() -> None:
    text = render(GATED)
    assert len(text.splitlines()) == len(GATED.findings) + 4
    assert text == render(replace(GATED))


def test_severities_become_levels() -> None:
    levels = {
        severity.word: results(replace(GATED, findings=[judged(replace(LONG, severity=severity), "1")]))[0]["level"]
        for severity in Severity
    }
    assert levels == {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}


def test_each_result_names_its_rule() -> None:
    run = run_of(replace(GATED, rules=GATED.rules[:2]))
    rules = run["tool"]["driver"]["rules"]
    assert {row["id"] for row in rules} >= {one.finding.rule for one in GATED.findings}
    assert all(rules[row["ruleIndex"]]["id"] == row["ruleId"] for row in run["results"])


def test_quiet_rules_are_described_too() -> None:
    assert "quiet-one" in {row["id"] for row in run_of(GATED)["tool"]["driver"]["rules"]}


class TestRule:
    def test_help_tells_why_when_to_leave_it_what_to_do_and_where_it_is_from(self) -> None:
        told = descriptor(rule(replace(LONG, why="a\nb\n\nc", references=("nginx:x.html#a_b", "man:tcp(7)"))))
        assert told["help"]["markdown"] == (
            "# keepalive_timeout holds idle connections for minutes\n\n"
            "## Why\n\na b\n\nc\n\n"
            "## When to leave it\n\na load balancer in front holds them on purpose\n\n"
            "## What to do\n\n- unsafe: ask who holds long polls\n\n"
            "## Sources\n\n- [nginx:x.html\\#a_b](<https://nginx.org/en/docs/x.html#a_b>)\n- man tcp(7)"
        )
        assert "When to leave it: a load balancer" in told["help"]["text"]
        assert told["helpUri"] == "https://nginx.org/en/docs/x.html#a_b"

    def test_steps_are_listed_without_the_numbers_of_explain(self) -> None:
        steps = ("1. safe: one", "12. manual: two", "10.0.0.1 is left out")
        told = descriptor(replace(rule(LONG), steps=steps))["help"]
        assert "## What to do\n\n- safe: one\n- manual: two\n- 10.0.0.1 is left out" in told["markdown"]

    def test_nothing_in_it_is_markup(self) -> None:
        told = descriptor(rule(replace(LONG, title="<b> *x* _y_ [a](b)", why="`c` &lt; a_b", references=())))
        assert "# \\<b\\> \\*x\\* \\_y\\_ \\[a\\](b)" in told["help"]["markdown"]
        assert "\\`c\\` \\&lt; a_b" in told["help"]["markdown"]
        assert "helpUri" not in told

    def test_lengths_that_code_scanning_takes(self) -> None:
        told = descriptor(rule(replace(LONG, rule="r" * 300, title="t" * 2000, why="w" * 50_000)))
        lengths = [len(told["name"]), len(told["shortDescription"]["text"]), len(told["fullDescription"]["text"])]
        assert lengths == [255, 1024, 1024]
        assert len(told["help"]["markdown"]) <= 20_000

    def test_what_is_required_is_never_empty(self) -> None:
        told = descriptor(rule(replace(LONG, title="", why="", unless="", steps=(), references=())))
        assert told["shortDescription"]["text"] == told["fullDescription"]["text"] == LONG.rule
        assert told["help"]["text"]

    def test_a_preview_is_tagged_and_less_precise(self) -> None:
        told = descriptor(rule(replace(LONG, maturity="preview")))["properties"]
        assert (told["tags"], told["precision"]) == (["configuration", "nginx", "preview"], "medium")


class TestPlace:
    def test_a_place_has_four_bounds_and_its_text(self) -> None:
        place = results(GATED)[1]["locations"][0]["physicalLocation"]
        assert place["artifactLocation"] == {"uri": CONF, "uriBaseId": "SRCROOT"}
        bounds = {"startLine": 31, "startColumn": 23, "endLine": 31, "endColumn": 26}
        assert place["region"] == {**bounds, "snippet": {"text": "300"}}
        assert place["contextRegion"]["snippet"] == {"text": "    keepalive_timeout 300;"}

    def test_columns_are_code_points_and_undecodable_text_is_no_snippet(self) -> None:
        place = results(GATED)[0]["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "conf/sites/gr%C3%B6%C3%9Fe%201.conf"
        excerpt = LATIN_EXCERPT
        assert excerpt[place["region"]["startColumn"] - 1 : place["region"]["endColumn"] - 1] == "1h"
        assert place["region"]["snippet"] == {"text": "1h"}
        assert "contextRegion" not in place
        assert run_of(GATED)["columnKind"] == "unicodeCodePoints"

    def test_without_a_line_it_is_the_beginning_of_the_file(self) -> None:
        region = results(GATED)[-1]["locations"][0]["physicalLocation"]["region"]
        assert region == {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1}

    @pytest.mark.parametrize(
        ("location", "uri"),
        [
            (Location("x", "/etc/nginx/nginx.conf", 3), "file:///etc/nginx/nginx.conf"),
            (Location("k", key="net.core.somaxconn"), "file:///proc/sys/net/core/somaxconn"),
            (Location("java 10.0.3.9:3306"), "file:///proc"),
        ],
    )
    def test_what_is_outside_of_the_repository_has_a_physical_place_too(self, location: Location, uri: str) -> None:
        (row,) = results(replace(GATED, findings=[judged(replace(LONG, location=location), "1", path=None)]))
        assert row["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": uri}
        assert row["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "http#0"

    def test_names_of_any_bytes(self) -> None:
        assert artifact("a b/ü\udcff?#:%")["uri"] == "a%20b/%C3%BC%FF%3F%23%3A%25"

    def test_no_text_is_a_placeholder_or_a_link(self) -> None:
        assert message("~ ^/[0-9]{3} [a](b)")["text"] == "~ ^/[0-9]{{3}} [a] (b)"
        assert message("")["text"]


LATIN_EXCERPT = FINDINGS[0].finding.location.excerpt or ""


def test_a_message_says_what_why_and_what_to_do() -> None:
    text = results(GATED)[1]["message"]["text"]
    assert text.startswith("idle connections are held for 300 s.\nan idle client keeps")
    assert "\nfix: keepalive_timeout 60;" in text


def test_flows_are_in_order_and_say_what_happens() -> None:
    (flow,) = results(GATED)[5]["codeFlows"]
    (thread,) = flow["threadFlows"]
    said = [(row["location"]["message"]["text"], "physicalLocation" in row["location"]) for row in thread["locations"]]
    assert said == [
        ("set to 60, and replaced later", True),
        ("set to 10: the last one wins", True),
        ("60 is in force now", False),
    ]


def test_a_step_outside_of_the_repository_keeps_its_place() -> None:
    live = Waypoint("net.core.somaxconn is 128 now", "/proc/sys/net/core/somaxconn")
    (row,) = results(replace(GATED, findings=[judged(LONG, "1", flow=(live, *FLOW))]))
    first = row["codeFlows"][0]["threadFlows"][0]["locations"][0]["location"]["physicalLocation"]
    assert first["artifactLocation"] == {"uri": "file:///proc/sys/net/core/somaxconn"}


def test_evidence_that_is_not_there_is_no_property() -> None:
    there, absent = LONG.evidence[0], replace(LONG.evidence[0], name="item.idle", value=None)
    (row,) = results(replace(GATED, findings=[judged(replace(LONG, evidence=(there, absent)), "1")]))
    assert [item["name"] for item in row["properties"]["evidence"]] == [there.name]


def applied(changes: list[dict[str, Any]], files: dict[str, bytes]) -> dict[str, bytes]:
    """What section 3.57 of SARIF says of replacements, done to the bytes."""
    made = dict(files)
    for change in changes:
        data, out, at = files[change["artifactLocation"]["uri"]], b"", 0
        for row in change["replacements"]:
            region = row["deletedRegion"]
            new = base64.b64decode(row.get("insertedContent", {"binary": ""})["binary"], validate=True)
            out += data[at : region["byteOffset"]] + new
            at = region["byteOffset"] + region["byteLength"]
        made[change["artifactLocation"]["uri"]] = out + data[at:]
    return made


class TestFix:
    def test_applied_it_gives_exactly_the_new_bytes(self) -> None:
        (fix,) = results(GATED)[0]["fixes"]
        site, conf = b"s" * 129 + b"#1h;\n" + b"t" * 50, bytes(range(60))
        files = {"conf/sites/gr%C3%B6%C3%9Fe%201.conf": site, CONF: conf}
        assert applied(fix["artifactChanges"], files) == {
            "conf/sites/gr%C3%B6%C3%9Fe%201.conf": site[:130]
            + b"60s"
            + site[132:140]
            + b'set $b "\xfc";\n'
            + site[140:],
            CONF: conf[:10] + conf[20:],
        }

    def test_text_only_where_it_is_text(self) -> None:
        rows = [row for change in results(GATED)[0]["fixes"][0]["artifactChanges"] for row in change["replacements"]]
        assert [sorted(row.get("insertedContent", {})) for row in rows] == [["binary", "text"], ["binary"], []]
        assert rows[0]["insertedContent"]["text"] == "60s"

    @given(
        data=st.binary(max_size=30),
        edits=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5), st.binary(max_size=4)), max_size=4),
    )
    def test_any_replacements_in_any_order(self, data: bytes, edits: list[tuple[int, int, bytes]]) -> None:
        fix, expected, at = [], b"", 0
        for start, length, new in sorted(edits):
            begin = min(max(start, at), len(data))
            end = min(begin + length, len(data))
            if begin == end and begin == at and fix:
                continue
            fix.append(Replacement("f", begin, end, 1, 1, 1, 1, new))
            expected += data[at:begin] + new
            at = end
        expected += data[at:]
        found = results(replace(GATED, findings=[judged(LONG, "1", fix=tuple(reversed(fix)))]))[0].get("fixes")
        assert (applied(found[0]["artifactChanges"], {"f": data}) if found else {"f": data}) == {"f": expected}

    def test_the_sample_is_what_it_says(self) -> None:
        assert {one.path for one in LATIN_FIX} == {SITE, CONF}


class TestMarks:
    def test_every_result_says_whether_it_is_suppressed_and_by_whom(self) -> None:
        said = {
            row["ruleId"]: [(one["kind"], one["justification"]) for one in row["suppressions"]]
            for row in results(GATED)
        }
        assert said["listen-backlog-capped"] == [("inSource", "the balancer in front takes the burst")]
        assert said["worker-connections-few"] == [("external", "this is a test\nbed")]
        assert said["tcp-tw-recycle-gone"] == [("external", "it was there before")]
        assert said["keepalive-timeout-long"] == []

    def test_a_comment_in_the_same_file_is_a_place(self) -> None:
        (row,) = (row for row in results(GATED) if row["ruleId"] == "listen-backlog-capped")
        (one,) = row["suppressions"]
        assert one["location"]["physicalLocation"]["region"]["startLine"] == 111
        assert one["properties"] == {"by": "comment", "where": f"{SITE}:111", "until": "2027-01-01"}

    def test_a_baseline_tells_new_from_known(self) -> None:
        states = {row["ruleId"]: row["baselineState"] for row in results(GATED)}
        assert {name for name, state in states.items() if state == "unchanged"} == {"tcp-tw-recycle-gone"}
        assert "baselineState" not in results(GREEN)[0]

    def test_the_fingerprint_is_the_reports_own(self) -> None:
        prints = [row["partialFingerprints"]["advisorFingerprint/v1"] for row in results(GATED)]
        assert prints == [one.fingerprint for one in GATED.findings]
        assert len(set(prints)) == len(prints)


class TestRun:
    def test_faults_make_it_fail_and_say_where(self) -> None:
        (invocation,) = run_of(GATED)["invocations"]
        assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 3)
        first = invocation["toolExecutionNotifications"][0]
        assert (first["level"], first["descriptor"]["id"]) == ("error", "target")
        assert first["locations"][0]["physicalLocation"]["region"]["startLine"] == 3

    def test_findings_alone_do_not(self) -> None:
        (invocation,) = run_of(FAILED)["invocations"]
        assert (invocation["executionSuccessful"], invocation["exitCode"]) == (True, 1)
        assert {row["level"] for row in invocation["toolExecutionNotifications"]} == {"warning", "note"}

    def test_a_wrong_configuration_is_told_apart_from_a_wrong_rule(self) -> None:
        (invocation,) = run_of(REFUSED)["invocations"]
        assert [row["descriptor"]["id"] for row in invocation["toolConfigurationNotifications"]] == [
            "configuration"
        ] * 2
        assert [row["descriptor"]["id"] for row in invocation["toolExecutionNotifications"]] == ["rule"]
        assert run_of(REFUSED)["results"] == []

    def test_what_is_unknown_is_told_once_a_reason(self) -> None:
        rows = run_of(GATED)["invocations"][0]["toolExecutionNotifications"]
        unknown = [row for row in rows if row["descriptor"]["id"] == "unknown"]
        assert [len(row["properties"]["rules"]) for row in unknown] == [4, 1]
        assert unknown[0]["message"]["text"] == "4 rules need 'sockets': only files are judged (--no-host)"

    def test_notifications_name_their_descriptors(self) -> None:
        run = run_of(GATED)
        described = run["tool"]["driver"]["notifications"]
        for row in run["invocations"][0]["toolExecutionNotifications"]:
            assert described[row["descriptor"]["index"]]["id"] == row["descriptor"]["id"]

    def test_no_path_of_this_machine(self) -> None:
        assert run_of(GATED)["originalUriBaseIds"] == {
            "SRCROOT": {"description": {"text": "the top of the repository"}}
        }
        assert os.fspath(pathlib.Path.cwd()) not in render(GATED)

    def test_what_is_gone_is_no_result(self) -> None:
        assert [row["rule"] for row in run_of(GATED)["properties"]["fixed"]] == [
            "listen-reuseport-missing",
            "files-many",
        ]

    def test_many_faults_and_problems_are_bounded(self) -> None:
        many = replace(
            GATED,
            faults=[Fault(f"bad {number}") for number in range(5000)],
            problems=[("nginx", f"{number}") for number in range(5000)],
            unknown=[Unknown("r", Missing("s", f"{number}"), 1) for number in range(5000)],
        )
        rows = run_of(many)["invocations"][0]["toolExecutionNotifications"]
        assert len(rows) == 3 * 1001
        assert sum(row["message"]["text"] == "and 4,000 more of this kind" for row in rows) == 3


def test_results_past_code_scannings_limit_are_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_RESULTS == 25_000
    monkeypatch.setattr(sarif, "MOST_RESULTS", 100)
    quiet, loud = judged(LONG, "5", why_not="below"), GATED.findings[1]
    run = run_of(replace(FAILED, findings=[*[quiet] * 110, loud]))
    assert len(run["results"]) == 100
    assert run["results"][0]["properties"]["counts"] is True
    said = [row["message"]["text"] for row in run["invocations"][0]["toolExecutionNotifications"]]
    assert "11 findings are left out: code scanning takes 100 results; -f json has all of them" in said
    assert all(len(row["properties"]["tags"]) <= 20 for row in run["tool"]["driver"]["rules"])


def test_a_full_log_is_below_code_scannings_10_mb() -> None:
    """A tenth of the results, no two alike, with flows and fixes; compressed they take a tenth of it."""
    many = [
        replace(
            judged(
                replace(LONG, message=f"{n} s", location=replace(LONG.location, line=n + 1)), "5", flow=FLOW, fix=FIX
            ),
            fingerprint=sha256(str(n).encode()).hexdigest()[:32],
            path=f"conf/{n % 500}.conf",
        )
        for n in range(MOST_RESULTS // 10)
    ]
    assert len(gzip.compress(render(replace(FAILED, findings=many)).encode(), 6)) < 1_000_000


def test_long_texts_are_cut() -> None:
    finding = replace(LONG, message="m" * 10**6, why=BAD * 10**5, location=replace(LONG.location, excerpt="x" * 10**6))
    assert len(render(replace(GATED, findings=[judged(finding, "1")]))) < 100_000
