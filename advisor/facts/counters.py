"""The root ``counters``: the kernel's counters, by their own names, since boot and over the sample."""

from __future__ import annotations

from typing import ClassVar

from advisor.errors import Unread
from advisor.snapshot.model import Reading, Snapshot

ASPECTS = ("since_boot", "delta", "per_second")


class Counters:
    """``counters.TcpExt.ListenOverflows.delta``: a name of /proc/net, then one of `ASPECTS`."""

    FACT_KIND: ClassVar[str] = "counters"

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def value(self, name: str, aspect: str) -> float:
        """A counter's value: events, or events per second.

        Raises:
            Unread: when it was not read, when there is no second reading, or when a patch moves it.
        """
        self._snapshot.still(f"counter.{name}")
        readings: dict[str, Reading] = self._snapshot.need("counters")
        reading = readings.get(name)
        if reading is None:
            raise Unread("counters", f"this kernel shows no {name}")
        if aspect == "since_boot":
            return reading.first if reading.last is None else reading.last
        if reading.last is None or not self._snapshot.sample:
            raise Unread("counters", f"{name} was read once only; its rate needs a sample (--sample 1)")
        delta = reading.last - reading.first
        return delta if aspect == "delta" else delta / self._snapshot.sample

    def origin(self, name: str) -> str:
        """Where a counter was read."""
        group = name.partition(".")[0]
        files = {"sockstat": "sockstat", "sockstat6": "sockstat6", "Tcp": "snmp", "Ip": "snmp", "Udp": "snmp"}
        return f"/proc/net/{files.get(group, 'netstat')}"
