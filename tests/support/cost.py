"""CPU seconds of commands, user and system time together, and tables of them.

Python programs get a cache for their bytecode that lasts for the run, and a first round that does not count: a program
that runs from a checkout is then compared fairly with one whose installer has compiled it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_CACHE = tempfile.TemporaryDirectory(prefix="advisor-bench-")


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": _CACHE.name}


def cpu(argv: Sequence[str], accept: Sequence[int] = (0,)) -> tuple[float, str]:
    """What a command and the children it waited for took, and what it printed."""
    seconds, _, said = used(argv, accept)
    return seconds, said


def used(argv: Sequence[str], accept: Sequence[int] = (0,)) -> tuple[float, float, str]:
    """CPU seconds and the peak of resident memory, in MiB, of a command, and what it printed.

    The peak is at least that of the process that asks: it is inherited.
    """
    with tempfile.TemporaryFile() as out:
        seconds, memory = _ended(argv, accept, out)
        return seconds, memory, out.read().decode("utf-8", "replace")


def counted(argv: Sequence[str]) -> tuple[float, float, int]:
    """The same, and how much it counted: the number it printed, or the lines that begin at the margin."""
    with tempfile.TemporaryFile() as out:
        seconds, memory = _ended(argv, (0,), out)
        first = out.readline().strip()
        return seconds, memory, int(first) if first.isdigit() else 1 + sum(not line[:1].isspace() for line in out)


def _ended(argv: Sequence[str], accept: Sequence[int], out: IO[bytes]) -> tuple[float, float]:
    with tempfile.TemporaryFile() as err:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=_environment())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in accept:
            err.seek(0)
            raise SystemExit(f"{' '.join(argv)} ended with {process.returncode}: {err.read().decode()}")
    out.seek(0)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def medians(measured: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median of each, taken in turns, so that what disturbs one round disturbs all alike; the first is no part."""
    for run in measured.values():
        run()
    found: dict[str, list[float]] = {name: [] for name in measured}
    for _ in range(rounds):
        for name, run in measured.items():
            found[name].append(run())
    return {name: statistics.median(seconds) for name, seconds in found.items()}


def table(title: str, rows: Mapping[str, float], unit: str) -> None:
    """Print seconds, and each as a multiple of the row ``unit``."""
    wide = max(map(len, rows))
    lines = [title, f"  {'':<{wide}}  CPU seconds   x {unit}"]
    lines += [f"  {name:<{wide}}  {seconds:11.3f}   {seconds / rows[unit]:.2f}" for name, seconds in rows.items()]
    sys.stdout.write("\n".join([*lines, "", ""]))
    sys.stdout.flush()
