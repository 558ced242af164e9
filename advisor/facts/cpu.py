"""The root ``cpu``: whether those who should accept, read and send get the CPU time for it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from advisor.errors import Unread
from advisor.facts.counters import Counters
from advisor.facts.schema import From
from advisor.facts.values import Number
from advisor.snapshot import model
from advisor.snapshot.model import Process, Reading, Snapshot

_CLOCKS = From("/proc/PID/schedstat")
_MS = 1000


class CpuFacts:
    """Shares of the sample's time, 0 to 1."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(self, snapshot: Snapshot, counters: Counters) -> None:
        self._snapshot = snapshot
        self._counters = counters

    @property
    def busiest(self) -> Annotated[Number, _CLOCKS]:
        """For how much of the sample the main thread of nginx's busiest worker ran: 1 is a whole CPU."""
        return max(self._share(worker.cpu) for worker in self._workers)

    @property
    def waiting(self) -> Annotated[Number, _CLOCKS]:
        """For how much of the sample a worker was ready to run and got no CPU, of the worker that waited most."""
        return max(self._share(worker.waited) for worker in self._workers)

    @property
    def needed(self) -> Annotated[Number, _CLOCKS]:
        """For how much of the sample a worker ran or was ready to run, of the one with most: 1 is never idle."""
        return max(min(1.0, self._share(worker.cpu) + self._share(worker.waited)) for worker in self._workers)

    @property
    def throttled(self) -> Annotated[Number, From("cpu.stat")]:
        """Of the periods in which nginx's control group wanted to run, those in which its quota ran out."""
        host: model.Host = self._snapshot.need("host")
        if host.cgroup is not None and host.cgroup.cpus is None:
            return 0.0
        periods = self._counters.value("cgroup.nr_periods", "delta")
        return self._counters.value("cgroup.nr_throttled", "delta") / periods if periods else 0.0

    @property
    def pressure(self) -> Annotated[Number, From("/proc/pressure/cpu")]:
        """For how much of the sample some task, whosever, waited for a CPU."""
        return self._counters.value("psi.cpu.some", "per_second")

    @property
    def _workers(self) -> list[Process]:
        self._snapshot.still("processes")
        processes: model.Processes = self._snapshot.need("processes")
        if not processes.workers:
            raise Unread("processes", "no worker process was seen")
        return processes.workers

    def _share(self, clock: Reading | None) -> float:
        if clock is None:
            raise Unread("processes", "the kernel keeps no times of the workers (/proc/PID/schedstat)")
        processes: model.Processes = self._snapshot.need("processes")
        if clock.last is None or not processes.timed:
            raise Unread("processes", "the workers' times were read once only; they need a sample (--sample 1)")
        return min(1.0, max(0, clock.last - clock.first) / _MS / processes.timed)
