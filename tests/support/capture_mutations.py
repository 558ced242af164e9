"""Captures with something wrong in them, read in two ways: by whole columns, and packet by packet.

``python -m support.capture_mutations SEED COUNT [FOLDER]`` makes COUNT damaged captures of generated ones (and of the
files below FOLDER), in a process that may use 1 GiB of addresses, and prints ``COUNT CPU-SECONDS MIB``. It ends with a
traceback where a capture brings one about, where one takes more than 2 CPU seconds, or where the two ways differ; the
capture is then kept in a temporary file, which is named.
"""

from __future__ import annotations

import gzip
import io
import pathlib
import random
import resource
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import zstandard
from numpy.typing import NDArray

from advisor.capture.columns import TYPES
from advisor.capture.connection import Connection
from advisor.capture.decode import Decoder
from advisor.capture.machine import Conversation
from advisor.capture.segments import Endpoints
from advisor.capture.tracker import Tracker
from advisor.errors import InputError
from advisor.formats.captured import open_capture
from support.capture_generator import Plan, capture
from support.capture_segments import one_by_one
from support.capture_wire import Form

ADDRESSES = 1 << 30
"""Bytes."""
LONGEST_S = 2.0
LARGEST = 40_000
"""Bytes of a file from outside: larger ones take time without showing more."""
CHUNKS = (512, 4096, 1 << 16, 1 << 20)
EXTREMES = (0, 1, 15, 16, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x0004_0001, 0x0040_0000)


class Told(NamedTuple):
    """The connections, the idle gaps, what was wrong with the file, and how many packets were seen twice."""

    rows: list[tuple[Any, ...]]
    gaps: Counter[tuple[int, int, int]]
    problem: str
    duplicates: int = 0


class Gaps(Counter[tuple[int, int, int]]):
    """Counts idle gaps: port, length, how it ended."""

    def add(self, ports: NDArray[np.int64], lengths: NDArray[np.int64], ends: NDArray[np.int8]) -> None:
        """Some more."""
        self.update(zip(ports.tolist(), lengths.tolist(), ends.tolist(), strict=True))


def by_columns(data: bytes, chunk: int) -> Told:
    """What the command makes of a capture."""
    over: list[Connection] = []
    gaps = Gaps()
    decoder, tracker = Decoder(Endpoints()), Tracker(lambda columns: over.extend(columns.connections()), gaps)
    try:
        found = open_capture(io.BytesIO(data), chunk)
    except InputError as error:
        return Told([], Counter(), str(error))
    for frames in found:
        tracker.feed(decoder.decode(frames))
    tracker.finish()
    return Told(_rows(over), Counter(gaps), str(found.problem), decoder.skipped.duplicates)


def by_packets(data: bytes, chunk: int) -> Told:
    """The same, packet by packet."""
    over: list[Connection] = []
    gaps: Counter[tuple[int, int, int]] = Counter()
    known: dict[tuple[int, int], Conversation] = {}
    decoder, last = Decoder(Endpoints()), 0
    try:
        found = open_capture(io.BytesIO(data), chunk)
    except InputError as error:
        return Told([], gaps, str(error))
    for frames in found:
        for segment in one_by_one(decoder.decode(frames)):
            ends = min(segment.source, segment.target), max(segment.source, segment.target)
            if ends not in known:
                known[ends] = Conversation(ends, over.append, lambda *gap: gaps.update([gap]))
            known[ends].step(segment)
            last = max(last, segment.time)
    for conversation in known.values():
        conversation.finish(last)
    for number, one in enumerate(sorted(over, key=lambda one: one.frame), start=1):
        one.number = number
    return Told(_rows(over), gaps, str(found.problem), decoder.skipped.duplicates)


def _rows(over: list[Connection]) -> list[tuple[Any, ...]]:
    return [tuple(getattr(one, name) for name in TYPES) for one in sorted(over, key=lambda one: one.number)]


