"""Incidents as they are met, each under one whole audit: the right rule, the numbers of ``ss``, and no other alarm.

They are smaller than in the field: hundreds of connections in place of 40,000, 500 ports in place of 28,232, and where
a rule looks at a minute of idleness the threshold is a parameter and made seconds. What stays as it is: the kernel,
nginx, and the rules, all of which are asked. Others stand where more is tested of them, under the same audit: ports
that are used up, and who holds TIME_WAIT, in `test_ports`; tcp_fin_timeout in `test_time_wait`; those of minutes
in `test_close_wait` and `test_keepalive`.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from support.command import PEERS, once, plan, play
from support.incident_audit import Wanted, audited, auditing, by_hand, numbers
from support.inside import PATIENCE, ask, inside
from support.load import Mix
from support.netns import Netns, pair
from support.nginx import Nginx, running
from support.port_driver import client, server
from support.steady import steady

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

HERE, THERE = "10.9.0.1", "10.9.0.2"
WEB = f"{HERE}:80"
KEEPALIVE = "keepalive-timeout-long"


def short(seconds: int, *, longest: int | None = None) -> list[str]:
    """The parameters of a rule on minutes, made seconds."""
    arguments = ["--param", f"{KEEPALIVE}.short={seconds} s"]
    return arguments + (["--param", f"{KEEPALIVE}.longest={longest} s"] if longest else [])


@contextlib.contextmanager
def idle_clients(ns: Netns, first: int, count: int) -> Iterator[None]:
    """So many clients, an address each, who have asked once and stay."""
    with contextlib.ExitStack() as stack, inside(ns):
        for number in range(first, first + count):
            source = (f"10.77.{number // 250}.{number % 250 + 1}", 0)
            one = stack.enter_context(socket.create_connection((HERE, 80), PATIENCE, source_address=source))
            assert ask(one)[0].startswith("HTTP/1.1 200")
        yield


@pytest.mark.real("nginx", "ss")
def test_the_field_report_counts_who_is_held_and_for_how_long(tmp_path: pathlib.Path) -> None:
    """400 held by keepalive_timeout 300, of whom 300 have been idle for over 4 s: the field's minute."""
    http = f"    keepalive_timeout 300;\n    server {{ listen {WEB} backlog=4096 reuseport; return 200; }}\n"
    with pair() as (ns, there), running(ns, tmp_path, http, workers=4):
        ns.run("ip", "route", "add", "10.77.0.0/20", "via", THERE)
        there.run("ip", "route", "add", "local", "10.77.0.0/20", "dev", "lo")
        with idle_clients(there, 0, 300):
            time.sleep(4.1)
            with idle_clients(there, 300, 100):
                incident = audited(ns, "--sample", "0", *short(4))
    finding = incident.only(KEEPALIVE, "http")
    established, held, clients = numbers(finding, "item.established", "held", "item.clients")
    assert (established, held, clients) == (400, 300, 400)
    incident.equal(established, Wanted("ESTAB", WEB))
    incident.equal(held, Wanted("ESTAB", WEB, idle=4000))
    assert (finding["severity"], finding["confidence"]) == ("high", "observed")
    assert finding["location"]["file"] == str(tmp_path / "nginx.conf")
    assert incident.serious() == {KEEPALIVE}


RATE, LONG, SHORT = 60, 5, 2
STEADY = Mix(
    host=HERE,
    port=80,
    network="10.77.0.0/20",
    seed=1,
    seconds=60,
    once=RATE,
    visits=0,
    downloads=0,
    silent=0,
    returning=[],
    pollers=0,
)
"""Steady arrivals, one request each, then idle for as long as the server lets them be."""


def established(ns: Netns) -> int:
    return Wanted("ESTAB", WEB).of(by_hand(ns)).total()


