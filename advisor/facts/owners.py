"""The root ``owners``: which process holds sockets that its peer, or everybody, has left."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import Annotated, ClassVar

from advisor.facts.places import Location
from advisor.facts.schema import From
from advisor.facts.values import Count, Histogram, Item, Seconds
from advisor.records import dataclass
from advisor.snapshot import model
from advisor.snapshot.model import Snapshot

_SOURCE = From("SOCK_DIAG, /proc/PID/fd")


@dataclass(frozen=True, slots=True)
class Holder(Item):
    """One process, one state, one remote."""

    row: model.Held
    _turn: int

    @property
    def id(self) -> str:  # type: ignore[override]  # computed, never stored
        """The process' name and the remote, numbered where several are called so: a pid is a measured value."""
        again = f" #{self._turn}" if self._turn > 1 else ""
        return f"{self.row.name} to {self.row.remote}{again}"

    @property
    def process(self) -> Annotated[str, From("/proc/PID/comm")]:
        """The process, in words."""
        return self.row.name if self.row.pid is None else f"{self.row.name} (pid {self.row.pid})"

    @property
    def remote(self) -> str:
        """The remote address and port."""
        return self.row.remote

    @property
    def count(self) -> Annotated[Count, _SOURCE]:
        """The sockets it holds."""
        return self.row.count

    @property
    def ages(self) -> Annotated[Histogram, _SOURCE]:
        """Since the peer's FIN (CLOSE_WAIT), or since anything was sent or received (ESTABLISHED)."""
        return Histogram.of(self.row.ages)

    @property
    def oldest(self) -> Annotated[Seconds, _SOURCE]:
        """The oldest of those ages."""
        return self.row.ages.oldest or 0.0

    @property
    def descriptors(self) -> Annotated[Count | None, From("/proc/PID/fd")]:
        """Open descriptors of the process; unset where they could not be counted."""
        return self.row.descriptors

    @property
    def nofile(self) -> Annotated[Count | None, From("/proc/PID/limits")]:
        """Its soft limit of open files; unset where it could not be read."""
        return self.row.nofile

    @property
    def location(self) -> Location:
        """The process."""
        return Location(logical=self.id)


class Owners:
    """Processes and the sockets they hold."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    @cached_property
    def close_wait(self) -> list[Holder]:
        """Who holds CLOSE_WAIT towards whom."""
        return self._rows("CLOSE_WAIT")

    @cached_property
    def outbound(self) -> list[Holder]:
        """Who holds many ESTABLISHED towards one destination."""
        return self._rows("ESTABLISHED")

    def _rows(self, state: str) -> list[Holder]:
        rows: list[model.Held] = self._snapshot.need("held")
        turns: Counter[tuple[str, str]] = Counter()
        found = []
        for row in sorted(rows, key=lambda row: row.pid or 0):
            if row.state == state:
                turns[row.name, row.remote] += 1
                found.append(Holder(row, turns[row.name, row.remote]))
        return found
