"""Whether nginx uses its connections to upstreams again: what backends count, row by row, is what advisor says."""

from __future__ import annotations

import contextlib
import json
import pathlib
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest
from support.command import audit, evidence, found, plan
from support.netns import pair
from support.nginx import running, version_of

from advisor.engine.cases import snapshot_of
from advisor.engine.judging import Judging
from advisor.facts.derive import Facts
from advisor.facts.upstreams import POOLED
from advisor.jobs import load, patch
from advisor.remedy.plan import Allowed, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.netns import Netns

RULE = "upstream-not-reused"
COUNTING = [sys.executable, str(pathlib.Path(__file__).parents[1] / "support/counting.py")]
REQUESTS = 40
FRONT, BACK = 10000, 20000
OLD, NEW = "before 1.29.7", "from 1.29.7 on"

TRIAD = 'proxy_http_version 1.1; proxy_set_header Connection "";'
MAP = "map $http_upgrade $MAP { default upgrade; '' %s; }"


class Row(NamedTuple):
    """A server: what stands in its upstream block (None: there is none), around its location, and inside.

    UP is its upstream's name, PORT its backend's port. ``reused`` holds the versions on which connections are used
    again, ``missing`` what older versions lack, ``only`` the versions that accept it.
    """

    name: str
    upstream: str | None
    server: str
    location: str
    reused: str
    missing: str = "nothing"
    http: str = ""
    only: str = f"{OLD}, {NEW}"
    protocol: str = "http"


BOTH = f"{OLD}, {NEW}"
NONE = ""
KEEP = "server 127.0.0.1:PORT; keepalive 8;"
ADDRESS = "proxy_pass http://127.0.0.1:PORT;"
NAME = "proxy_pass http://UP;"
BLOCK = "an upstream block with keepalive"
VERSION, HEADER = "proxy_http_version 1.1", 'proxy_set_header Connection ""'
SAYS_CLOSE = 'an empty Connection header (it says "close")'
BY_MAP = "an empty Connection header where no upgrade is asked for (its map gives 'close')"
PROTOCOL = "a protocol that can: uwsgi and SCGI close after each request"
LATE = "keepalive behind the balancing method"

