"""What `advisor upgrade-check` finds between two versions."""

from __future__ import annotations

import json

import pytest
from support.snapshots import nginx_of, snapshot_with

from advisor.catalog.changes import APPEARED, BITES, NEWEST, OLDER_DEFAULTS, PARAMETERS, REMOVED
from advisor.catalog.directives import DIRECTIVES
from advisor.errors import UsageError
from advisor.facts.upgrade import Effect, numbers
from advisor.jobs.upgrade import Report, as_json, as_text, check

CONF = "/etc/nginx/nginx.conf"


def report(text: str, was: str, now: str) -> Report:
    return check(snapshot_with(nginx=nginx_of({CONF: text.encode()})), was, now)


def effects(text: str, was: str, now: str) -> dict[str, Effect]:
    return {f"{one.kind}: {one.title}": one for one in report(text, was, now).effects}


def http(text: str) -> str:
    return f"http {{ server {{ listen 80; {text} }} }}"


@pytest.mark.parametrize(
    ("text", "was", "now", "found"),
    [
        (http(""), "1.19.9", "1.19.10", "default: keepalive_requests"),
        (http("keepalive_requests 9;"), "1.19.9", "1.19.10", None),
        (http(""), "1.20.0", "1.22.1", None),
        (http(""), "1.22.1", "1.18.0", "default: keepalive_requests"),
        (f"http {{ sendfile on; {http('')[7:]}", "1.21.3", "1.21.4", "default: sendfile_max_chunk"),
        (http(""), "1.21.3", "1.21.4", None),
        (http("listen 443 ssl;"), "1.27.2", "1.27.3", "default: ssl_protocols"),
        (http(""), "1.27.2", "1.27.3", None),
        ("http { upstream u { server 127.0.0.1; } }", "1.29.6", "1.29.7", "default: keepalive of an upstream block"),
        (http("location / { proxy_pass http://a; }"), "1.29.6", "1.29.7", "default: proxy_http_version"),
        ("events { }", "1.11.2", "1.11.3", "default: accept_mutex"),
        (http("http2 on;"), "1.25.1", "1.25.0", "refused: http2"),
        (http("http2 on;"), "1.24.0", "1.25.1", None),
        ("stream { server { ssl_alpn h2; } }", "1.22.1", "1.20.0", "refused: ssl_alpn"),
        ("http { upstream u { sticky; } }", "1.30.0", "1.28.0", "refused: sticky"),
        (http("ssl on;"), "1.22.1", "1.26.0", "refused: ssl"),
        (http("ssl on;"), "1.26.0", "1.22.1", None),
        (http("listen 81 quic;"), "1.26.0", "1.22.1", "refused: listen ... quic"),
        (http("listen 81 http2;"), "1.22.1", "1.26.0", "deprecated: listen ... http2"),
        (http("listen 81 http2;"), "1.26.0", "1.22.1", None),
        (http("listen 81 spdy;"), "1.18.0", "1.20.0", "refused: listen ... spdy"),
        ("http { upstream u { keepalive 0; } }", "1.30.0", "1.28.0", "refused: keepalive ... 0"),
        ("http { upstream u { keepalive 8 local; } }", "1.30.0", "1.28.0", "refused: keepalive ... local"),
        (http("limit_rate $rate;"), "1.18.0", "1.16.0", "refused: limit_rate ... $rate"),
        (http("http2_idle_timeout 5m;"), "1.18.0", "1.20.0", "inert: http2_idle_timeout"),
        (http("http2_push /x;"), "1.26.0", "1.24.0", "inert: http2_push"),
        (http("listen localhost:80;"), "1.14.0", "1.16.0", "behaviour: listen with a host name"),
        (http("listen 127.0.0.1:80; listen [::]:80; listen unix:/x; listen *:80;"), "1.14.0", "1.16.0", None),
        (http("http2_max_concurrent_streams 9; listen 81 http2;"), "1.18.0", "1.20.0", "behaviour: idle and old"),
        (http("ssl_session_cache shared:a:1m;"), "1.22.1", "1.24.0", "behaviour: the keys of TLS session tickets"),
        (http("ssl_session_cache shared:a:1m; ssl_session_tickets off;"), "1.22.1", "1.24.0", None),
        (
            http("location / { proxy_set_header Host a; proxy_pass http://a; }"),
            "1.28.0",
            "1.29.7",
            "behaviour: the Connection header",
        ),
        (
            "http { upstream u { keepalive 8; least_conn; } }",
            "1.28.0",
            "1.29.7",
            "behaviour: keepalive in front of a load balancing method",
        ),
    ],
)
def test_what_is_found(text: str, was: str, now: str, found: str | None) -> None:
    names = [name for name in effects(text, was, now) if not name.startswith(_EVERYWHERE)]
    assert any(name.startswith(found) for name in names) if found else not names, names


