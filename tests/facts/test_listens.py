"""Addresses, servers and what nginx asks the kernel for."""

from __future__ import annotations

import pytest
from support.snapshots import nginx_of, snapshot_with

from advisor.errors import Unread
from advisor.facts.derive import Facts
from advisor.facts.listens import parse_backlog
from advisor.facts.places import Place
from advisor.facts.servers import Endpoint, parse_listen
from advisor.records import replace
from advisor.snapshot.model import Listener, Reading, Snapshot, Sockets

CONF = "/etc/nginx/nginx.conf"
ANY = ".".join("0000")


def host(text: str, *rows: Listener) -> Snapshot:
    sockets = Sockets(method="SOCK_DIAG", states={}, listeners=list(rows)) if rows else None
    return snapshot_with(nginx=nginx_of({CONF: text.encode()}), sockets=sockets, sample=1)


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("80", ANY, 80),
        ("*:8080", ANY, 8080),
        ("*", ANY, 80),
        ("0.0.0.0:1", ANY, 1),
        ("127.0.0.1", "127.0.0.1", 80),
        ("127.0.0.1:65535", "127.0.0.1", 65535),
        ("localhost:81", "localhost", 81),
        ("[::]:80", "::", 80),
        ("[::1]", "::1", 80),
        ("[2001:db8::1]:443", "2001:db8::1", 443),
    ],
)
def test_an_address_is_read_as_nginx_reads_it(text: str, address: str, port: int) -> None:
    assert parse_listen(text) == Endpoint(address, port)


@pytest.mark.parametrize(
    "text",
    [
        "unix:/run/a.sock",
        "81-90",
        "*:81-90",
        "123456",
        "[fe80::1%eth0]:443",
        "0",
        "65536",
        "127.0.0.1:0",
        "[::1",
        "::1:80",
        "",
        "1:2:3",
        "\u0661:80:1",
    ],
)
def test_what_is_no_one_address_is_left_out(text: str) -> None:
    assert parse_listen(text) is None


def test_an_endpoint_is_written_as_nginx_writes_it() -> None:
    assert [str(parse_listen(text)) for text in ("[::1]:8", "*:8")] == ["[::1]:8", f"{ANY}:8"]


def test_a_server_without_listen_stands_on_port_80() -> None:
    facts = Facts(host("http { server { server_name a; } }"))
    assert [one.id for one in facts.nginx.listens] == [f"{ANY}:80"]
    with pytest.raises(Unread, match="no listen directive stands for"):
        facts.nginx.listens[0].place("listen.backlog")


def test_servers_of_stream_and_mail_and_upstreams_are_no_servers() -> None:
    text = """
        stream { server { listen 1; } }
        mail { server { listen 2; } }
        http { upstream u { server 10.0.0.1:3; } server { listen 4; } }
    """
    assert [one.id for one in Facts(host(text)).nginx.listens] == [f"{ANY}:4"]


def test_the_lines_of_one_address_are_joined_and_the_one_with_options_is_edited() -> None:
    text = "http { server { listen 80 default_server; } server { listen 80 backlog=64; } server { listen *:80; } }"
    (listen,) = Facts(host(text)).nginx.listens
    assert listen.backlog == 64
    assert listen.backlog_set
    assert len(listen.lines) == 3
    assert listen.place("listen.backlog") == Place(CONF, "http#0/server#1", "listen", 0)
    assert (listen.location.line, listen.location.column) == (1, 1 + text.index("listen 80 backlog"))


def test_the_default_backlog_is_nginx_s() -> None:
    (listen,) = Facts(host("http { server { listen 80; } }")).nginx.listens
    assert (listen.backlog, listen.backlog_set) == (511, False)


@pytest.mark.parametrize(
    "parameter", ["backlog=", "backlog=many", "backlog=-1", "backlog=\u00b2", "backlog=1" + "0" * 5000]
)
def test_a_backlog_that_is_no_number_is_not_read(parameter: str) -> None:
    assert parse_backlog([parameter]) is None
    assert parse_backlog([parameter, "backlog=8"]) == 8


