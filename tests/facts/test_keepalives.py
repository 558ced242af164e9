"""Which connections each keepalive_timeout governs."""

from __future__ import annotations

from typing import Any

import pytest
from support.snapshots import ages_of, nginx_of, snapshot_with

from advisor.errors import Unread
from advisor.facts.derive import Facts
from advisor.facts.keepalives import Keepalive
from advisor.facts.places import Place
from advisor.snapshot.model import Listener, Sockets

CONF = "/etc/nginx/nginx.conf"
SNIPPET = "/etc/nginx/snippet.conf"
ANY = ".".join("0000")


def keepalives(text: str, *rows: Listener, snippet: str = "") -> list[Keepalive]:
    sockets = Sockets(method="SOCK_DIAG", states={}, listeners=list(rows)) if rows else None
    config = nginx_of({CONF: text.encode(), SNIPPET: snippet.encode()})
    return Facts(snapshot_with(nginx=config, sockets=sockets)).nginx.keepalives


def row(port: int, address: str = ANY, **more: Any) -> Listener:
    return Listener(address=address, port=port, **more)


def short(items: list[Keepalive]) -> list[tuple[str, float, list[str], list[str]]]:
    return [(one.id, one.timeout, [str(e) for e in one.endpoints], [str(e) for e in one.whole]) for one in items]


def test_one_value_governs_the_servers_below() -> None:
    found = keepalives("http { keepalive_timeout 300; server { listen 80; } server { listen 81; listen [::]:80; } }")
    everything = [f"{ANY}:80", f"{ANY}:81", "[::]:80"]
    assert short(found) == [("http", 300, everything, everything)]
    assert found[0].place("keepalive_timeout") == Place(CONF, "http#0", "keepalive_timeout", 0)
    assert (found[0].location.line, found[0].location.column, found[0].location.length) == (1, 26, 3)


def test_nginx_s_default_stands_in_http() -> None:
    (found,) = keepalives("events {}\nhttp {\n server { listen 80; }\n}")
    assert (found.timeout, found.node, found.header, found.id) == (75, None, None, "http")
    assert (found.location.line, found.location.column) == (2, 1)
    assert found.place("keepalive_timeout") == Place(CONF, "http#0", "keepalive_timeout", 0)


def test_a_server_s_own_value_takes_it_out() -> None:
    found = keepalives("http { server { listen 80; server_name a.b; keepalive_timeout 5; } server { listen 81; } }")
    assert short(found) == [
        ("server a.b", 5, [f"{ANY}:80"], [f"{ANY}:80"]),
        ("http", 75, [f"{ANY}:81"], [f"{ANY}:81"]),
    ]


def test_servers_that_share_an_address_govern_it_together() -> None:
    found = keepalives("http { server { listen 80; keepalive_timeout 5; } server { listen 80; listen 81; } }")
    assert short(found) == [
        (f"server {ANY}:80", 5, [f"{ANY}:80"], []),
        ("http", 75, [f"{ANY}:80", f"{ANY}:81"], [f"{ANY}:81"]),
    ]


def test_a_wildcard_is_one_socket_for_all_addresses_of_its_port() -> None:
    text = "http {{ server {{ listen {}; keepalive_timeout 5; }} server {{ listen {}; }} }}"
    for one, other, alone in [
        ("10.0.0.1:80", "80", False),
        ("10.0.0.1:80", "10.0.0.2:80", True),
        ("10.0.0.1:80", "81", True),
        ("10.0.0.1:80", "[::]:80", True),
        ("[::1]:80", "[::]:80", False),
    ]:
        assert all(bool(item.whole) is alone for item in keepalives(text.format(one, other))), (one, other)


def test_a_location_governs_only_with_its_server() -> None:
    found = keepalives("http { server { listen 80; location /x { keepalive_timeout 9; } } }")
    assert short(found) == [
        (f"location /x of server {ANY}:80", 9, [f"{ANY}:80"], []),
        ("http", 75, [f"{ANY}:80"], []),
    ]


def test_the_nearest_block_above_wins() -> None:
    found = keepalives("http { keepalive_timeout 10; server { keepalive_timeout 20; } }")
    assert short(found) == [(f"server {ANY}:80", 20, [f"{ANY}:80"], [f"{ANY}:80"])]


def test_a_snippet_included_twice_is_one_place_that_governs_both() -> None:
    (found,) = keepalives(
        "http { server { listen 80; include snippet.conf; } server { listen 81; include snippet.conf; } }",
        snippet="keepalive_timeout 7;",
    )
    assert found.place("keepalive_timeout") == Place(SNIPPET, "", "keepalive_timeout", 0)
    assert found.addresses == f"{ANY}:80, {ANY}:81"
    assert found.whole == found.endpoints


