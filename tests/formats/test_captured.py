"""Captures as chunks of frames: the same ones whatever the chunk, the source and the packing, and all before damage."""

from __future__ import annotations

import gzip
import io
import itertools
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from support import capture_files as cf

from advisor.errors import InputError
from advisor.formats import pcap_guess
from advisor.formats.captured import Capture, open_capture
from advisor.formats.captured_records import find
from advisor.formats.captured_walk import walk
from advisor.formats.frames import LONGEST, SLACK
from advisor.formats.pcap import Pcap
from advisor.formats.pcapng_layout import LAYOUTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.formats.captured_records import Layout
    from advisor.formats.frames import Source

Row = tuple[bytes, int, int, int]


def rows(capture: Capture) -> list[Row]:
    """Each frame: its bytes, its length on the wire, its time, its interface; and what every chunk promises."""
    found: list[Row] = []
    for frames in capture:
        assert frames.first == len(found) + 1
        assert int((frames.offset + frames.captured).max()) + SLACK <= len(frames.data)
        interfaces = [0] * len(frames.time) if frames.interface is None else frames.interface.tolist()
        spans = zip(frames.offset.tolist(), frames.captured.tolist(), strict=True)
        data = [frames.data[start : start + size].tobytes() for start, size in spans]
        found += zip(data, frames.original.tolist(), frames.time.tolist(), interfaces, strict=True)
    assert capture.frames == len(found)
    return found


def read(data: bytes, chunk: int = 4096) -> tuple[list[Row], str | None]:
    capture = open_capture(io.BytesIO(data), chunk)
    found = rows(capture)
    return found, None if capture.problem is None else str(capture.problem)


