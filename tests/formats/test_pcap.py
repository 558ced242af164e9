"""pcap files of every byte order and precision, and of old writers."""

from __future__ import annotations

import io
import struct

import pytest
from support import capture_files as cf

from advisor.formats.captured import open_capture


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("magic", "time", "words"),
    [(cf.MICROSECONDS, 7_000_000_009_000, "microseconds"), (cf.NANOSECONDS, 7_000_000_000_009, "nanoseconds")],
)
def test_byte_orders_and_precisions(order: str, magic: int, time: int, words: str) -> None:
    data = cf.pcap(order, magic, link=113) + cf.record(7000, 9, b"frame", 4_000_000_000, order)
    capture = open_capture(io.BytesIO(data))
    (frames,) = capture
    assert frames.data[frames.offset[0] :][:5].tobytes() == b"frame"
    assert (frames.captured.tolist(), frames.original.tolist()) == ([5], [4_000_000_000])
    assert (frames.time.tolist(), frames.links, frames.interface) == ([time], (113,), None)
    assert capture.format == f"pcap, {words}, {'big' if order == '>' else 'little'}-endian"


def test_the_latest_time_is_in_2106() -> None:
    (frames,) = open_capture(io.BytesIO(cf.pcap() + cf.record(2**32 - 1, 2**32 - 1, b"")))
    assert frames.time.tolist() == [(2**32 - 1) * 10**9 + (2**32 - 1) * 1000]


def test_the_link_type_is_without_what_it_says_of_the_fcs() -> None:
    (frames,) = open_capture(io.BytesIO(cf.pcap(link=0x14000000 | 101) + cf.record(1, 1, b"")))
    assert frames.links == (101,)


def test_the_modified_format_has_longer_headers() -> None:
    header = struct.pack("<IIIIIHBB", 3, 4, 5, 6, 2, 0x800, 0, 0)
    capture = open_capture(io.BytesIO(cf.pcap(magic=cf.MODIFIED) + (header + b"frame") * 2))
    (frames,) = capture
    assert [frames.data[place:][:5].tobytes() for place in frames.offset] == [b"frame"] * 2
    assert (frames.original.tolist(), frames.time.tolist()) == ([6, 6], [3_000_004_000] * 2)


@pytest.mark.parametrize(
    ("version", "lengths"), [((2, 2), (9, 5)), ((543, 0), (9, 5)), ((2, 3), (5, 9)), ((2, 4), (5, 9))]
)
def test_old_writers_swapped_the_lengths(version: tuple[int, int], lengths: tuple[int, int]) -> None:
    (frames,) = open_capture(io.BytesIO(cf.pcap(version=version) + struct.pack("<IIII", 1, 0, *lengths) + b"frame"))
    assert (frames.captured.tolist(), frames.original.tolist()) == ([5], [9])


def test_a_frame_may_be_empty_or_longer_than_on_the_wire() -> None:
    data = cf.pcap() + cf.record(1, 0, b"", 60) + cf.record(1, 0, b"frame", 2)
    (frames,) = open_capture(io.BytesIO(data))
    assert (frames.captured.tolist(), frames.original.tolist()) == ([0, 5], [60, 2])