@pytest.mark.real("nginx", "ss", "patch")
def test_the_keepalive_law_holds_and_a_reload_is_taken_for_no_cure(tmp_path: pathlib.Path) -> None:
    """Clients who ask once: ESTABLISHED is arrivals times keepalive_timeout, which is 5 s here, and then 2 s."""
    http = f"    keepalive_timeout {LONG};\n    server {{ listen {WEB}; return 200; }}\n"
    look = ["--sample", "0", *short(SHORT, longest=SHORT)]
    with pair() as (ns, there), running(ns, tmp_path, http) as nginx:
        ns.run("ip", "route", "add", STEADY.network, "via", THERE)
        with steady(there, STEADY) as load:
            load.until(LONG + 2)
            law = audited(ns, *look)
            made = plan(ns, tmp_path / "out", "--unsafe", "--select", KEEPALIVE, *look)
            nginx.reload()
            fooled = audited(ns, *look)
            time.sleep(LONG + 1)
            back = established(ns)
            ns.run("patch", "-p1", "-d", "/", "-i", str(tmp_path / "out/nginx.diff"))
            nginx.reload()
            time.sleep(SHORT + 1)
            cured, shorter = audited(ns, *look), established(ns)
    finding = law.only(KEEPALIVE, "http")
    held, old = numbers(finding, "item.established", "held")
    law.equal(held, Wanted("ESTAB", WEB))
    law.equal(old, Wanted("ESTAB", WEB, idle=SHORT * 1000))
    assert held == pytest.approx(RATE * LONG, rel=0.1)
    assert old == pytest.approx(RATE * (LONG - SHORT), rel=0.1)
    assert finding["expected"][0].startswith(f"about {held - old:.0f} ESTABLISHED at {SHORT} s, ")
    assert law.serious() == {KEEPALIVE}

    assert ([one["after"] for one in made["nginx"]], made["needs"]) == ([f"keepalive_timeout {SHORT}"], ["reload"])
    page = " ".join((tmp_path / "out/README.md").read_text().split())
    assert "A reload closes every idle keep-alive connection at once" in page
    after = fooled.only(KEEPALIVE, "http")
    seen, long = numbers(after, "item.established", "held")
    fooled.equal(seen, Wanted("ESTAB", WEB))
    assert seen < held * 0.75, "the reload let all go who were idle"
    assert long < old / 2
    assert (after["state"], after["confidence"]) == ("fail", "potential")
    assert after["steps"][-1]["text"].startswith("count again when the workers, ")
    assert back == pytest.approx(held, rel=0.1), "and proved nothing"

    assert shorter == pytest.approx(held - old, rel=0.1), "a steady load does: it came as the audit had forecast"
    assert [rule for _, rule, _ in cured.rules() if rule == KEEPALIVE] == []
    assert fooled.serious() == cured.serious() == set()


POOL = """
    upstream app { server 10.9.0.2:8000; keepalive 64; keepalive_requests 1000000; }
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    server { listen 10.9.0.1:8080; keepalive_requests 1000000; location / { proxy_pass http://app; } }
"""


@pytest.mark.real("nginx", "ss", "wrk")
def test_a_pool_as_large_as_its_clients_needs_no_advice(tmp_path: pathlib.Path) -> None:
    """500 ports, 50 clients, ``keepalive 64``: the same with 16, or none, runs out of ports (see `test_ports`).

    With the default ``keepalive_requests 1000`` of an upstream it would, too: 10,000 requests a second close ten
    connections, and 500 ports in TIME_WAIT for 60 s suffice for eight. The audit says that as well.
    """
    backend = f"    server {{ listen {THERE}:8000; keepalive_requests 1000000; return 200; }}\n"
    with pair() as (ns, there):
        ns.sysctl(net__ipv4__ip_local_port_range="40000 40499")
        with running(there, tmp_path / "b", backend), running(ns, tmp_path / "p", POOL):
            wrk = there.start("wrk", "-t1", "-c50", "-d3s", f"http://{HERE}:8080/", stdout=subprocess.PIPE, text=True)
            time.sleep(0.5)
            incident = audited(ns, entered=True)
            said, _ = wrk.communicate(timeout=30)
    assert "Non-2xx" not in said
    assert 0 < Wanted("ESTAB", remote=f"{THERE}:8000").of(incident.after).total() <= 64
    rules = {rule for _, rule, _ in incident.rules() if rule.startswith(("port", "upstream-"))}
    assert rules == {"port-range-narrow"}, "500 are few, but they suffice"
    assert incident.serious() == set()


BACKLOG, CROWD = 8, 200