ROWS = [
    Row("an address", None, "", ADDRESS, NONE, f"{BLOCK}, {VERSION}, {HEADER}"),
    Row("an address, and the triad around it", None, TRIAD, ADDRESS, NONE, BLOCK),
    Row(
        "an upstream", "server 127.0.0.1:PORT;", "", NAME, NEW, f"keepalive in the upstream block, {VERSION}, {HEADER}"
    ),
    Row("keepalive alone", KEEP, "", NAME, NEW, f"{VERSION}, {HEADER}"),
    Row("keepalive and HTTP/1.1", KEEP, "proxy_http_version 1.1;", NAME, NEW, HEADER),
    Row("keepalive, and no Connection", KEEP, 'proxy_set_header Connection "";', NAME, NEW, VERSION),
    Row("all of it", KEEP, "", f"{TRIAD} {NAME}", BOTH),
    Row("all of it, around", KEEP, TRIAD, NAME, BOTH),
    Row(
        "headers of its own",
        KEEP,
        TRIAD,
        f"proxy_set_header Host $host; {NAME}",
        NEW,
        f"{HEADER} beside the headers set there, which replace those above",
    ),
    Row("the method last", f"{KEEP} least_conn;", TRIAD, NAME, NEW, LATE),
    Row("the method last: ip_hash", f"{KEEP} ip_hash;", TRIAD, NAME, NEW, LATE),
    Row("the method last: hash", f"{KEEP} hash $uri consistent;", TRIAD, NAME, NEW, LATE),
    Row("the method last: random", f"{KEEP} random;", TRIAD, NAME, NEW, LATE),
    Row("the method first", f"least_conn; {KEEP}", TRIAD, NAME, BOTH),
    Row("zone is no method", f"{KEEP} zone UP 64k;", TRIAD, NAME, BOTH),
    Row("close", KEEP, "", f"proxy_http_version 1.1; proxy_set_header Connection close; {NAME}", NONE, SAYS_CLOSE),
    Row("upgrade", KEEP, "", f"proxy_http_version 1.1; proxy_set_header Connection upgrade; {NAME}", BOTH),
    Row("HTTP/1.0", KEEP, "", f'proxy_http_version 1.0; proxy_set_header Connection ""; {NAME}', NONE, VERSION),
    Row(
        "HTTP/1.0, keep-alive",
        KEEP,
        "",
        f"proxy_http_version 1.0; proxy_set_header Connection Keep-Alive; {NAME}",
        BOTH,
    ),
    Row(
        "a map that closes",
        KEEP,
        "proxy_http_version 1.1; proxy_set_header connection $MAP;",
        NAME,
        NONE,
        BY_MAP,
        http=MAP % "close",
    ),
    Row(
        "a map that does not",
        KEEP,
        "proxy_http_version 1.1; proxy_set_header Connection $MAP;",
        NAME,
        BOTH,
        http=MAP % "''",
    ),
    Row(
        "a map whose default closes",
        KEEP,
        "proxy_http_version 1.1; proxy_set_header Connection ${MAP};",
        NAME,
        NONE,
        BY_MAP,
        http="map $http_upgrade $MAP { default close; websocket upgrade; }",
    ),
    Row(
        "a map without default",
        KEEP,
        f"{TRIAD} proxy_set_header Connection $MAP;",
        NAME,
        BOTH,
        http="map $http_upgrade $MAP { ~. upgrade; }",
    ),
    Row("a variable that names it", KEEP, f"{TRIAD} set $to UP;", "proxy_pass http://$to;", BOTH),
    Row("a variable in the URI", KEEP, TRIAD, "proxy_pass http://UP$request_uri;", BOTH),
    Row("a variable with an address", KEEP, f"{TRIAD} set $to 127.0.0.1:PORT;", "proxy_pass http://$to;", NONE, BLOCK),
    Row("a map that names it", KEEP, TRIAD, "proxy_pass http://$MAP;", BOTH, http="map $host $MAP { default UP; }"),
    Row("in capitals", KEEP, TRIAD, "proxy_pass http://UPPER;", BOTH),
    Row("in an if", KEEP, TRIAD, f"if ($uri) {{ {NAME} }}", BOTH),
    Row("five requests each", f"{KEEP} keepalive_requests 5;", TRIAD, NAME, BOTH),
    Row("keepalive 0", "server 127.0.0.1:PORT; keepalive 0;", TRIAD, NAME, NONE, "", only=NEW),
    Row("local", "server 127.0.0.1:PORT; keepalive 4 local;", TRIAD, NAME, NEW, "", only=NEW),
    Row(
        "FastCGI",
        "server 127.0.0.1:PORT; keepalive 8;",
        "",
        "fastcgi_pass UP;",
        NONE,
        "fastcgi_keep_conn on",
        protocol="fastcgi",
    ),
    Row("FastCGI, kept", KEEP, "fastcgi_keep_conn on;", "fastcgi_pass UP;", BOTH, protocol="fastcgi"),
    Row(
        "FastCGI, an address",
        None,
        "fastcgi_keep_conn on;",
        "fastcgi_pass 127.0.0.1:PORT;",
        NONE,
        BLOCK,
        protocol="fastcgi",
    ),
    Row("uwsgi", KEEP, "", "uwsgi_pass UP;", NONE, PROTOCOL, protocol="uwsgi"),
    Row("SCGI", KEEP, "", "scgi_pass UP;", NONE, PROTOCOL, protocol="scgi"),
    Row("gRPC", KEEP, "", "grpc_pass grpc://UP;", BOTH, protocol="h2"),
    Row("gRPC, an address", None, "", "grpc_pass 127.0.0.1:PORT;", NONE, BLOCK, protocol="h2"),
    Row(
        "gRPC, no keepalive",
        "server 127.0.0.1:PORT;",
        "",
        "grpc_pass UP;",
        NEW,
        "keepalive in the upstream block",
        protocol="h2",
    ),
    Row("HTTP/2", KEEP, "proxy_http_version 2;", NAME, NEW, "", only=NEW, protocol="h2"),
]


