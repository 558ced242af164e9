"""Whether a connection came in or went out, by its local port.

A port that listens is served. Another one of net.ipv4.ip_local_port_range was chosen by the kernel: the connection went
out. What is left was bound by a program that connects, or served by a listener that is gone (its TIME_WAIT stay for a
minute): peers that call have many ports of their own, what is called has few.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from operator import itemgetter

from advisor.collect.reached import Kind
from advisor.formats.sockdiag_blocks import packed

INBOUND, OUTBOUND, UNKNOWN, GONE = range(4)
_MIXED = 255
"""Of 256 ports: they have several ways."""
_MOST_MIXED = 16
"""So many times 256 ports are looked at by column; with more, each port is looked up."""
_ENOUGH = 8
"""Connections of one local port by which it is decided; with half as many ports of peers, it was served."""
_MOST_UNDECIDED = 32_768
"""Ports that are looked at in this way; connections of more are taken for outgoing ones."""


class Directions:
    """The direction of each local port.

    Args:
        listening: the ports that listen.
        ephemeral: the first and the last port that the kernel chooses by itself; None: not known, all are.
    """

    def __init__(self, listening: Iterable[int], ephemeral: tuple[int, int] | None) -> None:
        low, high = ephemeral or (0, 65_535)
        self._by_port = bytearray([UNKNOWN]) * 65_536
        self._by_port[low : high + 1] = bytes([OUTBOUND]) * (high + 1 - low)
        for port in listening:
            self._by_port[port] = INBOUND
        self._by_high = bytearray(256)
        self._mixed: dict[int, bytes] = {}
        for byte in range(256):
            self._look(byte)
        self._seen: dict[int, list[Kind]] = {}

    def _look(self, high: int) -> None:
        """Take note of whether all 256 ports with this upper byte have one way."""
        ports = self._by_port[high << 8 : (high + 1) << 8]
        mixed = ports.count(ports[0]) < len(ports)
        self._by_high[high] = _MIXED if mixed else ports[0]
        if mixed:
            self._mixed[high] = mask(high)

    def of(self, high: bytes, low: bytes) -> bytes:
        """One of the ways for each port, whose upper and lower bytes these are."""
        ways = high.translate(self._by_high)
        if _MIXED not in ways:
            return ways
        if len(self._mixed) > _MOST_MIXED:
            ports = packed("H", (high, low) if sys.byteorder == "big" else (low, high))
            return bytes(itemgetter(*ports, 0)(self._by_port)[:-1])  # one more: an itemgetter of one gives no tuple
        for byte, alone in self._mixed.items():
            if byte in high:
                here = low.translate(self._by_port[byte << 8 : (byte + 1) << 8])
                ways = chosen(here, ways, high.translate(alone))
        return ways

    def one(self, port: int) -> int:
        """The way of one port."""
        return self._by_port[port]

    def decide(self, port: int, kind: Kind) -> list[Kind]:
        """Take note of a connection in doubt; returns those that are now known to go out."""
        if port not in self._seen and len(self._seen) >= _MOST_UNDECIDED:
            return [kind]
        seen = self._seen.setdefault(port, [])
        seen.append(kind)
        if len(seen) < _ENOUGH:
            return []
        del self._seen[port]
        served = 2 * len({one.port for one in seen}) >= _ENOUGH
        self._by_port[port] = GONE if served else OUTBOUND
        self._look(port >> 8)
        return [] if served else seen

    def undecided(self) -> Iterator[Kind]:
        """The connections of ports that have too few of them to tell: taken for outgoing ones."""
        for seen in self._seen.values():
            yield from seen


def mask(*wanted: int) -> bytes:
    """A table for `bytes.translate` that makes all bits of some bytes 1, and of the others 0."""
    return bytes(0xFF * (byte in wanted) for byte in range(256))


def chosen(one: bytes, other: bytes, mask: bytes) -> bytes:
    """The bytes of ``one`` where the mask is 1, and of the other where it is 0."""
    mine, its, bits = (int.from_bytes(each, "big") for each in (one, other, mask))
    return (its ^ ((mine ^ its) & bits)).to_bytes(len(one), "big")
