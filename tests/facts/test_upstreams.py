"""Upstream blocks, who passes requests to them, and the verdict on reuse where only files, or only sockets, say it."""

from __future__ import annotations

from typing import Any

import pytest
from support.snapshots import nginx_of, snapshot_with

from advisor.engine.cases import snapshot_of
from advisor.errors import Unread
from advisor.facts.derive import Facts
from advisor.facts.passes import Pass
from advisor.facts.routes import split
from advisor.facts.servers import Endpoint
from advisor.facts.upstreams import endpoints_of
from advisor.snapshot.model import Destination, Process, Processes, Snapshot, Sockets

CONF = "/etc/nginx/nginx.conf"
APP = "upstream app { server 10.0.0.1:8080; server 10.0.0.2; keepalive 4; }"


def passes(http: str, version: str | None = "1.31.3") -> dict[str, Pass]:
    found = Facts(snapshot_of({"nginx": f"http {{ {http} }}", "nginx_version": version})).nginx.passes
    assert len({item.id for item in found}) == len(found)
    return {item.id: item for item in found}


def test_an_upstream_and_what_it_says() -> None:
    text = """http {
        upstream a { server 10.0.0.1; server unix:/run/a; keepalive 8; keepalive_timeout 5s; ip_hash; zone a 64k; }
        upstream b { server unix:/run/b; }
        server { location / { upstream c { server 1.2.3.4; } } }
    }
    stream { upstream d { server 10.0.0.1:53; least_conn; } }"""
    a, b, _ = Facts(snapshot_of({"nginx": text, "nginx_version": "1.22.1"})).nginx.upstreams
    assert (a.id, a.servers, a.keepalive, a.keepalive_set, a.timeout) == ("upstream a", 2, 8, True, 5)
    assert (a.method, a.method_late, a.zone, a.tcp) == ("ip_hash", True, True, True)
    assert (b.servers, b.keepalive, b.keepalive_set, b.timeout) == (1, 0, False, 60)
    assert (b.method, b.method_late, b.zone, b.tcp) == (None, False, False, False)


@pytest.mark.parametrize(("version", "kept"), [("1.29.6", 0), ("1.29.7", 32), ("1.31.3", 32)])
def test_what_is_kept_by_default(version: str, kept: int) -> None:
    (one,) = passes("upstream a { server 10.0.0.1; } server { location / { proxy_pass http://a; } }", version).values()
    assert (one.keepalive, one.reused) == (kept, bool(kept))


def test_ten_thousand_places_are_one_item() -> None:
    places = "".join(f"location /{number} {{ proxy_pass http://10.0.0.1:8080/{number}; }}" for number in range(10_000))
    (one,) = passes(f"server {{ {places} }}").values()
    assert (one.id, one.places) == ("proxy_pass http://10.0.0.1:8080 (upstream)", 10_000)
    assert (
        one.where == "location /0 of server http#0/server#0, location /1 of server http#0/server#0, "
        "location /2 of server http#0/server#0 and 9,997 more"
    )


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("http://app", ("http", "app", "")),
        ("http://10.0.0.1:80/x?y", ("http", "10.0.0.1:80", "/x?y")),
        ("https://[::1]:8443?x", ("https", "[::1]:8443", "?x")),
        ("http://unix:/run/a.sock:/x", ("http", "unix:/run/a.sock", ":/x")),
        ("unix:/run/a.sock", ("", "unix:/run/a.sock", "")),
        ("127.0.0.1:9000", ("", "127.0.0.1:9000", "")),
        ("http://app$request_uri", ("http", "app", "$request_uri")),
        ("http://$a$request_uri", ("http", "$a", "$request_uri")),
        ("$scheme://app/x", ("$scheme", "app", "/x")),
        ("http://app$uris", ("http", "app$uris", "")),
        ("$all", ("", "$all", "")),
    ],
)
def test_an_address_is_taken_apart(text: str, parts: tuple[str, str, str]) -> None:
    assert split(text) == parts


def test_a_hostile_address_takes_no_time() -> None:
    assert split("http://" + "$a" * 2_000 + "$$").host


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10.0.0.1:80", [("10.0.0.1", 80)]),
        ("10.0.0.1", [("10.0.0.1", 8080)]),
        ("[::1]:81", [("::1", 81)]),
        ("LOCALHOST:82", [("127.0.0.1", 82), ("::1", 82)]),
        ("app.example:80", []),
        ("10.0.0.1.example", []),
    ],
)
def test_the_addresses_of_a_server(text: str, found: list[tuple[str, int]]) -> None:
    assert list(endpoints_of(text, 8080)) == [Endpoint(*one) for one in found]


