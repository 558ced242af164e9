"""Packed streams: several members, cut off, damaged, and far larger than what they are packed into."""

from __future__ import annotations

import gzip
import io
import random
import tracemalloc

import pytest
import zstandard

from advisor.formats import compressed
from advisor.formats.frames import PackingError

DATA = random.Random(4).randbytes(300_000) + b"again and again " * 50_000  # noqa: S311 (bytes that cannot be packed)
PACK = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor(write_checksum=True).compress}


def unpacked(data: bytes, size: int = 100_000) -> tuple[bytes, str | None]:
    head, into, _ = compressed.opened(io.BytesIO(data))
    found, room = [head], bytearray(size)
    try:
        while count := into(memoryview(room)):
            found.append(bytes(room[:count]))
    except PackingError as error:
        return b"".join(found), str(error)
    return b"".join(found), None


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("size", [7000, 1 << 22])
def test_what_was_packed_comes_back(packing: str, size: int) -> None:
    assert unpacked(PACK[packing](DATA), size) == (DATA, None)


@pytest.mark.parametrize("packing", PACK)
def test_members_follow_each_other(packing: str) -> None:
    data = PACK[packing](DATA) + PACK[packing](b"") + PACK[packing](b"the end")
    assert unpacked(data) == (DATA + b"the end", None)


def test_zeros_behind_gzip_are_padding() -> None:
    assert unpacked(gzip.compress(DATA) + bytes(600_000)) == (DATA, None)


def test_skippable_frames_of_zstd_hold_nothing() -> None:
    skippable = bytes.fromhex("502a4d18") + (400_000).to_bytes(4, "little") + bytes(400_000)
    assert unpacked(PACK["zstd"](DATA) + skippable) == (DATA, None)
    assert unpacked(PACK["zstd"](DATA) + skippable[:-1]) == (DATA, "the zstd stream ends here, before its end")


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("left", [0.999_99, 0.9, 0.5])
def test_a_stream_that_was_cut_off_says_so(packing: str, left: float) -> None:
    packed = PACK[packing](DATA)
    found, problem = unpacked(packed[: int(len(packed) * left)])
    assert DATA.startswith(found)
    assert problem == f"the {packing} stream ends here, before its end"
    assert len(found) >= 300_000 * left - 200_000


@pytest.mark.parametrize("packing", PACK)
def test_every_end_of_a_short_stream_but_the_last_is_too_early(packing: str) -> None:
    packed = PACK[packing](b"a short one") + PACK[packing](b"another")
    whole = len(PACK[packing](b"a short one"))
    for size in range(5, len(packed)):
        assert (unpacked(packed[:size])[1] is None) == (size == whole)


def test_of_a_damaged_gzip_stream_all_before_the_damage_is_given() -> None:
    packed = bytearray(gzip.compress(DATA))
    packed[-6] ^= 1
    found, problem = unpacked(bytes(packed), 1 << 22)
    assert found == DATA
    assert problem is not None
    assert "damaged here" in problem


def test_a_damaged_zstd_stream_says_so() -> None:
    packed = bytearray(PACK["zstd"](DATA))
    packed[-2] ^= 1
    found, problem = unpacked(bytes(packed))
    assert DATA.startswith(found)
    assert problem is not None
    assert "damaged here" in problem


@pytest.mark.parametrize("packing", PACK)
def test_a_bomb_takes_time_but_no_memory(packing: str) -> None:
    packed = PACK[packing](bytes(64 << 20))
    _, into, _ = compressed.opened(io.BytesIO(packed))
    tracemalloc.start()
    try:
        total, room = 0, memoryview(bytearray(1 << 20))
        while count := into(room):
            total += count
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == 64 << 20
    assert peak < 8 << 20
