"""Counts of real sockets, against what ss prints and what the test itself made."""

from __future__ import annotations

import collections
import pathlib
import socket
import subprocess
import sys
import time
from typing import Any

import pytest
from support.netns import Netns

from advisor.collect.sockets import read_drops, read_sockets
from advisor.errors import InputError
from advisor.system import System

Inside = Any

WORDS = {
    "ESTAB": "ESTABLISHED",
    "SYN-SENT": "SYN_SENT",
    "FIN-WAIT-1": "FIN_WAIT1",
    "FIN-WAIT-2": "FIN_WAIT2",
    "TIME-WAIT": "TIME_WAIT",
    "CLOSE-WAIT": "CLOSE_WAIT",
    "LAST-ACK": "LAST_ACK",
    "LISTEN": "LISTEN",
}
READ = "from advisor.collect.sockets import read_sockets, read_drops\n"


def settled(ns: Netns) -> str:
    """What ss prints once no FIN waits for its ACK any more, which may be delayed."""
    end = time.monotonic() + 5
    while "FIN-WAIT-1" in (said := ns.run("ss", "-Htan").stdout):
        assert time.monotonic() < end, said
        time.sleep(0.02)
    return said


def by_hand(ns: Netns) -> tuple[dict[str, int], dict[tuple[str, str, int], int]]:
    """States, and sockets a destination, from the lines of ss."""
    states: collections.Counter[str] = collections.Counter()
    towards: collections.Counter[tuple[str, str, int]] = collections.Counter()
    for line in settled(ns).splitlines():
        state, _, _, local, remote = line.split()[:5]
        states[WORDS[state]] += 1
        (here, _, lport), (there, _, rport) = local.rpartition(":"), remote.rpartition(":")
        if state != "LISTEN" and int(lport) not in {8080, 8081, 8082}:
            towards[here.strip("[]"), there.strip("[]"), int(rport)] += 1
    return dict(states), dict(towards)


@pytest.mark.real("ss")
def test_every_count_is_what_ss_prints(inside: Inside) -> None:
    inside.crowd("states")
    states, towards = by_hand(inside.ns)
    netlink, procfs = inside.ask(
        READ + "from advisor.collect import sockets\n"
        "answer = [read_sockets(System(), frozenset([8080])), sockets._by_procfs(System(), frozenset())]"
    )
    for read, method in ((netlink, "SOCK_DIAG"), (procfs, "/proc/net/tcp")):
        assert read["method"] == method
        assert read["states"] == states
        rows = {(row["local"], row["remote"], row["port"]): row["ports"] for row in read["destinations"]}
        assert rows == towards
        assert read["rest"] == 0
        listeners = {(row["address"], row["port"]): row for row in read["listeners"]}
        assert {key: row["states"] for key, row in listeners.items()} == {
            ("0.0.0.0", 8080): {"ESTABLISHED": 100, "TIME_WAIT": 20},  # noqa: S104 (what ss prints)
            ("127.0.0.2", 8080): {"ESTABLISHED": 35},
            ("::", 8081): {"ESTABLISHED": 90, "CLOSE_WAIT": 10},
            ("::1", 8082): {"CLOSE_WAIT": 25},
        }
        assert listeners["::", 8081]["top_clients"] == {"127.0.0.8": 50, "::1": 40}
        assert listeners["::", 8081]["clients"] == 2
        assert listeners["127.0.0.2", 8080]["queue"] == 5
    assert states["TIME_WAIT"] == 35
    assert states["FIN_WAIT2"] == 35
    limits = {(row["address"], row["port"]): row["limit"] for row in netlink["listeners"]}
    assert limits["127.0.0.2", 8080] == 256
    assert {row["limit"] for row in procfs["listeners"]} == {None}
    assert [row["idle"] is None for row in netlink["listeners"]] == [False, False, True, True]


