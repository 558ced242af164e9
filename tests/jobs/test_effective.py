"""What `advisor effective` answers."""

from __future__ import annotations

import json
import re
import time

import pytest
from support.snapshots import nginx_of, snapshot_with

from advisor.errors import UsageError
from advisor.jobs.effective import Report, effective
from advisor.jobs.effective_text import as_json, as_text
from advisor.snapshot.model import Snapshot

CONF = "/etc/nginx/nginx.conf"
TEXT = """error_log /var/log/nginx/error.log;
events { worker_connections 768; }
http {
    keepalive_timeout 75s 9;
    proxy_set_header Host $host;
    proxy_set_header X-Real-IP $remote_addr;
    upstream pool { server 127.0.0.1:9; keepalive 4; }
    server { listen 80; listen 443 ssl; server_name a; keepalive_timeout 1s; }
    server {
        listen 80; listen 443 ssl http2; server_name b; ssl_protocols TLSv1.3;
        keepalive_timeout 3s; client_header_timeout 4s;
        location /l { keepalive_timeout 5s; proxy_set_header Connection ""; location /l/x { } }
        location /m { odd_module_directive on; }
    }
}
"""


def snapshot(text: str = TEXT, version: str | None = "1.22.1") -> Snapshot:
    return snapshot_with(nginx=nginx_of({CONF: text.encode()}, version=version))


def told(directive: str, name: str | None = None, uri: str | None = None, version: str | None = "1.22.1") -> str:
    return as_text(effective(snapshot(version=version), directive, name, uri), 80)


def test_the_chain_of_a_location() -> None:
    assert told("keepalive_timeout", "b", "/l/x") == (
        "keepalive_timeout · nginx 1.22.1 · stands in http, server, location\n"
        "https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_timeout\n"
        "\n"
        "server b on 0.0.0.0:80, 0.0.0.0:443 · /etc/nginx/nginx.conf:9\n"
        "  takes b by its name b; location /l/x of location /l of server b takes /l/x by\n"
        "      its prefix, the longest; no regular expression matches\n"
        "  location /l/x of location /l\n"
        "    keepalive_timeout 5s · /etc/nginx/nginx.conf:12, instead of 3s, 75s 9 at\n"
        "        /etc/nginx/nginx.conf:11,4\n"
        "    its header is inherited on its own: timeout 9 · /etc/nginx/nginx.conf:4\n"
        "    HTTP/2: keepalive_timeout 3s · /etc/nginx/nginx.conf:11; by the server that\n"
        "        SNI chose, whatever the location (server b)\n"
    )


def test_a_set_that_replaces_another() -> None:
    assert 'proxy_set_header Connection "" · /etc/nginx/nginx.conf:12, instead of Host' in told(
        "proxy_set_header", "b", "/l"
    )
    assert "$host, X-Real-IP $remote_addr at /etc/nginx/nginx.conf:5-6" in told("proxy_set_header", "b", "/l")


def test_what_the_default_server_decides() -> None:
    said = told("client_header_timeout", "b")
    assert "client_header_timeout 4s · /etc/nginx/nginx.conf:11\n" in said
    assert "HTTP/1.x: client_header_timeout 60s · nginx's default; by the default server" in said


@pytest.mark.parametrize(
    ("directive", "version", "said"),
    [
        ("keepalive_requests", "1.19.9", "keepalive_requests 100 · nginx's default"),
        ("keepalive_requests", "1.19.10", "keepalive_requests 1000 · nginx's default"),
        ("keepalive_requests", None, "keepalive_requests 100; 1000 from 1.19.10 on · nginx's default"),
        ("upstream/keepalive_requests", "1.22.1", "upstream pool\n  keepalive_requests 1000"),
        ("worker_connections", None, "events\n  worker_connections 768 · /etc/nginx/nginx.conf:2"),
        ("error_log", None, "main\n  error_log /var/log/nginx/error.log · /etc/nginx/nginx.conf:1"),
        ("proxy_pass", None, "not set, and not inherited"),
        ("resolver", None, "resolver not set; nginx has no default"),
        ("max_headers", "1.22.1", "it came with nginx 1.29.8: this version says 'unknown directive'"),
        ("http2_idle_timeout", "1.22.1", "from nginx 1.19.7 on it does nothing"),
        ("odd_module_directive", None, "note: how it is inherited is not known here"),
        ("odd_module_directive", None, "  location /m\n    odd_module_directive on · /etc/nginx/nginx.conf:13"),
        ("keepalive_timeout", "1.18.0", "HTTP/2: http2_idle_timeout 3m · nginx's default"),
        ("ssl_protocols", "1.29.1", "by the default server: before nginx 1.29.2"),
    ],
)
def test_defaults_and_notes(directive: str, version: str | None, said: str) -> None:
    assert said in re.sub(r"\n {6,}", " ", told(directive, version=version))


def test_locations_that_inherit_are_counted() -> None:
    assert "  1 more location below: the same" in told("keepalive_timeout")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("keepalive_timeot",), "did you mean 'keepalive_timeout'"),
        (("keepalive_timeout", None, "l"), "a URI begins with '/'"),
        (("keepalive_timeout", " "), "--server needs a host name"),
    ],
)
def test_what_can_not_be_meant(arguments: tuple[str, ...], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        effective(snapshot(), *arguments)


def test_the_same_as_json() -> None:
    report = json.loads(as_json(effective(snapshot(), "keepalive_timeout", "b", "/l"), 80))["report"]
    (row,) = report["places"][0]["rows"]
    assert [one["text"] for one in row["answer"]["applies"]] == ["5s"]
    assert [(one["text"], one["line"]) for one in row["answer"]["replaced"]] == [("3s", 11), ("75s 9", 4)]
    assert row["header"]["applies"][0]["text"] == "9"
    assert {one["protocol"]: one["answer"]["applies"][0]["text"] for one in row["seen"]} == {
        "HTTP/1.x": "5s",
        "HTTP/2": "3s",
    }


def test_no_line_is_wider_than_asked() -> None:
    for name in ("keepalive_timeout", "proxy_set_header", "client_header_timeout", "ssl_protocols"):
        assert max(map(len, told(name, version=None).splitlines())) <= 80


def test_a_large_configuration_takes_its_time_in_proportion() -> None:
    def seconds(servers: int) -> float:
        locations = "".join(f"location /{number} {{ keepalive_timeout {number}; }} " for number in range(5))
        text = "http { " + "".join(f"server {{ server_name s{n}; {locations} }}\n" for n in range(servers)) + "}"
        given = snapshot(text)
        begun = time.process_time()
        report: Report = effective(given, "keepalive_timeout")
        assert len(report.places) == servers
        return time.process_time() - begun

    seconds(50)
    assert min(seconds(1600) for _ in range(3)) < 12 * min(seconds(400) for _ in range(3))
