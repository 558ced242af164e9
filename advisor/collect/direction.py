"""Whether a connection came in or went out, by its local port.

A port that listens is served. Another one of net.ipv4.ip_local_port_range was chosen by the kernel: the connection went
out. What is left was bound by a program that connects, or served by a listener that is gone (its TIME_WAIT stay for a
minute): peers that call have many ports of their own, what is called has few.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from operator import itemgetter

from advisor.collect.reached import Kind

OUTBOUND, INBOUND, WILD, UNKNOWN, GONE = range(5)
"""``WILD`` is inbound, too, where one listener serves all local IPv4 addresses."""
_ENOUGH = 8
"""Connections of one local port by which it is decided; with half as many ports of peers, it was served."""
_MOST_UNDECIDED = 32_768
"""Ports that are looked at in this way; connections of more are taken for outgoing ones."""


class Directions:
    """The direction of each local port.

    Args:
        listening: the ports that listen.
        wild: those of them that one listener serves for all local IPv4 addresses.
        ephemeral: the first and the last port that the kernel chooses by itself; None: not known, all are.
    """

    def __init__(self, listening: Iterable[int], wild: Container[int], ephemeral: tuple[int, int] | None) -> None:
        low, high = ephemeral or (0, 65_535)
        self._by_port = bytearray([UNKNOWN]) * 65_536
        self._by_port[low : high + 1] = bytes([OUTBOUND]) * (high + 1 - low)
        for port in listening:
            self._by_port[port] = WILD if port in wild else INBOUND
        self._seen: dict[int, list[Kind]] = {}

    def of(self, ports: Sequence[int]) -> bytes:
        """One of the ways for each port."""
        if len(ports) == 1:  # an itemgetter of one item gives no tuple
            return bytes([self._by_port[ports[0]]])
        return bytes(itemgetter(*ports)(self._by_port))

    def one(self, port: int) -> int:
        """The way of one port, `INBOUND` for any that listens."""
        way = self._by_port[port]
        return INBOUND if way == WILD else way

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
        return [] if served else seen

    def undecided(self) -> Iterator[Kind]:
        """The connections of ports that have too few of them to tell: taken for outgoing ones."""
        for seen in self._seen.values():
            yield from seen
