"""Many sockets at once: the messages of a dump, sorted into blocks of equal messages that are read by column.

A block is taken apart by slices with a stride, by `array` and by `struct`, a step in C for all its sockets, where a
message taken apart by itself costs ten times as much. Layout: include/uapi/linux/inet_diag.h; messages of one family
and state class have one length, which differs from kernel to kernel and with the asker's rights, so it is learnt.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress, repeat
from operator import not_
from typing import TYPE_CHECKING, Any, NamedTuple

from advisor.formats.sockdiag import AF_INET, CGROUP_ID, INFO, MAPPED, aligned, messages, stride
from advisor.formats.sockdiag_whole import attributes

if TYPE_CHECKING:
    import re

SPORT = 20
DPORT = 22
EXPIRES = 68
"""Where these stand in a message. Ports are in network order; expires is in ms."""
_SOURCE, _DESTINATION, _ADDRESS = 24, 40, 16
_RQUEUE = 72
_SHORTEST = 88
_HEAD = struct.Struct("=IH")
_ATTRIBUTE = struct.Struct("=HH")
_KEY = 17
"""The bytes at the front of a message that are equal throughout a block: its header, and the family."""
_TCP_INFO, _WITH_SEGMENTS = 104, 160
"""Bytes of ``struct tcp_info``: the least that holds the ages, and that holds the counts of segments with data."""
_CGROUP_ID_SIZE = 8
_MOST_KINDS = 16
"""Kinds of messages that are looked for at once; with more of them each message is walked."""


class Block(NamedTuple):
    """Messages of ``stride`` bytes each.

    ``width`` is the size of an address, 4 or 16 bytes; IPv4-mapped ones have 4. ``source`` and ``destination`` are
    where the local and the remote address stand in each message.
    """

    data: bytes
    stride: int
    width: int
    source: int = _SOURCE
    destination: int = _DESTINATION

    @property
    def sockets(self) -> int:
        """The sockets in it."""
        return len(self.data) // self.stride

    def column(self, offset: int) -> bytes:
        """The byte at an offset of each message."""
        return self.data[offset :: self.stride]

    def columns(self, offset: int, width: int) -> list[bytes]:
        """The bytes from an offset on, a column each."""
        return [self.column(place) for place in range(offset, offset + width)]

    def unpacked(self, layout: str) -> Iterator[tuple[Any, ...]]:
        """What a layout of `struct` finds in each message from its first byte on."""
        rest = self.stride - struct.calcsize(f"={layout}")
        return struct.Struct(f"={layout}{rest}x").iter_unpack(self.data)

    def only(self, chosen: Iterable[int]) -> Block:
        """The messages for which there is no 0."""
        rows = struct.Struct(f"{self.stride}s").iter_unpack(self.data)
        return self._replace(data=b"".join(row for (row,) in compress(rows, chosen)))


def packed(code: str, columns: Sequence[bytes]) -> array[int]:
    """One unsigned number for each row, whose first bytes in memory are those of the columns; the others are 0.

    Args:
        code: ``B``, ``H``, ``I`` or ``Q``, as `array` calls numbers of 1, 2, 4 and 8 bytes.
        columns: at least one, and no more than the number has bytes.
    """
    numbers = array(code)
    size = numbers.itemsize
    mixed = bytearray(size * len(columns[0]))
    for place, column in enumerate(columns):
        mixed[place::size] = column
    numbers.frombytes(mixed)
    return numbers


class Cutter:
    """Sorts the messages of one dump into blocks, and learns on the way which kinds there are."""

    def __init__(self) -> None:
        self._kinds: set[tuple[int, int, int]] = set()
        self._runs: re.Pattern[bytes] | None = None

    def cut(self, data: bytes) -> list[Block]:
        """The sockets of some datagrams.

        Messages of one kind, or runs of known kinds, must cover the data without a gap, so that each message begins
        where the one before says that it ends; where they do not, the messages are walked one by one.

        Raises:
            ValueError: as `sockdiag.messages`.
        """
        if step := stride(data):
            return list(_blocks(data[: len(data) - len(data) % step], step, data[_KEY - 1]))
        runs = self._runs.findall(data) if self._runs else []
        if sum(map(len, runs)) != len(data):
            runs = self._walk(data)
        groups: dict[bytes, list[bytes]] = {}
        for run in runs:
            key = run[:_KEY]
            if key in groups:
                groups[key].append(run)
            else:
                groups[key] = [run]
        found: list[Block] = []
        for key, parts in groups.items():
            found += _blocks(b"".join(parts), aligned(_HEAD.unpack_from(key)[0]), key[16])
        return found

    def _walk(self, data: bytes) -> list[bytes]:
        import re  # noqa: PLC0415 (4 ms, which a host with messages of one kind need not pay)

        spans, _ = messages(data)
        runs = [data[start : aligned(end)].ljust(aligned(end - start), b"\0") for start, end in spans]
        seen = {(*_HEAD.unpack_from(run), run[16]) for run in runs}
        if not seen <= self._kinds:
            self._kinds |= seen
            self._runs = re.compile(_pattern(self._kinds), re.DOTALL) if len(self._kinds) <= _MOST_KINDS else None
        return runs


def _pattern(kinds: set[tuple[int, int, int]]) -> bytes:
    """Runs of messages of one kind: length, type and family are compared in each of them."""
    runs = []
    for length, kind, family in sorted(kinds):
        head = b"".join(b"\\x%02x" % byte for byte in _HEAD.pack(length, kind))
        runs.append(b"(?:%b.{10}\\x%02x.{%d})++" % (head, family, aligned(length) - _KEY))
    return b"|".join(runs)


def _blocks(data: bytes, stride: int, family: int) -> Iterator[Block]:
    """One block; of IPv6 two, where some addresses are IPv4-mapped."""
    if family == AF_INET:
        yield Block(data, stride, 4)
        return
    six, skip = Block(data, stride, _ADDRESS), len(MAPPED)
    mapped = _mapped(six)
    if any(mapped):
        four = six if all(mapped) else six.only(mapped)
        yield four._replace(width=4, source=_SOURCE + skip, destination=_DESTINATION + skip)
    if not all(mapped):
        yield six.only(map(not_, mapped)) if any(mapped) else six


def _mapped(block: Block) -> Sequence[bool]:
    """Of each message, whether both addresses are IPv4-mapped: mostly they are alike in it."""
    wanted = [(start + place, byte) for start in (_SOURCE, _DESTINATION) for place, byte in enumerate(MAPPED)]
    found = [block.column(place).count(byte) for place, byte in wanted]
    if min(found) in {0, block.sockets}:
        return [min(found) > 0] * block.sockets
    starts = range(0, len(block.data), block.stride)
    return [all(block.data.startswith(MAPPED, start + end) for end in (_SOURCE, _DESTINATION)) for start in starts]


class Timed(NamedTuple):
    """One socket and what its ``struct tcp_info`` says: ages in ms; counts of segments with data.

    The counts are None before Linux 4.6. ``cgroup`` is as `sockdiag.cgroup`.
    """

    sport: int
    dport: int
    source: bytes
    destination: bytes
    rqueue: int
    wqueue: int
    uid: int
    inode: int
    last_data_sent: int
    last_data_recv: int
    last_ack_recv: int
    data_segs_in: int | None
    data_segs_out: int | None
    cgroup: int | None


def timed(block: Block) -> Iterator[Timed]:
    """The sockets of a block that came with INET_DIAG_INFO; none where it was not sent (TIME_WAIT has none)."""
    heads = _heads(block.data[: block.stride])
    if not _even(block, heads):
        for start in range(0, len(block.data), block.stride):
            yield from timed(block._replace(data=block.data[start : start + block.stride]))
        return
    info, size = heads.get(INFO, (0, 0))
    if size < _TCP_INFO:
        return
    counts = size >= _WITH_SEGMENTS
    for row, cgroup in zip(block.unpacked(_layout(block, info, counts=counts)), _cgroups(block, heads), strict=False):
        sport, dport, *more = row if counts else (*row, None, None)
        yield Timed._make((int.from_bytes(sport, "big"), int.from_bytes(dport, "big"), *more, cgroup))


def _heads(message: bytes) -> dict[int, tuple[int, int]]:
    """Where the content of each attribute of a message stands, and its size."""
    places: dict[int, tuple[int, int]] = {}
    start = _SHORTEST
    for kind, content in attributes(message, start, len(message)).items():
        places[kind] = (start + _ATTRIBUTE.size, len(content))
        start += (_ATTRIBUTE.size + len(content) + 3) & ~3
    return places


def _even(block: Block, heads: dict[int, tuple[int, int]]) -> bool:
    """Whether all messages have the attributes of the first at the same places."""
    for kind, (start, size) in heads.items():
        wanted = _ATTRIBUTE.pack(_ATTRIBUTE.size + size, kind)
        columns = block.columns(start - _ATTRIBUTE.size, _ATTRIBUTE.size)
        if any(column.count(byte) != block.sockets for column, byte in zip(columns, wanted, strict=True)):
            return False
    return True


def _cgroups(block: Block, heads: dict[int, tuple[int, int]]) -> Iterable[int | None]:
    start, size = heads.get(CGROUP_ID, (0, 0))
    if size != _CGROUP_ID_SIZE:
        return repeat(None)
    return packed("Q", block.columns(start, size))


def _layout(block: Block, info: int, *, counts: bool) -> str:
    """The fields of `Timed` up to the counts, as `struct` finds them from the first byte of a message on."""
    addresses = (
        f"{block.source - DPORT - 2}x{block.width}s"
        f"{block.destination - block.source - block.width}x{block.width}s"
        f"{_RQUEUE - block.destination - block.width}x"
    )
    return f"{SPORT}x2s2s{addresses}IIII{info - _SHORTEST}x44xI4xII" + ("92xII" if counts else "")
