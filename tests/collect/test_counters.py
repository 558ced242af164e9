"""Counters of a namespace, and of trees."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from advisor.catalog.counters import ABSENT, COUNTERS, GAUGES
from advisor.collect.counters import read_counters, readings
from advisor.errors import InputError
from advisor.snapshot.model import Reading
from advisor.system import System


def tree(root: pathlib.Path, **files: str) -> System:
    (root / "proc/net").mkdir(parents=True)
    for name, text in files.items():
        (root / "proc/net" / name).write_text(text)
    return System(str(root))


@pytest.mark.real
def test_a_full_accept_queue_is_counted(inside: Any) -> None:
    first, last = inside.ask(
        "import socket\nfrom advisor.collect.counters import read_counters\n"
        "first = read_counters(System())\n"
        "server = socket.create_server(('127.0.0.1', 9000), backlog=1)\n"
        "held = [socket.socket() for _ in range(6)]\n"
        "for one in held: one.setblocking(False); one.connect_ex(('127.0.0.1', 9000))\n"
        "answer = [first, read_counters(System())]"
    )
    assert first["TcpExt.ListenOverflows"] == 0
    assert last["TcpExt.ListenOverflows"] >= 4
    assert last["Tcp.PassiveOpens"] == 2
    assert (first["sockstat.TCP.inuse"], last["sockstat.TCP.inuse"]) == (0, 9)


@pytest.mark.real
def test_this_kernel_has_every_counter_of_the_catalogue(inside: Any) -> None:
    read = inside.ask("from advisor.collect.counters import read_counters\nanswer = read_counters(System())")
    everywhere = {name for name in COUNTERS if name.partition(".")[0] not in ABSENT}
    assert read.keys() >= everywhere - {"TcpExt.PAWSTimewait"}, "which is younger than the others"
    assert read.keys() <= COUNTERS.keys()


def test_only_what_is_catalogued_and_a_count(tmp_path: pathlib.Path) -> None:
    system = tree(
        tmp_path,
        snmp="Tcp: MaxConn PassiveOpens InErrs\nTcp: -1 17 -1\n",
        netstat="TcpExt: ListenOverflows TW Unheard\nTcpExt: 764 9223372036854775808 1\n",
        sockstat="TCP: inuse 1 tw 5\n",
    )
    assert read_counters(system) == {
        "Tcp.PassiveOpens": 17,
        "TcpExt.ListenOverflows": 764,
        "sockstat.TCP.inuse": 1,
        "sockstat.TCP.tw": 5,
    }


def test_a_broken_file_is_named_with_its_line(tmp_path: pathlib.Path) -> None:
    with pytest.raises(InputError, match="/proc/net/netstat: line 1: 'x' names no group"):
        read_counters(tree(tmp_path, snmp="", netstat="x\n", sockstat=""))


def test_a_counter_that_went_backwards_has_no_last_reading() -> None:
    assert "sockstat.TCP.tw" in GAUGES
    first = {"TcpExt.TW": 5, "Tcp.OutSegs": 5, "sockstat.TCP.tw": 5, "TcpExt.TWKilled": 5}
    last = {"TcpExt.TW": 4, "Tcp.OutSegs": 6, "sockstat.TCP.tw": 4, "TcpExt.TWRecycled": 1}
    assert readings(first, last) == {
        "TcpExt.TW": Reading(first=5),
        "Tcp.OutSegs": Reading(first=5, last=6),
        "sockstat.TCP.tw": Reading(first=5, last=4),
        "TcpExt.TWKilled": Reading(first=5),
    }
