"""Netlink messages, built by hand and damaged by hypothesis; the kernel's own are in tests/collect/test_sockets.py."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.formats import sockdiag, sockdiag_whole
from advisor.formats.sockdiag_blocks import Cutter, timed

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


def test_a_socket_in_full() -> None:
    memory = bytes(32) + struct.pack("=I", 140)
    data = socket(10, 1, MAPPED, V6, attribute(21, struct.pack("=Q", 99)) + attribute(7, memory) + attribute(11, b"\1"))
    (one,), status = sockdiag_whole.sockets(data)
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
    assert sockdiag_whole.cgroup(one) == 99
    assert sockdiag_whole.drops(one) == 140
    assert sockdiag_whole.v6only(one)


def test_what_an_old_kernel_does_not_send_is_none() -> None:
    (one,), _ = sockdiag_whole.sockets(socket(attributes=attribute(7, bytes(32)) + attribute(21, bytes(4))))
    assert (sockdiag_whole.drops(one), sockdiag_whole.cgroup(one)) == (None, None)
    (bare,), _ = sockdiag_whole.sockets(socket())
    assert (sockdiag_whole.drops(bare), sockdiag_whole.cgroup(bare), sockdiag_whole.v6only(bare)) == (None, None, False)


def test_a_refusal_carries_its_errno() -> None:
    assert sockdiag_whole.sockets(final(2, -2)) == ([], 2)
    assert sockdiag_whole.sockets(socket() + final(3, -105))[1] == 105


@pytest.mark.parametrize(
    ("datagram", "may"),
    [(final(3, 0), True), (final(2, -2), True), (socket() + final(3, 0), True), (socket() * 2, False), (b"", True)],
)
def test_the_end_is_seen_at_either_end_of_a_datagram(datagram: bytes, may: bool) -> None:  # noqa: FBT001 (a case)
    assert sockdiag.may_end(datagram) == may
    assert sockdiag.may_end(memoryview(datagram)) == may


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
        sockdiag_whole.sockets(data)


@given(st.binary(max_size=600))
def test_no_bytes_crash_it(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        sockdiag_whole.sockets(data)
    with contextlib.suppress(ValueError):
        for block in Cutter().cut(data):
            list(timed(block))


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6))
def test_no_damage_crashes_it(damage: list[tuple[int, int]]) -> None:
    data = bytearray(socket(10, 1, V6, V6, attribute(2, bytes(160)) + attribute(7, bytes(36))) + socket() + final(3, 0))
    for place, value in damage:
        data[place % len(data)] = value
    try:
        found, _ = sockdiag_whole.sockets(bytes(data))
    except ValueError:
        return
    for one in found:
        sockdiag_whole.cgroup(one)
        sockdiag_whole.drops(one)


@given(st.sets(st.integers(0, 65535), min_size=1, max_size=300), st.integers(0, 65535))
def test_the_filter_lets_through_exactly_its_ports(ports: set[int], port: int) -> None:
    for tried in (port, min(ports)):
        assert runs(sockdiag.ports_filter(ports), tried) == (tried in ports)


def runs(code: bytes, sport: int, dport: int = 0) -> bool:
    """The kernel's inet_diag_bc_run, for the instructions we use."""
    at, left = 0, len(code)
    while left > 0:
        op, yes, no = struct.unpack_from("=BBH", code, at)
        _, _, operand = struct.unpack_from("=BBH", code, at + 4) if op != 1 else (0, 0, 0)
        port = sport if op in {2, 3, 11} else dport
        holds = {1: False, 2: port >= operand, 3: port <= operand, 11: port == operand}
        holds |= {4: port >= operand, 5: port <= operand, 12: port == operand}
        step = yes if holds[op] else no
        at, left = at + step, left - step
    return left == 0


PORTS = st.integers(0, 65535)


@given(PORTS, PORTS, st.integers(1, 4096))
def test_the_stripes_let_through_what_is_in_them(sport: int, dport: int, width: int) -> None:
    either = sockdiag.in_stripes(sport, width) or sockdiag.in_stripes(dport, width)
    assert runs(sockdiag.stripes_filter(width), sport, dport) == either
    remote = sockdiag.stripes_filter(width, local=False)
    assert runs(remote, sport, dport) == sockdiag.in_stripes(dport, width)
    for listed in ({sport}, {sport, 80, 443}, {80, 443}):
        both = sport in listed and sockdiag.in_stripes(dport, width)
        assert runs(sockdiag.ports_filter(listed, then=remote), sport, dport) == both


@pytest.mark.parametrize("count", [0, sockdiag.MOST_PORTS + 1])
def test_a_filter_is_bounded(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 4096 ports"):
        sockdiag.ports_filter(range(count))


def test_ipv4_and_mapped_addresses_are_one() -> None:
    assert sockdiag.address(2, MAPPED[12:] + bytes(12)) == sockdiag.address(10, MAPPED) == MAPPED[12:]
    assert sockdiag.text(bytes(16)) == "::"


def test_messages_of_one_kind_are_seen_and_no_other_among_them() -> None:
    """Wherever one message differs in what says its length, type or family, all are walked."""
    one = socket()
    assert sockdiag.stride(one * 5) == sockdiag.stride(one * 5 + final(3, 0)) == len(one)
    assert sockdiag.stride(one * 5 + final(3, 13)) == sockdiag.stride(final(3, 0)) == 0
    for place in range(4 * len(one)):
        data = bytearray(one * 4)
        data[place] ^= 0xFF
        changes_kind = place % len(one) in {*range(6), 16}
        assert (sockdiag.stride(bytes(data)) == 0) == changes_kind, place
    assert sockdiag.stride(one * 5 + one[:-4]) == sockdiag.stride(one[:-1]) == 0
