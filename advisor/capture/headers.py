"""The usual stacks of headers as columns: many frames at once, what `internet.segment` does with one.

Each `Shape` is a stack in which every field stands at a fixed place: a link's header, up to two VLAN tags, IPv4 without
options or IPv6 without extension headers, TCP. A frame that fits no shape is left to `internet.segment`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from advisor.capture import internet
from advisor.capture import link as links

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TCP_FIELDS = {
    "sport": (">u2", 0),
    "dport": (">u2", 2),
    "seq": (">u4", 4),
    "ack": (">u4", 8),
    "offset": ("u1", 12),
    "flags": ("u1", 13),
    "window": (">u2", 14),
}
_IPV4_FIELDS = {
    "version": ("u1", 0),
    "total": (">u2", 2),
    "ident": (">u2", 4),
    "fragment": (">u2", 6),
    "protocol": ("u1", 9),
    "source": (">u4", 12),
    "target": (">u4", 16),
}
_IPV6_FIELDS = {
    "version": ("u1", 0),
    "total": (">u2", 4),
    "protocol": ("u1", 6),
    "source": (">u8", 8),
    "source_low": (">u8", 16),
    "target": (">u8", 24),
    "target_low": (">u8", 32),
}
_MORE_OR_OFFSET = 0x3FFF
"""More fragments, or a fragment's offset (RFC 791, 3.1)."""

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

    def take(self, rows: NDArray[np.bool_]) -> Part:
        """Some of them."""
        columns: list[Any] = [None if column is None else column[rows] for column in self]
        return Part(*columns)


class Shape:
    """One stack of headers.

    Args:
        at: where the IP packet begins.
        six: whether it is IPv6.
        checks: fields before it, each by its type, its place and the values it may have.
    """

    def __init__(self, at: int, checks: tuple[tuple[str, int, tuple[int, ...]], ...], *, six: bool) -> None:
        self.six, self.at, self.header = six, at, 40 if six else 20
        self.size = at + self.header + internet.NEEDED
        self._checks = [(f"check{i}", values) for i, (_, _, values) in enumerate(checks)]
        fields = {f"check{i}": (kind, where) for i, (kind, where, _) in enumerate(checks)}
        fields |= {name: (kind, at + i) for name, (kind, i) in (_IPV6_FIELDS if six else _IPV4_FIELDS).items()}
        fields |= {name: (kind, at + self.header + i) for name, (kind, i) in _TCP_FIELDS.items()}
        formats, offsets = [kind for kind, _ in fields.values()], [where for _, where in fields.values()]
        self._type = np.dtype({"names": [*fields], "formats": formats, "offsets": offsets, "itemsize": self.size})

    def gather(self, data: NDArray[np.uint8], offset: NDArray[np.int64]) -> NDArray[np.void]:
        """The headers of frames, all of which have `size` bytes, one behind the other."""
        everywhere = np.ndarray((len(data) - self.size + 1,), f"V{self.size}", data, strides=(1,))
        return everywhere[offset].view(self._type)

    def fits(self, heads: NDArray[np.void]) -> NDArray[np.bool_]:
        """Which of them have this stack below IP."""
        version = heads["version"]
        fits: NDArray[np.bool_] = version & 0xF0 == 0x60 if self.six else version == 0x45  # noqa: PLR2004 (version, and header length)
        for name, values in self._checks:
            field = heads[name]
            one = field == values[0]
            for value in values[1:]:
                one |= field == value
            fits &= one
        return fits

    def lengths(self, heads: NDArray[np.void]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Bytes of each packet behind its IP header, and of these the TCP payload."""
        behind = heads["total"].astype(np.int64)
        if not self.six:
            behind -= self.header
        return behind, behind - (heads["offset"] >> 4) * np.int64(4)

    def sound(self, heads: NDArray[np.void], payload: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of them, fitting, are whole TCP segments."""
        sound: NDArray[np.bool_] = heads["protocol"] == internet.TCP
        sound &= payload >= 0
        sound &= heads["offset"] >= 5 << 4
        if not self.six:
            sound &= heads["fragment"] & _MORE_OR_OFFSET == 0
        return sound

    def other(self, heads: NDArray[np.void], behind: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of them, fitting, hold no TCP."""
        vxlan = (heads["protocol"] == internet.UDP) & (heads["dport"] == internet.VXLAN)
        other: NDArray[np.bool_] = OTHER[heads["protocol"]] & (behind >= self.six) & ~vxlan
        return other

    def part(self, row: NDArray[np.int64], heads: NDArray[np.void], payload: NDArray[np.int64]) -> Part:
        """The segments of them, all of which are sound."""
        source, target = heads["sport"].astype(np.uint64), heads["dport"].astype(np.uint64)
        addresses = None
        if self.six:
            names = ("source", "source_low", "target", "target_low")
            addresses = np.stack([heads[name].astype(np.uint64) for name in names], axis=1)
            ident = np.zeros(len(row), np.uint16)
        else:
            source |= heads["source"].astype(np.uint64) << np.uint64(16)
            target |= heads["target"].astype(np.uint64) << np.uint64(16)
            ident = heads["ident"].astype(np.uint16)
        seq, ack = heads["seq"].astype(np.uint32), heads["ack"].astype(np.uint32)
        flags, window = heads["flags"].copy(), heads["window"].astype(np.uint16)
        return Part(row, source, target, seq, ack, flags, window, payload, ident, addresses)


def _shapes(at: int, *checks: tuple[str, int, tuple[int, ...]], kind: int | None = None) -> tuple[Shape, Shape]:
    """For IPv4 and for IPv6, if ``kind`` is where the EtherType is."""
    of4, of6 = (() if kind is None else ((">u2", kind, (of,)),) for of in (links.ETHERTYPE_IP, links.ETHERTYPE_IPV6))
    return Shape(at, (*checks, *of4), six=False), Shape(at, (*checks, *of6), six=True)


_TAG, _TAG2 = (">u2", 12, links.TAGS), (">u2", 16, links.TAGS)
_FAMILY = (">u4", 0, (*links.FAMILIES, *(family << 24 for family in links.FAMILIES)))
SHAPES = {
    links.EN10MB: (*_shapes(14, kind=12), *_shapes(18, _TAG, kind=16), *_shapes(22, _TAG, _TAG2, kind=20)),
    links.LINUX_SLL: _shapes(16, kind=14),
    links.LINUX_SLL2: _shapes(20, kind=0),
    **dict.fromkeys((links.NULL, links.LOOP), _shapes(4, _FAMILY)),
    **dict.fromkeys(links.RAWS, _shapes(0)),
}
"""The shapes of each link type, the most usual first."""