_EVERYWHERE = ("behaviour: requests with CONNECT", "behaviour: a chunked body", "behaviour: TLS clients whose ALPN")


def test_a_connection_header_of_its_own_is_no_change() -> None:
    text = http('location / { proxy_set_header connection ""; proxy_pass http://a; }')
    assert not any("Connection" in name for name in effects(text, "1.28.0", "1.29.7"))


def test_a_server_s_own_protocols_begin_to_work() -> None:
    servers = "server { listen 443 ssl; } server { listen 443 ssl; server_name b; ssl_protocols TLSv1.3; }"
    found = effects(f"http {{ {servers} }}", "1.28.0", "1.30.0")
    (one,) = (one for name, one in found.items() if "ssl_protocols of a server" in name)
    assert [place.block for place in one.places] == ["server b"]


def test_it_is_told_where_it_bites_and_what_keeps_it() -> None:
    text = "http {\n" + "".join(f"server {{ server_name s{number}; }}\n" for number in range(5)) + "}\n"
    said = as_text(report(text, "1.18.0", "1.20.0"), 80)
    assert (
        "  keepalive_requests\n"
        "    in 1.18.0: 100\n"
        "    in 1.20.0: 1000\n"
        "    at /etc/nginx/nginx.conf:2 (server s0), /etc/nginx/nginx.conf:3 (server s1),\n"
        "        /etc/nginx/nginx.conf:4 (server s2) and 2 more\n"
        "    to keep it as it was: keepalive_requests 100;\n"
    ) in said
    assert max(map(len, said.splitlines())) <= 80


def test_nothing_found_says_what_was_compared() -> None:
    said = " ".join(as_text(report("events { }", "1.20.0", "1.22.1"), 80).split())
    assert "nothing of this configuration changes its meaning" in said
    assert f"compared: {len(APPEARED)} directives that came, {len(REMOVED)} that went" in said


def test_versions_that_are_not_known_are_said() -> None:
    notes = report("events { }", "1.8.0", "2.0").notes
    assert notes == ("what changed before 1.10.0 is not compared", f"what changed after {NEWEST} is not known here")


@pytest.mark.parametrize(("was", "now"), [("1.22.1", "1.22.1"), ("a", "1.22.1"), ("1.22.1", "-1")])
def test_versions_that_can_not_be_meant(was: str, now: str) -> None:
    with pytest.raises(UsageError):
        report("events { }", was, now)


def test_the_same_as_json() -> None:
    told = json.loads(as_json(report(http("server_name a; http2 on;"), "1.30.0", "1.24.0"), 80))
    assert told["refused"] is True
    assert (
        told["effects"][0]["places"] == [{"file": CONF, "line": 1, "block": "server 80"}]
        or told["effects"][0]["places"]
    )


def test_the_tables_hold_together() -> None:
    """A directive in the catalogue has one version only; what is named elsewhere is known there, too."""
    for name, since in APPEARED.items():
        entry = DIRECTIVES.get(name)
        assert entry is None or entry.since in {None, since}, name
    changed = {name for name, entry in DIRECTIVES.items() if entry.later} | OLDER_DEFAULTS.keys()
    assert BITES.keys() <= changed
    versions = [*APPEARED.values(), *(one.since for one in PARAMETERS), *(one.since for one in REMOVED.values())]
    assert all(numbers("1.10.0") < numbers(version) <= numbers(NEWEST) for version in versions)