class Damage:
    """Damaged captures, one after another, the same ones for the same seed."""

    def __init__(self, seed: int, folder: pathlib.Path | None = None) -> None:
        self.chance = random.Random(seed)  # noqa: S311 (damage that can be repeated, no secret)
        self.whole = [b"".join(capture(Plan(4, 1.0, seed=seed + number), form)) for number, form in enumerate(_FORMS)]
        self.whole += [gzip.compress(self.whole[0], 1), zstandard.compress(self.whole[2])]
        files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder else []
        self.found = [path.read_bytes() for path in files if path.stat().st_size <= LARGEST]
        inside = [self.field, self.again]
        anywhere = [self.flip, self.cut, self.write, self.splice]
        self.ways: list[Callable[[bytearray], None]] = [*inside, *inside, *inside, *anywhere]

    def next(self) -> bytes:
        """One with one to three things wrong."""
        found = self.found and self.chance.randrange(2)
        data = bytearray(self.chance.choice(self.found if found else self.whole))
        for _ in range(self.chance.choice([1, 1, 2, 3])):
            if data:
                self.chance.choice(self.ways)(data)
        return bytes(data)

    def _place(self, data: bytearray) -> int:
        """Anywhere, or at the beginning, where the format is."""
        return self.chance.randrange(len(data) if self.chance.randrange(8) else min(len(data), 64))

    def flip(self, data: bytearray) -> None:
        """Some bits."""
        for _ in range(self.chance.choice([1, 1, 5, 50])):
            data[self._place(data)] ^= 1 << self.chance.randrange(8)

    def cut(self, data: bytearray) -> None:
        """The end, or something within."""
        place = self._place(data)
        del data[place : None if self.chance.randrange(2) else place + self.chance.randrange(1, 200)]

    def write(self, data: bytearray) -> None:
        """A number as no length should be, in either byte order."""
        place = self._place(data) & ~1
        number = self.chance.choice([*EXTREMES, self.chance.getrandbits(32), self.chance.getrandbits(8)])
        data[place : place + 4] = struct.pack(self.chance.choice("<>") + "I", number)

    def splice(self, data: bytearray) -> None:
        """A part of another capture."""
        other = self.chance.choice(self.whole)
        first = self.chance.randrange(len(other) or 1)
        place = self._place(data)
        data[place:place] = other[first : first + self.chance.randrange(1, 400)]

    def field(self, data: bytearray) -> None:
        """Some bytes within the headers of frames, of those captures whose records can be found."""
        places = _records(data)
        for _ in range(self.chance.choice([1, 1, 4, 20])):
            place = self.chance.choice(places or [0]) + self.chance.randrange(16, 100)
            if place < len(data):
                data[place] = self.chance.choice([0, 1, 4, 0x7F, 0x80, 0xFF, self.chance.getrandbits(8)])

    def again(self, data: bytearray) -> None:
        """Records twice, or in another order: of those captures whose records can be found."""
        places = _records(data)
        if len(places) < 4:
            return
        one, two = sorted(self.chance.sample(range(len(places) - 1), 2))
        first, second = data[places[one] : places[one + 1]], data[places[two] : places[two + 1]]
        data[places[two] : places[two + 1]] = first
        if self.chance.randrange(2):
            data[places[one] : places[one + 1]] = second


_FORMS = (Form(), Form(116, v6=True), Form(pcapng=True), Form(100, vlan=True), Form(400))


def _records(data: bytearray) -> list[int]:
    """Where the records of a pcap file, or the blocks of a pcapng file, begin; in little endian ones."""
    ng = data.startswith(b"\x0a\x0d\x0d\x0a")
    place = 0 if ng else 24
    found = []
    while place + 16 <= len(data):
        found.append(place)
        (size,) = struct.unpack_from("<I", data, place + (4 if ng else 8))
        place += max(12, size) if ng else 16 + size
    return [*found, place] if place <= len(data) else found


def examine(data: bytes, chance: random.Random) -> None:
    """Read it both ways, in chunks of different sizes."""
    begun = time.process_time()
    chunk = chance.choice(CHUNKS)
    ours, theirs = by_columns(data, chunk), by_packets(data, chance.choice(CHUNKS))
    took = time.process_time() - begun
    if ours.duplicates != theirs.duplicates:
        # Where an interface is described behind the first copy of a packet, the chunk's end decides on the second.
        theirs = by_packets(data, chunk)
    assert ours.problem == theirs.problem, f"{ours.problem} / {theirs.problem}"
    for one, other in zip(ours.rows, theirs.rows, strict=True):
        differ = {name: pair for name, *pair in zip(TYPES, one, other, strict=True) if pair[0] != pair[1]}
        assert not differ, f"by columns / by packets: {differ}"
    assert ours.gaps == theirs.gaps, "the idle gaps differ"
    assert took < LONGEST_S, f"it took {took:.1f} CPU s"


def most_resident() -> float:
    """The most memory that this program held, in MiB; ru_maxrss also knows that of who started it (getrusage(2))."""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def main(seed: str, count: str, *folder: str) -> None:
    """Damage and examine that many."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    damage = Damage(int(seed), pathlib.Path(folder[0]) if folder else None)
    for number in range(int(count)):
        data = damage.next()
        try:
            examine(data, damage.chance)
        except BaseException:
            with tempfile.NamedTemporaryFile(prefix=f"mutation-{seed}-{number}-", delete=False) as kept:
                kept.write(data)
            sys.stderr.write(f"{kept.name}\n")
            raise
    used = resource.getrusage(resource.RUSAGE_SELF)
    sys.stdout.write(f"{count} {used.ru_utime + used.ru_stime:.2f} {most_resident():.0f}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
