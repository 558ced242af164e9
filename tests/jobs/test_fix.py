"""Cures of several targets that share files: by exact replacements, each with the findings that it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, event, given, settings
from support.fixing import SHIPPED, cure, new, rule_of, target
from support.snapshots import snapshot_with, snapshots

from advisor.engine.judging import Judging
from advisor.errors import InputError, PlanError
from advisor.facts.derive import Facts
from advisor.formats.diff import unified
from advisor.jobs import patch
from advisor.jobs.fix import Fixed, Owner, fix, replacements
from advisor.records import replace
from advisor.remedy.folder import folder
from advisor.remedy.plan import Allowed
from advisor.remedy.predict import with_bytes
from advisor.snapshot.model import SysctlFile

if TYPE_CHECKING:
    from advisor.engine.rule import Rule
    from advisor.findings import Verdict
    from advisor.snapshot.model import Snapshot

KEY = "sysctl.net.core.somaxconn"
SHARED = {"sysctl.d/a.conf": b"net.core.somaxconn = 150\nnet.ipv4.tcp_max_syn_backlog = 100\n"}
SMALL = "server { listen 80 backlog=8; }"


def raised(name: str, when: str, value: str) -> Rule:
    return rule_of(name, when, f"sysctl: {{net.core.somaxconn: {{{value}}}}}")


def by(targets: list[tuple[Snapshot, Rule]], *, unsafe: bool = True) -> Fixed:
    """Each target is judged by a rule of its own."""
    first = {rule.id: rule.consequence_of for _, rule in targets}
    return fix([one for one, _ in targets], [Judging([rule]) for _, rule in targets], first, Allowed(unsafe))


def owners(fixed: Fixed, path: str) -> list[set[Owner]]:
    return [set(one.owners) for one in fixed.edits[path]]


def test_a_file_that_two_targets_include_is_changed_once() -> None:
    common = b"keepalive_timeout 9;\n" + SMALL.encode()
    one = {"/a/nginx.conf": b"http { include /common.conf; }", "/common.conf": common}
    other = {"/b/nginx.conf": b"http { include /common.conf; tcp_nopush on; }", "/common.conf": common}
    fixed = cure(target(one), target(other))
    assert new(fixed)["/common.conf"] == common.replace(b"=8", b"=511")
    assert owners(fixed, "/common.conf") == [{(0, "listen-backlog-small", "0.0.0.0:80")}]


def test_targets_that_want_the_opposite_of_one_file_are_named() -> None:
    low = raised("low", f"{KEY} > 100", "at_most: 100")
    high = raised("high", f"{KEY} < 200", "at_least: 200")
    with pytest.raises(PlanError) as caught:
        by([(target(sysctl=SHARED), low), (target(sysctl=SHARED), high)])
    said = str(caught.value)
    assert said.startswith("sysctl.d/a.conf: ")
    assert "low" in said
    assert "high" in said


def test_a_step_that_does_harm_to_another_target_is_left_out() -> None:
    eager = raised("eager", f"{KEY} < 200", "at_least: 300")
    wary = rule_of("wary", f"{KEY} > 250", "")
    fixed = by([(target(sysctl=SHARED), eager), (target(sysctl=SHARED), wary)])
    assert fixed.files == {}
    assert fixed.left == {(0, "eager", ""): "its step would make wary fail (host) in sysctl.d/a.conf"}


def test_only_what_does_harm_is_left_out() -> None:
    eager = raised("eager", f"{KEY} < 200", "at_least: 300")
    wary = rule_of("wary", f"{KEY} > 250", "")
    own = target({"nginx.conf": b"http { " + SMALL.encode() + b" }"})
    judges = [Judging([eager]), Judging([wary]), SHIPPED]
    fixed = fix([target(sysctl=SHARED), target(sysctl=SHARED), own], judges, SHIPPED.causes, Allowed(unsafe=True))
    assert list(fixed.files) == ["nginx.conf"]


def test_what_another_targets_cure_asks_for_belongs_to_that_cure() -> None:
    eager = raised("eager", f"{KEY} < 200", "at_least: 300")
    more = f"{KEY} > 250 and sysctl.net.ipv4.tcp_max_syn_backlog < 300"
    follows = rule_of("follows", more, "sysctl: {net.ipv4.tcp_max_syn_backlog: {at_least: 300}}")
    fixed = by([(target(sysctl=SHARED), eager), (target(sysctl=SHARED), follows)])
    assert new(fixed) == {
        "sysctl.d/a.conf": b"net.core.somaxconn = 300\nnet.ipv4.tcp_max_syn_backlog = 300\n",
    }
    assert owners(fixed, "sysctl.d/a.conf") == [{(0, "eager", "")}, {(0, "eager", "")}]


def test_the_order_of_targets_does_not_matter_to_that() -> None:
    eager = raised("eager", f"{KEY} < 200", "at_least: 300")
    more = f"{KEY} > 250 and sysctl.net.ipv4.tcp_max_syn_backlog < 300"
    follows = rule_of("follows", more, "sysctl: {net.ipv4.tcp_max_syn_backlog: {at_least: 300}}")
    fixed = by([(target(sysctl=SHARED), follows), (target(sysctl=SHARED), eager)])
    assert owners(fixed, "sysctl.d/a.conf") == [{(1, "eager", "")}, {(1, "eager", "")}]


def test_a_file_that_changed_between_two_targets_is_refused() -> None:
    other = {"sysctl.d/a.conf": b"net.core.somaxconn = 1\n"}
    with pytest.raises(InputError, match=r"sysctl\.d/a\.conf changed while it was read"):
        cure(target(sysctl=SHARED), target(sysctl=other))


def test_what_the_judge_leaves_out_is_not_cured() -> None:
    def answered(facts: Facts) -> list[Verdict]:
        return [one for one in SHIPPED(facts) if one.rule != "somaxconn-lowered"]

    snapshot = target(sysctl={"a.conf": b"net.core.somaxconn = 64\nnet.ipv4.tcp_sack = 0\n"})
    fixed = fix([snapshot], [answered], SHIPPED.causes, Allowed(unsafe=True))
    assert new(fixed) == {"a.conf": b"net.core.somaxconn = 64\nnet.ipv4.tcp_sack = 1\n"}


def test_unsafe_steps_wait_to_be_asked_for_and_that_is_said() -> None:
    snapshot = target(sysctl={"a.conf": b"net.ipv4.tcp_rmem = 4096 12582912 16777216\n"})
    fixed = cure(snapshot, unsafe=False)
    assert fixed.files == {}
    assert fixed.left[0, "tcp-rmem-default-huge", ""] == "its step is unsafe; --unsafe takes it"
    assert list(cure(snapshot).files) == ["a.conf"]


def test_a_target_whose_cure_cannot_be_proved_is_given_up_and_the_others_are_cured() -> None:
    chases = raised("more-and-more", f"{KEY} > 0", f"at_least: {KEY} + 1")
    eager = raised("eager", f"{KEY} < 200", "at_least: 300")
    own = target(sysctl={"b.conf": SHARED["sysctl.d/a.conf"]})
    fixed = by([(target(sysctl=SHARED), chases), (own, eager)])
    assert list(fixed.files) == ["b.conf"]
    assert list(fixed.given_up) == [0]
    assert "after 8 rounds more-and-more still ask" in fixed.given_up[0]
    assert fixed.left[0, "more-and-more", ""] == fixed.given_up[0]


def test_a_target_that_was_given_up_is_not_harmed_either() -> None:
    chases = raised("more-and-more", f"{KEY} > 0", f"at_least: {KEY} + 1")
    wary = rule_of("wary", f"{KEY} > 250", "")
    eager = raised("eager", f"{KEY} < 200", "at_least: 300")
    judges = [Judging([chases, wary]), Judging([eager])]
    fixed = fix([target(sysctl=SHARED)] * 2, judges, {}, Allowed())
    assert fixed.files == {}
    assert fixed.left[1, "eager", ""] == "its step would make wary fail (host) in sysctl.d/a.conf"


def test_what_was_planned_for_a_target_that_is_given_up_later_is_not_changed() -> None:
    """Planned first, it is cured; once the shared file is another, its own rule chases itself."""
    low = rule_of(
        "low", "sysctl.net.ipv4.tcp_max_syn_backlog < 200", "sysctl: {net.ipv4.tcp_max_syn_backlog: {at_least: 200}}"
    )
    chases = raised("chases", f"{KEY} > 250", f"at_least: {KEY} + 1")
    eager = raised("eager", f"{KEY} < 200", "at_least: 300")
    fixed = fix([target(sysctl=SHARED)] * 2, [Judging([low, chases]), Judging([eager])], {}, Allowed())
    assert list(fixed.given_up) == [0]
    assert fixed.files == {}
    assert fixed.left.keys() == {(0, "low", ""), (1, "eager", "")}
    assert fixed.left[1, "eager", ""] == "its step would make chases fail (host) in sysctl.d/a.conf"


def test_several_new_lines_in_one_place_are_one_replacement() -> None:
    """Of two insertions at one offset nobody could tell which comes first."""
    fixed = cure(target({"nginx.conf": b"http { server { location / { proxy_pass http://10.0.0.1; } } }"}))
    starts = [one.start for one in fixed.edits["nginx.conf"]]
    assert len(starts) == len(set(starts))


PASSED = b"location / { proxy_pass http://u; } location /b { proxy_pass http://u; }"
TREES = [
    {"/etc/nginx/nginx.conf": b"http { server { listen 80 backlog=8; } }"},
    {"/etc/nginx/nginx.conf": b"http {\r\n\tserver { listen 80 backlog=8 ; # \xe9\r\n}}"},
    {
        "/etc/nginx/nginx.conf": b"http {\n    include b.conf;\n    access_log a.log;\n    tcp_nopush on;\n}\n",
        "/etc/nginx/b.conf": b"server {\n    listen 80 backlog=8;\n    location / { proxy_pass http://10.0.0.1; }\n}",
    },
    {
        "/etc/nginx/nginx.conf": b"worker_rlimit_nofile 10;\nhttp { upstream u { server 10.0.0.1; }\n"
        b"server { " + PASSED + b" } }"
    },
]


@pytest.mark.parametrize("files", TREES)
def test_it_is_what_a_patch_holds(files: dict[str, bytes]) -> None:
    snapshot = target(files)
    made = patch.plan(snapshot, SHIPPED, Allowed(unsafe=True))
    fixed = cure(snapshot)
    shown = b"".join(unified(old, after, path) for path, (old, after) in fixed.files.items())
    assert shown == folder(made)["nginx.diff"]


def test_replacements_say_lines_and_characters() -> None:
    content = b"http { server {\r\n set $a 'caf\xc3\xa9 \xe9\xff'; listen 80 backlog=8;\n} }"
    fixed = cure(target({"nginx.conf": content}))
    (found,) = replacements(fixed, lambda path: f"top/{path}")[0, "listen-backlog-small", "0.0.0.0:80"]
    assert (found.path, found.new) == ("top/nginx.conf", b"backlog=511")
    assert content[found.start : found.end] == b"backlog=8"
    line = content.split(b"\n")[1].decode("utf-8", "replace")
    assert (found.start_line, found.end_line) == (2, 2)
    assert line[found.start_column - 1 : found.end_column - 1] == "backlog=8"


def given_files(snapshot: Snapshot) -> Snapshot:
    """Its files as those that the user gave."""
    files = [SysctlFile(path=one.path, content=one.content, given=True) for one in snapshot.sysctl_files or ()]
    return replace(snapshot, sysctl_files=files or None)


FEW = settings(max_examples=20, suppress_health_check=list(HealthCheck))


@FEW
@given(snapshots())
def test_every_cure_is_exact(snapshot: Snapshot) -> None:
    """Whatever else was measured on the host; `cure` holds the laws."""
    event(f"changes: {bool(cure(given_files(snapshot)).files)}")


@FEW
@given(snapshots())
def test_the_second_cure_of_files_is_empty(snapshot: Snapshot) -> None:
    """What was measured is as it was until it is measured again, so that files alone are judged here."""
    found = given_files(snapshot)
    files = snapshot_with(nginx=found.nginx, sysctl_files=found.sysctl_files, site=found.site)
    fixed = cure(files)
    event(f"changes: {bool(fixed.files)}, given up: {bool(fixed.given_up)}")
    assert not cure(with_bytes(files, new(fixed), new(fixed))).files