@pytest.mark.real
def test_both_ways_to_ask_see_the_same(inside: Inside) -> None:
    inside.crowd("states")
    one, two = inside.ask(
        "from advisor.collect.netlink import ask\nfrom advisor.formats import sockdiag as s, sockdiag_whole as w\n"
        "def seen(*families):\n"
        "    asked = (s.question(family, 0x1ffe) for family in families)\n"
        "    return sorted(str(row[:6]) for each in asked for data in ask(each) for row in w.sockets(data)[0])\n"
        "answer = [seen(0), seen(2, 10)]"
    )
    assert one == two
    assert len(one) > 500


@pytest.mark.real
def test_the_summary_counts_as_the_full_count_does(inside: Inside) -> None:
    inside.crowd("states")
    settled(inside.ns)
    summary, full = inside.ask(
        READ + "from advisor.catalog.tcp import name\nfrom advisor.collect.summary import read_states\n"
        "short = {name(state): count for state, count in read_states(System()).items()}\n"
        "answer = [short, read_sockets(System(), frozenset()).states]"
    )
    assert summary == full


@pytest.mark.real
def test_past_the_budget_a_part_stands_for_all(inside: Inside) -> None:
    """6,000 connections over loopback, both ends of which are here; which a small budget makes it sample."""
    code = READ + (
        "import socket\n"
        "held = []\n"
        "for port, count in ((9001, 4000), (9002, 1500), (9003, 500)):\n"
        "    server = socket.create_server(('127.0.0.1', port), backlog=128); held.append(server)\n"
        "    for _ in range(count):\n"
        "        client = socket.create_connection(('127.0.0.1', port)); one = server.accept()[0]\n"
        "        client.send(b'x'); one.recv(1); one.send(b'y'); held += [client, one]\n"
        "answer = [read_sockets(System(), frozenset(ports), None, budget) for ports, budget in "
        "(((), 0.01), ((9001,), 0.01), ((), 60.0), ((), None))]"
    )
    part, aged, roomy, whole = inside.ask(code)
    assert roomy == whole
    assert whole["share"] == 1.0
    assert 0.1 < part["share"] < 0.5
    assert part["states"] == whole["states"]
    for row, true in ((9001, 4000), (9002, 1500), (9003, 500)):
        (listener,) = (one for one in part["listeners"] if one["port"] == row)
        (there,) = (one for one in part["destinations"] if one["port"] == row)
        off = 5 * (true / part["share"]) ** 0.5  # five times the standard error of a random sample
        assert listener["states"]["ESTABLISHED"] == pytest.approx(true, abs=off)
        assert there["ports"] == pytest.approx(true, abs=off)
        assert listener["clients"] is None
    (idle,) = (one["idle"] for one in aged["listeners"] if one["port"] == 9001)
    assert sum(idle["counts"]) == pytest.approx(4000, abs=1000)


@pytest.mark.real
def test_drops_are_of_the_listener_that_dropped(inside: Inside) -> None:
    code = READ + (
        "import socket\n"
        "def listen(port, backlog):\n"
        "    server = socket.socket(); server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)\n"
        "    server.bind(('127.0.0.1', port)); server.listen(backlog); return server\n"
        "def knock(port, count):\n"
        "    made = [socket.socket() for _ in range(count)]\n"
        "    for one in made: one.setblocking(False); one.connect_ex(('127.0.0.1', port))\n"
        "    return made\n"
        "held = [listen(9001, 1), listen(9002, 64), listen(9002, 64)]\n"
        "held += knock(9001, 10) + knock(9002, 10)\n"
        "before = read_drops(System())\n"
        "held += knock(9001, 5)\n"
        "answer = [read_sockets(System(), frozenset(), before), read_sockets(System(), frozenset())]"
    )
    both, once = inside.ask(code)
    small, large = both["listeners"]
    assert (small["port"], small["queue"], small["limit"], small["sockets"]) == (9001, 2, 1, 1)
    assert small["drops"]["first"] >= 8
    assert small["drops"]["last"] >= small["drops"]["first"] + 5
    assert (large["port"], large["sockets"], large["limit"], large["drops"]) == (9002, 2, 64, {"first": 0, "last": 0})
    assert large["states"] == {"ESTABLISHED": 10}
    assert both["states"]["SYN_SENT"] == 13
    assert once["listeners"][0]["drops"]["last"] is None


