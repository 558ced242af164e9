"""pcapng: sections, interfaces and their clocks, every block that holds a frame, and damage."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import capture_files as cf

from advisor.formats.captured import Capture, open_capture
from advisor.formats.frames import LONGEST, Frames
from advisor.formats.pcapng_interfaces import Interfaces


def opened(*blocks: bytes) -> tuple[Capture, list[Frames]]:
    capture = open_capture(io.BytesIO(b"".join(blocks)))
    return capture, list(capture)


def resolution(value: int) -> bytes:
    return cf.option(9, bytes([value]))


def test_sections_count_their_interfaces_anew() -> None:
    first = cf.section() + cf.interface(1) + cf.interface(113, options=resolution(9)) + cf.enhanced(5, b"a", 1)
    second = cf.section(">") + cf.interface(101, order=">") + cf.enhanced(6, b"b", 0, order=">")
    third = cf.section() + cf.interface(276) + cf.enhanced(7, b"c")
    capture, (frames,) = opened(first, second, third)
    assert capture.problem is None
    assert frames.links == (1, 113, 101, 276)
    assert frames.interface is not None
    assert frames.interface.tolist() == [1, 2, 3]
    assert frames.time.tolist() == [5, 6000, 7000]
    assert frames.captured.tolist() == [1, 1, 1]
    assert capture.format == "pcapng, little-endian"


def test_a_frame_is_judged_by_the_interfaces_before_it() -> None:
    capture, frames = opened(
        cf.section(), cf.interface(), cf.enhanced(1, b"a"), cf.enhanced(2, b"b", 1), cf.interface()
    )
    assert [part.time.tolist() for part in frames] == [[1000]]
    assert f"byte {28 + 20 + 36}: a frame that does not fit into its block, or of no interface" in str(capture.problem)


@pytest.mark.parametrize("order", "<>")
def test_old_and_simple_packets(order: str) -> None:
    capture, (frames,) = opened(
        cf.section(order),
        cf.interface(1, snaplen=4, order=order),
        cf.interface(1, order=order),
        cf.simple(b"early", order=order),
        cf.old_packet(8, b"old", 1, order=order),
        cf.simple(b"simple", 70, order=order),
        cf.enhanced(9, b"enhanced", order=order),
    )
    spans = zip(frames.offset.tolist(), frames.captured.tolist(), strict=True)
    assert [frames.data[start : start + size].tobytes() for start, size in spans] == [
        b"earl",
        b"old",
        b"simp",
        b"enhanced",
    ]
    assert frames.original.tolist() == [5, 3, 70, 8]
    assert frames.time.tolist() == [0, 8000, 8000, 9000]
    assert frames.interface is not None
    assert frames.interface.tolist() == [0, 1, 0, 0]
    assert (capture.untimed, capture.problem) == (2, None)


def test_the_time_before_goes_on_into_the_next_chunk() -> None:
    data = cf.section() + cf.interface() + cf.enhanced(9, b"a") + cf.simple(b"b")
    assert [int(frames.time[-1]) for frames in open_capture(io.BytesIO(data), 50)] == [9000, 9000]


def test_other_blocks_are_skipped() -> None:
    names, custom, unknown = (cf.block(kind, bytes(50)) for kind in (4, 0xBAD, 0x7FFF0001))
    capture, (frames,) = opened(
        cf.section(),
        names,
        cf.interface(),
        custom,
        cf.enhanced(1, b"a"),
        unknown,
        cf.enhanced(2, b"b"),
        cf.block(5, b""),
    )
    assert (frames.time.tolist(), capture.problem) == ([1000, 2000], None)


def test_a_block_may_be_longer_than_a_chunk() -> None:
    data = cf.section() + cf.block(4, bytes(100_000)) + cf.interface() + cf.enhanced(1, bytes(50_000))
    (frames,) = open_capture(io.BytesIO(data), 1000)
    assert frames.captured.tolist() == [50_000]


FIRST = cf.section() + cf.interface() + cf.enhanced(1, b"a")


@pytest.mark.parametrize(
    ("block", "what"),
    [
        (cf.enhanced(1, b"abcd")[:-4] + b"\1\0\0\0", "a block that says two lengths"),
        (struct.pack("<III", 6, 13, 13), "a block of 13 bytes"),
        (struct.pack("<III", 6, 8, 8), "a block of 8 bytes"),
        (struct.pack("<III", 6, 1 << 25, 8), "a block of 33,554,432 bytes"),
        (cf.block(6, bytes(8)), "a block too short for its type"),
        (cf.block(6, struct.pack("<IIIII", 0, 0, 0, 5, 5) + bytes(4)), "does not fit into its block"),
        (cf.enhanced(1, bytes(LONGEST + 1)), "does not fit"),
        (cf.section()[:8] + bytes(4) + cf.section()[12:], "byte-order magic 00 00 00 00"),
        (cf.section(version=2), "a section of version 2"),
        (cf.interface(options=cf.option(9, b"\6\6")), "whose option 9 has 2 bytes instead of 1"),
        (cf.interface(options=struct.pack("<HH", 14, 8)), "an option that goes on beyond its block"),
    ],
)
@pytest.mark.parametrize("chunk", [64, 1 << 20])
def test_damage_is_told_with_its_place(block: bytes, what: str, chunk: int) -> None:
    capture = open_capture(io.BytesIO(FIRST + block + FIRST), chunk)
    assert sum(len(frames.time) for frames in capture) == 1
    assert f"byte {len(FIRST)}: " in str(capture.problem)
    assert what in str(capture.problem)


def test_interfaces_and_sections_are_bounded() -> None:
    capture, _ = opened(cf.section(), cf.interface() * 65_537)
    assert "more than 65,536 interfaces" in str(capture.problem)
    capture, _ = opened(cf.section() * 65_537)
    assert "more than 65,536 sections" in str(capture.problem)


@given(
    ticks=st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=5),
    power=st.integers(0, 127),
    base=st.sampled_from([2, 10]),
    offset=st.integers(-(2**63), 2**63 - 1),
)
def test_times_are_those_of_exact_arithmetic(ticks: list[int], power: int, base: int, offset: int) -> None:
    """Modulo 2^63, and to the nanosecond."""
    options = resolution(power | 0x80 * (base == 2)) + cf.option(14, struct.pack("<q", offset))
    interfaces = Interfaces()
    interfaces.begin_section()
    interfaces.add(cf.interface(options=options)[8:-4], "<")
    expected = [tick * 10**9 // base**power + offset * 10**9 for tick in ticks]
    several = interfaces.times(np.array(ticks, np.uint64), np.zeros(len(ticks), np.int64))
    alone = interfaces.times(np.array(ticks, np.uint64), None)
    assert several.tolist() == alone.tolist()
    for found, exact in zip(alone.tolist(), expected, strict=True):
        assert (exact - found) % 2**63 in {0, 1}


def test_each_interface_has_its_clock() -> None:
    capture, (frames,) = opened(
        cf.section(),
        cf.interface(),
        cf.interface(options=resolution(9)),
        cf.interface(options=resolution(0x80 | 10) + cf.option(14, struct.pack("<q", 3))),
        *(cf.enhanced(1024, b"", number) for number in (0, 1, 2, 0)),
    )
    assert frames.time.tolist() == [1_024_000, 1024, 4_000_000_000, 1_024_000]
    assert capture.problem is None


def test_a_simple_packet_of_no_interface_is_a_misfit() -> None:
    capture, frames = opened(cf.section(), cf.simple(b"a"))
    assert frames == []
    assert "byte 28: a frame that does not fit into its block, or of no interface" in str(capture.problem)


def test_options_are_read_up_to_a_bound() -> None:
    many = cf.option(1, b"") * 300 + resolution(9)
    _, (frames,) = opened(cf.section(), cf.interface(options=many), cf.enhanced(1, b""))
    assert frames.time.tolist() == [1000]
