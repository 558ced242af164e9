"""Connections that are over, folded into totals by what they were made to: a server's address and port.

Nothing is kept per connection but the age of those that never ended, and who the clients are (bounded, each).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from advisor.capture.clients import Clients
from advisor.capture.columns import Columns
from advisor.capture.connection import NONE, Note
from advisor.capture.gaps import Lengths
from advisor.catalog.tcp import State

FIELDS = (
    "connections", "midstream", "attempts", "opened", "refused", "unanswered", "pending", "half_open",
    "syns", "syn_repeats", "syn_acks", "syn_ack_repeats",
    "closed_client", "closed_server", "reset_client", "reset_server", "never_closed", "races",
    "packets_client", "packets_server", "bytes_client", "bytes_server", "repeats_client", "repeats_server", "held_us",
)  # fmt: skip
"""What is counted of a destination.

connections: all; midstream: without a SYN of the client; attempts: with one.
opened: attempts whose both ends were ESTABLISHED; refused: by a RST; half_open: whose SYN,ACK nobody acknowledged.
unanswered: attempts to which nothing came back; pending: of these, whose last SYN was sent in the last second of the
    capture (the time after which TCP sends it again, RFC 6298): they are not among ``unanswered``.
syns, syn_acks: SYNs of the client and of the server, repeated ones included; syn_repeats, syn_ack_repeats: those.
closed_client, closed_server: who began to close; reset_client, reset_server: of these, by a RST without a FIN.
never_closed: of what stood (opened, or midstream), what had not begun to close when the capture ended.
races: connections that the server closed after a second of silence or more, and a request of the client met that.
packets, bytes, repeats: sent by client and server; repeats are segments.
held_us: microseconds from ESTABLISHED (midstream: from the first packet) to the first FIN or RST, or the last packet
    of the capture.
"""
STATES = 15
"""States of an end: the number of a `State` plus 1; 0 is an end that never showed itself."""
DESTINATIONS = 4096
"""Destinations that are kept at most; of the others what they add to their port."""
_WIDTH = len(FIELDS) + 2 * STATES
_AT = {name: index for index, name in enumerate(FIELDS)}
_SECOND = 1_000_000_000
_PORT = 0xFFFF
_OTHERS = (1 << 33) - 1 << 16
"""The address that stands for all that are not kept: no endpoint has it, with its family's bit."""
_BATCH = 1 << 12
_WAITING = 1 << 20
"""Ends that are kept until the capture's end is known; what comes after so many is counted without."""


class Total(NamedTuple):
    """What was counted of one destination, or of a port.

    ``endpoint`` is its number (see `advisor.capture.segments.Endpoints`), None where several stand for it.
    ``counts`` are those of `FIELDS`; ``client`` and ``server`` count the states that each end was left in, None is an
    end that never showed itself. ``silent`` says for how long, in nanoseconds up to the capture's end, nothing new came
    on each connection that never closed.
    """

    port: int
    endpoint: int | None
    counts: dict[str, int]
    client: dict[State | None, int]
    server: dict[State | None, int]
    silent: NDArray[np.int64]


