"""Cases: raw input written short becomes a snapshot; what is not given is unread."""

from __future__ import annotations

from typing import Any

import pytest
from engine.toy import Thing, Toy

from advisor.engine.cases import run_case, snapshot_of
from advisor.engine.pack import load_rule
from advisor.errors import InputError, RuleError, Unread
from advisor.snapshot.model import IDLE_EDGES, SOURCES, Reading, Snapshot


def test_what_is_not_given_is_unread() -> None:
    snapshot = snapshot_of({})
    assert snapshot.unread == dict.fromkeys(SOURCES, "not given in this case")
    assert snapshot.sample == 0
    given = snapshot_of({"destinations": [], "stub_status": dict.fromkeys(
        ("active", "accepts", "handled", "requests", "reading", "writing", "waiting"), 1)})  # fmt: skip
    assert set(given.unread) == set(SOURCES) - {"sockets", "stub_status"}
    assert given.sockets is not None


def test_sysctls_are_text_and_null_is_absent() -> None:
    snapshot = snapshot_of({"sysctl": {"a.b": 1, "c.d": "4096\t1", "e.f": None}})
    assert snapshot.sysctls is not None
    assert snapshot.sysctls.values == {"a.b": "1", "c.d": "4096\t1"}
    assert snapshot.sysctls.absent == ["e.f"]


def test_sysctl_files_are_given_by_the_user() -> None:
    (one,) = snapshot_of({"sysctl_file": "a = 1\n"}).sysctl_files or ()
    assert (one.path, one.content, one.given) == ("/etc/sysctl.d/case.conf", b"a = 1\n", True)
    (two,) = snapshot_of({"sysctl_file": {"/etc/sysctl.conf": "a = 1\n"}}).sysctl_files or ()
    assert two.path == "/etc/sysctl.conf"


def test_nginx_is_a_tree_with_its_includes() -> None:
    files = {
        "/etc/nginx/nginx.conf": "http { include conf.d/*.conf; include /etc/nginx/mime.types; include gone; }",
        "/etc/nginx/conf.d/b.conf": "",
        "/etc/nginx/conf.d/a.conf": "server { }",
        "/etc/nginx/conf.d/deep/c.conf": "",
        "/etc/nginx/mime.types": "",
    }
    given = {"nginx": files, "nginx_version": "1.22.1", "modified": {"/etc/nginx/mime.types": 7}}
    nginx = snapshot_of(given).nginx
    assert nginx is not None
    assert nginx.entry == "/etc/nginx/nginx.conf"
    assert nginx.version == "1.22.1"
    assert nginx.includes == {
        "/etc/nginx/conf.d/*.conf": ["/etc/nginx/conf.d/a.conf", "/etc/nginx/conf.d/b.conf"],
        "/etc/nginx/mime.types": ["/etc/nginx/mime.types"],
        "/etc/nginx/gone": [],
    }
    assert nginx.files["/etc/nginx/mime.types"].modified == 7
    assert nginx.files["/etc/nginx/nginx.conf"].modified is None
    other = snapshot_of({"nginx": {"/opt/n.conf": "events { }"}}).nginx
    assert other is not None
    assert other.entry == "/opt/n.conf"


def test_ages_fall_into_buckets_whose_upper_edge_is_theirs() -> None:
    row = {"address": "0.0.0.0", "port": 80, "idle": {"1": 2, "1.5": 3, "60": 4, "9000": 5, "9001": 0}, "drops": [1, 4]}  # noqa: S104
    sockets = snapshot_of({"listeners": [row], "states": {"ESTABLISHED": 14}}).sockets
    assert sockets is not None
    idle = sockets.listeners[0].idle
    assert idle is not None
    assert idle.counts[0] == 2
    assert idle.counts[1] == 3
    assert idle.counts[IDLE_EDGES.index(60)] == 4
    assert idle.counts[-1] == 5
    assert idle.oldest == 9000
    assert sockets.listeners[0].drops == Reading(first=1, last=4)
    assert sockets.states == {"ESTABLISHED": 14}


def test_held_rows_take_ages() -> None:
    row = {"pid": 1, "name": "java", "state": "CLOSE_WAIT", "remote": "10.0.0.1:1", "count": 3, "ages": {"7": 3}}
    (held,) = snapshot_of({"held": [row]}).held or ()
    assert held.ages.oldest == 7


def test_counters_are_one_reading_or_two() -> None:
    snapshot = snapshot_of({"counters": {"A": 1, "B": [1, 3]}})
    assert snapshot.counters == {"A": Reading(first=1), "B": Reading(first=1, last=3)}
    assert snapshot.sample == 1
    assert snapshot_of({"counters": {"A": 1}}).sample == 0
    assert snapshot_of({"counters": {"B": [1, 3]}, "sample": 10}).sample == 10


