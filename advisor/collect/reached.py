"""The destinations: what this host connects to, counted in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from advisor.catalog.tcp import State
from advisor.collect.ages import AgeCount, scaled
from advisor.collect.served import named
from advisor.formats import sockdiag
from advisor.snapshot.counted import Destination

MOST_KINDS = 65_536
"""Kinds of sockets kept while reading; then the half of the destinations with the fewest ports goes to the rest."""

End = tuple[bytes, bytes]
"""Local and remote address one after the other (8 or 32 bytes), and the remote port (2)."""


class Kind(NamedTuple):
    """What sockets towards a destination are told apart by; ``bucket`` is the age of those in TIME_WAIT."""

    addresses: bytes
    port: bytes
    state: int
    odd: int
    bucket: int


class _Found:
    """One destination."""

    def __init__(self) -> None:
        self.states: Counter[int] = Counter()
        self.odd = 0
        self.ages = AgeCount()

    def add(self, kind: Kind, count: int) -> None:
        self.states[kind.state] += count
        self.odd += kind.odd * count
        if kind.state == State.TIME_WAIT:
            self.ages.counts[kind.bucket] += count


class Destinations:
    """All destinations of a network namespace; ``timed`` says whether ages of TIME_WAIT are known.

    ``rest`` counts the sockets of those that got no row, by remote port.
    """

    def __init__(self, *, timed: bool) -> None:
        self.timed = timed
        self.rest: list[tuple[int, int]] = []
        self._kinds: Counter[Kind] = Counter()

    def add(self, kinds: Iterable[tuple[Kind, int]]) -> None:
        """Count some sockets, and let go of the smallest destinations where they become too many."""
        for kind, count in kinds:
            self._kinds[kind] += count
            if len(self._kinds) > MOST_KINDS:
                self._shrink()

    def _shrink(self) -> None:
        totals: Counter[End] = Counter()
        for kind, count in self._kinds.items():
            totals[kind.addresses, kind.port] += count
        fewest = set(sorted(totals, key=totals.__getitem__)[: (len(totals) + 1) // 2])
        lost: Counter[int] = Counter(dict(self.rest))
        for kind in [kind for kind in self._kinds if (kind.addresses, kind.port) in fewest]:
            lost[int.from_bytes(kind.port, "big")] += self._kinds.pop(kind)
        self.rest = list(lost.items())

    def by_port(self) -> Counter[int]:
        """The sockets towards each remote port, the rest included."""
        found = Counter(dict(self.rest))
        for kind, count in self._kinds.items():
            found[int.from_bytes(kind.port, "big")] += count
        return found

    def rows(self, most: int, share: Callable[[int], float]) -> list[Destination]:
        """The destinations with the most ports; what the others have goes to the rest.

        The kernel keeps every (local address, local port, remote address, remote port) once: each socket towards a
        destination is one port.

        Args:
            most: the rows there are.
            share: the part of the sockets towards a remote port that was counted.
        """
        found: dict[End, _Found] = {}
        for kind, count in self._kinds.items():
            found.setdefault((kind.addresses, kind.port), _Found()).add(kind, count)
        ranked = sorted(found.items(), key=lambda item: (-item[1].states.total(), item[0]))
        self.rest += [(int.from_bytes(port, "big"), one.states.total()) for (_, port), one in ranked[most:]]
        return [
            self._row(addresses, int.from_bytes(port, "big"), one, share) for (addresses, port), one in ranked[:most]
        ]

    def _row(self, addresses: bytes, port: int, one: _Found, shares: Callable[[int], float]) -> Destination:
        half, share = len(addresses) // 2, shares(port)
        return Destination(
            local=sockdiag.text(addresses[:half]),
            remote=sockdiag.text(addresses[half:]),
            port=port,
            ports=scaled(one.states.total(), share),
            states=named(one.states, share),
            odd=scaled(one.odd, share),
            time_wait=one.ages.done(share) if self.timed else None,
        )
