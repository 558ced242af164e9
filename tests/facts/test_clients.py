"""What one directive alone does not tell of clients, TLS and sending: joins over servers."""

from __future__ import annotations

import pytest
from support.snapshots import nginx_of, snapshot_with

from advisor.errors import Unread
from advisor.facts.derive import Facts
from advisor.facts.nginx import NginxFacts

CONF = "/etc/nginx/nginx.conf"
SNIPPET = "/etc/nginx/snippet.conf"


def nginx(text: str, snippet: str = "") -> NginxFacts:
    config = nginx_of({CONF: text.encode(), SNIPPET: snippet.encode()})
    return Facts(snapshot_with(nginx=config)).nginx


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("keepalive_timeout 75 9; server { keepalive_timeout 3; }", [9, 9]),
        ("keepalive_timeout 75; server { keepalive_timeout 3 2; location / { keepalive_timeout 5; } }", [None, 2, 2]),
        ("server { keepalive_timeout 3 2; } server { keepalive_timeout 5; }", [2, None]),
    ],
)
def test_the_header_is_inherited_on_its_own(text: str, expected: list[float | None]) -> None:
    assert [one.header for one in nginx(f"http {{ {text} }}").clients.keepalives] == expected


def test_where_the_header_stands_is_told() -> None:
    (_, inner) = nginx("http {\nkeepalive_timeout 75 9;\nserver {\nkeepalive_timeout 3;\n}\n}").clients.keepalives
    assert inner.header_from == f"{CONF}:2"


def test_a_header_nginx_refuses_is_unread_with_its_line() -> None:
    (one,) = nginx("http {\nkeepalive_timeout 75 soon; }").clients.keepalives
    with pytest.raises(Unread, match=rf"{CONF}:2: 'soon' is no time"):
        assert one.header


def test_several_directives_are_told_apart() -> None:
    found = nginx(
        "http { send_timeout 1; server { listen 80; send_timeout 2; client_body_timeout 3; } }"
    ).clients.patience
    named = [(one.id, one.value) for one in found]
    assert named == [
        ("client_body_timeout in server 80", 3),
        ("send_timeout in http", 1),
        ("send_timeout in server 80", 2),
    ]


def test_a_snippet_of_two_servers_is_one_place() -> None:
    text = "http { server { include snippet.conf; } server { listen 81; include snippet.conf; } }"
    assert len(nginx(text, "send_timeout 2;").clients.patience) == 1


@pytest.mark.parametrize(
    ("server", "over"),
    [
        ("listen 443 ssl;", ""),
        ("listen 443 ssl http2;", "HTTP/2"),
        ("listen 443 ssl; http2 on;", "HTTP/2"),
        ("listen 443 quic;", "HTTP/3"),
        ("listen 443 quic; http3 off;", ""),
        ("listen 443 quic; listen 443 ssl http2;", "HTTP/2 and HTTP/3"),
    ],
)
def test_a_location_is_not_asked_by_newer_protocols(server: str, over: str) -> None:
    (one,) = nginx(f"http {{ server {{ {server} location / {{ keepalive_timeout 5; }} }} }}").clients.located
    assert (one.over, one.differs, one.applied) == (over, True, "nginx's default, 75s")


def test_only_a_location_inside_a_server_is_looked_at() -> None:
    assert nginx("http { keepalive_timeout 5; server { keepalive_timeout 6; } }").clients.located == []
    assert nginx("location / { keepalive_timeout 5; }").clients.located == []


EARLY = "client_header_timeout 5s; client_header_buffer_size 2k;"


@pytest.mark.parametrize(
    ("first", "second", "ignored"),
    [
        ("listen 80;", "listen 80;", [True, True]),
        ("listen 80;", "listen 80 default_server;", [False, False]),
        ("listen 80;", "listen 81;", [False, False]),
        ("listen 443 ssl;", "listen 443 ssl;", [True, False]),
        ("listen 443;", "listen 443 ssl;", [True, False]),
        ("listen 443 ssl; listen 80;", "listen 443 ssl; listen 80;", [True, True]),
        ("listen 80; client_header_timeout 5;", "listen 80;", [False, True]),
    ],
)
def test_the_default_server_of_an_address_decides_early(first: str, second: str, ignored: list[bool]) -> None:
    found = nginx(f"http {{ server {{ {first} }} server {{ {second} {EARLY} }} }}").clients.early
    assert [one.ignored for one in found if "5s" in one.text or "2k" in one.text] == ignored


def test_tickets_count_the_servers_without_any_cache() -> None:
    servers = "".join(f"server {{ listen {port} ssl; server_name s{port}; }}" for port in range(443, 448))
    own = "server { listen 448 ssl; ssl_session_cache shared:a:1m; } server { listen 80; }"
    (one,) = nginx(f"http {{ ssl_session_tickets off; {servers} {own} }}").tls.tickets
    assert (one.uncached, one.servers, one.decides) == (5, "s443, s444, s445 and 2 more", True)


def test_a_cache_set_where_tickets_are_may_not_be_the_one_that_is_asked() -> None:
    text = "server { listen 443 ssl; } server { listen 443 ssl; ssl_session_tickets off; }"
    (one,) = nginx(f"http {{ {text} }}").tls.tickets
    assert (one.uncached, one.decides) == (1, False)


def test_an_address_takes_what_any_of_its_lines_says() -> None:
    text = "http { server { listen 443 ssl reuseport; listen 443 quic; } server { listen 443 http2; } }"
    (two,) = nginx(text).tls.http2_listens
    (three,) = nginx(text).tls.quic_listens
    assert (two.tls, two.lines, two.reuseport) == (True, 1, True)
    assert (three.id, three.reuseport) == ("0.0.0.0:443", False)


@pytest.mark.parametrize(
    ("line", "announced"),
    [
        ("", False),
        ("add_header X-A b;", False),
        ("location / { add_header Alt-Svc 'h3=\":443\"'; }", True),
        ("more_set_headers 'alt-svc: h3';", True),
    ],
)
def test_http3_is_announced_by_a_header(line: str, announced: bool) -> None:  # noqa: FBT001 (a column)
    (one,) = nginx(f"http {{ server {{ listen 443 quic; {line} }} }}").tls.quic_listens
    assert one.announced is announced


@pytest.mark.parametrize(
    ("types", "dense"),
    [
        ("text/css image/png", "image/png"),
        ("application/x-gzip font/woff2 video/mp4 audio/mpeg", "application/x-gzip font/woff2 video/mp4 audio/mpeg"),
        ("IMAGE/JPEG", "IMAGE/JPEG"),
        ("image/svg+xml image/bmp font/ttf application/wasm application/pdf audio/midi text/video", ""),
    ],
)
def test_formats_that_are_compressed_are_known(types: str, dense: str) -> None:
    (one,) = nginx(f"http {{ gzip on; gzip_types {types}; }}").sending.compressed_types
    assert one.dense == dense


@pytest.mark.parametrize(
    ("text", "used"),
    [
        ("gzip on; gzip_types *;", True),
        ("gzip on; server { location / { gzip_types *; } }", True),
        ("gzip_types *; server { location / { gzip on; } }", True),
        ("server { gzip_types *; } server { gzip on; }", False),
        ("gzip_types *; gzip off;", False),
    ],
)
def test_types_count_where_gzip_is_on(text: str, used: bool) -> None:  # noqa: FBT001 (a column)
    (one,) = nginx(f"http {{ {text} }}").sending.compressed_types
    assert one.used is used
