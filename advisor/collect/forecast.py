"""What an audit would read and what that would cost, from the table it runs down; nothing that is audited is opened.

The costs come from sizes that the kernel keeps ready: counts of sockets, processes and descriptors.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import NamedTuple

from advisor.collect.budget import NICEST
from advisor.collect.netns import FROM_OUTSIDE, named
from advisor.collect.run import FILES_ONLY, Request
from advisor.collect.sources import TABLE, Source
from advisor.formats.procfs import sockstat
from advisor.system import MIB, System

_SOCKETS = ("TCP.inuse", "TCP.tw", "TCP6.inuse")
"""Of /proc/net/sockstat and sockstat6: every TCP socket of the network namespace, TIME_WAIT included."""


class Sizes(NamedTuple):
    """How much there is to read, before it is read; None: not known. Processes and descriptors are the machine's.

    ``captured`` is the size of a capture, in bytes.
    """

    sockets: int | None = None
    processes: int | None = None
    descriptors: int | None = None
    captured: int | None = None


class Planned(NamedTuple):
    """One source: what would be opened or asked; the CPU time, in seconds, and what it was reckoned from.

    ``skipped`` says why it would not be read; ``root`` what root would see beyond others.
    """

    source: str
    touches: tuple[str, ...]
    seconds: float = 0.0
    reckoned: str | None = None
    root: str | None = None
    skipped: str | None = None


class Forecast(NamedTuple):
    """What would be read, source by source, and the terms on which: times in seconds.

    ``wait`` is the time between two readings, ``seconds`` the CPU time of all; ``as_root`` is whether we are root.
    """

    planned: list[Planned]
    wait: float
    seconds: float
    budget: float
    as_root: bool
    notes: list[str]


def forecast(request: Request) -> Forecast:
    """What `advisor.collect.run.collect` would do with a request.

    Raises:
        InputError: when there is no such network namespace.
    """
    if request.netns is not None:
        named(request.netns)
    system = System(request.root)
    live = system.live and not _from_outside(request)
    known = (_sizes(request, system) if request.host else Sizes())._replace(captured=_captured(request))
    planned = [_planned(source, request, system, known) for source in TABLE]
    read = {one.source for one in planned if one.skipped is None}
    twice = live and any(source.before and source.after for source in TABLE if source.name in read)
    return Forecast(
        planned,
        wait=request.sample if twice else 0.0,
        seconds=sum(one.seconds for one in planned),
        budget=request.budget,
        as_root=os.geteuid() == 0,
        notes=_notes(request, system, read),
    )


def _planned(source: Source, request: Request, system: System, known: Sizes) -> Planned:
    touches = source.instead(request) or source.touches
    if not source.wanted(request):
        return Planned(source.name, touches, skipped=_why(source, request))
    if _from_outside(request):
        if source.name not in FROM_OUTSIDE:
            return Planned(source.name, touches, skipped=f"only root may enter the network namespace {request.netns}")
        if source.name == "sockets":
            touches = ("tcp and tcp6 in /proc/PID/net",)
    if source.live and not system.live:
        return Planned(source.name, touches, skipped="a tree has none (--root)")
    cost = source.cost
    count = getattr(known, cost.of) if cost.of else None
    reckoned = None if count is None else f"{cost.of}: {count:,}"
    seconds = min(cost.fixed + cost.each * (count or 0), cost.most)
    return Planned(source.name, touches, round(seconds, 4), reckoned, source.root if system.live else None)


def _from_outside(request: Request) -> bool:
    """Whether a network namespace can't be entered (setns(2)): then only what /proc/PID/net shows is read."""
    return request.netns is not None and os.geteuid() != 0


def _why(source: Source, request: Request) -> str:
    if not request.host:
        return FILES_ONLY
    return f"not asked for (--{source.name.replace('_', '-')})"


def _captured(request: Request) -> int | None:
    with suppress(OSError):
        return os.stat(request.capture).st_size if request.capture else None
    return None


def _sizes(request: Request, system: System) -> Sizes:
    """Sizes that cost nothing to know: those of a namespace that has only a name are not known before it is entered."""
    sockets = processes = descriptors = None
    net = "/proc/net" if request.netns is None else f"/proc/{request.netns}/net" if request.netns.isdecimal() else None
    with suppress(OSError, ValueError):
        if net is not None:
            found = sockstat(system.read(f"{net}/sockstat", MIB))
            with suppress(FileNotFoundError):
                found |= sockstat(system.read(f"{net}/sockstat6", MIB))
            sockets = sum(found.get(f"sockstat.{name}", 0) for name in _SOCKETS)
    if system.live:
        with suppress(OSError, ValueError, IndexError):
            # /proc has a link for each process and a few more (fs/proc/root.c, proc_root_getattr).
            processes = os.stat("/proc").st_nlink
            descriptors = int(system.read("/proc/sys/fs/file-nr", MIB).split()[0])
    return Sizes(sockets, processes, descriptors)


def _notes(request: Request, system: System, read: set[str]) -> list[str]:
    """What holds for all of it."""
    notes = ["nothing is executed, and nothing is written but the FILE of -f FORMAT=FILE"]
    if "sockets" in read and system.live and not _from_outside(request):
        notes.append("asked for TCP sockets, the kernel loads its module tcp_diag if it has not yet, as for ss(8)")
    notes.append(
        f"it runs at nice {NICEST}; past {request.budget:g} s of CPU (--budget) sockets are sampled, and what can be "
        "left out is, and said to be unknown"
    )
    if not system.live:
        notes.append(f"every path is taken below {request.root}; no process and no socket of this host is asked")
    if request.netns is not None and not _from_outside(request):
        notes.append(f"/proc/net, /proc/sys/net and sockets are those of the network namespace {request.netns}")
    if "nginx" in read:
        notes.append("the configuration is as large as it is: some 0.6 ms for each server block, known when it is read")
    return notes