@contextlib.contextmanager
def crowd(nginx: Nginx, there: Netns) -> Iterator[int]:
    """200 clients come while the worker is stuck: how many got through."""
    [worker] = nginx.serving()
    os.kill(worker, signal.SIGSTOP)
    try:
        argv = [*PEERS, "crowd", "burst", str(CROWD), WEB]
        clients = there.start(*argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert clients.stdin is not None
        assert clients.stdout is not None
        with clients.stdin, clients.stdout:
            yield json.loads(clients.stdout.readline())[WEB]
    finally:
        os.kill(worker, signal.SIGCONT)


def nstat(ns: Netns, name: str) -> int:
    return int(ns.run("nstat", "-asz", name).stdout.split()[-2])


@pytest.mark.real("nginx", "ss", "nstat")
def test_a_listen_overflow_is_told_by_its_queue_and_its_drops(tmp_path: pathlib.Path) -> None:
    """As it is in the field but for the cause: the worker is stopped, where it would be busy or waiting for a disk."""
    http = f"    server {{ listen {WEB} backlog={BACKLOG}; return 200; }}\n"
    with pair() as (ns, there), running(ns, tmp_path, http) as nginx, crowd(nginx, there) as through:
        dropped = nstat(ns, "TcpExtListenDrops")
        incident = audited(ns, "--sample", "1.5")
        dropped_after, overflows = nstat(ns, "TcpExtListenDrops"), nstat(ns, "TcpExtListenOverflows")
        clients = by_hand(there)
    assert through == BACKLOG + 1
    assert Wanted("ESTAB").of(clients).total() == through
    assert Wanted("SYN-SENT").of(clients).total() == CROWD - through
    finding = incident.only("accept-queue-overflowing", WEB)
    assert (finding["severity"], finding["confidence"]) == ("high", "observed")
    new, old, queue, limit = numbers(finding, "item.drops", "item.drops_before", "item.queue", "item.limit")
    incident.equal(queue, Wanted("ESTAB", WEB))
    assert [row.queues for row in incident.after if row.state == "LISTEN"] == [(queue, limit)] == [(9, BACKLOG)]
    assert dropped <= new + old <= dropped_after
    assert overflows == dropped_after, "nothing else was dropped"
    assert new >= CROWD - through, "each tries again within a second"
    # The same queue, seen in the file that made it so short.
    assert incident.serious() == {"accept-queue-overflowing", "listen-backlog-small"}


LEAKED, MORE = 200, 100


@pytest.mark.real("ss")
def test_a_leak_is_told_by_its_owner_and_does_not_look_like_anything_else() -> None:
    """300 of the field's 3,000, of whom 200 have waited for over 3 s: the field's minute."""
    with pair() as (ns, there):
        leaky = play(ns, "leaky", "hold", HERE, "8080")
        once(there, "visitor", "visit", HERE, "8080", str(LEAKED))
        time.sleep(3.5)
        once(there, "visitor", "visit", HERE, "8080", str(MORE))
        time.sleep(0.2)
        incident, clients = audited(ns, "--sample", "0", "--param", "close-wait-leak.age=3 s"), by_hand(there)
    finding = incident.only("close-wait-leak", "leaky to clients of port 8080")
    count, _, words = finding["message"].partition(" ")
    assert words.startswith(f"CLOSE_WAIT to clients of port 8080 held by leaky (pid {leaky.pid}), the oldest for ")
    assert (int(count), *numbers(finding, "old")) == (LEAKED + MORE, LEAKED)
    incident.equal(int(count), Wanted("CLOSE-WAIT", f"{HERE}:8080"))
    assert Wanted("FIN-WAIT-2").of(clients).total() == int(count), "their ends wait for it"
    assert (finding["severity"], finding["confidence"]) == ("high", "observed")
    assert incident.serious() == {"close-wait-leak"}


TABLE = 500


@pytest.mark.real("ss", "nstat", "sysctl")
def test_a_full_table_of_time_wait_is_told_by_its_counter() -> None:
    with pair() as (ns, there), server(there, THERE, 8080), client(ns) as ours:
        ns.sysctl(net__ipv4__tcp_max_tw_buckets=str(TABLE))
        with auditing(ns, 0.5) as audit:
            assert ours.churn(THERE, 8080, 10, most=2000) == 2000
        lost = nstat(ns, "TcpExtTCPTimeWaitOverflow")
    incident = audit.incident
    finding = incident.only("time-wait-overflowing", "")
    assert (finding["severity"], finding["confidence"]) == ("high", "observed")
    delta, held = numbers(finding, "counters.TcpExt.TCPTimeWaitOverflow.delta", "tw")
    assert delta == lost
    assert held == Wanted("TIME-WAIT", remote=f"{THERE}:8080").of(incident.after).total()
    assert TABLE <= held <= TABLE * 1.1
    assert incident.serious() == {"time-wait-overflowing"}