def test_items_of_one_name_are_numbered() -> None:
    text = "http { server { server_name a; keepalive_timeout 1; } server { server_name a; keepalive_timeout 2; } }"
    assert [one.id for one in keepalives(text)] == ["server a", "server a #2"]


def test_a_fragment_is_judged_by_what_it_sets() -> None:
    assert keepalives("server { listen 80; }") == []
    assert short(keepalives("server { keepalive_timeout 9; }")) == [
        (f"server {ANY}:80", 9, [f"{ANY}:80"], [f"{ANY}:80"])
    ]
    assert short(keepalives("http { keepalive_timeout 300; }")) == [("http", 300, [], [])]
    assert short(keepalives("gzip on;\nkeepalive_timeout 300;")) == [("main", 300, [], [])]
    assert short(keepalives("location / { keepalive_timeout 9; }")) == [("location /", 9, [], [])]
    assert keepalives("http { gzip on; }") == []
    for other in (
        "upstream u { server 10.0.0.1; keepalive_timeout 9; }",
        "stream { upstream u { keepalive_timeout 9; } }",
    ):
        assert keepalives(other) == []


def test_an_address_that_is_no_tcp_port_is_said() -> None:
    (found,) = keepalives("http { server { listen unix:/a; } }", row(80, idle=ages_of({100: 5})))
    assert (found.addresses, found.established, found.idle.total, found.clients, found.top_share) == (
        "no address",
        0,
        0,
        0,
        0,
    )


def test_the_second_argument_is_the_header() -> None:
    (found,) = keepalives("http { keepalive_timeout 75 20s; server { } }")
    assert (found.timeout, found.header) == (75, 20)


@pytest.mark.parametrize("text", ["1.5s", "$t", "''", "soon", "\u0661"])
def test_a_time_nginx_refuses_is_unread_with_its_line(text: str) -> None:
    (found,) = keepalives(f"http {{\nkeepalive_timeout {text};\nserver {{ }}\n}}")
    with pytest.raises(Unread, match=r"/etc/nginx/nginx\.conf:2: .* is no time"):
        assert found.timeout


def test_measurements_are_added_over_its_addresses_once() -> None:
    rows = (
        row(80, states={"ESTABLISHED": 100}, idle=ages_of({10: 40, 200: 20}), clients=9, top_clients={"a": 50, "b": 5}),
        row(81, states={"ESTABLISHED": 10}, idle=ages_of({80: 5}), clients=2, top_clients={"a": 10}),
        row(82, states={"ESTABLISHED": 999}, idle=ages_of({80: 999}), clients=999),
    )
    text = "http { server { listen 80; listen 127.0.0.1:80; } server { listen 81; listen 83; } }"
    (found,) = keepalives(text, *rows)
    assert (found.established, found.idle.total, found.idle.oldest, found.clients) == (110, 65, 200, 9)
    assert found.top_share == 65 / 110


def test_the_ten_busiest_addresses_count() -> None:
    top = {f"192.0.2.{n}": n for n in range(20)}
    (found,) = keepalives("http { server { } }", row(80, states={"ESTABLISHED": 190}, clients=20, top_clients=top))
    assert found.top_share == sum(range(10, 20)) / 190


def test_clients_that_were_not_counted_are_unread() -> None:
    (found,) = keepalives("http { server { } }", row(80, states={"ESTABLISHED": 190}))
    for name in ("clients", "top_share", "idle"):
        with pytest.raises(Unread, match="does not show"):
            getattr(found, name)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", False),
        ("set_real_ip_from 10.0.0.0/8;", True),
        ("real_ip_header X-Real-IP;", True),
        ("server { listen 81 proxy_protocol; }", True),
        ("map $http_x_forwarded_for $a { default 1; }", True),
        ("limit_req_zone $http_x_forwarded_for zone=a:1m rate=1r/s;", True),
        ("map $remote_addr $a { default 1; }", False),
        ("server { listen 82; location / { proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; } }", False),
        ("log_format a '$http_x_forwarded_for';", False),
    ],
)
def test_a_balancer_is_expected_where_the_configuration_says_so(line: str, expected: bool) -> None:  # noqa: FBT001 (a column)
    found = keepalives(f"http {{ {line} server {{ listen 80; }} }}")
    assert {one.behind_proxy for one in found} == {expected}
