"""Counting sockets while they are read: by state, by listener, by destination, in bounded memory.

Blocks of messages are counted by column (some 0.6 us a socket); sockets of IPv6, those of /proc/net/tcp and those whose
direction is in doubt one by one (some 3 us).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from itertools import compress
from operator import itemgetter
from typing import Literal

from advisor.catalog.tcp import State
from advisor.collect.ages import BUCKETS, scaled, time_wait_bucket
from advisor.collect.direction import INBOUND, OUTBOUND, UNKNOWN, WILD, Directions
from advisor.collect.reached import Destinations, Kind
from advisor.collect.sampling import Part
from advisor.collect.served import Listeners, Served, named
from advisor.formats import sockdiag
from advisor.formats.sockdiag import STATE, Row
from advisor.formats.sockdiag_blocks import DPORT, EXPIRES, SPORT, Block
from advisor.snapshot.counted import Sockets

MOST_ROWS = 1_000
"""Listeners and destinations in a snapshot."""
MOST_KEYS = 32_768
"""Different numbers that are counted before they are told apart."""

_NARROW = 4
_HOST_ORDER = 1 if sys.byteorder == "big" else -1
_ODD = bytes([0, 1] * 128)
_ESTABLISHED = bytes(int(number == State.ESTABLISHED) for number in range(256))


class Tally:
    """Counts connections; the listeners must have been added before.

    Args:
        listeners: who listens.
        ephemeral: net.ipv4.ip_local_port_range, first and last port; None where it could not be read.
        timed: whether what is counted says how long it has been in TIME_WAIT.
    """

    def __init__(self, listeners: Listeners, ephemeral: tuple[int, int] | None = None, *, timed: bool = True) -> None:
        self.states: Counter[int] = Counter()
        self.listeners = listeners
        self.destinations = Destinations(timed=timed)
        self._directions = Directions(listeners.ports, listeners.wild, ephemeral)
        self._wild: Counter[int] = Counter()
        self._inbound: Counter[int] = Counter()
        self._clients: Counter[int] = Counter()
        self._outbound: Counter[tuple[int, int]] = Counter()
        self._lows: dict[bytes, Served | None] = {}

    def add(self, blocks: Iterable[Block]) -> None:
        """Count the connections of some blocks."""
        for block in blocks:
            if block.width == _NARROW:
                self._narrow(block)
            else:
                self._one_by_one(block, bytes([1]) * block.sockets)
        if len(self._wild) + len(self._inbound) + len(self._clients) + len(self._outbound) > MOST_KEYS:
            self.settle()

    def _narrow(self, block: Block) -> None:
        states = block.column(STATE)
        for state in set(states):
            self.states[state] += states.count(state)
        ports = block.columns(SPORT, 2)
        ways = self._directions.of(block.packed("H", ports[::_HOST_ORDER]))
        if OUTBOUND in ways:
            self._count_outbound(block, states, _where(ways, OUTBOUND))
        if WILD in ways:
            remote = block.columns(block.destination, _NARROW)
            self._wild.update(compress(block.packed("Q", [*remote, states, None, *ports]), _where(ways, WILD)))
        if INBOUND in ways:
            self._count_inbound(block, states, ports, _where(ways, INBOUND))
        if UNKNOWN in ways:
            self._one_by_one(block, _where(ways, UNKNOWN), counted=True)

    def _count_inbound(self, block: Block, states: bytes, ports: list[bytes], chosen: bytes) -> None:
        local = block.columns(block.source, _NARROW)
        self._inbound.update(compress(block.packed("Q", [*local, states, None, *ports]), chosen))
        established = _both(chosen, states.translate(_ESTABLISHED))
        remote = block.columns(block.destination, _NARROW)
        self._clients.update(compress(block.packed("Q", [*remote, *local[2:], *ports]), established))

    def _count_outbound(self, block: Block, states: bytes, chosen: bytes) -> None:
        addresses = [*block.columns(block.source, _NARROW), *block.columns(block.destination, _NARROW)]
        odd = block.column(SPORT + 1).translate(_ODD)
        buckets = _buckets(block) if State.TIME_WAIT in states else None
        rest = [*block.columns(DPORT, 2), states, odd, buckets, None, None, None]
        pairs = zip(block.packed("Q", addresses), block.packed("Q", rest), strict=True)
        self._outbound.update(compress(pairs, chosen))

    def settle(self) -> None:
        """Bring what was counted as numbers to its listeners and destinations: those then hold all that was added."""
        for number, count in self._wild.items():
            raw = _bytes(number)
            self._serve(self.listeners.of(bytes(_NARROW), int.from_bytes(raw[6:], "big")), raw[4], raw[:4], count)
        for number, count in self._inbound.items():
            raw = _bytes(number)
            served = self.listeners.of(raw[:4], int.from_bytes(raw[6:], "big"))
            if served is not None:
                served.states[raw[4]] += count
            self._know(raw[2:4] + raw[6:], served)
        for number, count in self._clients.items():
            raw = _bytes(number)
            served = self._lows.get(raw[4:])
            if served is not None:
                self.listeners.client(served, raw[:4], count)
        self.destinations.add((_kind(*pair), count) for pair, count in self._outbound.items())
        for counted in (self._wild, self._inbound, self._clients, self._outbound):
            counted.clear()

    def _know(self, low: bytes, served: Served | None) -> None:
        """The listener by the lower half of a local address and its port.

        Where two listeners share those, clients can't be told apart by them: then neither says how many it has.
        """
        known = self._lows.setdefault(low, served)
        if known is not served:
            for one in (known, served):
                if one is not None:
                    one.clients = None

    def _one_by_one(self, block: Block, chosen: bytes, *, counted: bool = False) -> None:
        skip = block.destination - block.source - block.width
        layout = f"{STATE}xBxx2s2s{block.source - DPORT - 2}x{block.width}s{skip}x{block.width}s"
        layout += f"{EXPIRES - block.destination - block.width}xI"
        for state, sport, dport, local, remote, expires in compress(block.unpacked(layout), chosen):
            self.states[state] += not counted
            self._one(state, sport, dport, local, remote, expires)

    def add_rows(self, rows: Iterable[Row]) -> None:
        """Count some connections that no block holds."""
        for family, state, sport, peer in rows:
            self.states[state] += 1
            local, remote = sockdiag.address(family, peer[2:18]), sockdiag.address(family, peer[18:34])
            self._one(state, sport, peer[:2], local, remote, 0)

    def _one(self, state: int, sport: bytes, dport: bytes, local: bytes, remote: bytes, expires: int) -> None:
        port = int.from_bytes(sport, "big")
        way = self._directions.one(port)
        bucket = time_wait_bucket(expires) if state == State.TIME_WAIT else 0
        kind = Kind(local + remote, dport, state, port & 1, bucket)
        if way == INBOUND:
            self._serve(self.listeners.of(local, port), state, remote, 1)
        elif way == OUTBOUND:
            self.destinations.add([(kind, 1)])
        elif way == UNKNOWN:
            self.destinations.add((one, 1) for one in self._directions.decide(port, kind))

    def _serve(self, served: Served | None, state: int, client: bytes, count: int) -> None:
        if served is not None:
            served.states[state] += count
            if state == State.ESTABLISHED:
                self.listeners.client(served, client, count)

    def done(
        self, method: Literal["SOCK_DIAG", "/proc/net/tcp"], first: frozenset[int], part: Part | None = None
    ) -> Sockets:
        """As a snapshot holds it.

        Listeners on the ports of ``first`` and then those with the most connections get the rows there are, and so do
        the destinations with the most ports; ``rest`` counts the connections of all others.

        Args:
            method: how they were read.
            first: ports.
            part: where not all were looked at, what those that were stand for.
        """
        self.settle()
        self.destinations.add((one, 1) for one in self._directions.undecided())
        served = sorted(self.listeners.all(), key=lambda one: (one.port not in first, -one.states.total()))
        if part is not None:
            part.seen(self._by_port(served), self.states.total())
        share = part.of if part is not None else _whole
        destinations = self.destinations.rows(MOST_ROWS, share)
        states = self.states + Counter({int(State.LISTEN): sum(one.sockets for one in served)})
        shown = sorted(served[:MOST_ROWS], key=lambda one: (one.port, one.address))
        rest = [(one.port, one.states.total()) for one in served[MOST_ROWS:]] + self.destinations.rest
        return Sockets(
            method=method,
            states=named(states if part is None else Counter(part.whole)),
            listeners=[one.row(share(one.port)) for one in shown],
            destinations=destinations,
            rest=sum(scaled(count, share(port)) for port, count in rest),
            share=part.share if part is not None else 1.0,
        )

    def _by_port(self, served: Iterable[Served]) -> Counter[int]:
        found = self.destinations.by_port()
        for one in served:
            found[one.port] += one.states.total()
        return found


def _whole(_: int) -> float:
    return 1.0


def _where(ways: bytes, way: int) -> bytes:
    return ways.translate(bytes(int(number == way) for number in range(256)))


def _both(one: bytes, other: bytes) -> bytes:
    both = int.from_bytes(one, "big") & int.from_bytes(other, "big")
    return both.to_bytes(len(one), "big")


def _buckets(block: Block) -> bytes:
    """The age of each socket, as if it were in TIME_WAIT."""
    left = block.packed("I", block.columns(EXPIRES, 4))
    try:
        return bytes(itemgetter(*left, 0)(BUCKETS)[:-1])  # one more: an itemgetter of one item gives no tuple
    except IndexError:  # other states may have more time left
        return bytes(map(time_wait_bucket, left))


def _bytes(number: int) -> bytes:
    return number.to_bytes(8, sys.byteorder)


def _kind(addresses: int, rest: int) -> Kind:
    raw = _bytes(rest)
    return Kind(_bytes(addresses), raw[:2], raw[2], raw[3], raw[4])
