"""Which block decides, by protocol, measured on an old and a new nginx: `advisor effective` says the same."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import pytest
from support import h2
from support.audited import certificate
from support.inside import ask, closed_after, connect, secured
from support.netns import Netns
from support.nginx import Nginx, running, version_of
from support.snapshots import nginx_of, snapshot_with

from advisor.catalog.directives import DIRECTIVES
from advisor.formats.nginx_values import parse_time
from advisor.jobs.effective import effective

if TYPE_CHECKING:
    import pathlib
    import socket
    from collections.abc import Callable, Iterator

    from advisor.facts.answers import Answer, Row
    from advisor.snapshot.model import Snapshot

pytestmark = pytest.mark.real("nginx", "openssl")

PLAIN, TLS, PROTOCOLS = 8080, 8443, 8444
LIMIT = 8.0
HTTP = f"""
keepalive_timeout 20s 9;
client_header_timeout 20s;
proxy_set_header X-A a;
proxy_set_header X-B b;
server {{
    listen {PLAIN} default_server; listen {TLS} ssl http2 default_server;
    server_name a;
    keepalive_timeout 400ms; client_header_timeout 700ms;
    location / {{ return 200 x; }}
    location /seen {{ return 200 "$http_x_a|$http_x_b|$http_x_c"; }}
}}
server {{
    listen {PLAIN}; listen {TLS} ssl http2;
    server_name b;
    keepalive_timeout 1200ms; client_header_timeout 5s;
    add_header X-E e;
    location / {{ return 200 x; }}
    location /l {{ keepalive_timeout 2s; return 200 x; }}
    location /n {{ keepalive_timeout 0; return 200 x; }}
    location /inherits {{ proxy_pass http://127.0.0.1:{PLAIN}/seen; }}
    location /replaces {{ proxy_set_header X-C c; proxy_pass http://127.0.0.1:{PLAIN}/seen; }}
    location /on {{ add_header X-D d; return 200 x; }}
    location /merge {{ add_header X-D d; %s return 200 x; }}
}}
server {{ listen {PROTOCOLS} ssl default_server; server_name c; ssl_protocols TLSv1.2; return 200 x; }}
server {{ listen {PROTOCOLS} ssl; server_name d; ssl_protocols TLSv1.3; return 200 x; }}
"""
OLD = "1.22.1"


class Served(NamedTuple):
    """A running nginx, and its configuration as advisor reads it."""

    nginx: Nginx
    snapshot: Snapshot
    version: str

    @property
    def ns(self) -> Netns:
        return self.nginx.ns

    def row(self, directive: str, name: str, uri: str | None = None) -> Row:
        """What `advisor effective` says of the server that has the name, on the first address that leads there."""
        (row,) = effective(self.snapshot, directive, name, uri).places[0].rows[:1]
        return row

    def seconds(self, directive: str, name: str, uri: str, protocol: str) -> float:
        """What it says a protocol gets, in seconds."""
        row = self.row(directive, name, uri)
        answer = next((seen.answer for seen in row.seen if seen.protocol == protocol), row.answer)
        assert answer is not None
        found = parse_time(text(answer).split()[0])
        assert found is not None
        return round(found, 3)


def text(answer: Answer) -> str:
    return answer.applies[0].text if answer.applies else str(answer.default)


@pytest.fixture(scope="module")
def served(binary: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for all tests: they only ask."""
    version = version_of(binary)
    folder = tmp_path_factory.mktemp("inheritance")
    http = certificate(folder / "tls") + HTTP % ("" if version == OLD else "add_header_inherit merge;")
    with contextlib.closing(Netns()) as ns, running(ns, folder / "nginx", http, binary=binary) as nginx:
        config = nginx_of({str(nginx.conf): nginx.conf.read_bytes()}, version=version)
        yield Served(nginx, snapshot_with(nginx=config), version)


def said_by(served: Served, uri: str) -> tuple[str, str]:
    """The head and the body that server b answers."""
    with connect(served.ns, PLAIN) as client:
        head, body = ask(client, uri, "b")
        return head, body.decode()


class Case(NamedTuple):
    """One connection: how it begins, and what advisor is asked about it."""

    protocol: str
    directive: str
    name: str
    uri: str
    begin: Callable[[Served, Case], socket.socket]


def one_request(served: Served, case: Case) -> socket.socket:
    client = connect(served.ns, PLAIN)
    assert "HTTP/1.1 200" in ask(client, case.uri, case.name)[0]
    return client


def one_stream(served: Served, case: Case) -> socket.socket:
    client = secured(served.ns, TLS, case.name, protocols=("h2",))
    assert client.selected_alpn_protocol() == "h2"
    h2.begin(client)
    h2.get(client, case.name, path=case.uri)
    return client


def half_a_header(served: Served, case: Case) -> socket.socket:
    client = connect(served.ns, PLAIN)
    client.sendall(f"GET {case.uri} HTTP/1.1\r\nHost: {case.name}\r\nX-Half".encode())
    return client


def half_a_header_over_tls(served: Served, case: Case) -> socket.socket:
    client = secured(served.ns, TLS, case.name)
    client.sendall(f"GET {case.uri} HTTP/1.1\r\nHost: {case.name}\r\nX-Half".encode())
    return client


def no_stream(served: Served, case: Case) -> socket.socket:
    client = secured(served.ns, TLS, case.name, protocols=("h2",))
    assert client.selected_alpn_protocol() == "h2"
    return client


KEEPALIVE, HEADER = "keepalive_timeout", "client_header_timeout"
CASES = {
    "HTTP/1.x in the default server": (Case("HTTP/1.x", KEEPALIVE, "a", "/", one_request), 0.4),
    "HTTP/1.x in another server": (Case("HTTP/1.x", KEEPALIVE, "b", "/", one_request), 1.2),
    "HTTP/1.x in a location": (Case("HTTP/1.x", KEEPALIVE, "b", "/l", one_request), 2.0),
    "HTTP/1.x in a location that keeps nothing": (Case("HTTP/1.x", KEEPALIVE, "b", "/n", one_request), 0.0),
    "HTTP/2 in the default server": (Case("HTTP/2", KEEPALIVE, "a", "/", one_stream), 0.4),
    "HTTP/2 in another server": (Case("HTTP/2", KEEPALIVE, "b", "/", one_stream), 1.2),
    "HTTP/2 in a location": (Case("HTTP/2", KEEPALIVE, "b", "/l", one_stream), 1.2),
    "HTTP/2 with an unknown name": (Case("HTTP/2", KEEPALIVE, "unknown", "/", one_stream), 0.4),
    "half a header, another server": (Case("HTTP/1.x", HEADER, "b", "/", half_a_header), 0.7),
    "half a header over TLS, another server": (Case("HTTP/1.x", HEADER, "b", "/", half_a_header_over_tls), 0.7),
    "HTTP/2 without a stream, another server": (Case("HTTP/2", HEADER, "b", "/", no_stream), 0.7),
}
STEPS = sorted({seconds for _, seconds in CASES.values()} | {5.0, 20.0})


def test_the_block_that_decides(served: Served) -> None:
    """Each connection is closed when the block closes it that nginx asks; advisor names the same time."""
    with ThreadPoolExecutor(len(CASES)) as pool:
        closed = dict(zip(CASES, pool.map(lambda one: held(served, one[0]), CASES.values()), strict=True))
    measured = {name: min(STEPS, key=lambda step: abs(step - seconds)) for name, seconds in closed.items()}
    assert measured == {name: seconds for name, (_, seconds) in CASES.items()}, closed
    said = {name: served.seconds(*case[1:4], case.protocol) for name, (case, _) in CASES.items()}
    assert said == measured


def held(served: Served, case: Case) -> float:
    """Seconds from the last byte that either side sent until nginx closes."""
    with case.begin(served, case) as client:
        seconds = closed_after(client, LIMIT)
        assert seconds is not None
        return seconds


def test_the_header_inherits_on_its_own(served: Served) -> None:
    head, _ = said_by(served, "/")
    assert "Keep-Alive: timeout=9" in head
    row = served.row(KEEPALIVE, "b", "/")
    assert text(row.answer) == "1200ms"
    assert row.header is not None
    assert text(row.header) == "9"


@pytest.mark.parametrize(
    ("uri", "seen", "said"),
    [("/inherits", "a|b|", {"X-A a", "X-B b"}), ("/replaces", "||c", {"X-C c"})],
)
def test_a_set_is_replaced_as_a_whole(served: Served, uri: str, seen: str, said: set[str]) -> None:
    assert said_by(served, uri)[1] == seen
    assert {one.text for one in served.row("proxy_set_header", "b", uri).answer.applies} == said


@pytest.mark.parametrize("uri", ["/", "/on", "/merge"])
def test_add_header_replaces_or_merges(served: Served, uri: str) -> None:
    head, _ = said_by(served, uri)
    sent = {line.replace(":", "") for line in head.split("\r\n") if line.startswith(("X-D", "X-E"))}
    assert {one.text for one in served.row("add_header", "b", uri).answer.applies} == sent
    expected = {"/": {"X-E e"}, "/on": {"X-D d"}, "/merge": {"X-D d"} | ({"X-E e"} if served.version != OLD else set())}
    assert sent == expected[uri]


def test_the_protocols_of_a_server_that_is_not_the_default(served: Served) -> None:
    with secured(served.ns, PROTOCOLS, "d") as client:
        negotiated = str(client.version())
    row = served.row("ssl_protocols", "d")
    (seen,) = (one.answer for one in row.seen if one.protocol == "TLS")
    assert seen is not None
    assert text(seen) == negotiated
    assert negotiated == ("TLSv1.2" if served.version == OLD else "TLSv1.3")


@pytest.mark.parametrize("line", ["keepalive_timeout 1", "proxy_set_header A b", "sendfile on"])
def test_what_may_stand_in_if(netns: Netns, tmp_path: pathlib.Path, binary: str, line: str) -> None:
    nginx = Nginx(netns, tmp_path, binary=binary)
    nginx.write(f"server {{ listen {PLAIN}; location / {{ if ($arg_a) {{ {line}; }} }} }}\n")
    done = nginx.test()
    allowed = "i" in DIRECTIVES[line.partition(" ")[0]].contexts
    assert (done.returncode == 0) == allowed
    assert allowed or "directive is not allowed here" in done.stderr
