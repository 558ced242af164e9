"""The clocks of workers: real threads that work, sleep and wait."""

from __future__ import annotations

import os
import pathlib
import time

import pytest

from advisor.collect.workers import Clocks, read_clocks, timed
from advisor.errors import InputError
from advisor.snapshot.model import Process, Processes, Reading
from advisor.system import System


def processes(*pids: int) -> Processes:
    return Processes(master=Process(pid=1, started=1), workers=[Process(pid=pid, started=1) for pid in pids])


def test_time_on_a_cpu_is_what_was_used() -> None:
    """Waiting is left to `tests.e2e.test_guards`: here it depends on who else runs."""
    ours = processes(os.getpid())
    first, used = read_clocks(System(), ours), time.thread_time()
    while time.thread_time() < used + 0.2:
        pass
    [worker] = timed(ours, first, read_clocks(System(), ours)).workers
    assert worker.cpu is not None
    assert worker.waited is not None
    assert worker.cpu.last is not None
    assert 195 <= worker.cpu.last - worker.cpu.first <= 300


def test_sleeping_costs_nothing() -> None:
    ours = processes(os.getpid())
    first = read_clocks(System(), ours)
    time.sleep(0.2)
    [worker] = timed(ours, first, read_clocks(System(), ours)).workers
    assert worker.cpu is not None
    assert worker.cpu.last is not None
    assert worker.cpu.last - worker.cpu.first < 100


def test_who_came_or_went_meanwhile() -> None:
    first, last = Clocks(10.0, {7: (1_000_000, 0), 8: (0, 0)}), Clocks(11.5, {7: (9_999_999, 2_000_000)})
    found = timed(processes(7, 8, 9), first, last)
    assert found.timed == 1.5
    assert [one.cpu for one in found.workers] == [Reading(first=1, last=9), Reading(first=0), None]
    assert [one.waited for one in found.workers] == [Reading(first=0, last=2), Reading(first=0), None]


def test_one_reading() -> None:
    found = timed(processes(7), Clocks(10.0, {7: (1_000_000, 0)}), None)
    assert (found.timed, found.workers[0].cpu) == (None, Reading(first=1))


def test_nobody_runs() -> None:
    assert read_clocks(System(), None).of == {}
    assert read_clocks(System(), processes(2**22)).of == {}


def test_a_kernel_without_such_times(tmp_path: pathlib.Path) -> None:
    (tmp_path / "proc/7").mkdir(parents=True)
    (tmp_path / "proc/7/schedstat").write_text("0 0 0\n")
    assert read_clocks(System(str(tmp_path)), processes(7)).of == {}
    (tmp_path / "proc/7/schedstat").write_text("0 0\n")
    with pytest.raises(InputError, match=r"^/proc/7/schedstat: line 1: 2 numbers"):
        read_clocks(System(str(tmp_path)), processes(7))
