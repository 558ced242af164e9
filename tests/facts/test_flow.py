"""How a value comes to be in force, told step by step."""

from __future__ import annotations

import pathlib
import time
from typing import Any

import pytest
from hypothesis import given, settings
from support.judged import facts_of
from support.snapshots import snapshots

from advisor.engine.judge import judge
from advisor.engine.pack import load_rule
from advisor.facts.derive import Facts
from advisor.facts.flow import MOST, flow
from advisor.findings import Finding
from advisor.jobs.load import rules
from advisor.records import replace

CONF, SITE, DEEP = "/etc/nginx/nginx.conf", "/etc/nginx/conf.d/a.conf", "/etc/nginx/snippets/s.conf"
RULES = pathlib.Path(__file__).parents[2] / "rules"
Told = list[tuple[str, int | None, str]]


def findings(rule: str, facts: Facts) -> list[Finding]:
    (path,) = RULES.rglob(f"{rule}.yaml")
    found = judge([load_rule(path.read_bytes(), str(path), Facts)], facts)
    return [verdict.finding for verdict in found if verdict.finding is not None]


def told(rule: str, **given: Any) -> Told:
    """The way to the rule's one finding."""
    facts = facts_of(given.pop("nginx", "events {}"), **given)
    (finding,) = findings(rule, facts)
    return [(step.path or "-", step.line, step.text) for step in flow(facts, finding)]


def test_from_the_main_file_through_includes_and_blocks_down_to_the_directive() -> None:
    conf = "http {\n  keepalive_timeout 60;\n  include conf.d/*.conf;\n}"
    site = "server {\n  listen 80;\n  server_name a;\n  location /x {\n    include snippets/s.conf;\n  }\n}"
    deep = "# slow\nkeepalive_timeout 900;"
    assert told("keepalive-timeout-long", nginx={CONF: conf, SITE: site, DEEP: deep}) == [
        (CONF, 1, "in http"),
        (CONF, 2, "keepalive_timeout 60 is replaced further in"),
        (CONF, 3, f"include conf.d/*.conf reads {SITE}"),
        (SITE, 1, "in server a"),
        (SITE, 4, "in location /x of server a"),
        (SITE, 5, f"include snippets/s.conf reads {DEEP}"),
        (DEEP, 2, "idle connections are held for 900 s (keepalive_timeout in location /x of server a)"),
    ]


def test_two_includes_without_a_block_between_them() -> None:
    conf, site = "http {\n  include conf.d/*.conf;\n}", "include snippets/s.conf;"
    found = told("keepalive-timeout-long", nginx={CONF: conf, SITE: site, DEEP: "keepalive_timeout 900;"})
    assert found[1:3] == [
        (CONF, 2, f"include conf.d/*.conf reads {SITE}"),
        (SITE, 1, f"include snippets/s.conf reads {DEEP}"),
    ]


def test_every_step_points_at_its_text() -> None:
    facts = facts_of({CONF: "\ufeffhttp {\n\tkeepalive_timeout 60; # ü\n include conf.d/*.conf; }", SITE: LONG_SITE})
    (finding,) = findings("keepalive-timeout-long", facts)
    marked = [
        (step.excerpt or "")[(step.column or 1) - 1 :][: step.length] for step in flow(facts, finding) if step.excerpt
    ]
    assert marked == ["http", "keepalive_timeout 60", "include conf.d/*.conf", "server", "900"]


LONG_SITE = "server { server_name a; listen 80;\n keepalive_timeout 900; }"


def test_a_value_that_applies_from_further_out_is_a_step() -> None:
    nginx = "http {\n  sendfile on;\n  server {\n    server_name a;\n    tcp_nopush on;\n    sendfile off;\n  }\n}"
    found = told("tcp-nopush-inert", nginx=nginx)
    assert (CONF, 6, "sendfile off applies") in found
    found = told(
        "tcp-nopush-inert", nginx="http {\n  sendfile off;\n  server {\n    server_name a;\n    tcp_nopush on;\n  }\n}"
    )
    assert found[:2] == [(CONF, 1, "in http"), (CONF, 2, "sendfile off applies")]


def test_a_value_that_is_set_once_in_the_one_file_has_no_way() -> None:
    assert told("keepalive-timeout-long", nginx="http {\n  keepalive_timeout 900;\n  server { listen 80; }\n}") == []


def test_the_last_of_the_files_given_wins() -> None:
    key = "net.ipv4.tcp_fin_timeout"
    files = {"a/10.conf": f"{key} = 50\n{key} = 40", "a/20.conf": f"# x\n{key}=10"}
    assert told("fin-timeout-lowered", sysctl_file=files) == [
        ("a/10.conf", 1, f"{key} = 50: a later line replaces it"),
        ("a/10.conf", 2, f"{key} = 40: a later line replaces it"),
        ("a/20.conf", 2, f"{key} = 10: no later line sets it, so it holds"),
    ]


