"""TCP segments as columns, and the numbers that stand for the two ends of a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))
"""The flags of a segment (RFC 9293, 3.1), from the lowest bit."""


class Segment(NamedTuple):
    """One TCP segment as it was captured.

    ``frame`` is its number in the file, from 1; ``time`` is in nanoseconds since the epoch; ``source`` and ``target``
    are endpoints (see `Endpoints`); ``flags`` the low eight; ``window`` as in the header, unscaled; ``length`` the
    payload's bytes by the headers, whatever the capture kept of it.
    """

    frame: int
    time: int
    source: int
    target: int
    seq: int
    ack: int
    flags: int
    window: int
    length: int


class Segments(NamedTuple):
    """Many segments in file order, one column a field of `Segment`."""

    frame: NDArray[np.int64]
    time: NDArray[np.int64]
    source: NDArray[np.uint64]
    target: NDArray[np.uint64]
    seq: NDArray[np.uint32]
    ack: NDArray[np.uint32]
    flags: NDArray[np.uint8]
    window: NDArray[np.uint16]
    length: NDArray[np.int64]

    def part(self, first: int, stop: int) -> Segments:
        """Some of them, not copied."""
        columns: list[Any] = [column[first:stop] for column in self]
        return Segments(*columns)

    @classmethod
    def join(cls, parts: list[Segments]) -> Segments:
        """All of them in one."""
        import numpy as np  # noqa: PLC0415 (the numbers of endpoints are wanted without it, too)

        columns: list[Any] = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
        return cls(*columns)


class Endpoints:
    """Addresses and ports as numbers below 2^49: ``family << 48 | address << 16 | port``.

    An IPv4 address (and an IPv4-mapped IPv6 one) is its own 32 bits, family 0. Of other IPv6 addresses, family 1, the
    32 bits are the order in which they were first met: exact, and as quick to compare.
    """

    V6 = 1 << 48
    NOWHERE = V6 | 0xFFFFFFFF << 16
    """Stands for all addresses that were met when `MOST` others were known: memory has an end."""
    MOST = 1 << 19

    def __init__(self) -> None:
        self._v6: list[bytes] = []
        self._numbers: dict[bytes, int] = {}

    def number(self, address: bytes) -> int:
        """The endpoint of an address of 4 or 16 bytes with port 0; add the port."""
        if len(address) == 16 and address.startswith(_MAPPED):  # noqa: PLR2004 (bytes of an IPv6 address)
            address = address[12:]
        if len(address) == 4:  # noqa: PLR2004 (bytes of an IPv4 address)
            return int.from_bytes(address) << 16
        known = self._numbers.get(address)
        if known is None:
            if self.full:
                return self.NOWHERE
            known = self._numbers[address] = len(self._v6)
            self._v6.append(address)
        return self.V6 | known << 16

    @property
    def full(self) -> bool:
        """Whether no further IPv6 address gets a number of its own."""
        return len(self._v6) >= self.MOST

    def address(self, endpoint: int) -> bytes:
        """The 4 or 16 bytes of an endpoint's address."""
        bits = endpoint >> 16 & 0xFFFFFFFF
        return self._v6[bits] if endpoint & self.V6 else bits.to_bytes(4)


def port(endpoint: int) -> int:
    """The port of an endpoint."""
    return endpoint & 0xFFFF


_MAPPED = bytes(10) + b"\xff\xff"