def test_its_socket_is_found_by_address_then_by_wildcard() -> None:
    rows = (
        Listener(address=ANY, port=80, limit=128, drops=Reading(first=3, last=10)),
        Listener(address="::", port=80, limit=64),
        Listener(address="10.0.0.1", port=80, limit=32),
    )
    text = "http { server { listen 80; listen [::1]:80; listen 10.0.0.1:80; listen 10.0.0.2:80; listen 81; } }"
    found = {one.id: one.limit for one in Facts(host(text, *rows)).nginx.listens}
    assert found == {f"{ANY}:80": 128, "[::1]:80": 64, "10.0.0.1:80": 32, "10.0.0.2:80": 128, f"{ANY}:81": None}


def test_drops_of_a_socket_need_two_readings() -> None:
    one = Facts(host("http { server { listen 80; } }", Listener(address=ANY, port=80, drops=Reading(first=3, last=10))))
    assert one.nginx.listens[0].drops == 7
    assert one.sockets.listeners[0].drops_before == 3
    back = Facts(host("", Listener(address=ANY, port=80, drops=Reading(first=10, last=3))))
    assert back.sockets.listeners[0].drops == 0
    once = Facts(host("http { server { listen 80; } }", Listener(address=ANY, port=80, drops=Reading(first=3))))
    with pytest.raises(Unread, match="read once only"):
        assert once.nginx.listens[0].drops is None


def test_without_sockets_the_live_side_is_unread() -> None:
    (listen,) = Facts(host("http { server { listen 80; } }")).nginx.listens
    with pytest.raises(Unread, match="sockets was left out"):
        assert listen.limit is None


def test_a_listener_knows_where_nginx_asks_for_it() -> None:
    text = "http {\n    server { listen 127.0.0.1:80; }\n}\n"
    mine, other = Facts(
        host(text, Listener(address="127.0.0.1", port=80), Listener(address="::", port=22))
    ).sockets.listeners
    assert (mine.from_nginx, other.from_nginx) == (True, False)
    assert (mine.location.file, mine.location.line, other.location.file) == (CONF, 2, None)
    assert mine.place("listen.backlog") == Place(CONF, "http#0/server#0", "listen", 0)
    with pytest.raises(Unread, match="no listen directive that was read asks for \\[::\\]:22"):
        other.place("listen.backlog")


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ("listen 127.0.0.1:8080; location = /status { stub_status; }", "http://127.0.0.1:8080/status"),
        ("listen 81; location /s { stub_status on; }", "http://127.0.0.1:81/s"),
        ("listen [::]:81; location /s { stub_status; }", "http://[::1]:81/s"),
        ("listen 10.0.0.1:81; location /s { stub_status; }", None),
        ("listen 81 ssl; location /s { stub_status; }", None),
        ("listen 80; location /s { stub_status; }", None),
        ("listen 81; location ~ s { stub_status; }", None),
        ("listen 81; stub_status;", None),
    ],
)
def test_a_status_page_is_asked_where_loopback_reaches_it_first(server: str, url: str | None) -> None:
    text = f"http {{ server {{ listen 80; }} server {{ {server} }} }}"
    assert Facts(host(text)).nginx.status_url() == url


def test_edits_since_the_start_need_workers_and_a_time() -> None:
    text = nginx_of({CONF: b"events {}"})
    dated = replace(text, files={CONF: replace(text.files[CONF], modified=1060.0)})
    ran = {"master": {"pid": 1, "started": 5}, "workers": [{"pid": 2, "started": 900}, {"pid": 3, "started": 1000}]}
    assert Facts(snapshot_with(nginx=dated, processes=ran)).nginx.files[0].newer_by == 60
    assert Facts(snapshot_with(nginx=dated, processes=ran)).nginx.workers == 2
    for why, config, processes in (
        ("when .* was edited is not known", text, ran),
        ("no worker process", dated, {"master": ran["master"]}),
        ("processes was left out", dated, None),
    ):
        with pytest.raises(Unread, match=why):
            assert Facts(snapshot_with(nginx=config, processes=processes)).nginx.files[0].newer_by
