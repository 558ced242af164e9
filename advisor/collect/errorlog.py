"""The end of nginx's error logs: which files the configuration writes to, and what their last lines say.

A log says local time without its zone. The last line was written when the file was: its time less the file's mtime
is the zone's offset, if that comes out as a multiple of 15 minutes. (Lines from before a change to summer time are
then taken for an hour older or younger than they are.)
"""

from __future__ import annotations

import bisect

from advisor.collect.budget import Budget
from advisor.collect.nginx_binary import read_built
from advisor.collect.processes import master_option
from advisor.errors import InputError
from advisor.facts.config import Config
from advisor.facts.errorlog import SPECIAL, targets
from advisor.formats.errorlog import Tail, parse
from advisor.records import replace
from advisor.snapshot.model import IDLE_EDGES, Ages, ErrorLog, Logged
from advisor.system import MIB, System

_MOST_FILES = 8
_DEFAULT = "logs/error.log"
"""Where nginx writes that was built without a word (nginx.org, Building nginx from Sources, --error-log-path)."""

_STEP = 900
"""Seconds: every zone's offset is a multiple of a quarter of an hour."""
_LATE = 20
"""Seconds by which a file may be written after the time in its last line: nginx's clock stands during one event."""
_EARLY = 2
_FARTHEST = 14 * 3600
"""Seconds: no zone is farther from UTC (tzdata)."""


def read_error_logs(system: System, config: Config, pid: int | None, budget: Budget | None = None) -> list[ErrorLog]:
    """The last 1 MiB of each of the first eight error logs that are written to.

    Args:
        system: the machine or the tree.
        config: the configuration.
        pid: the running master's, if there is one: it knows where nginx writes that was told nothing.
        budget: once it is spent, the logs that are left are not read; None: there is none.

    Raises:
        InputError: when it writes to no file that could be found.
    """
    names = dict.fromkeys(target for target, _ in targets(config))
    if not config.tree.own(None, "error_log"):
        default = _default(system, pid)
        names |= {} if default.startswith(SPECIAL) else {default: None}
    if not names:
        raise InputError("nginx writes its errors to no file (stderr, syslog), so that none can be read")
    prefix = config.tree.nginx.prefix
    return [_within(budget, system, name, prefix) for name in list(names)[:_MOST_FILES]]


def _within(budget: Budget | None, system: System, name: str, prefix: str | None) -> ErrorLog:
    if budget is not None and not budget.left:
        return ErrorLog(path=name, unread=f"{name}: {budget.why}")
    return _read(system, name, prefix)


def _default(system: System, pid: int | None) -> str:
    """Where errors go that no ``error_log`` at the top level catches."""
    if pid is None:
        return _DEFAULT
    try:
        return master_option(system, pid, "-e") or read_built(system, pid).error_log or _DEFAULT
    except (InputError, OSError):
        return _DEFAULT


def _read(system: System, name: str, prefix: str | None) -> ErrorLog:
    if not name.startswith("/"):
        if prefix is None:
            return ErrorLog(path=name, unread=f"{name} is below nginx's prefix, which is not known; --prefix says it")
        name = f"{prefix}/{name}"
    try:
        data, size, modified = _end(system, name)
    except OSError as error:
        return ErrorLog(path=name, unread=f"{name}: {error.strerror or error}")
    tail = parse(data)
    now = _now(tail, system.now(), modified)
    logged = [_logged(kind, subject, times, now) for (kind, subject), times in tail.found.items()]
    return ErrorLog(path=name, size=size, read=len(data), logged=logged)


def _logged(kind: str, subject: str | None, times: list[int], now: float | None) -> Logged:
    row = Logged(kind=kind, subject=subject, count=len(times))
    if now is None:
        return row
    ages = [max(0.0, now - at) for at in times]
    return replace(row, ages=_counted(ages), newest=min(ages))


def _end(system: System, path: str) -> tuple[bytes, int, float]:
    """The whole lines in the last 1 MiB of a regular file, its size, and when it was last written."""
    data, size, modified = system.tail(path, MIB)
    return data.partition(b"\n")[2] if size > MIB else data, size, modified


def _now(tail: Tail, now: float, modified: float) -> float | None:
    """Now, on the log's own clock; None where its zone can't be told."""
    if tail.last is None:
        return None
    offset = round((tail.last - modified) / _STEP) * _STEP
    late = modified - (tail.last - offset)
    return now + offset if -_EARLY <= late <= _LATE and abs(offset) <= _FARTHEST else None


def _counted(ages: list[float]) -> Ages:
    counts = [0] * (len(IDLE_EDGES) + 1)
    for age in ages:
        counts[bisect.bisect_left(IDLE_EDGES, age)] += 1
    return Ages(counts=counts, oldest=max(ages))