def test_site_and_host() -> None:
    snapshot = snapshot_of({"site": {"load_balancer_idle": "600 s", "x": 7}, "host": {"kernel": "6.1.0", "cpus": 4}})
    assert snapshot.site == {"load_balancer_idle": "600 s", "x": "7"}
    assert snapshot.host is not None
    assert snapshot.host.cpus == 4


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sysctls": {}}, "given: unknown key 'sysctls'; did you mean 'sysctl'?"),
        ({"listeners": [{"address": "::"}]}, "given: sockets.listeners.0.port: Field required"),
        ({"counters": {"A": -1}}, "given: counters.A.first: Input should be greater than or equal to 0"),
        ({"counters": {"A": [1, 2, 3]}}, "given: not of the shape of a case"),
        ({"counters": [1]}, "given: not of the shape of a case"),
        ({"sysctl": "x"}, "given: not of the shape of a case"),
        ({"sysctl_file": 7}, "given: not of the shape of a case"),
        ({"nginx": {}}, "given: not of the shape of a case (nginx: names no file)"),
        ({"nginx": 7}, "given: not of the shape of a case"),
        ({"listeners": 7}, "given: not of the shape of a case"),
        ({"listeners": [{"address": "::", "port": 1, "idle": {"old": 1}}]}, "given: not of the shape of a case"),
        ({"held": [7]}, "given: "),
        ({"host": {"kernel": 6.1}}, "given: host.kernel: Input should be a valid string"),
        ({"sample": "long"}, "given: sample: "),
        ({"site": [1]}, "given: not of the shape of a case"),
        ({"modified": 7, "nginx": ""}, "given: not of the shape of a case"),
    ],
)
def test_what_is_no_case_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(RuleError) as caught:
        snapshot_of(given)
    assert str(caught.value).startswith(message)


def test_nginx_that_does_not_scan_names_its_line() -> None:
    with pytest.raises(InputError, match=r"^/etc/nginx/nginx.conf:1"):
        snapshot_of({"nginx": "http {"})


RULE = """\
id: toy-rule
title: A toy
severity: [{high: item.drops > 5}, medium]
each: things
when: item.drops > 0
observed: item.drops > 1
message: "{item.drops} drops"
why: it drops
unless: never
references: [man:listen(2)]
cases:
  - {name: a, expect: fail, given: {listeners: [{address: a, port: 1, drops: 7}]}}
  - {name: b, expect: pass, given: {listeners: [{address: a, port: 1, drops: 0}]}}
  - name: c
    expect: fail
    severity: high
    confidence: observed
    message: 7 drops
    given: {listeners: [{address: a, port: 1, drops: 7}, {address: b, port: 2, drops: 0}]}
  - {name: d, expect: unknown, given: {listeners: [{address: a, port: 1}, {address: b, port: 1, drops: 0}]}}
  - {name: e, expect: not applicable, given: {listeners: []}}
"""


def facts(snapshot: Snapshot) -> Toy:
    assert snapshot.sockets is not None
    return Toy(
        [
            Thing(row.address, values={"drops": row.drops.first if row.drops else Unread("sockets", "no drops")})
            for row in snapshot.sockets.listeners
        ]
    )


def test_a_case_that_holds_says_nothing() -> None:
    rule = load_rule(RULE.encode(), "toy-rule.yaml", Toy)
    assert [run_case(rule, case, facts) for case in rule.cases] == [None] * 5


@pytest.mark.parametrize(
    ("old", "new", "failure"),
    [
        ("a, expect: fail", "a, expect: unknown", "case 'a': expected unknown, got fail"),
        ("expect: unknown", "expect: pass", "case 'd': expected pass, got unknown (sockets: no drops)"),
        ("severity: high", "severity: low", "case 'c': expected severity low, got high"),
        ("confidence: observed", "confidence: certain", "case 'c': expected confidence certain, got observed"),
        ("message: 7 drops", "message: 8 drops", "case 'c': expected '8 drops' in the message, got 7 drops"),
        ("{listeners: []}", "{listener: []}", "case 'e': given: unknown key 'listener'; did you mean 'listeners'?"),
        ("{listeners: []}", "{nginx: 'http {'}", "case 'e': /etc/nginx/nginx.conf:1"),
    ],
)
def test_a_case_that_does_not_hold_says_what_it_got(old: str, new: str, failure: str) -> None:
    text = RULE.replace(old, new, 1)
    assert text != RULE
    rule = load_rule((text + "  - {name: z, expect: fail}\n").encode(), "toy-rule.yaml", Toy)
    found = [wrong for case in rule.cases[:5] if (wrong := run_case(rule, case, facts))]
    assert len(found) == 1
    assert found[0].startswith(f"toy-rule: {failure}")