@pytest.mark.parametrize(
    ("given", "verdicts"),
    [
        ("proxy_pass http://$host;", None),
        ("set $to app; proxy_pass http://$to;", [True]),
        ("set $to app; proxy_pass http://$to:80;", [False]),
        ("set $to app; if ($http_x) { set $to 10.0.0.9; } proxy_pass http://$to;", [True, False]),
        ("set $to $http_x; proxy_pass http://$to;", None),
        ("proxy_set_header Connection $http_connection; proxy_pass http://app;", None),
        ("proxy_set_header Connection $nowhere; proxy_pass http://app;", None),
        ('proxy_set_header Connection "keep-alive, Close"; proxy_pass http://app;', [False]),
    ],
)
def test_what_variables_decide(given: str, verdicts: list[bool] | None) -> None:
    found = passes(f"{APP} server {{ location / {{ {given} }} }}").values()
    if verdicts is None:
        (one,) = found
        with pytest.raises(Unread, match="depends on the request"):
            assert one.reused
    else:
        assert [item.reused for item in found] == verdicts


def test_where_only_the_version_decides_it_is_asked_for() -> None:
    (one,) = passes(f"{APP} server {{ location / {{ proxy_pass http://app; }} }}", None).values()
    with pytest.raises(Unread, match=r"nginx's version, which is not known: 1\.29\.7 reuses more"):
        assert one.reused


def host(http: str, *rows: Destination, workers: int = 2, rest: int = 0, **more: Any) -> Snapshot:
    sockets = Sockets(method="SOCK_DIAG", states={}, destinations=list(rows), rest=rest)
    process = Process(pid=1, started=1.0)
    return snapshot_with(
        nginx=nginx_of({CONF: f"http {{ {http} }}".encode()}, version="1.31.3"),
        sockets=sockets,
        processes=Processes(master=process, workers=[process] * workers),
        **more,
    )


def row(remote: str, port: int, local: str = "10.0.0.9", **states: int) -> Destination:
    return Destination(local=local, remote=remote, port=port, ports=sum(states.values()), states=states)


SERVER = "server { location / { proxy_pass http://app; } }"


def test_its_sockets_are_those_of_all_its_servers() -> None:
    rows = [
        row("10.0.0.1", 8080, ESTABLISHED=3, TIME_WAIT=60),
        row("10.0.0.1", 8080, local="10.0.0.8", ESTABLISHED=2),
        row("10.0.0.2", 80, TIME_WAIT=60),
        row("10.0.0.2", 8080, TIME_WAIT=999),
    ]
    facts = Facts(host(APP + SERVER, *rows))
    (one,) = facts.nginx.passes
    assert (one.established, one.time_wait, one.ports, one.per_second) == (5, 120, 63, 2.0)
    assert (one.keepalive, one.kept, one.concurrency, one.room) == (4, 8, 3, None)
    assert [item.unreused for item in facts.sockets.destinations] == [None] * 4


def test_a_destination_knows_what_nginx_lacks_there() -> None:
    http = "server { location / { proxy_pass http://10.0.0.1:8080; } location /f { fastcgi_pass 10.0.0.1:9000; } }"
    facts = Facts(host(http, row("10.0.0.1", 8080, ESTABLISHED=3), row("10.0.0.1", 9000), row("10.0.0.1", 3306)))
    lacking, php, other = facts.sockets.destinations
    assert (lacking.unreused, lacking.concurrency) == ("an upstream block with keepalive", 2)
    assert (php.unreused, other.unreused) == (None, None), "a process for each connection; not nginx's"
    assert lacking.place("upstream.reuse").directive == "proxy_pass"
    for none in (php, other):
        with pytest.raises(Unread, match="nothing there that was read passes requests"):
            none.place("upstream.reuse")


def test_the_sockets_of_a_name_are_not_known() -> None:
    (one,) = Facts(host("upstream app { server app.example; server 10.0.0.1; }" + SERVER)).nginx.passes
    with pytest.raises(Unread, match=r"'app\.example' is no address"):
        assert one.time_wait


def test_rows_that_were_left_out_may_be_its_own() -> None:
    http = "server { location / { proxy_pass http://10.0.0.1; } }"
    (one,) = Facts(host(http, row("10.0.0.7", 80, TIME_WAIT=5))).nginx.passes
    assert one.time_wait == 0
    (one,) = Facts(host(http, row("10.0.0.7", 80, TIME_WAIT=5), rest=3)).nginx.passes
    with pytest.raises(Unread, match="only the 1 busiest destinations"):
        assert one.time_wait


@pytest.mark.parametrize(("capacity", "room"), [("50", 24), ("2", 0), ("3", 1)])
def test_all_workers_together_stay_below_the_capacity(capacity: str, room: int) -> None:
    snapshot = host(APP + SERVER, site={"backend_capacity": f"{capacity} connections"})
    assert Facts(snapshot).nginx.passes[0].room == room


def test_without_workers_nothing_is_said_per_worker() -> None:
    snapshot = host(APP + SERVER, workers=0, site={"backend_capacity": "50 connections"})
    (one,) = Facts(snapshot).nginx.passes
    for name in ("room", "concurrency"):
        with pytest.raises(Unread, match="no worker process was seen"):
            getattr(one, name)