def configured(row: Row, index: int) -> str:
    """The row as a part of http; a backend for HTTP/2 is nginx itself, which logs the numbers of its connections."""
    up = f"hop{index}x"
    parts = [row.http, f"upstream {up} {{ {row.upstream} }}" if row.upstream else ""]
    parts.append(f"server {{ listen 127.0.0.1:{FRONT + index}; {row.server} location / {{ {row.location} }} }}")
    if row.protocol == "h2":
        parts.append("server { listen 127.0.0.1:PORT http2; access_log logs/PORT number; return 200 ok; }")
    text = "\n".join(parts)
    for word, value in (("UPPER", up.title()), ("UP", up), ("PORT", str(BACK + index)), ("MAP", f"map{index}")):
        text = text.replace(word, value)
    return text


@contextlib.contextmanager
def backends(ns: Netns, protocols: dict[int, str], host: str = "127.0.0.1") -> Iterator[subprocess.Popen[str]]:
    """Backends that count, by port."""
    names = [f"{protocol}:{host}:{port}" for port, protocol in protocols.items()]
    process = ns.start(*COUNTING, "serve", *names, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        assert process.stdout.readline() == "ready\n"
        yield process


def counted(process: subprocess.Popen[str]) -> dict[str, int]:
    """How many connections each port took so far."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    counts: dict[str, int] = json.loads(process.stdout.readline())
    return counts


def ask(ns: Netns, count: int, threads: int, ports: list[int], host: str = "127.0.0.1") -> dict[str, int]:
    """Ask each port of nginx so often; the answers by port and status."""
    ends = [f"{host}:{port}" for port in ports]
    answers: dict[str, int] = json.loads(ns.run(*COUNTING, "ask", str(count), str(threads), *ends).stdout)
    return answers


@pytest.mark.real("nginx")
def test_the_verdict_is_what_backends_count(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    version = version_of(binary)
    era = OLD if tuple(map(int, version.split("."))) < (1, 29, 7) else NEW
    rows = {index: row for index, row in enumerate(ROWS) if era in row.only}
    http = "log_format number $connection;\n" + "\n".join(configured(row, index) for index, row in rows.items())
    folder = tmp_path / "nginx"
    (folder / "logs").mkdir(parents=True)
    protocols = {BACK + index: row.protocol for index, row in rows.items() if row.protocol != "h2"}
    with backends(netns, protocols) as process, running(netns, folder, http, binary=binary, connections=4096) as nginx:
        answers = ask(netns, REQUESTS, 1, [FRONT + index for index in rows])
        assert answers == {f"127.0.0.1:{FRONT + index} 200": REQUESTS for index in rows}
        counts = counted(process)
        text = nginx.conf.read_text()
    for index, row in rows.items():
        if row.protocol == "h2":
            counts[str(BACK + index)] = len(set((folder / f"logs/{BACK + index}").read_text().split()))
    found = {
        item.location.line: item for item in Facts(snapshot_of({"nginx": text, "nginx_version": version})).nginx.passes
    }
    lines = dict(enumerate(text.split("\n"), 1))
    said = {}
    for number, item in found.items():
        (index,) = [index for index in rows if f"127.0.0.1:{FRONT + index};" in lines[number or 0]]
        said[index] = item
    assert {rows[index].name: item.reused for index, item in said.items()} == {
        row.name: counts[str(BACK + index)] < REQUESTS for index, row in rows.items()
    }
    assert {rows[index].name: item.reused for index, item in said.items()} == {
        row.name: era in row.reused for row in rows.values()
    }
    assert {counts[str(BACK + index)] for index, row in rows.items() if era not in row.reused} == {REQUESTS}
    if era == OLD:
        assert {rows[index].name: item.missing for index, item in said.items()} == {
            row.name: row.missing for row in rows.values()
        }


SMALL = """
    upstream small { server 127.0.0.1:20000; keepalive 2; }
    upstream large { server 127.0.0.1:20001; keepalive 32; }
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    server { listen 127.0.0.1:10000; location / { proxy_pass http://small; } }
    server { listen 127.0.0.1:10001; location / { proxy_pass http://large; } }
"""


@pytest.mark.real("nginx", "ss")
def test_a_pool_that_is_too_small_is_named(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    many, clients = 1600, 16
    ports = {20000: "http", 20001: "http"}
    with backends(netns, ports) as process, running(netns, tmp_path / "nginx", SMALL, binary=binary):
        answers = ask(netns, many, clients, [10000, 10001])
        assert answers == {"127.0.0.1:10000 200": many, "127.0.0.1:10001 200": many}
        counts = counted(process)
        report = audit(netns, "--sample", "0")
    (finding,) = found(report, "upstream-pool-too-small").values()
    assert finding["item"] == "proxy_pass http://small (reused)"
    assert evidence(finding)["item.kept"] == 2
    assert counts["20000"] > evidence(finding)["item.time_wait"] > counts["20000"] - 3 * clients
    assert counts["20001"] <= 2 * clients


PROXIED = """
    proxy_set_header X-A "a $remote_addr";
    proxy_set_header X-B b;
    upstream named { server 127.0.0.1:20003; ip_hash; }
    server {
        listen 127.0.0.1:10000;
        proxy_set_header X-C "";
        location / { proxy_pass http://127.0.0.1:20000; }
        location /uri/ { proxy_pass http://127.0.0.1:20000/other/; }
        location /host { proxy_set_header Host $host; proxy_pass http://127.0.0.1:20001; }
        location /off { proxy_redirect off; proxy_pass http://127.0.0.1:20001; }
    }
    server {
        listen 127.0.0.1:10001;
        location / { proxy_pass http://localhost:20002; }
        location = /named { proxy_pass http://named; }
    }
    server { listen 127.0.0.1:20000; listen 127.0.0.1:20001; listen 127.0.0.1:20002; listen 127.0.0.1:20003;
        add_header X-Seen "$request_uri host=$http_host a=$http_x_a b=$http_x_b c=$http_x_c" always;
        add_header X-Connection "$http_connection $server_protocol" always;
        return 302 "http://$http_host$request_uri";
    }
"""
PATHS = ["10000/", "10000/uri/x?y", "10000/host", "10000/off", "10001/", "10001/named"]


def seen(ns: Netns, paths: list[str]) -> dict[str, tuple[str, str]]:
    """What the backend was told, and where it would send the client, by the path asked for."""
    told = {}
    for path in paths:
        head = ns.run("curl", "-si", f"http://127.0.0.1:{path}").stdout.splitlines()
        fields = dict(line.split(": ", 1) for line in head if ": " in line)
        told[path] = (fields["X-Seen"], fields["Location"])
    return told


@pytest.mark.real("nginx", "curl")
def test_the_step_changes_nothing_that_backends_and_clients_see(
    netns: Netns, tmp_path: pathlib.Path, binary: str
) -> None:
    """Names take the place of addresses, and headers are set lower down: what they meant is carried along."""
    with running(netns, tmp_path / "nginx", PROXIED, binary=binary) as nginx:
        before = seen(netns, PATHS)
        wanted = load.rules()
        given = {"nginx": {str(nginx.conf): nginx.conf.read_text()}, "nginx_version": version_of(binary)}
        snapshot = snapshot_of(given)
        planned = patch.plan(snapshot, Judging([rule for rule in wanted if rule.id == RULE]), Allowed(unsafe=True))
        nginx.conf.write_bytes(planned.prediction.files[str(nginx.conf)])
        assert nginx.test().returncode == 0, nginx.test().stderr
        nginx.reload()
        assert seen(netns, PATHS) == before
    named = "proxy_pass http://named"
    assert {one.finding.item.partition(" (")[0] for one in planned.findings} == {
        "proxy_pass http://127.0.0.1:20000",
        "proxy_pass http://127.0.0.1:20001",
        "proxy_pass http://localhost:20002",
    } | ({named} if tuple(map(int, version_of(binary).split("."))) < POOLED else set())
    assert {one.outcome for one in planned.findings} == {Outcome.CURED}
    again = patch.plan(planned.prediction.snapshot, Judging(wanted), Allowed(unsafe=True))
    assert RULE not in {one.finding.rule for one in again.findings}
    assert all(item.reused for item in Facts(planned.prediction.snapshot).nginx.passes)


ONLY = ["--select", "ports-exhausting", "--select", RULE]
RANGE, OTHERS, PORTS, MANY = "32768 33267", "42768 43267", 500, 700
EXHAUSTED = """
    upstream busy { server 10.9.0.2:8000; }
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $host;
    server { listen 10.9.0.1:8080; location / { proxy_pass http://busy; } }
"""


@pytest.mark.real("nginx", "ss", "sysctl", "patch")
def test_ports_that_run_out_are_cured_by_reuse(tmp_path: pathlib.Path) -> None:
    """502s (errno 99), the missing link, the patch and a reload; then the same requests take a few ports."""
    with pair() as (proxy, there):
        proxy.sysctl(net__ipv4__ip_local_port_range=RANGE)
        with (
            backends(there, {8000: "http"}, "10.9.0.2") as process,
            running(proxy, tmp_path / "proxy", EXHAUSTED) as nginx,
        ):
            answers = ask(there, MANY, 1, [8080], "10.9.0.1")
            refused = answers.get("10.9.0.1:8080 502", 0)
            assert refused >= MANY - PORTS
            assert "connect() to 10.9.0.2:8000 failed (99: " in nginx.log.read_text()

            report = audit(proxy, "--sample", "0")
            (finding,) = found(report, "ports-exhausting").values()
            (lost,) = found(report, RULE).values()
            assert (lost["severity"], evidence(lost)["item.time_wait"]) == ("high", evidence(finding)["item.ports"])
            assert lost["item"] == "proxy_pass http://busy (keepalive)"

            made = plan(proxy, tmp_path / "patch", "--unsafe", "--sample", "0", *ONLY)
            outcomes = {one["rule"]: one["outcome"] for one in made["findings"]}
            assert (outcomes["ports-exhausting"], outcomes[RULE]) == ("to be measured", "cured")
            assert made["sysctl"] == []
            diff = (tmp_path / "patch/nginx.diff").read_bytes()
            subprocess.run(["patch", "-p1", "-d", "/"], input=diff, check=True, capture_output=True)
            nginx.reload()
            # As many other ports stand for the minute in which those in TIME_WAIT would have come free.
            proxy.sysctl(net__ipv4__ip_local_port_range=OTHERS)
            before = counted(process)["8000"]
            waiting = time_wait(proxy)
            assert ask(there, MANY, 1, [8080], "10.9.0.1") == {"10.9.0.1:8080 200": MANY}
            assert counted(process)["8000"] - before == 1
            assert time_wait(proxy) <= waiting + 1
            assert found(audit(proxy, "--sample", "0"), RULE) == {}


def time_wait(ns: Netns) -> int:
    """How many TIME_WAIT towards the backend there are, by hand."""
    return sum("10.9.0.2:8000" in line for line in ns.run("ss", "-Htan", "state", "time-wait").stdout.splitlines())
