"""Directives added where a value is wanted: in the block that needs it, once, whatever files it is made of."""

from __future__ import annotations

import pytest

from advisor.engine.cases import snapshot_of
from advisor.engine.judge import judge
from advisor.engine.pack import load_rule
from advisor.engine.rule import Rule
from advisor.facts.derive import Facts
from advisor.remedy.plan import Allowed, Outcome, Plan, make_plan

CONF, A = "/etc/nginx/nginx.conf", "/etc/nginx/conf.d/a.conf"


def rule(each: str, wanted: str = "send_timeout", when: str = "item.here.send_timeout > 60 s") -> Rule:
    text = f"""
id: toy
title: toy
severity: low
each: {each}
params: {{most: 60 s}}
when: {when.replace("60 s", "params.most")}
message: toy
why: toy
unless: toy
references: [https://nginx.org/]
remedies: [{{safety: safe, nginx: {{{wanted}: {{at_most: params.most}}}}}}]
cases:
  - {{name: a, expect: fail, given: {{nginx: "http {{ send_timeout 61; server {{ }} }}"}}}}
  - {{name: b, expect: pass, given: {{nginx: "http {{ server {{ }} }}"}}}}
"""
    return load_rule(text.encode(), "toy.yaml", Facts)


def plan(files: dict[str, str] | str, made: Rule) -> Plan:
    return make_plan(snapshot_of({"nginx": files}), lambda facts: judge([made], facts), {}, Allowed())


def after(files: dict[str, str] | str, made: Rule) -> dict[str, bytes]:
    found = plan(files, made)
    assert {one.outcome for one in found.findings} == {Outcome.CURED}
    return found.prediction.files


def test_servers_get_overrides_of_their_own_and_http_keeps_its_value() -> None:
    text = (
        "http {\n  send_timeout 300;\n  server {\n    listen 1;\n  }\n"
        "  server {\n    listen 2;\n    send_timeout 90s;\n  }\n}\n"
    )
    (made,) = after(text, rule("nginx.servers")).values()
    assert made.decode() == (
        "http {\n  send_timeout 300;\n  server {\n    listen 1;\n    send_timeout 60;\n  }\n"
        "  server {\n    listen 2;\n    send_timeout 60s;\n  }\n}\n"
    )


def test_what_an_included_file_sets_is_changed_there_and_not_set_twice() -> None:
    files = {CONF: "http { include conf.d/*.conf; server { } }", A: "send_timeout 300;\n"}
    assert after(files, rule("nginx.http")) == {A: b"send_timeout 60;\n"}


def test_a_server_in_a_file_of_its_own_is_changed_there() -> None:
    files = {CONF: "http { send_timeout 300; include conf.d/*.conf; }", A: "server {\n\tlisten 80;\r\n}"}
    assert after(files, rule("nginx.servers")) == {A: b"server {\n\tlisten 80;\r\n\tsend_timeout 60;\r\n}"}


def test_a_block_that_is_included_twice_is_changed_once() -> None:
    files = {
        CONF: "http { server { include conf.d/a.conf; } server { include conf.d/a.conf; } }",
        A: "send_timeout 300;",
    }
    assert after(files, rule("nginx.set.send_timeout", when="item.value > 60 s")) == {A: b"send_timeout 60;"}


def test_main_and_events_get_theirs_at_their_own_level() -> None:
    files = {CONF: "events {\n}\nhttp {\n  send_timeout 300;\n}\n"}
    made = rule("nginx.set.send_timeout", "worker_shutdown_timeout", "not has(item.here.worker_shutdown_timeout)")
    assert after(files, made) == {CONF: b"worker_shutdown_timeout 60;\nevents {\n}\nhttp {\n  send_timeout 300;\n}\n"}


@pytest.mark.parametrize("wanted", ["client_header_timeout"])
def test_what_may_not_stand_in_a_block_is_not_written_there(wanted: str) -> None:
    found = plan(
        "http { server { location / { send_timeout 300; } } }",
        rule("nginx.set.send_timeout", wanted, "item.value > 60 s"),
    )
    assert found.empty
    assert "may not stand in location" in found.findings[0].why