@pytest.mark.real("nginx")
def test_idle_is_told_from_polling_silent_and_downloading(inside: Inside, tmp_path: pathlib.Path) -> None:
    (tmp_path / "big").write_bytes(bytes(8 << 20))
    (tmp_path / "small").write_bytes(b"x")
    tmp_path.chmod(0o755)
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off;\n"
        f"server {{ listen 8080; listen 127.0.0.1:8443; root {tmp_path};\n"
        "location /poll { proxy_pass http://127.0.0.1:9000; } } }\n"
    )
    inside.ns.start("nginx", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), stderr=subprocess.DEVNULL)
    code = READ + (
        "import socket, time\n"
        "backend = socket.create_server(('127.0.0.1', 9000))\n"
        "def open_one():\n"
        "    end = time.monotonic() + 5\n"
        "    while True:\n"
        "        try: return socket.create_connection(('127.0.0.1', 8080))\n"
        "        except ConnectionRefusedError:\n"
        "            assert time.monotonic() < end; time.sleep(0.02)\n"
        "def get(path):\n"
        "    one = open_one(); one.sendall(f'GET {path} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'.encode()); return one\n"
        "held = [open_one() for _ in range(3)] + [get('/poll') for _ in range(4)] + [get('/big') for _ in range(2)]\n"
        "old = [get('/small') for _ in range(5)]\n"
        "for one in old: one.recv(4096)\n"
        "time.sleep(1.2)\n"
        "new = [get('/small') for _ in range(6)]\n"
        "for one in new: one.recv(4096)\n"
        "time.sleep(0.2)\n"
        "answer = read_sockets(System(), frozenset([8080, 8443, 7]))"
    )
    read = inside.ask(code)
    rows = {row["port"]: row for row in read["listeners"]}
    assert rows[8080]["states"] == {"ESTABLISHED": 20}
    counts = rows[8080]["idle"]["counts"]
    assert (counts[0], sum(counts[1:5]), sum(counts)) == (6, 5, 11)
    assert 1.3 < rows[8080]["idle"]["oldest"] < 5
    assert sum(rows[8443]["idle"]["counts"]) == 0
    assert rows[9000]["idle"] is None


def tree(tmp_path: pathlib.Path, text: str) -> System:
    (tmp_path / "proc/net").mkdir(parents=True)
    (tmp_path / "proc/net/tcp").write_text(text)
    return System(str(tmp_path))


@pytest.mark.skipif(sys.byteorder != "little", reason="the lines are of a little-endian machine")
def test_a_tree_is_read_from_its_proc_net_tcp(tmp_path: pathlib.Path) -> None:
    head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    listening = "   0: 00000000:1F90 00000000:0000 0A 00000000:00000002 00:0 0 0 0 1 1 0\n"
    served = "   1: 0100007F:1F90 0200007F:9C40 01 00000000:00000000 00:0 0 0 0 2 1 0\n"
    system = tree(tmp_path, head + served + listening)
    read = read_sockets(system, frozenset([8080]), read_drops(system))
    assert read.method == "/proc/net/tcp"
    assert read.states == {"LISTEN": 1, "ESTABLISHED": 1}
    (listener,) = read.listeners
    assert (listener.queue, listener.limit, listener.drops, listener.idle) == (2, None, None, None)
    assert listener.top_clients == {"127.0.0.2": 1}
    assert read.destinations == []


def test_a_broken_tree_names_the_line(tmp_path: pathlib.Path) -> None:
    with pytest.raises(InputError, match="/proc/net/tcp: line 2: 'rubbish' is no TCP socket"):
        read_sockets(tree(tmp_path, "  sl\nrubbish\n"), frozenset())


def test_a_tree_without_proc_says_so(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_sockets(System(str(tmp_path)), frozenset())


def test_where_netlink_is_refused_proc_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> socket.socket:
        raise PermissionError(1, "refused")

    monkeypatch.setattr("advisor.collect.netlink.socket", refuse)
    assert read_sockets(System(), frozenset()).method == "/proc/net/tcp"
    assert read_drops(System()) == {}
