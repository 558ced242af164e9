"""A capture of packets as a snapshot has it: what is counted, whose addresses those are, and what is refused."""

from __future__ import annotations

import pathlib
import socket

import pytest
from support import capture_files as files
from support import packets

from advisor.capture.buckets import bucket
from advisor.collect.captured import read_capture
from advisor.collect.own_addresses import read_addresses
from advisor.collect.run import Request, collect
from advisor.errors import InputError
from advisor.jobs import keep, load
from advisor.snapshot.json import dumps
from advisor.system import System

FIN, SYN, RST, ACK = 1, 2, 4, 16
CLIENT, SERVER, OTHER = ("10.0.0.5", 40000), ("10.0.0.1", 80), ("2001:db8::9", 5432)
Packet = tuple[float, tuple[str, int], tuple[str, int], int, int, int, bytes]

IDLE: list[Packet] = [
    (0.0, CLIENT, SERVER, SYN, 100, 0, b""),
    (0.25, SERVER, CLIENT, SYN | ACK, 500, 101, b""),
    (0.5, CLIENT, SERVER, ACK, 101, 501, b""),
    (1.0, CLIENT, SERVER, ACK, 101, 501, b"GET /"),
    (1.5, SERVER, CLIENT, ACK, 501, 106, b"hello"),
    (4.5, CLIENT, SERVER, ACK, 106, 506, b"GET /"),
    (5.0, SERVER, CLIENT, ACK, 506, 111, b"hello"),
    (80.0, SERVER, CLIENT, FIN | ACK, 511, 111, b""),
    (80.1, CLIENT, SERVER, FIN | ACK, 111, 512, b""),
    (80.2, SERVER, CLIENT, ACK, 512, 112, b""),
    (81.0, ("2001:db8::5", 40001), OTHER, SYN, 7, 0, b""),
    (90.0, ("2001:db8::5", 40002), OTHER, SYN, 7, 0, b""),
]
"""A connection that asks twice and that the server closes when it has been idle for 75 s; two SYNs without answer."""


def written(path: pathlib.Path, rows: list[Packet], end: bytes = b"") -> str:
    records = [
        files.record(
            1000 + int(at),
            round(at % 1 * 1e6),
            packets.ether(packets.tcp(source, target, flags, seq=seq, ack=ack, payload=payload)),
        )
        for at, source, target, flags, seq, ack, payload in rows
    ]
    path.write_bytes(files.pcap() + b"".join(records) + end)
    return str(path)


def test_what_is_counted(tmp_path: pathlib.Path) -> None:
    own = frozenset({socket.inet_aton("10.0.0.1")})
    found, problem = read_capture(written(tmp_path / "web.pcap", IDLE), own)
    assert problem is None
    assert (found.name, found.packets, found.seconds) == ("web.pcap", 12, 90.0)
    web, database = sorted(found.servers, key=lambda row: row.port)
    assert (web.address, web.port, web.local) == ("10.0.0.1", 80, True)
    assert (database.address, database.port, database.local) == ("2001:db8::9", 5432, False)
    assert web.counts["held_us"] == 79_500_000
    assert web.counts["closed_server"] == web.server["TIME_WAIT"] == web.client["CLOSE"] == 1
    assert database.counts == database.counts | {"attempts": 2, "unanswered": 1, "pending": 1}
    assert database.client == {"SYN_SENT": 2}
    assert database.server == {"unseen": 2}
    port = found.ports[0]
    assert (port.port, port.connections, port.clients, port.top) == (80, 1, 1, 1)
    assert port.reused == {bucket(3.0): 1}
    assert port.server_closed == {bucket(75.0): 1}
    assert port.handshakes == {bucket(0.5): 1}
    assert port.client_closed == port.cut == {}


def test_whose_address_it_is_may_not_be_known(tmp_path: pathlib.Path) -> None:
    found, _ = read_capture(written(tmp_path / "web.pcap", IDLE), None)
    assert {row.local for row in found.servers} == {None}
    mine = [(at, source, ("127.0.0.9", 80), *rest) for at, source, target, *rest in IDLE[:1]]
    found, _ = read_capture(written(tmp_path / "lo.pcap", mine), frozenset())
    assert [row.local for row in found.servers] == [True]


def test_the_damaged_end_is_told_and_the_rest_counted(tmp_path: pathlib.Path) -> None:
    path = written(tmp_path / "web.pcap", IDLE, b"cut")
    snapshot = collect(Request(host=False, capture=path))
    assert snapshot.capture is not None
    assert snapshot.capture.packets == 12
    assert snapshot.sample == 0, "nothing of it is read twice"
    ((source, why),) = snapshot.problems
    assert source == "capture"
    assert str(path) in why


def test_a_request_that_met_the_timeout_is_a_race(tmp_path: pathlib.Path) -> None:
    lost: list[Packet] = [
        *IDLE[:8],
        (80.01, CLIENT, SERVER, ACK, 111, 511, b"POST "),
        (80.02, SERVER, CLIENT, RST, 512, 0, b""),
    ]
    snapshot = collect(Request(host=False, capture=written(tmp_path / "web.pcap", lost)))
    assert snapshot.capture is not None
    assert snapshot.capture.servers[0].counts["races"] == 1


def test_a_snapshot_keeps_it_masked_or_not(tmp_path: pathlib.Path) -> None:
    snapshot = collect(Request(host=False, capture=written(tmp_path / "web.pcap", IDLE)))
    assert load.parse(dumps(snapshot).encode(), "web.json") == snapshot
    for text in (keep.to_json(snapshot, with_config=flag) for flag in (False, True)):
        assert load.parse(text.encode(), "web.json").capture == snapshot.capture
        assert "10.0.0.5" not in text
        assert "GET /" not in text


def test_without_one_the_reason_names_the_option(tmp_path: pathlib.Path) -> None:
    conf = tmp_path / "nginx.conf"
    conf.write_text("events { }\n")
    snapshot = collect(Request(host=False, nginx_conf=str(conf)))
    assert snapshot.unread["capture"] == "no capture of packets was given (--capture FILE)"


def test_what_is_no_capture_is_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("no capture at all, but text\n")
    with pytest.raises(InputError, match=r"a\.txt"):
        collect(Request(host=False, capture=str(path)))
    with pytest.raises(InputError, match="can't be read"):
        collect(Request(host=False, capture=str(tmp_path / "none.pcap")))


def test_the_addresses_of_a_tree(tmp_path: pathlib.Path) -> None:
    net = tmp_path / "proc" / "net"
    net.mkdir(parents=True)
    system = System(str(tmp_path))
    assert read_addresses(system) is None
    (net / "fib_trie").write_text(
        "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 10.9.0.0\n        /24 link UNICAST\n     |-- 10.9.0.1\n"
        "        /32 host LOCAL\n     |-- 10.9.0.255\n        /32 link BROADCAST\n"
    )
    assert read_addresses(system) == {socket.inet_aton("10.9.0.1")}
    (net / "if_inet6").write_text("20010db8000000000000000000000001 02 40 00 80     eth0\n")
    assert read_addresses(system) == {
        socket.inet_aton("10.9.0.1"),
        socket.inet_pton(socket.AF_INET6, "2001:db8::1"),
    }


def test_the_addresses_of_this_host_hold_loopback() -> None:
    assert socket.inet_aton("127.0.0.1") in (read_addresses(System()) or ())
