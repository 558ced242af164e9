"""The usual stacks of headers as columns: many frames at once, what `internet.segment` does with one.

Each `Shape` is a stack in which every field stands at a fixed place: a link's header, up to two VLAN tags, IPv4 without
options or IPv6 without extension headers, TCP. A frame that fits no shape is left to `internet.segment`.

Headers are taken as 32-bit words, one row a word of all frames: one copy of each frame's header and one transposition
cost less than a strided read for each field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from advisor.capture import internet
from advisor.capture import link as links

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Words = NDArray[np.uint32]
    Mask = NDArray[np.bool_]

_U16, _PORT = np.uint32(16), np.uint64(16)
_LOW, _BYTE = np.uint32(0xFFFF), np.uint32(0xFF)
_BLOCK = 4096
"""Frames whose headers are transposed at once: they stay in the cache meanwhile (at 4 MiB a third of the time)."""
_OFFSET = np.uint32(0x1FFF)
"""Where in the packet a fragment belongs (RFC 791, 3.1)."""

OTHER = np.ones(256, bool)
"""The protocols in which no TCP can be found; UDP holds some only where it is VXLAN."""
OTHER[[internet.TCP, internet.GRE, *internet.IP_IN_IP, *internet.EXTENSIONS]] = False


class Part(NamedTuple):
    """Segments as columns, in order of ``row``, their frame in the chunk.

    Ends are endpoints; if ``addresses`` is given they are ports only, and it has the 16 bytes of source and target of
    each as four numbers.
    """

    row: NDArray[np.int64]
    source: NDArray[np.uint64]
    target: NDArray[np.uint64]
    seq: NDArray[np.uint32]
    ack: NDArray[np.uint32]
    flags: NDArray[np.uint8]
    window: NDArray[np.uint16]
    length: NDArray[np.int64]
    ident: NDArray[np.uint16]
    addresses: NDArray[np.uint64] | None

    def take(self, rows: Mask) -> Part:
        """Some of them."""
        columns: list[Any] = [None if column is None else column[rows] for column in self]
        return Part(*columns)


class Check(NamedTuple):
    """What a link's header must say: one of ``values`` in the bits ``mask`` of a word ``back`` words before IP."""

    back: int
    mask: int
    values: tuple[int, ...]

    def passes(self, word: Words) -> Mask:
        """Which words do."""
        bits = word & np.uint32(self.mask)
        passes: Mask = bits == np.uint32(self.values[0])
        for value in self.values[1:]:
            passes |= bits == np.uint32(value)
        return passes


