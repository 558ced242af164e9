"""Frames to TCP segments: the usual ones as columns (`headers`), all others one by one (`internet`)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from advisor.capture import internet
from advisor.capture.addresses import Addresses
from advisor.capture.duplicates import Duplicates
from advisor.capture.headers import SHAPES, Part, Shape
from advisor.capture.link import Left
from advisor.capture.segments import Endpoints, Segments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from advisor.formats.frames import Frames


class Skipped:
    """What gave no segment: frames by reason, those of unknown link types by type, and packets seen again.

    Attributes:
        reasons: frames for each `Left` that was met.
        links: frames of each link type (LINKTYPE_) that is not known; together `Left.LINK`.
        duplicates: TCP segments dropped because another interface had shown them a moment before.
    """

    def __init__(self) -> None:
        self.reasons: Counter[Left] = Counter()
        self.links: Counter[int] = Counter()
        self.duplicates = 0


class _Group(NamedTuple):
    """Frames of one link type, by their rows in the chunk."""

    link: int
    rows: NDArray[np.int64]


class Decoder:
    """Takes a capture's frames chunk by chunk; `skipped` counts what was left out."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.skipped = Skipped()
        self._endpoints = endpoints
        self._addresses = Addresses(endpoints)
        self._shapes: dict[int, tuple[Shape, ...]] = dict(SHAPES)
        self._duplicates = Duplicates()

    def decode(self, frames: Frames) -> Segments:
        """The TCP segments of a chunk, in file order, without those that another interface had shown before."""
        parts = [part for group in _groups(frames) for part in self._parts(frames, group)]
        whole = self._placed(_merge(parts, self._addresses))
        again = self._duplicates.find(frames, whole)
        if again is not None:
            self.skipped.duplicates += int(np.count_nonzero(again))
            whole = whole.take(~again)
        every = len(whole.row) == len(frames.time)
        time = frames.time if every else frames.time[whole.row]
        return Segments(whole.row + frames.first, time, *whole[1:8])

    def _placed(self, whole: Part) -> Part:
        """Without the segments of addresses that have no number of their own."""
        if not self._endpoints.full:
            return whole
        nowhere = np.uint64(Endpoints.NOWHERE >> 16)
        lost = (whole.source >> np.uint64(16) == nowhere) | (whole.target >> np.uint64(16) == nowhere)
        if lost.any():
            self.skipped.reasons[Left.CROWDED] += int(np.count_nonzero(lost))
        return whole.take(~lost)

    def _parts(self, frames: Frames, group: _Group) -> list[Part]:
        parts: list[Part] = []
        rest, shapes = group.rows, self._shapes.get(group.link, ())
        decided: dict[Shape, int] = {}
        for shape in shapes:
            before, long = len(rest), _of(frames.captured, rest) >= shape.size
            if long.all() and before:
                part, rest = self._columns(frames, shape, rest)
                parts.append(part)
            elif long.any():
                part, misfits = self._columns(frames, shape, rest[long])
                rest = np.sort(np.concatenate([misfits, rest[~long]]))
                parts.append(part)
            decided[shape] = before - len(rest)
        # What is usual in this capture is tried first in the next chunk; no frame has two shapes.
        self._shapes[group.link] = tuple(sorted(shapes, key=lambda shape: -decided[shape]))
        return parts + self._one_by_one(frames, group.link, rest)

    def _columns(self, frames: Frames, shape: Shape, rows: NDArray[np.int64]) -> tuple[Part, NDArray[np.int64]]:
        """The segments of the frames that have a shape, and the rows of those that have not."""
        words = shape.words(frames.data, _of(frames.offset, rows))
        behind, header = shape.sizes(words)
        payload = behind - header
        fits = shape.fits(words)
        sound = fits & shape.sound(words, header, payload)
        if sound.all():
            return shape.part(rows, words, payload), rows[:0]
        other = fits & shape.other(words, behind)
        if other.any():
            self.skipped.reasons[Left.NOT_TCP] += int(np.count_nonzero(other))
        return shape.part(rows[sound], words[:, sound], payload[sound]), rows[~(sound | other)]

    def _one_by_one(self, frames: Frames, link: int, rows: NDArray[np.int64]) -> list[Part]:
        data = frames.data.data
        fours: list[tuple[int, internet.Found]] = []
        sixes: list[tuple[int, internet.Found]] = []
        starts, ends = frames.offset[rows], frames.offset[rows] + frames.captured[rows]
        each = zip(rows.tolist(), starts.tolist(), ends.tolist(), frames.original[rows].tolist(), strict=True)
        for row, start, end, original in each:
            found = internet.segment(link, data[start:end], original)
            if isinstance(found, Left):
                self.skipped.reasons[found] += 1
                if found is Left.LINK:
                    self.skipped.links[link] += 1
            else:
                (fours if len(found.source) == 4 else sixes).append((row, found))  # noqa: PLR2004 (bytes of IPv4)
        return [_part(some, six=six) for some, six in ((fours, False), (sixes, True)) if some]


def _of(column: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return column if len(rows) == len(column) else column[rows]  # all of them are in order


def _groups(frames: Frames) -> list[_Group]:
    rows = np.arange(len(frames.offset))
    if frames.interface is None:
        return [_Group(frames.links[0], rows)] if len(rows) else []
    of = np.array(frames.links)[frames.interface]
    return [_Group(link, rows[of == link]) for link in np.unique(of).tolist()]


def _part(found: list[tuple[int, internet.Found]], *, six: bool) -> Part:
    columns = list(zip(*(one for _, one in found), strict=True)) or [()] * len(internet.Found._fields)
    ends = [np.array(column, np.uint64) for column in columns[2:4]]
    addresses = None
    if six:
        joined = b"".join(one.source + one.target for _, one in found)
        addresses = np.frombuffer(joined, ">u8").astype(np.uint64).reshape(-1, 4)
    else:
        hosts = [np.frombuffer(b"".join(column), ">u4").astype(np.uint64) for column in columns[:2]]
        ends = [port | host << np.uint64(16) for port, host in zip(ends, hosts, strict=True)]
    seq, ack = (np.array(column, np.uint32) for column in columns[4:6])
    flags, window = np.array(columns[6], np.uint8), np.array(columns[7], np.uint16)
    length, ident = np.array(columns[8], np.int64), np.array(columns[9], np.uint16)
    row = np.array([row for row, _ in found], np.int64)
    return Part(row, ends[0], ends[1], seq, ack, flags, window, length, ident, addresses)


def _merge(parts: list[Part], known: Addresses) -> Part:
    """All in one, in file order, IPv6 addresses numbered in the order in which they come."""
    parts = [part for part in parts if len(part.row)] or [_part([], six=False)]
    if len(parts) == 1:
        return _numbered(parts[0], known)
    fours = [part for part in parts if part.addresses is None]
    sixes = [part for part in parts if part.addresses is not None]
    return _join([*fours, *([_numbered(_join(sixes), known)] if sixes else [])])


def _join(parts: list[Part]) -> Part:
    if len(parts) == 1:
        return parts[0]
    order = np.argsort(np.concatenate([part.row for part in parts]), kind="stable")
    columns: list[Any] = [
        None if columns[0] is None else np.concatenate(columns)[order] for columns in zip(*parts, strict=True)
    ]
    return Part(*columns)


def _numbered(part: Part, known: Addresses) -> Part:
    if part.addresses is None:
        return part
    hosts = known.numbers(part.addresses.reshape(-1, 2)).reshape(-1, 2)
    return part._replace(source=part.source | hosts[:, 0], target=part.target | hosts[:, 1], addresses=None)
