"""Packets that a capture of several interfaces shows more than once.

``tcpdump -i any`` on a host with bridges, veth pairs or VLAN interfaces sees a packet on each of them. A segment is the
same one again if it equals the last one kept in all that is read of it, and came from another interface within
`WITHIN` nanoseconds of it. A retransmission comes from the same interface, or later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from advisor.capture import link as links

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from advisor.capture.headers import Part
    from advisor.formats.frames import Frames

WITHIN = 5_000_000
"""Nanoseconds; below the kernel's least retransmission timeout (TCP_RTO_MIN, 200 ms), above a bridge's delay."""

_KEPT = 65_536
"""Segments of the last moment that are remembered for the next chunk, at most."""
_WHERE = {links.LINUX_SLL: (">u2", 0), links.LINUX_SLL2: (">u4", 4)}
"""What tells interfaces apart inside one capture device: SLL2's interface index; of SLL only the packet's direction."""
_ODD = np.uint64(0x9E3779B97F4A7C15)


class _Seen(NamedTuple):
    """What makes segments equal (`keys`, columns of numbers), where and when they were seen."""

    keys: list[NDArray[np.uint64]]
    via: NDArray[np.int64]
    time: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_] | slice) -> _Seen:
        return _Seen([key[rows] for key in self.keys], self.via[rows], self.time[rows])


class Duplicates:
    """Finds them chunk by chunk; remembers the kept segments of the last moment."""

    def __init__(self) -> None:
        self._before: _Seen | None = None

    def find(self, frames: Frames, part: Part) -> NDArray[np.bool_] | None:
        """Which segments are the same ones again; None if none is, or none can be (all from one interface)."""
        if not len(part.row) or (len(frames.links) == 1 and frames.links[0] not in _WHERE):
            return None
        now = _Seen(_keys(part), _via(frames, part.row), frames.time[part.row])
        both = now if self._before is None else _join(self._before, now)
        again = _again(both)
        kept = both if again is None else both.take(~again)
        recent = kept.take(kept.time >= now.time.max() - WITHIN)
        self._before = recent.take(slice(-_KEPT, None))
        return None if again is None else again[-len(part.row) :]


def _join(one: _Seen, other: _Seen) -> _Seen:
    keys = [np.concatenate(pair) for pair in zip(one.keys, other.keys, strict=True)]
    return _Seen(keys, np.concatenate((one.via, other.via)), np.concatenate((one.time, other.time)))


def _keys(part: Part) -> list[NDArray[np.uint64]]:
    wide = [column.astype(np.uint64) for column in (part.seq, part.ack, part.window, part.ident, part.flags)]
    seq, ack, window, ident, flags = wide
    rest = window | ident << np.uint64(16) | flags << np.uint64(32)
    return [part.source, part.target, seq << np.uint64(32) | ack, rest, part.length.astype(np.uint64)]


def _via(frames: Frames, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """A number for the interface of each frame: the capture's, and the one that a cooked header names."""
    of = np.zeros(len(rows), np.int64) if frames.interface is None else frames.interface[rows]
    link = np.array(frames.links)[of]
    via = of << 32
    for cooked, (kind, where) in _WHERE.items():
        mine = link == cooked
        if mine.any():
            size = np.dtype(kind).itemsize
            everywhere = np.ndarray((len(frames.data) - size + 1,), f"V{size}", frames.data, strides=(1,))
            via[mine] |= everywhere[frames.offset[rows[mine]] + where].view(kind).astype(np.int64)
    return via


def _again(seen: _Seen) -> NDArray[np.bool_] | None:
    order = _by_key(seen.keys)
    if order is None:
        return None
    time, via = seen.time[order], seen.via[order]
    near = np.abs(np.diff(time)) <= WITHIN
    for key in seen.keys:
        near &= key[order[1:]] == key[order[:-1]]
    if not near.any():
        return None
    starts = np.flatnonzero(np.concatenate(([True], ~near)))
    run = np.cumsum(np.concatenate(([0], ~near)))
    first = starts[run]
    again = via != via[first]
    late = np.abs(time - time[first]) > WITHIN
    for one in np.unique(run[late]).tolist():
        until = int(starts[one + 1]) if one + 1 < len(starts) else len(order)
        rows = slice(int(starts[one]), until)
        again[rows] = _one_by_one(time[rows].tolist(), via[rows].tolist())
    if not again.any():
        return None
    found = np.zeros(len(order), bool)
    found[order[again]] = True
    return found


def _by_key(keys: list[NDArray[np.uint64]]) -> NDArray[np.int64] | None:
    """The order that brings equal ones together, as they came; None if no two are equal."""
    mixed = np.zeros(len(keys[0]), np.uint64)
    for key in keys:
        mixed = (mixed ^ key) * _ODD
        mixed ^= mixed >> np.uint64(32)
    low = np.uint64((1 << len(mixed).bit_length()) - 1)
    rows = np.arange(len(mixed), dtype=np.uint64)
    packed = np.sort(mixed & ~low | rows)
    upper = packed & ~low
    return (packed & low).astype(np.int64) if (upper[1:] == upper[:-1]).any() else None


def _one_by_one(time: list[int], via: list[int]) -> list[bool]:
    """Which of equal segments, in order, are the last kept one again."""
    again, kept = [], 0
    for i in range(len(time)):
        again.append(via[i] != via[kept] and abs(time[i] - time[kept]) <= WITHIN)
        kept = kept if again[i] else i
    return again