class Totals:
    """Totals by destination; those of a port are the sum of its destinations."""

    def __init__(self) -> None:
        self._handshakes = Lengths(1)
        self._clients = Clients()
        self.first = 0
        self.last = 0
        """Times of the first and last packet of all, nanoseconds since the epoch; 0 without any."""
        self._keys = np.zeros(0, np.int64)
        self._rows = np.zeros((0, _WIDTH), np.int64)
        self._parts: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        self._asked: list[NDArray[np.int64]] = []
        self._open: list[NDArray[np.int64]] = []
        self._waiting = 0
        self._batches: list[Columns] = []

    def add(self, columns: Columns) -> None:
        """Fold in connections that are over, or that were open when the capture ended; each once.

        They are kept as they are until there are enough to be worth numpy's while: leave them unchanged. Many are gone
        through by as many as stay in a processor's cache.
        """
        if not len(columns):
            return
        first, last = int(columns.first.min()), int(columns.last.max())
        self.first = min(self.first or first, first)
        self.last = max(self.last, last)
        for begin in range(0, len(columns), _BATCH):
            table = columns.table[begin : begin + _BATCH]
            self._batches.append(Columns(len(table), table))
            if sum(map(len, self._batches)) >= _BATCH:
                self._fold()

    def _fold(self) -> None:
        columns = self._batches[0] if len(self._batches) == 1 else Columns.join(self._batches)
        self._batches = []
        ends = _Ends(columns)
        told = _told(columns, ends)
        keys, inverse = np.unique(ends.server, return_inverse=True)
        rows = np.zeros((len(keys), _WIDTH), np.int64)
        for name, values in told.items():
            rows[:, _AT[name]] = _sums(inverse, values, len(keys))
        for begin, states in ((len(FIELDS), ends.of("state")), (len(FIELDS) + STATES, ends.at("state"))):
            cells = np.bincount(inverse * STATES + states + 1, minlength=len(keys) * STATES)
            rows[:, begin : begin + STATES] = cells.reshape(-1, STATES)
        self._parts.append((keys, rows))
        self._wait(columns, ends, told)
        self._clients.add(ends.client, ends.server)
        self._shaken(columns, ends.server & _PORT)
        if sum(len(part) for part, _ in self._parts) > DESTINATIONS:
            self._merge()

    @property
    def handshakes(self) -> Lengths:
        """From the first SYN to ESTABLISHED at both ends, by server port; of one kind, 0."""
        self._merge()
        return self._handshakes

    @property
    def clients(self) -> Clients:
        """Who connected to each server port."""
        self._merge()
        return self._clients

    def _shaken(self, columns: Columns, ports: NDArray[np.int64]) -> None:
        shaken = np.flatnonzero((columns.syn_at != NONE) & (columns.open_at != NONE))
        lengths = (columns.open_at - columns.syn_at)[shaken]
        self._handshakes.add(ports[shaken], lengths, np.zeros(len(shaken), np.int8))

    def _wait(self, columns: Columns, ends: _Ends, told: Told) -> None:
        """Keep what can only be judged once the capture's end is known."""
        asked = np.flatnonzero(told["unanswered"])
        still = np.flatnonzero(told["never_closed"])
        asked, still = asked[: _WAITING - self._waiting], still[: max(0, _WAITING - self._waiting - len(asked))]
        self._waiting += len(asked) + len(still)
        self._asked.append(np.stack([ends.server[asked], columns.last[asked]]))
        over = (columns.notes[still] & Note.SUPERSEDED) != 0
        until = np.where(over, columns.last[still], NONE)
        self._open.append(np.stack([ends.server[still], _begun(columns)[still], until, columns.moved_at[still]]))

    def _merge(self) -> None:
        """One row a destination again, and no more than are kept."""
        if self._batches:
            self._fold()
        keys = np.concatenate([self._keys, *(part for part, _ in self._parts)])
        rows = np.concatenate([self._rows, *(part for _, part in self._parts)])
        self._parts = []
        self._keys, self._rows = _joined(keys, rows)
        named = np.flatnonzero(self._keys < _OTHERS)
        if len(named) > DESTINATIONS:
            by_size = named[np.argsort(-self._rows[named, _AT["connections"]], kind="stable")]
            keys = self._keys.copy()
            keys[by_size[DESTINATIONS // 2 :]] = _OTHERS | keys[by_size[DESTINATIONS // 2 :]] & _PORT
            self._keys, self._rows = _joined(keys, self._rows)

    def destinations(self) -> list[Total]:
        """All that are kept, and one more for each port of which some are not; the one with most connections first."""
        self._merge()
        return self._totals(self._keys, self._rows, self._known)

    def ports(self) -> list[Total]:
        """The sum of each server port's destinations, the one with most connections first."""
        self._merge()
        keys, rows = _joined(self._keys & _PORT | _OTHERS, self._rows)
        return self._totals(keys, rows, lambda keys: keys & _PORT | _OTHERS)

    def _known(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The keys under which destinations are counted."""
        if not len(self._keys):
            return keys
        # Kept keys rise; np.isin would import numpy.ma for what this answers, which takes 20 ms.
        place = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return np.where(self._keys[place] == keys, keys, keys & _PORT | _OTHERS)

    def _totals(
        self, keys: NDArray[np.int64], rows: NDArray[np.int64], named: Callable[[NDArray[np.int64]], NDArray[np.int64]]
    ) -> list[Total]:
        rows = rows.copy()
        asked = np.concatenate([np.zeros((2, 0), np.int64), *self._asked], axis=1)
        late = np.searchsorted(keys, named(asked[0, asked[1] > self.last - _SECOND]))
        np.add.at(rows[:, _AT["pending"]], late, 1)
        np.add.at(rows[:, _AT["unanswered"]], late, -1)
        still = np.concatenate([np.zeros((4, 0), np.int64), *self._open], axis=1)
        places = np.searchsorted(keys, named(still[0]))
        until = np.where(still[2] == NONE, self.last, still[2])
        np.add.at(rows[:, _AT["held_us"]], places, (until - still[1]) // 1000)
        order = np.argsort(places, kind="stable")
        silent = np.split((self.last - still[3])[order], np.searchsorted(places[order], np.arange(1, len(keys))))
        found = [_total(*one) for one in zip(keys.tolist(), rows.tolist(), silent, strict=False)]
        return sorted(found, key=lambda one: -one.counts["connections"])


Told = dict[str, NDArray[np.bool_ | np.int64]]


class _Ends:
    """The columns by client and server instead of by number."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._second = columns.client == 1
        self.client = self.of("ends").astype(np.int64)
        self.server = self.at("ends").astype(np.int64)

    def of(self, name: str) -> NDArray[np.int64]:
        """A column of the client."""
        pairs = getattr(self._columns, name)
        found: NDArray[np.int64] = np.where(self._second, pairs[:, 1], pairs[:, 0])
        return found

    def at(self, name: str) -> NDArray[np.int64]:
        """A column of the server."""
        pairs = getattr(self._columns, name)
        found: NDArray[np.int64] = np.where(self._second, pairs[:, 0], pairs[:, 1])
        return found


def _begun(columns: Columns) -> NDArray[np.int64]:
    """When each stood: ESTABLISHED at both ends, or first seen."""
    begun: NDArray[np.int64] = np.where(columns.open_at == NONE, columns.first, columns.open_at)
    return begun


def _told(columns: Columns, ends: _Ends) -> Told:
    """Of each connection what is counted; ``pending`` and the rest of ``held_us`` come with the capture's end."""
    notes, closer, client = columns.notes, columns.closer, columns.client
    attempts, midstream = ends.of("syns") > 0, (notes & Note.MIDSTREAM) != 0
    refused = (notes & Note.REFUSED) != 0
    opened = attempts & (columns.open_at != NONE)
    stood = (opened | midstream) & ~refused
    by_client, by_server = stood & (closer == client), stood & (closer == 1 - client)
    closed = by_client | by_server
    told: Told = {
        "connections": np.ones(len(columns), np.bool_),
        "midstream": midstream,
        "attempts": attempts,
        "opened": opened,
        "refused": refused,
        "unanswered": attempts & ~opened & (ends.at("packets") == 0),
        "half_open": attempts & ~opened & ~refused & (ends.at("syns") > 0),
        "syns": ends.of("syns"),
        "syn_repeats": ends.of("syn_repeats"),
        "syn_acks": ends.at("syns"),
        "syn_ack_repeats": ends.at("syn_repeats"),
        "closed_client": by_client,
        "closed_server": by_server,
        "reset_client": by_client & (ends.of("fins") == 0),
        "reset_server": by_server & (ends.at("fins") == 0),
        "never_closed": stood & (closer == NONE),
        "races": by_server & ((notes & Note.RACE) != 0) & (columns.idle >= _SECOND),
        "held_us": np.where(closed, columns.closed_at - _begun(columns), 0) // 1000,
    }
    for name in ("packets", "bytes", "repeats"):
        told[f"{name}_client"], told[f"{name}_server"] = ends.of(name), ends.at(name)
    return told


def _sums(groups: NDArray[np.intp], values: NDArray[np.bool_ | np.int64], count: int) -> NDArray[np.int64]:
    """The sum of values by group; exact below 2^53."""
    if values.dtype == np.bool_:
        return np.bincount(groups[values.astype(np.bool_)], minlength=count)
    return np.bincount(groups, values, minlength=count).astype(np.int64)


def _joined(keys: NDArray[np.int64], rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of equal keys added up, by rising key."""
    if not len(keys):
        return keys, rows
    order = np.argsort(keys, kind="stable")
    found, starts = np.unique(keys[order], return_index=True)
    return found, np.add.reduceat(rows[order], starts, axis=0)


def _total(key: int, row: list[int], silent: NDArray[np.int64]) -> Total:
    begin = len(FIELDS)
    client, server = row[begin : begin + STATES], row[begin + STATES :]
    endpoint = None if key & ~_PORT == _OTHERS else key
    counts = dict(zip(FIELDS, row, strict=False))
    return Total(key & _PORT, endpoint, counts, _states(client), _states(server), np.sort(silent))


def _states(counts: list[int]) -> dict[State | None, int]:
    return {None if not index else State(index - 1): count for index, count in enumerate(counts) if count}