def test_the_value_in_force_comes_last() -> None:
    key = "net.ipv4.tcp_fin_timeout"
    found = told("fin-timeout-lowered", sysctl_file={"20.conf": f"{key}=10"}, sysctl={key: "60"})
    assert found[-1] == ("/proc/sys/net/ipv4/tcp_fin_timeout", None, f"{key} is 60 now")


def test_at_boot_the_lines_without_a_say_come_first_then_who_wins_then_who_comes_later() -> None:
    key = "net.ipv4.tcp_fin_timeout"
    files = {
        "/etc/sysctl.d/10-a.conf": f"{key}=50",
        "/etc/sysctl.d/20-b.conf": f"{key}=40\n{key} = soon",
        "/etc/ufw/sysctl.conf": {"content": f"{key}=10\n", "writer": "ufw"},
    }
    assert told("fin-timeout-lowered", boot_files=files, sysctl={key: "10"}) == [
        ("/etc/sysctl.d/10-a.conf", 1, f"{key} = 50: another line replaces it"),
        ("/etc/sysctl.d/20-b.conf", 2, f"{key} = soon: the kernel does not take it: 'soon' is no number"),
        ("/etc/sysctl.d/20-b.conf", 1, f"{key} = 40: it wins"),
        ("/etc/ufw/sysctl.conf", 1, f"ufw sets {key} to 10 after boot"),
        ("/proc/sys/net/ipv4/tcp_fin_timeout", None, f"{key} is 10 now"),
    ]


def test_a_finding_of_nginx_that_rests_on_a_sysctl_tells_both() -> None:
    key = "net.core.somaxconn"
    nginx = "http {\n  server {\n    listen 80 backlog=8192;\n    server_name a;\n  }\n}"
    found = told("listen-backlog-capped", nginx=nginx, sysctl_file={"10.conf": f"{key}=128"})
    assert [(path, line) for path, line, _ in found] == [("10.conf", 1), (CONF, 1), (CONF, 2), (CONF, 3)]


def test_what_could_not_be_read_leaves_the_finding_without_a_way() -> None:
    key = "net.ipv4.tcp_fin_timeout"
    facts = facts_of("events {}", sysctl={key: "10"}, boot_files={"/etc/sysctl.d/a.conf": {"unread": "refused"}})
    (finding,) = findings("fin-timeout-lowered", facts)
    assert flow(facts, finding) == ()


def test_files_that_include_each_other_and_many_setters_are_bounded() -> None:
    many = "".join(f"add_header A{number} 1;\n" for number in range(500))
    nginx = f"http {{\n{many} server {{ server_name a; add_header B 2;\n sendfile off; location / {{ }} }} }}"
    facts = facts_of(nginx)
    (finding,) = findings("sendfile-off", facts)
    place = replace(finding.location, line=502, column=27, key="add_header")
    steps = flow(facts, replace(finding, location=place))
    assert len(steps) == MOST
    assert steps[-1].text == finding.message


def test_the_way_of_many_findings_is_linear() -> None:
    nginx = "http { " + "".join(f"server {{ server_name s{n};\n keepalive_timeout 900; }}\n" for n in range(2000)) + "}"
    facts = facts_of(nginx + "\n")
    found = findings("keepalive-timeout-long", facts)
    began = time.process_time()
    assert [flow(facts, one) for one in found] == [()] * 2000
    assert time.process_time() - began < 2


@settings(max_examples=12)
@given(snapshot=snapshots())
def test_every_finding_of_any_snapshot_has_a_way_or_none(snapshot: Any) -> None:
    facts = Facts(snapshot)
    for verdict in judge(rules(), facts):
        if verdict.finding is not None:
            steps = flow(facts, verdict.finding)
            assert len(steps) != 1
            assert len(steps) <= MOST
            assert all(step.text for step in steps)


@pytest.mark.parametrize("name", ["sendfile-off", "keepalive-timeout-long"])
def test_the_way_ends_where_the_finding_is(name: str) -> None:
    site = "server {\n listen 80; server_name a;\n sendfile off;\n keepalive_timeout 900;\n}"
    facts = facts_of({CONF: "http {\n include conf.d/*.conf;\n}", SITE: site})
    (finding,) = findings(name, facts)
    last, place = flow(facts, finding)[-1], finding.location
    assert (last.path, last.line, last.column, last.length) == (place.file, place.line, place.column, place.length)
