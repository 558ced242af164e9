"""Netlink messages, built by hand and damaged by hypothesis; the kernel's own are in tests/collect/test_sockets.py."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.formats import sockdiag

V4 = bytes([10, 0, 0, 1]) + bytes(12)
MAPPED = bytes(10) + b"\xff\xff" + bytes([10, 0, 0, 7])
V6 = bytes.fromhex("20010db8000000000000000000000001")


def attribute(kind: int, data: bytes) -> bytes:
    return (struct.pack("=HH", 4 + len(data), kind) + data).ljust((4 + len(data) + 3) & ~3, b"\0")


def socket(
    family: int = 2, state: int = 1, source: bytes = V4, destination: bytes = V4, attributes: bytes = b""
) -> bytes:
    ends = struct.pack("!HH", 80, 40000) + source + destination + struct.pack("=IQ", 0, 77)
    body = struct.pack("=BBBB", family, state, 0, 0) + ends + struct.pack("=IIIII", 0, 9, 8, 1000, 4242) + attributes
    return struct.pack("=IHHII", 16 + len(body), 20, 2, 1, 0) + body


def final(kind: int, code: int) -> bytes:
    return struct.pack("=IHHIIi", 20, kind, 2, 1, 0, code)


def test_rows_walk_by_each_length_not_by_a_stride() -> None:
    data = socket(attributes=attribute(8, b"\0")) + socket(state=6) + socket(10, 8, V6, V6) + final(3, 0)
    rows, status = sockdiag.rows(data)
    assert status == 0
    assert [(family, state, sport, peer[:2]) for family, state, sport, peer in rows] == [
        (2, 1, b"\0P", b"\x9c\x40"),
        (2, 6, b"\0P", b"\x9c\x40"),
        (10, 8, b"\0P", b"\x9c\x40"),
    ]
    assert rows[2][3][2:] == V6 + V6


def test_a_socket_in_full() -> None:
    info = bytearray(160)
    struct.pack_into("=I", info, 44, 1500)
    struct.pack_into("=II", info, 52, 1600, 1700)
    struct.pack_into("=II", info, 152, 3, 4)
    memory = bytes(32) + struct.pack("=I", 140)
    data = socket(10, 1, MAPPED, V6, attribute(2, bytes(info)) + attribute(7, memory) + attribute(11, b"\1"))
    (one,), status = sockdiag.sockets(data)
    assert status is None
    assert (one.sport, one.dport, one.rqueue, one.wqueue, one.uid, one.inode, one.cookie) == (
        80,
        40000,
        9,
        8,
        1000,
        4242,
        77,
    )
    assert (sockdiag.text(one.source), sockdiag.text(one.destination)) == ("10.0.0.7", "2001:db8::1")
    assert sockdiag.info(one) == sockdiag.Info(1500, 1600, 1700, 3, 4)
    assert sockdiag.drops(one) == 140
    assert sockdiag.v6only(one)


def test_what_an_old_kernel_does_not_send_is_none() -> None:
    (one,), _ = sockdiag.sockets(socket(attributes=attribute(2, bytes(104)) + attribute(7, bytes(32))))
    info = sockdiag.info(one)
    assert info is not None
    assert info.data_segs_in is None
    assert sockdiag.drops(one) is None
    (bare,), _ = sockdiag.sockets(socket())
    assert (sockdiag.info(bare), sockdiag.drops(bare), sockdiag.v6only(bare)) == (None, None, False)


def test_a_refusal_carries_its_errno() -> None:
    assert sockdiag.rows(final(2, -2)) == ([], 2)
    assert sockdiag.rows(socket() + final(3, -105))[1] == 105


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (socket()[:-1], "byte 0: a message of 88 bytes in a datagram of 87"),
        (socket() + b"\1\2\3", "byte 88: 3 bytes are no netlink header"),
        (struct.pack("=IHHII", 0, 20, 0, 0, 0), "byte 0: a message of 0 bytes"),
        (struct.pack("=IHHII", 16, 20, 0, 0, 0), "byte 0: a socket in 16 bytes, 88 is the least"),
        (struct.pack("=IHHII", 16, 99, 0, 0, 0), "byte 0: a message of type 99"),
        (socket(attributes=struct.pack("=HH", 2, 7)), "byte 88: an attribute of 2 bytes, 4 are left"),
        (socket(attributes=struct.pack("=HH", 40, 7)), "byte 88: an attribute of 40 bytes"),
    ],
)
def test_damage_is_named_with_its_place(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sockdiag.sockets(data)


@given(st.binary(max_size=600))
def test_no_bytes_crash_it(data: bytes) -> None:
    for parse in (sockdiag.rows, sockdiag.sockets):
        with contextlib.suppress(ValueError):
            parse(data)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6))
def test_no_damage_crashes_it(damage: list[tuple[int, int]]) -> None:
    data = bytearray(socket(10, 1, V6, V6, attribute(2, bytes(160)) + attribute(7, bytes(36))) + socket() + final(3, 0))
    for place, value in damage:
        data[place % len(data)] = value
    try:
        found, _ = sockdiag.sockets(bytes(data))
    except ValueError:
        return
    for one in found:
        sockdiag.info(one)
        sockdiag.drops(one)


@given(st.sets(st.integers(0, 65535), min_size=1, max_size=300), st.integers(0, 65535))
def test_the_filter_lets_through_exactly_its_ports(ports: set[int], port: int) -> None:
    for tried in (port, min(ports)):
        assert runs(sockdiag.ports_filter(ports), tried) == (tried in ports)


def runs(code: bytes, port: int) -> bool:
    """The kernel's inet_diag_bc_run, for the instructions we use."""
    at, left = 0, len(code)
    while left > 0:
        op, yes, no = struct.unpack_from("=BBH", code, at)
        _, _, operand = struct.unpack_from("=BBH", code, at + 4) if op == 11 else (0, 0, 0)
        step = yes if op == 11 and port == operand else no
        at, left = at + step, left - step
    return left == 0


@pytest.mark.parametrize("count", [0, sockdiag.MOST_PORTS + 1])
def test_a_filter_is_bounded(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 4096 ports"):
        sockdiag.ports_filter(range(count))


def test_ipv4_and_mapped_addresses_are_one() -> None:
    assert sockdiag.address(2, MAPPED[12:] + bytes(12)) == sockdiag.address(10, MAPPED) == MAPPED[12:]
    assert sockdiag.text(bytes(16)) == "::"
