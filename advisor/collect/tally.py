"""Counting sockets while they are read: by state, by listener, by destination, in bounded memory.

Blocks of messages are counted by column (some 0.25 us a socket); sockets of /proc/net/tcp and those whose direction is
in doubt one by one (some 3 us).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from operator import itemgetter
from typing import Literal

from advisor.catalog.tcp import State
from advisor.collect.ages import BUCKETS, scaled, time_wait_bucket
from advisor.collect.direction import GONE, INBOUND, OUTBOUND, UNKNOWN, Directions, chosen, mask
from advisor.collect.reached import Destinations, Kind
from advisor.collect.rows import Rows
from advisor.collect.sampling import Part
from advisor.collect.served import Listeners, Served, named
from advisor.formats import sockdiag
from advisor.formats.sockdiag import STATE, Row
from advisor.formats.sockdiag_blocks import DPORT, EXPIRES, SPORT, Block, packed
from advisor.snapshot.counted import Sockets

MOST_ROWS = 1_000
"""Listeners and destinations in a snapshot."""
MOST_KEYS = 32_768
"""Different kinds of sockets that are counted before they are told apart."""

_NARROW, _WIDE = 4, 16
_FOR_OUTBOUND = mask(OUTBOUND)
_DOUBTFUL = mask(UNKNOWN)
_PLAIN = mask(INBOUND, OUTBOUND)
_ODD = bytes([0, 1] * 128)


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
        self._directions = Directions(listeners.ports, ephemeral)
        self._rows = {width: Rows(f"={width}s{width}s2sBBBB") for width in (_NARROW, _WIDE)}

    def add(self, blocks: Iterable[Block]) -> None:
        """Count the connections of some blocks."""
        for block in blocks:
            states = block.column(STATE)
            for state in set(states):
                self.states[state] += states.count(state)
            self._add(block)
        if sum(map(len, self._rows.values())) > MOST_KEYS:
            self.settle()

    def _add(self, block: Block) -> None:
        ways = self._directions.of(*block.columns(SPORT, 2))
        if UNKNOWN in ways or GONE in ways:
            self._one_by_one(block.only(ways.translate(_DOUBTFUL)))
            block, ways = block.only(ways.translate(_PLAIN)), ways.translate(None, bytes([UNKNOWN, GONE]))
        if ways:
            self._rows[block.width].add(_columns(block, ways))

    def settle(self) -> None:
        """Bring what was counted to its listeners and destinations: those then hold all that was added."""
        by_end: dict[bytes, Served | None] = {}
        for rows in self._rows.values():
            for (local, remote, port, state, way, odd, bucket), count in rows.taken():
                if way == INBOUND:
                    end = local + port
                    if end not in by_end:
                        by_end[end] = self.listeners.of(local, int.from_bytes(port, "big"))
                    self._serve(by_end[end], state, remote, count)
                else:
                    self.destinations.add([(Kind(local + remote, port, state, odd, bucket), count)])

    def _one_by_one(self, block: Block) -> None:
        skip = block.destination - block.source - block.width
        layout = f"{STATE}xBxx2s2s{block.source - DPORT - 2}x{block.width}s{skip}x{block.width}s"
        layout += f"{EXPIRES - block.destination - block.width}xI"
        for found in block.unpacked(layout):
            self._one(*found)

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


def _columns(block: Block, ways: bytes) -> list[bytes]:
    """By what the sockets are counted, a column each: the layout of `Tally`'s rows.

    Of the port, the local one of an inbound connection and the remote one of an outbound one; for inbound ones the
    others are 0.
    """
    states, ports = block.column(STATE), block.columns(SPORT, 2)
    blank = bytes(len(ways))
    buckets = _buckets(block) if State.TIME_WAIT in states else blank
    outbound = [*block.columns(DPORT, 2), ports[1].translate(_ODD), buckets]
    inbound = [*ports, blank, blank]
    if INBOUND not in ways:
        said = outbound
    elif OUTBOUND not in ways:
        said = inbound
    else:
        where = ways.translate(_FOR_OUTBOUND)
        said = [chosen(one, other, where) for one, other in zip(outbound, inbound, strict=True)]
    ends = block.columns(block.source, block.width) + block.columns(block.destination, block.width)
    return [*ends, *said[:2], states, ways, *said[2:]]


def _buckets(block: Block) -> bytes:
    """The age of each socket, as if it were in TIME_WAIT."""
    left = packed("I", block.columns(EXPIRES, 4))
    try:
        return bytes(itemgetter(*left, 0)(BUCKETS)[:-1])  # one more: an itemgetter of one item gives no tuple
    except IndexError:  # other states may have more time left
        return bytes(map(time_wait_bucket, left))