class Shape:
    """One stack of headers.

    Args:
        at: where the IP packet begins.
        six: whether it is IPv6.
        checks: what stands before it.
    """

    def __init__(self, at: int, *checks: Check, six: bool) -> None:
        self._checks = checks
        self._lead = max((check.back for check in checks), default=0)
        self._six, self._ip = six, 10 if six else 5
        self._count = self._lead + self._ip + internet.NEEDED // 4
        self._from = at - self._lead * 4
        self.size = self._from + self._count * 4
        """Bytes of a frame that are needed."""

    def words(self, data: NDArray[np.uint8], offset: NDArray[np.int64]) -> Words:
        """The headers of frames, all of which have `size` bytes: each row a word of all, the last four are TCP's."""
        size = self._count * 4
        everywhere = np.ndarray((len(data) - size + 1,), f"V{size}", data, strides=(1,))
        words: Words = np.empty((self._count, len(offset)), np.uint32)
        for start in range(0, len(offset), _BLOCK):
            some = slice(start, start + _BLOCK)
            words[:, some] = everywhere[offset[some] + self._from].view(">u4").reshape(-1, self._count).T
        return words

    def fits(self, words: Words) -> Mask:
        """Which of them have this stack below TCP."""
        unused, value = (28, 6) if self._six else (24, 0x45)  # the version; of IPv4 with a header of 5 words
        fits: Mask = words[self._lead] >> np.uint32(unused) == value
        for check in self._checks:
            fits &= check.passes(words[self._lead - check.back])
        return fits

    def sizes(self, words: Words) -> tuple[NDArray[np.int64], Words]:
        """Bytes of each packet behind its IP header, and of its TCP header."""
        if self._six:
            behind = (words[self._lead + 1] >> _U16).astype(np.int64)
        else:
            behind = (words[self._lead] & _LOW).astype(np.int64)
            behind -= 20
        return behind, words[-1] >> np.uint32(28) << np.uint32(2)

    def protocol(self, words: Words) -> Words:
        """The protocol of each."""
        word = words[self._lead + 1] >> np.uint32(8) if self._six else words[self._lead + 2] >> _U16
        protocol: Words = word & _BYTE
        return protocol

    def sound(self, words: Words, header: Words, payload: NDArray[np.int64]) -> Mask:
        """Which of them, fitting, are whole TCP segments."""
        sound: Mask = self.protocol(words) == internet.TCP
        sound &= header >= 20  # noqa: PLR2004 (the least of RFC 9293, 3.1)
        sound &= payload >= 0
        if not self._six:
            sound &= words[self._lead + 1] & _OFFSET == 0
        return sound

    def other(self, words: Words, behind: NDArray[np.int64]) -> Mask:
        """Which of them, fitting, hold no TCP; an IPv4 length of less than its header is left to the reference."""
        protocol = self.protocol(words)
        vxlan = (protocol == internet.UDP) & (words[-4] & _LOW == internet.VXLAN)
        other: Mask = OTHER[protocol] & (behind >= 0) & ~vxlan
        return other

    def part(self, row: NDArray[np.int64], words: Words, payload: NDArray[np.int64]) -> Part:
        """The segments of them, all of which are sound."""
        ports, seq, ack, last = words[-4:]
        source, target = (ports >> _U16).astype(np.uint64), (ports & _LOW).astype(np.uint64)
        addresses = None
        if self._six:
            pairs = words[self._lead + 2 : self._lead + 10].astype(np.uint64)
            addresses = np.ascontiguousarray((pairs[::2] << np.uint64(32) | pairs[1::2]).T)
            ident = np.zeros(len(row), np.uint16)
        else:
            source |= words[self._lead + 3].astype(np.uint64) << _PORT
            target |= words[self._lead + 4].astype(np.uint64) << _PORT
            ident = (words[self._lead + 1] >> _U16).astype(np.uint16)
        flags, window = (last >> _U16).astype(np.uint8), last.astype(np.uint16)
        return Part(row, source, target, seq, ack, flags, window, payload, ident, addresses)


def _shapes(at: int, *checks: Check, kind: Check | None = None) -> tuple[Shape, Shape]:
    """For IPv4 and for IPv6; ``kind`` is where the EtherType is, with those of IPv4 and of IPv6."""
    four, six = (
        () if kind is None else (kind._replace(values=(value,)),) for value in (kind.values if kind else (0, 0))
    )
    return Shape(at, *checks, *four, six=False), Shape(at, *checks, *six, six=True)


def _type(back: int, values: tuple[int, ...] = (links.ETHERTYPE_IP, links.ETHERTYPE_IPV6)) -> Check:
    return Check(back, 0xFFFF, values)


_FAMILY = Check(1, 0xFFFFFFFF, (*links.FAMILIES, *(family << 24 for family in links.FAMILIES)))
_SLL2_TYPE = Check(5, 0xFFFF0000, (links.ETHERTYPE_IP << 16, links.ETHERTYPE_IPV6 << 16))
SHAPES = {
    links.EN10MB: (
        *_shapes(14, kind=_type(1)),
        *_shapes(18, _type(2, links.TAGS), kind=_type(1)),
        *_shapes(22, _type(3, links.TAGS), _type(2, links.TAGS), kind=_type(1)),
    ),
    links.LINUX_SLL: _shapes(16, kind=_type(1)),
    links.LINUX_SLL2: _shapes(20, kind=_SLL2_TYPE),
    **dict.fromkeys((links.NULL, links.LOOP), _shapes(4, _FAMILY)),
    **dict.fromkeys(links.RAWS, _shapes(0)),
}
"""The shapes of each link type, the most usual first."""