class Dripping:
    """A source that gives a few bytes at a time, as a pipe does."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self._data, self._sizes = io.BytesIO(data), itertools.cycle(sizes)

    def read1(self, size: int = -1, /) -> bytes:
        return self._data.read1(min(size, next(self._sizes)))


FRAMES = [bytes([number % 251]) * (number * 7 % 90) for number in range(300)]
PCAP = cf.pcap() + b"".join(cf.record(10 + n, n, frame, 100) for n, frame in enumerate(FRAMES))
PCAPNG = (
    cf.section()
    + cf.interface()
    + b"".join(cf.enhanced((10 + n) * 1_000_000 + n, frame, original=100) for n, frame in enumerate(FRAMES))
)
EXPECTED = [(frame, 100, (10 + n) * 10**9 + n * 1000, 0) for n, frame in enumerate(FRAMES)]


@pytest.mark.parametrize("data", [PCAP, PCAPNG], ids=["pcap", "pcapng"])
@pytest.mark.parametrize("chunk", [1, 77, 1000, 1 << 20])
def test_the_frames_do_not_depend_on_the_chunk(data: bytes, chunk: int) -> None:
    assert read(data, chunk) == (EXPECTED, None)


@pytest.mark.parametrize("data", [PCAP, PCAPNG], ids=["pcap", "pcapng"])
def test_a_pipe_hands_on_what_it_has(data: bytes) -> None:
    assert rows(open_capture(Dripping(data, [1, 5, 300, 2]))) == EXPECTED


def test_a_chunk_is_given_before_the_source_gives_more() -> None:
    def pieces() -> Iterator[bytes]:
        yield PCAP[:24]
        yield cf.record(1, 0, b"first")
        yield cf.record(2, 0, b"second")[:20]
        raise AssertionError("asked for more, though a frame was there")

    class Live:
        def __init__(self) -> None:
            self.pieces = pieces()

        def read1(self, _size: int = -1, /) -> bytes:
            return next(self.pieces)

    capture = open_capture(Live())
    assert len(next(capture).time) == 1
    assert (capture.first, capture.last, capture.frames) == (10**9, 10**9, 1)


def test_the_earliest_and_the_latest_time_are_told() -> None:
    data = cf.pcap() + b"".join(cf.record(second, 0, b"") for second in (5, 3, 9, 4))
    capture = open_capture(io.BytesIO(data), 20)
    assert (capture.first, capture.last) == (None, None)
    rows(capture)
    assert (capture.first, capture.last) == (3 * 10**9, 9 * 10**9)


@pytest.mark.parametrize("cut", [1, 15, 16, 20])
def test_a_file_that_was_cut_off_gives_all_whole_frames(cut: int) -> None:
    last = cf.record(1, 2, b"x" * 10)
    found, problem = read(PCAP + last[:cut])
    assert found == EXPECTED
    assert problem is not None
    assert problem.startswith(f"capture: byte {len(PCAP):,}: the file ends {cut} bytes into a record")


def test_a_length_that_cannot_be_is_told_with_its_place() -> None:
    bad = struct.pack("<IIII", 1, 2, LONGEST + 1, 60)
    found, problem = read(PCAP + bad + PCAP[24:])
    assert found == EXPECTED
    assert problem is not None
    assert f"byte {len(PCAP):,}: a record of 262,145 bytes, 262,144 is the most" in problem
    frame = bytes(LONGEST)
    assert read(cf.pcap() + cf.record(1, 0, frame)) == ([(frame, LONGEST, 10**9, 0)], None)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is empty"),
        (b"hello, world\n", "this is a text file"),
        (b"snoop\0\0\0\0\0\0\2", "a snoop capture"),
        (b"PK\3\4" + bytes(30), "a zip archive"),
        (b"\x7fELF" + bytes(30), "a program"),
        (b"\x01\x02\x03\x04" + bytes(30), "begins with 01 02 03 04"),
        (PCAP[:20], "cut off in its header: 20 bytes of 24"),
        (PCAPNG[:8] + bytes(20), "begins with 0a 0d 0d 0a"),
        (gzip.compress(gzip.compress(PCAP, mtime=0), mtime=0), "packed twice"),
        (gzip.compress(PCAP, mtime=0)[:5], "gzip stream ends here"),
        (cf.pcap(version=(1, 4)), "version 1.4"),
    ],
)
def test_what_is_no_capture_is_named(data: bytes, what: str) -> None:
    with pytest.raises(InputError, match=what) as caught:
        open_capture(io.BytesIO(data), name="file.pcap")
    assert str(caught.value).startswith("file.pcap: ")


def test_a_source_that_fails_midway_leaves_what_was_read() -> None:
    class Failing(Dripping):
        def read1(self, size: int = -1, /) -> bytes:
            if self._data.tell() > 1000:
                raise OSError(5, "Input/output error")
            return super().read1(size)

    capture = open_capture(Failing(PCAP, [300]))
    found = rows(capture)
    assert 0 < len(found) < len(EXPECTED)
    assert found == EXPECTED[: len(found)]
    assert "cannot be read any further (Input/output error)" in str(capture.problem)


def guessable(order: str, kind: str, frames: list[bytes]) -> bytes:
    """The records of a file without its header."""
    if kind == "pcap":
        return b"".join(cf.record(0x65000000 + n, n, frame, order=order) for n, frame in enumerate(frames))
    return b"".join(cf.enhanced(n, frame, order=order) for n, frame in enumerate(frames))


def layout(order: str, kind: str) -> Layout:
    return Pcap(cf.pcap(order)) if kind == "pcap" else LAYOUTS[order]


SIZES = st.lists(st.sampled_from([0, 20, 60, 61, 62, 90, 300]), min_size=1, max_size=12)
INSIDE = PCAP[:3000], PCAPNG[:3000], bytes(400), b"\6\0\0\0" * 100


@settings(max_examples=150)
@given(
    order=st.sampled_from("<>"),
    kind=st.sampled_from(["pcap", "pcapng"]),
    sizes=SIZES,
    inside=st.sampled_from(INSIDE),
    mutations=st.lists(st.tuples(st.integers(0, 200_000), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, 200),
)
def test_guessed_records_are_those_of_the_walk(
    order: str, kind: str, sizes: list[int], inside: bytes, mutations: list[tuple[int, int]], cut: int
) -> None:
    """Also where payload looks like records, and where lengths are damaged."""
    endless = itertools.cycle(sizes)
    frames = [(inside * 2)[n % 1500 :][: next(endless)] for n in range(2600)]
    frames[1300] = inside * 4
    raw = bytearray(guessable(order, kind, frames))
    for place, value in mutations:
        raw[place % len(raw)] = value
    stop = len(raw) - cut
    data = np.frombuffer(bytes(raw) + bytes(SLACK + (-len(raw)) % 4), np.uint8)
    of = layout(order, kind)
    starts, end = walk(data, 0, stop, of.chain)
    found = find(data, 0, stop, of)
    assert (found.starts.tolist(), found.end) == (starts, end)
    assert np.array_equal(found.fields, of.fields(data, found.starts))


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
@pytest.mark.parametrize("order", "<>")
def test_of_an_ordinary_file_all_is_guessed(kind: str, order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the guessing could fail for good, and nothing but the speed would show it."""
    frames = [bytes([n % 256]) * (60 + n % 30) for n in range(20_000)]
    raw = guessable(order, kind, frames)
    data = np.frombuffer(raw + bytes(SLACK), np.uint8)
    walked: list[int] = []

    def counting(*arguments: object) -> tuple[list[int], int]:
        starts, end = walk(*arguments)  # type: ignore[arg-type]
        walked.append(len(starts))
        return starts, end

    monkeypatch.setattr("advisor.formats.captured_records.walk", counting)
    assert len(find(data, 0, len(raw), layout(order, kind)).starts) == len(frames)
    assert sum(walked) < 200


