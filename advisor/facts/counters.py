"""The root ``counters``: the kernel's counters, by their own names, since boot and over the sample."""

from __future__ import annotations

from typing import ClassVar

from advisor.catalog.counters import ABSENT, FILES, measure
from advisor.errors import Unread
from advisor.snapshot.model import Reading, Snapshot

ASPECTS = ("since_boot", "delta", "per_second")


class Counters:
    """``counters.TcpExt.ListenOverflows.delta``: a name of the catalogue, then one of `ASPECTS`."""

    FACT_KIND: ClassVar[str] = "counters"

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def value(self, name: str, aspect: str) -> float:
        """A counter's value in its unit (`advisor.catalog.counters.measure`), or that per second.

        Raises:
            Unread: when it was not read, when there is no second reading, or when a patch moves it.
        """
        self._snapshot.still(f"counter.{name}")
        readings: dict[str, Reading] = self._snapshot.need("counters")
        reading = readings.get(name)
        if reading is None:
            why = ABSENT.get(name.partition(".")[0])
            raise Unread("counters", f"this kernel shows no {name}{f': {why}' if why else ''}")
        scale = measure(name)[1]
        if aspect == "since_boot":
            return _scaled(reading.first if reading.last is None else reading.last, scale)
        if reading.last is None or not self._snapshot.sample:
            raise Unread("counters", f"one reading gives no rate of {name}; a sample does (--sample 1)")
        delta = _scaled(reading.last - reading.first, scale)
        return delta if aspect == "delta" else delta / self._snapshot.sample

    def origin(self, name: str) -> str:
        """Where a counter was read."""
        return FILES[name.partition(".")[0]]


def _scaled(value: int, scale: float) -> float:
    """Whole where the kernel's number is in our unit: a float would round the largest ones."""
    return value if scale == 1 else value * scale
