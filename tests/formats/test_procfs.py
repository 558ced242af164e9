"""The texts of /proc, inline."""

from __future__ import annotations

import contextlib
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.formats import procfs

HEAD = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
LINE = b"   0: 0100007F:1F90 0200007F:9C40 01 00000000:00000003 00:00000000 00000000     0        0 4242 1 0 20\n"
WIDE = LINE.replace(b"   0:", b"1000000:")
MAPPED = (
    b"   1: 0000000000000000FFFF00000100007F:0050 "
    b"B80D0120000000000000000001000000:9C40 06 00000000:00000000 03:0 0 0 0 0 3\n"
)


@pytest.mark.skipif(sys.byteorder != "little", reason="the lines are of a little-endian machine")
def test_lines_of_tcp_and_tcp6() -> None:
    rows = list(procfs.tcp_rows([HEAD, LINE, WIDE, MAPPED]))
    four = (2, 1, b"\x1f\x90", b"\x9c\x40" + b"\x7f\0\0\1".ljust(16, b"\0") + b"\x7f\0\0\2".ljust(16, b"\0"))
    assert rows[0] == rows[1] == (four, 3)
    family, state, sport, peer = rows[2].row
    assert (family, state, sport) == (10, 6, b"\0P")
    assert peer[2:18] == bytes(10) + b"\xff\xff\x7f\0\0\1"
    assert peer[18:] == bytes.fromhex("20010db8000000000000000000000001")


@pytest.mark.parametrize(
    "line",
    [
        b"rubbish\n",
        LINE[:40],
        LINE.replace(b"0100007F", b"0100007"),
        LINE.replace(b"1F90", b"1F"),
        LINE.replace(b" 01 ", b" 0101 "),
    ],
)
def test_a_line_that_is_no_socket_is_named(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"line 3: '.*' is no TCP socket"):
        list(procfs.tcp_rows([HEAD, LINE, line]))


@given(st.lists(st.binary(max_size=200), max_size=4))
def test_no_line_crashes_it(lines: list[bytes]) -> None:
    with contextlib.suppress(ValueError):
        list(procfs.tcp_rows(lines))


def test_counters_pair_names_with_numbers() -> None:
    text = b"Tcp: RtoMin MaxConn PassiveOpens\nTcp: 200 -1 17\nTcpExt: ListenOverflows\nTcpExt: 764\n"
    assert procfs.counters(text) == {
        "Tcp.RtoMin": 200,
        "Tcp.MaxConn": -1,
        "Tcp.PassiveOpens": 17,
        "TcpExt.ListenOverflows": 764,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"Tcp: A B\nTcp: 1\n", "line 2: 1 numbers of Tcp under 2 names of Tcp"),
        (b"Tcp: A\nUdp: 1\n", "line 2: 1 numbers of Udp under 1 names of Tcp"),
        (b"Tcp: A\n", "line 1: the names of Tcp without their numbers"),
        (b"Tcp: A\nTcp: x\n", "line 2: 'x' is no number"),
        (b"nothing\n", "line 1: 'nothing' names no group"),
    ],
)
def test_broken_counters_are_named(text: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        procfs.counters(text)


def test_sockstat() -> None:
    text = b"sockets: used 11\nTCP: inuse 1 orphan 0 tw 9297 alloc 1 mem 90\n"
    found = procfs.sockstat(text)
    assert (found["sockstat.sockets.used"], found["sockstat.TCP.tw"], found["sockstat.TCP.mem"]) == (11, 9297, 90)
    with pytest.raises(ValueError, match=r"line 1: .* is no list of names and numbers"):
        procfs.sockstat(b"TCP: inuse\n")


@given(st.binary(max_size=300))
def test_no_text_crashes_counters(data: bytes) -> None:
    for parse in (procfs.counters, procfs.sockstat):
        with contextlib.suppress(ValueError):
            parse(data)


def test_limits() -> None:
    line = b"Limit Soft Hard Units\nMax open files            1024                 524288               files     \n"
    assert procfs.open_files_limit(line) == 1024
    assert procfs.open_files_limit(line, hard=True) == 524288
    assert procfs.open_files_limit(line.replace(b"1024  ", b"unlimited")) is None
    assert procfs.open_files_limit(line.replace(b"524288", b"unlimited"), hard=True) is None
    with pytest.raises(ValueError, match="no line 'Max open files'"):
        procfs.open_files_limit(b"Limit\n")
    with pytest.raises(ValueError, match="line 1: '' is no number"):
        procfs.open_files_limit(b"Max open files\n")


def test_capabilities() -> None:
    text = b"Name:\tnginx\nCapInh:\t0000000000000000\nCapEff:\t000001fffeffffff\nCapBnd:\t000001ffffffffff\n"
    assert procfs.capabilities(text) == 0x1FFFEFFFFFF
    for wrong in (b"", b"CapEff: 0x1\n", b"CapEff:\t" + b"f" * 17 + b"\n"):
        with pytest.raises(ValueError, match="CapEff"):
            procfs.capabilities(wrong)


def test_memory_and_processors() -> None:
    assert procfs.memory_total(b"MemTotal:       24684092 kB\nMemFree: 1 kB\n") == 24684092 * 1024
    with pytest.raises(ValueError, match="line 1: 'MemTotal: 4 MB' is no size in kB"):
        procfs.memory_total(b"MemTotal: 4 MB\n")
    with pytest.raises(ValueError, match="no line 'MemTotal:'"):
        procfs.memory_total(b"")
    assert procfs.processors(b"cpu  1 2\ncpu0 1 2\ncpu11 1 2\nintr 5\n") == 2
    with pytest.raises(ValueError, match="no line of a CPU"):
        procfs.processors(b"cpu  1 2\n")