@settings(max_examples=100)
@given(
    data=st.sampled_from([PCAP, PCAPNG, cf.section(">") + cf.interface(order=">") + PCAPNG, gzip.compress(PCAP)]),
    mutations=st.lists(st.tuples(st.integers(0, 40_000), st.integers(0, 255)), min_size=1, max_size=10),
    chunk=st.sampled_from([1, 50, 999, 1 << 16]),
    cut=st.integers(0, 100),
)
def test_damage_ends_in_one_error_that_does_not_depend_on_the_chunk(
    data: bytes, mutations: list[tuple[int, int]], chunk: int, cut: int
) -> None:
    raw = bytearray(data)
    for place, value in mutations:
        raw[place % len(raw)] = value
    raw = raw[: len(raw) - cut]
    assert attempt(bytes(raw), chunk) == attempt(bytes(raw), 1 << 17)


def attempt(data: bytes, chunk: int) -> tuple[list[Row], str | None]:
    try:
        return read(data, chunk)
    except InputError as error:
        return [], f"refused: {error}"


def test_a_guess_that_is_too_long_ends_the_records() -> None:
    """Even where it ends at the next one."""
    raw = guessable("<", "pcap", [bytes(70 if n == 3000 else 60) for n in range(5000)])
    of = Pcap(cf.pcap())
    of.chain = of.chain._replace(longest=65)
    found = find(np.frombuffer(raw + bytes(SLACK), np.uint8), 0, len(raw), of)
    assert (len(found.starts), found.end) == (3000, 3000 * 76)


def test_few_records_are_not_guessed() -> None:
    data = np.frombuffer(PCAP[24:] + bytes(SLACK), np.uint8)
    of = Pcap(PCAP[:24])
    starts, end = walk(data, 0, 2000, of.chain, 20)
    assert pcap_guess.guess(data, np.array(starts), end, len(PCAP) - 24, of.chain) is None


PACKED = {"gzip": gzip.compress(PCAP), "zstd": zstandard.ZstdCompressor().compress(PCAP)}


@pytest.mark.parametrize("packing", PACKED)
def test_a_packed_file_is_told_by_its_first_bytes(packing: str) -> None:
    capture = open_capture(io.BytesIO(PACKED[packing]))
    assert capture.format == f"pcap, microseconds, little-endian, {packing}"
    assert rows(capture) == EXPECTED
    assert capture.problem is None


def test_only_one_source_is_asked() -> None:
    """A source need not have more than read1, and none of the formats may ask for it."""

    class Least:
        def __init__(self, data: bytes) -> None:
            self.data = data

        def read1(self, size: int = -1, /) -> bytes:
            piece, self.data = self.data[:size], self.data[size:]
            return piece

    for data in (PCAP, PCAPNG, *PACKED.values()):
        source: Source = Least(data)
        assert rows(open_capture(source, 512)) == EXPECTED
