"""Blocks of netlink messages against the same messages taken one by one."""

from __future__ import annotations

import struct
import sys

import pytest
from formats.test_sockdiag import MAPPED, V4, V6, attribute, final, socket
from hypothesis import given
from hypothesis import strategies as st

from advisor.formats.sockdiag import STATE
from advisor.formats.sockdiag_blocks import SPORT, Cutter, packed, timed
from advisor.formats.sockdiag_whole import sockets

GROUP = attribute(21, struct.pack("=Q", 4711))


def info(size: int = 160) -> bytes:
    """An attribute with struct tcp_info."""
    data = bytearray(size)
    struct.pack_into("=I", data, 44, 1500)
    struct.pack_into("=II", data, 52, 1600, 1700)
    if size >= 160:
        struct.pack_into("=II", data, 152, 3, 4)
    return attribute(2, bytes(data))


ONES = st.sampled_from(
    [
        socket(),
        socket(state=6),
        socket(attributes=GROUP),
        socket(state=8, attributes=attribute(8, b"\0") + GROUP),
        socket(10, 1, V6, V6, GROUP),
        socket(10, 1, MAPPED, MAPPED, GROUP),
        socket(attributes=attribute(8, b"\0") + attribute(22, bytes(256)) + GROUP),
    ]
)


@given(st.lists(st.lists(ONES, max_size=30), max_size=4))
def test_no_message_is_lost_or_made_up(batches: list[list[bytes]]) -> None:
    cutter = Cutter()
    for batch in batches:
        blocks = cutter.cut(b"".join(batch) + final(3, 0))
        rows = [
            (state, sport, bytes(source), bytes(destination))
            for block in blocks
            for state, sport, source, destination in zip(
                block.column(STATE),
                zip(*block.columns(SPORT, 2), strict=True),
                zip(*block.columns(block.source, block.width), strict=True),
                zip(*block.columns(block.destination, block.width), strict=True),
                strict=True,
            )
        ]
        one_by_one, _ = sockets(b"".join(batch))
        wanted = [(one.state, divmod(one.sport, 256), one.source, one.destination) for one in one_by_one]
        assert sorted(rows) == sorted(wanted)
        assert sum(block.sockets for block in blocks) == len(batch)


def test_a_header_inside_a_message_is_no_message() -> None:
    """The peer chooses its address: it must not be able to end a message early."""
    inner = socket()[:16]
    cutter = Cutter()
    cutter.cut(socket(attributes=GROUP) + socket())
    blocks = cutter.cut((socket(10, 1, inner, inner, GROUP) + socket()) * 3)
    assert sum(block.sockets for block in blocks) == 6


def test_damage_is_named_once_kinds_are_known() -> None:
    cutter = Cutter()
    cutter.cut(socket())
    with pytest.raises(ValueError, match="byte 88: a message of 88 bytes in a datagram of 175"):
        cutter.cut(socket() + socket()[:-1])


def test_more_kinds_than_are_looked_for_at_once() -> None:
    cutter = Cutter()
    data = b"".join(socket(attributes=attribute(30, bytes(4 * size))) for size in range(40))
    for _ in range(2):
        assert sum(block.sockets for block in cutter.cut(data)) == 40


def test_numbers_are_packed_as_the_columns_lie_in_memory() -> None:
    (block,) = Cutter().cut(socket() * 2)
    (one, two) = packed("I", [*block.columns(SPORT, 2), block.column(STATE)])
    assert one == two == int.from_bytes(b"\0P\1\0", sys.byteorder)


def test_ages_stand_where_their_attribute_does() -> None:
    data = socket(10, 1, MAPPED, MAPPED, GROUP + info()) * 2 + socket(attributes=info(104)) + socket(state=6)
    found = [one for block in Cutter().cut(data) for one in timed(block)]
    assert [(one.sport, one.dport, one.source, one.destination) for one in found] == [
        *[(80, 40000, MAPPED[12:], MAPPED[12:])] * 2,
        (80, 40000, V4[:4], V4[:4]),
    ]
    assert found[0][4:] == (9, 8, 1000, 4242, 1500, 1600, 1700, 3, 4, 4711)
    assert found[2][4:] == (9, 8, 1000, 4242, 1500, 1600, 1700, None, None, None)


def test_messages_of_one_length_with_other_attributes_are_told_apart() -> None:
    data = socket(attributes=info() + GROUP) + socket(attributes=GROUP + info())
    (block,) = Cutter().cut(data)
    assert [one.cgroup for one in timed(block)] == [4711, 4711]
    assert {one.last_ack_recv for one in timed(block)} == {1700}
