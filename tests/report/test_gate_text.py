"""The gate's report for a person."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.gated import CONF, FAILED, GATED, GREEN, LONG, REFUSED, hostile, judged
from support.sample import HEAD

from advisor.findings import Missing, Safety
from advisor.records import replace
from advisor.report.gate_text import render
from advisor.report.gated import Gated, Gone, Target, Unknown
from advisor.report.result import Head
from advisor.report.terminal import cells

if TYPE_CHECKING:
    from collections.abc import Callable

SGR = re.compile(r"\x1b\[[0-9;]*m")


def told(gated: Gated) -> str:
    return " ".join(render(gated).split())


def test_the_screen(golden: Callable[[str, str], None]) -> None:
    golden("gate/text.txt", render(GATED))


def test_a_configuration_that_is_wrong(golden: Callable[[str, str], None]) -> None:
    golden("gate/refused.txt", render(REFUSED))


def test_faults_stand_before_findings_and_the_verdict_is_last() -> None:
    lines = render(GATED).splitlines()
    fault = lines.index("error: conf/broken.conf:3:14: unexpected end of file, expecting '}'")
    assert fault < next(index for index, line in enumerate(lines) if line.startswith("critical["))
    assert told(GATED).endswith(
        "gate: failed: 1 target could not be judged; 4 findings count (high or graver, observed or surer); "
        "2 of them can be fixed: advisor gate --fix --unsafe"
    )


def test_only_what_counts_has_a_frame() -> None:
    assert render(GATED).count("= why") == len(GATED.counting) == 4
    assert "= why" not in render(GREEN)


def test_a_green_gate_says_so_and_names_the_policy() -> None:
    assert told(GREEN).endswith("gate: passed: no finding counts (high or graver, observed or surer)")


@pytest.mark.parametrize("code", [0, 3])
def test_nothing_judged_is_never_green(code: int) -> None:
    nothing = replace(REFUSED, faults=[], exit_code=code)
    assert "gate: " in told(nothing)
    assert "nothing could be judged: this is no clean bill" in told(nothing)
    assert "passed" not in told(nothing)


def test_findings_that_count_pass_by_exit_zero_only_under_that_name() -> None:
    assert "gate: passed (--exit-zero): 4 findings count" in told(replace(FAILED, exit_code=0))


def test_strict_says_how_many_rules_could_not_be_judged() -> None:
    strict = replace(GREEN, exit_code=3)
    assert "gate: failed: 5 rules could not be judged; no finding counts" in told(strict)
    assert "problems" not in told(replace(strict, problems=GATED.problems)).splitlines()[-1]


@pytest.mark.parametrize(
    ("safety", "command"),
    [(Safety.SAFE, "gate --diff"), (Safety.UNSAFE, "gate --diff --unsafe"), (Safety.MANUAL, None)],
)
def test_where_no_fix_was_planned_the_steps_say_whether_to_ask_for_one(safety: Safety, command: str | None) -> None:
    steps = (replace(LONG.steps[0], safety=safety, changes=LONG.steps[0].changes if command else ()),)
    text = told(replace(FAILED, findings=[judged(replace(LONG, steps=steps), "1", counts=True)]))
    expected = "observed or surer)" + (f"; 1 of them may have a fix: advisor {command}" if command else "")
    assert text.endswith(expected)


def test_findings_that_differ_in_their_grade_alone_stand_together() -> None:
    assert "3 findings not counted: below high" in told(GATED)
    assert "1 finding not counted: preview rules do not count without --preview" in told(GATED)


def test_ten_findings_that_do_not_count_are_named() -> None:
    many = [judged(replace(LONG, item=f"http#{index}"), "1", why_not="high is below critical") for index in range(25)]
    lines = render(replace(GREEN, findings=many)).splitlines()
    assert sum(line.startswith(f"  {CONF}:31:23: high[") for line in lines) == 10
    assert "  and 15 more in -f json" in lines


def test_a_live_host_is_asked_for_in_one_line() -> None:
    text = told(GATED)
    assert "unknown: 4 rules need what no file shows (a live host): advisor gate --host, or advisor audit" in text
    assert text.count("unknown: ") == 2
    one = replace(GREEN, unknown=GREEN.unknown[:1])
    assert "unknown: 1 rule needs what no file shows" in told(one)


def test_a_capture_is_missed_alone_where_a_host_was_judged() -> None:
    capture = Unknown("captured-half-open", Missing("capture", "no capture of packets was given (--capture FILE)"), 2)
    host = Unknown("abort-on-overflow", Missing("sysctls", "no host was read and no file given sets it"), 2)
    assert "unknown: 6 rules need what no file shows" in told(replace(GREEN, unknown=[*GREEN.unknown, capture, host]))
    assert "unknown: 1 rule needs 'capture': no capture of packets" in told(replace(GREEN, unknown=[capture]))


def test_another_reason_is_told_with_its_rules() -> None:
    unknown = [Unknown("port-exhaustion", Missing("sockets", "SOCK_DIAG: permission denied"), 1)]
    text = told(replace(GREEN, unknown=unknown))
    assert "unknown: 1 rule needs 'sockets': SOCK_DIAG: permission denied (port-exhaustion)" in text


def test_the_baseline_names_what_is_fixed() -> None:
    text = told(GATED)
    assert "baseline .advisor-baseline.json: 1 known, 8 new, 3 fixed: listen-reuseport-missing at 0.0.0.0:80" in text
    assert "files-many (2)" in text
    clean = told(replace(GATED, fixed=[]))
    assert "1 known, 8 new, 0 fixed unknown" in clean
    many = told(replace(GATED, fixed=[Gone("a", str(index), None, 1) for index in range(12)]))
    assert "12 fixed: a at 0, a at 1," in many
    assert "a at 9, and 2 more in -f json" in many


def test_a_host_is_described_as_by_audit() -> None:
    text = render(replace(GREEN, targets=[Target("web-7", "host", (), HEAD)]))
    assert text.startswith("web-7 · Linux 6.1.0 · 16 CPUs, 62 GiB · nginx 1.22.1, 4 workers")
    unread = render(replace(GREEN, targets=[Target("a.json", "snapshot", ("a.json",), Head())]))
    assert unread.startswith("a.json: no host was read\n")


def test_many_targets_are_counted() -> None:
    files = [Target(f"{index}.conf", "nginx", (f"{index}.conf", "mime.types"), Head()) for index in range(12)]
    both = Target("image", "nginx and sysctl", ("n", "s"), Head())
    snapshots = [Target(f"{index}.json", "snapshot", (f"{index}.json",), HEAD) for index in range(5)]
    text = told(replace(GREEN, targets=[*files, both, *snapshots]))
    assert text.startswith(
        "12 nginx configurations (13 files), 1 nginx configuration with sysctl files (2 files) and 5 snapshots 0.json: "
    )
    assert "2.json: web-7" in text
    assert "3.json" not in text


def test_colour_changes_no_letter() -> None:
    coloured = render(GATED, colour=True)
    assert coloured != render(GATED)
    assert SGR.sub("", coloured) == render(GATED)


@given(text=st.text(st.characters(codec=None), max_size=60), width=st.integers(40, 120))
def test_any_text_is_told_within_the_width(text: str, width: int) -> None:
    counting = hostile(text)
    uncounted = replace(counting, findings=[replace(one, counts=False, why_not=text) for one in counting.findings])
    lines = [line for gated in (counting, uncounted) for line in render(gated, width=width).split("\n")]
    for line in lines:
        assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in line), line
        assert cells(line) <= width or "-->" in line, line
    "\n".join(lines).encode()
