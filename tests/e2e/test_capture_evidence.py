"""From packets to a keepalive_timeout: what a capture foretells is what the same load then holds."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import signal
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.audited import certificate
from support.command import audit, evidence, found, plan
from support.load import Mix
from support.netns import Netns, pair
from support.nginx import Nginx, running
from support.steady import Steady, steady

from advisor.capture.buckets import middle
from advisor.collect.captured import read_capture

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVER, CLIENTS, VIA = "10.9.0.1", "10.77.0.0/20", "10.9.0.2"
RULE = "keepalive-timeout-from-capture"
PRESENT = 300
FLUSH = 1.2
"""Seconds until tcpdump has written what it saw: the kernel hands packets on once a second at least (pcap(3PCAP))."""


@dataclasses.dataclass(frozen=True)
class Times:
    """In seconds: until the load is steady, how long the capture is, until the new timeout has taken hold, and for how
    long is measured.
    """

    warm: float
    capture: float
    settle: float
    measure: float


QUICK = Mix(
    host=SERVER,
    port=80,
    network=CLIENTS,
    seed=1,
    seconds=120,
    once=0,
    visits=12,
    downloads=0,
    silent=0,
    returning=[(60, 1), (40, 3.5)],
    pollers=0,
    leaving=50,
    patience=(3, 14),
)
"""All who come back do so within 4 s; the others give up after 3 to 14 s of idleness, which 300 s never cuts short."""
LONG = dataclasses.replace(
    QUICK, seconds=1100, once=16, visits=2, leaving=0, returning=[(300, 5), (300, 15), (200, 40), (500, 70)]
)
"""Thinking clients of four kinds, and many who never come back: only the timeout lets those go."""


@contextlib.contextmanager
def captured(ns: Netns, path: pathlib.Path, interface: str | None = None) -> Iterator[None]:
    """What passes an interface (that of the pair) of a namespace while the block runs, headers only."""
    links = ns.run("ip", "-o", "link").stdout.splitlines()
    interface = interface or next(line.split(": ")[1].partition("@")[0] for line in links if "@" in line)
    options = ["-Z", "root", "-n", "-s", "96", "-B", "8192", "-i", interface, "-w", str(path)]
    process = ns.start("tcpdump", *options, "tcp", stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert "listening" in process.stderr.readline()
    try:
        yield
    finally:
        time.sleep(FLUSH)
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=20)[1]
    assert "\n0 packets dropped by kernel" in said


@contextlib.contextmanager
def site(folder: pathlib.Path) -> Iterator[tuple[Netns, Netns, Nginx]]:
    (folder / "index.html").write_text("hello\n")
    http = f"""\
    keepalive_timeout {PRESENT};
    server {{
        listen {SERVER}:80;
        root {folder};
    }}
"""
    with pair(SERVER, VIA) as (server, clients):
        server.run("ip", "route", "add", CLIENTS, "via", VIA)
        main = "worker_rlimit_nofile 16384;\n"
        with running(server, folder / "nginx", http, workers=2, connections=8192, main=main) as nginx:
            yield server, clients, nginx


def measured(load: Steady, seconds: float) -> tuple[float, float]:
    """ESTABLISHED on average from now on, and connections opened a second."""
    begun = load.moments()[-1]
    load.until(time.monotonic() - load.begun + seconds)
    moments = load.moments()
    opened = moments[-1]["counts"]["opened"] - begun["counts"]["opened"]
    assert moments[-1]["counts"].get("failed", 0) == moments[-1]["counts"].get("refused", 0) == 0
    return statistics.mean(one["established"] for one in moments), opened / (moments[-1]["time"] - begun["time"])


def look(server: Netns, nginx: Nginx, capture: pathlib.Path) -> dict[str, Any]:
    """What the audit says of it."""
    report = audit(server, "--sample", "0", "--nginx-conf", str(nginx.conf), "--capture", str(capture))
    assert not [one for one in report["unknown"] if one["source"].startswith("capture")]
    finding = found(report, RULE)["http"]
    assert finding["confidence"] == "observed"
    return evidence(finding)


def change(server: Netns, nginx: Nginx, folder: pathlib.Path, capture: pathlib.Path, timeout: int) -> dict[str, Any]:
    """Take the patch's value; what the plan expects, by name."""
    asked = ["--nginx-conf", str(nginx.conf), "--sample", "0", "--capture", str(capture), "--select", RULE]
    made = plan(server, folder / "out", "--unsafe", *asked)
    assert [(one["before"], one["after"]) for one in made["nginx"]] == [
        (f"keepalive_timeout {PRESENT}", f"keepalive_timeout {timeout}")
    ]
    subprocess.run(["patch", "-p1", "-d", "/", "-i", str(folder / "out" / "nginx.diff")], check=True, timeout=30)
    nginx.reload()
    return {one["name"]: one for one in made["expected"]}


def it_comes_as_foretold(tmp_path: pathlib.Path, mix: Mix, times: Times, timeout: int) -> dict[str, float]:
    capture = tmp_path / "web.pcap"
    with site(tmp_path) as (server, clients, nginx), steady(clients, mix) as load:
        load.until(times.warm)
        with captured(server, capture):
            time.sleep(times.capture)
        held, _ = measured(load, 2)
        told = look(server, nginx, capture)
        assert told["item.best"] == timeout
        expected = change(server, nginx, tmp_path, capture, timeout)
        time.sleep(times.settle)
        now, rate = measured(load, times.measure)
    numbers = {
        "before": held,
        "foretold": told["item.held_then"],
        "measured": now,
        "handshakes foretold": told["item.handshakes_then"],
        "handshakes measured": rate,
    }
    print(numbers)  # noqa: T201 (shown with -s, or when it fails)
    assert expected["new connections per second on port 80"]["after"] == told["item.handshakes_then"]
    assert now == pytest.approx(told["item.held_then"], rel=0.10), numbers
    assert rate == pytest.approx(told["item.handshakes_then"], rel=0.10), numbers
    return numbers


