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
    from typing import Any

    from numpy.typing import NDArray

    from advisor.capture.headers import Part
    from advisor.formats.frames import Frames

WITHIN = 5_000_000
"""Nanoseconds; below the kernel's least retransmission timeout (TCP_RTO_MIN, 200 ms), above a bridge's delay."""

_KEPT = 65_536
"""Segments of the last moment that are remembered for the next chunk, at most."""
_COOKED = (links.LINUX_SLL, links.LINUX_SLL2)
_ODD, _ODD2, _ODD3 = (np.uint64(odd) for odd in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))


class _Seen(NamedTuple):
    """Columns of what makes segments equal (the ends first), where they were seen, and when."""

    keys: list[NDArray[Any]]
    via: NDArray[np.int64]
    time: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> _Seen:
        return _Seen([key[rows] for key in self.keys], self.via[rows], self.time[rows])

    def after(self, before: _Seen) -> _Seen:
        keys = [np.concatenate(pair) for pair in zip(before.keys, self.keys, strict=True)]
        return _Seen(keys, np.concatenate((before.via, self.via)), np.concatenate((before.time, self.time)))


class Duplicates:
    """Finds them chunk by chunk; remembers the kept segments of the last moment."""

    def __init__(self) -> None:
        self._before: _Seen | None = None

    def find(self, frames: Frames, part: Part) -> NDArray[np.bool_] | None:
        """Which segments are the same ones again; None if none is, or none can be (all from one interface)."""
        if not len(part.row) or (len(frames.links) == 1 and frames.links[0] not in _COOKED):
            return None
        seen = _Seen(list(part[1:9]), _via(frames, part), frames.time[part.row])
        latest = seen.time.max()
        if self._before is not None:
            seen = seen.after(self._before)
        again = _again(seen)
        recent = seen.time >= latest - WITHIN
        kept = recent if again is None else recent & ~again
        self._before = seen.take(np.flatnonzero(kept)[-_KEPT:])
        return None if again is None else again[-len(part.row) :]


def _via(frames: Frames, part: Part) -> NDArray[np.int64]:
    """A number for the interface of each segment: the capture's, and the one that a cooked header names.

    LINUX_SLL names none. But two equal segments with one IPv4 identification are one packet: whoever sends it again
    gives it a new one. Where that is 0, or there is none (IPv6), a packet coming in and going out is told apart.
    """
    of = np.zeros(len(part.row), np.int64) if frames.interface is None else frames.interface[part.row]
    via = of << 33
    cooked = np.array(frames.links)[of]
    mine = cooked == links.LINUX_SLL2
    via[mine] |= _field(frames, part.row[mine], 4, ">u4")
    mine = cooked == links.LINUX_SLL
    own = np.where(part.ident[mine] == 0, _field(frames, part.row[mine], 0, ">u2"), part.row[mine] + frames.first)
    via[mine] |= (1 << 32) + own
    return via


def _field(frames: Frames, rows: NDArray[np.int64], where: int, kind: str) -> NDArray[np.int64]:
    size = np.dtype(kind).itemsize
    everywhere = np.ndarray((len(frames.data) - size + 1,), f"V{size}", frames.data, strides=(1,))
    return everywhere[frames.offset[rows] + where].view(kind).astype(np.int64)


def _again(seen: _Seen) -> NDArray[np.bool_] | None:
    order, near = _together(seen)
    if not near.any():
        return None
    time, via = seen.time[order], seen.via[order]
    starts = np.flatnonzero(np.concatenate(([True], ~near)))
    run = np.cumsum(np.concatenate(([0], ~near)))
    first = starts[run]
    again = via != via[first]
    late = np.abs(time - time[first]) > WITHIN
    for one in np.unique(run[late]).tolist():
        until = int(starts[one + 1]) if one + 1 < len(starts) else len(order)
        rows = slice(int(starts[one]), until)
        again[rows] = _one_by_one(time[rows].tolist(), via[rows].tolist())
    found = np.zeros(len(order), bool)
    found[order[again]] = True
    return found if again.any() else None


def _together(seen: _Seen) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """An order that brings equal ones together, as they came, and which of them equals its forerunner soon after it."""
    source, target, seq, ack, *_, ident = seen.keys
    mixed = (seq.astype(np.uint64) << np.uint64(32) | ack) * _ODD
    mixed ^= source * _ODD2 ^ (target ^ ident) * _ODD3
    low = np.uint64((1 << len(mixed).bit_length()) - 1)
    packed = np.sort(mixed & ~low | np.arange(len(mixed), dtype=np.uint64))
    order = (packed & low).astype(np.int64)
    upper = packed & ~low
    pairs = np.flatnonzero(upper[1:] == upper[:-1])
    before, after = order[pairs], order[pairs + 1]
    same = np.abs(seen.time[after] - seen.time[before]) <= WITHIN
    for key in seen.keys:
        same &= key[before] == key[after]
    near = np.zeros(max(len(order) - 1, 0), bool)
    near[pairs] = same
    return order, near


def _one_by_one(time: list[int], via: list[int]) -> list[bool]:
    """Which of equal segments, in order, are the last kept one again."""
    again, kept = [False], 0
    for i in range(1, len(time)):
        again.append(via[i] != via[kept] and abs(time[i] - time[kept]) <= WITHIN)
        kept = kept if again[i] else i
    return again
