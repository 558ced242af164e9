"""The time that nginx's workers ran and waited for a CPU, read twice by the caller: scheduler/sched-stats.rst."""

from __future__ import annotations

from typing import NamedTuple

from advisor.errors import InputError
from advisor.formats.kernelstat import schedstat
from advisor.records import replace
from advisor.snapshot.model import Process, Processes, Reading
from advisor.system import MIB, System

_MOST_WORKERS = 1_000
_NS_PER_MS = 1_000_000


class Clocks(NamedTuple):
    """When they were read, in seconds; by pid, nanoseconds that its main thread ran, and that it waited for a CPU."""

    at: float
    of: dict[int, tuple[int, int]]


def read_clocks(system: System, processes: Processes | None) -> Clocks:
    """The clocks of the workers; those that ended, and all where the kernel keeps none, are left out.

    Raises:
        InputError: when one can't be understood.
    """
    found: dict[int, tuple[int, int]] = {}
    at = system.tick()
    for worker in processes.workers[:_MOST_WORKERS] if processes is not None else ():
        path = f"/proc/{worker.pid}/schedstat"
        try:
            clock = schedstat(system.read(path, MIB))
        except OSError:
            continue
        except ValueError as error:
            raise InputError(f"{path}: {error}") from None
        if clock is not None:
            found[worker.pid] = clock
    return Clocks(at, found)


def timed(processes: Processes, first: Clocks, last: Clocks | None) -> Processes:
    """The processes with both readings of their clocks; one reading where there is no second."""
    workers = [_timed(worker, first.of, {} if last is None else last.of) for worker in processes.workers]
    return replace(processes, workers=workers, timed=None if last is None else last.at - first.at)


def _timed(worker: Process, first: dict[int, tuple[int, int]], last: dict[int, tuple[int, int]]) -> Process:
    begin, end = first.get(worker.pid), last.get(worker.pid)
    if begin is None:
        return worker
    ran, waited = (
        Reading(first=begin[at] // _NS_PER_MS, last=None if end is None else end[at] // _NS_PER_MS) for at in (0, 1)
    )
    return replace(worker, cpu=ran, waited=waited)