@pytest.mark.real("nginx", "tcpdump", "patch")
def test_the_recommended_timeout_holds_what_the_capture_foretold(tmp_path: pathlib.Path) -> None:
    numbers = it_comes_as_foretold(tmp_path, QUICK, Times(8, 24, 6.5, 5), 5)
    assert numbers["before"] > 1.25 * numbers["measured"], "nothing to foretell"


TLS = """
import socket, ssl, sys, threading, time
ASK = b"GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n"
def client(version, leaves):
    context = ssl.create_default_context(cafile=sys.argv[1])
    context.check_hostname = False
    context.minimum_version = context.maximum_version = version
    with context.wrap_socket(socket.create_connection(("127.0.0.1", 443), 20)) as one:
        for pause in (1.5, 0):
            one.sendall(ASK)
            assert one.recv(9999).startswith(b"HTTP/1.1 200")
            time.sleep(pause)
        if leaves:
            time.sleep(1)
            one.unwrap()
        else:
            assert one.recv(1) == b""
cases = [(version, leaves) for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3) for leaves in (False, True)]
threads = [threading.Thread(target=client, args=case) for case in cases]
for one in threads: one.start()
for one in threads: one.join()
"""
"""Four clients that ask twice, 1.5 s apart; two wait until the server closes, two say goodbye after 1 s."""


@pytest.mark.real("nginx", "tcpdump", "openssl")
def test_a_goodbye_over_tls_is_neither_request_nor_answer(netns: Netns, tmp_path: pathlib.Path) -> None:
    (tmp_path / "index.html").write_text("hello\n")
    http = f"keepalive_timeout 3;\nserver {{\nlisten 127.0.0.1:443 ssl;\nroot {tmp_path};\n{certificate(tmp_path)}}}\n"
    with running(netns, tmp_path / "nginx", http), captured(netns, tmp_path / "tls.pcap", "lo"):
        netns.run(sys.executable, "-c", TLS, str(tmp_path / "a.pem"))
    counted, problem = read_capture(str(tmp_path / "tls.pcap"), None)
    assert problem is None
    port = next(one for one in counted.ports if one.port == 443)
    assert long_ones(port.reused) == [1.5] * 4
    assert long_ones(port.server_closed) == [3, 3]
    assert long_ones(port.client_closed) == [1, 1]
    assert port.at_once == 0


ASK_TIMES = 40
ASK = f"""
import http.client
for _ in range({ASK_TIMES}):
    one = http.client.HTTPConnection("127.0.0.1", 80, timeout=10)
    one.request("GET", "/")
    assert one.getresponse().status == 200
    one.close()
one = http.client.HTTPConnection("127.0.0.1", 81, timeout=10)
for _ in range({ASK_TIMES}):
    try:
        one.connect()
    except ConnectionRefusedError:
        pass
"""


@pytest.mark.real("nginx", "tcpdump")
def test_a_backend_that_closes_first_and_a_port_that_refuses(netns: Netns, tmp_path: pathlib.Path) -> None:
    (tmp_path / "index.html").write_text("hello\n")
    http = f"""\
    upstream app {{ server 127.0.0.1:8080; keepalive 8; }}
    server {{
        listen 127.0.0.1:80;
        location / {{ proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; }}
    }}
    server {{
        listen 127.0.0.1:8080;
        keepalive_requests 1;
        root {tmp_path};
    }}
"""
    with running(netns, tmp_path / "nginx", http) as nginx:
        with captured(netns, tmp_path / "lo.pcap", "lo"):
            netns.run(sys.executable, "-c", ASK)
        asked = ["--sample", "0", "--nginx-conf", str(nginx.conf), "--capture", str(tmp_path / "lo.pcap")]
        report = audit(netns, *asked)
    first = found(report, "upstream-closes-first")["127.0.0.1:8080"]
    assert evidence(first)["item.closed_by_server"] == evidence(first)["item.closed"] == ASK_TIMES
    refused = found(report, "captured-handshakes-refused")["127.0.0.1:81"]
    assert evidence(refused)["item.refused"] == evidence(refused)["item.attempts"] == ASK_TIMES
    assert "(this host)" in refused["message"]
    assert found(report, RULE) == {}


def long_ones(gaps: dict[int, int]) -> list[float]:
    """The gaps of half a second and more, which no handshake takes, to a tenth of a second."""
    return [round(middle(bucket), 1) for bucket, count in gaps.items() for _ in range(count) if middle(bucket) > 0.5]


@pytest.mark.slow
@pytest.mark.real("nginx", "tcpdump", "patch")
def test_at_full_length_the_timeout_of_75_s_holds_what_the_capture_foretold(tmp_path: pathlib.Path) -> None:
    numbers = it_comes_as_foretold(tmp_path, LONG, Times(75, 630, 90, 60), 75)
    assert numbers["before"] > 1.25 * numbers["measured"], "nothing to foretell"
