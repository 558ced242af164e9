"""The running nginx of this network namespace: its master, its workers, their limits."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import NamedTuple

from advisor.collect.budget import Budget
from advisor.collect.host import shares_network
from advisor.collect.unit import read_unit
from advisor.errors import InputError
from advisor.formats import procfs
from advisor.snapshot.model import Process, Processes
from advisor.system import MIB, System

_NAME = "nginx"
_MASTER = "nginx: master process"
_WORKER = "nginx: worker process"
_LEAVING = "is shutting down"
_SYS_RESOURCE = 24
"""The bit of CAP_SYS_RESOURCE (include/uapi/linux/capability.h)."""
_MOST_DESCRIPTORS = 100_000
"""Of one process that are looked at one by one (some 0.2 s)."""

Problems = list[tuple[str, str]]


class _Nginx(NamedTuple):
    pid: int
    parent: int
    title: str
    started: float


def read_processes(system: System, budget: Budget | None = None) -> tuple[Processes, Problems]:
    """The nginx with the most workers, and what is to be said about the others.

    Workers that are shutting down after a reload stand apart; cache managers and loaders are no workers.

    Args:
        system: the machine.
        budget: once three quarters of it are spent, no more descriptors are counted; None: there is none.

    Raises:
        InputError: when no nginx runs here, or the tree is a fixture.
    """
    if not system.live:
        raise InputError("--root is a tree: it has no processes to ask")
    problems: Problems = []
    running = _running()
    every = [one for one in running if one.title.startswith(_WORKER)]
    workers = [one for one in every if _LEAVING not in one.title]
    families = [(one, [worker for worker in workers if worker.parent == one.pid]) for one in _masters(running)]
    families.sort(key=lambda family: (-len(family[1]), family[0].pid))
    master = _process(system, families[0][0], budget) if families else None
    if master is None:
        raise InputError("no nginx is running in this network namespace")
    if len(families) > 1:
        others = ", ".join(str(other.pid) for other, _ in families[1:])
        problems.append(("processes", f"nginx runs more than once: pid {master.pid} is judged, not {others}"))
    found = Processes(
        master=master,
        workers=_processes(system, families[0][1], budget),
        leaving=_processes(
            system, [one for one in every if _LEAVING in one.title and one.parent == master.pid], budget
        ),
        binary_deleted=_deleted(master.pid, problems),
        unit=read_unit(system, master.pid, problems),
        sys_resource=_sys_resource(system, master.pid),
    )
    problems += _uncounted(found, budget)
    return found, problems


def master_arguments(system: System, pid: int) -> tuple[str | None, str | None]:
    """The configuration file (``-c``) and the prefix (``-p``) a master was started with, as written; None: not given.

    nginx's title holds its arguments with blanks between them: a path with a blank in it can't be told.

    Raises:
        OSError: when the process is gone.
    """
    return master_option(system, pid, "-c"), master_option(system, pid, "-p")


def master_option(system: System, pid: int, option: str) -> str | None:
    """What follows an option in a master's title, as `master_arguments`.

    Raises:
        OSError: when the process is gone.
    """
    words = system.read(f"/proc/{pid}/cmdline", MIB).replace(b"\0", b" ").decode("utf-8", "replace").split()
    for word, following in zip(words, [*words[1:], None], strict=True):
        if word.startswith(option):
            return word.removeprefix(option) or following
    return None


def _running() -> list[_Nginx]:
    pids = [int(name) for name in os.listdir("/proc") if name.isdecimal() and _called(name) == _NAME]
    if not pids:
        return []
    import psutil  # noqa: PLC0415 (30 ms, and only where nginx runs)

    found = []
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            known = psutil.Process(pid).as_dict(["ppid", "cmdline", "create_time"])
            found.append(_Nginx(pid, known["ppid"], " ".join(known["cmdline"] or ()), known["create_time"]))
    return found


def _called(pid: str) -> str | None:
    """The name of a process; None when it has ended."""
    try:
        with open(f"/proc/{pid}/comm", "rb", buffering=0) as file:
            return file.read(64).decode("utf-8", "replace").rstrip("\n")
    except OSError:
        return None


def _masters(running: list[_Nginx]) -> list[_Nginx]:
    """Those that are masters by their title, or whose parent is no nginx, in our network namespace."""
    pids = {one.pid for one in running}
    found = (one for one in running if one.parent not in pids or one.title.startswith(_MASTER))
    return [one for one in found if shares_network(one.pid)]


def _processes(system: System, found: list[_Nginx], budget: Budget | None) -> list[Process]:
    return [known for one in found if (known := _process(system, one, budget)) is not None]


def _uncounted(found: Processes, budget: Budget | None) -> Problems:
    lacking = [one.pid for one in (*found.workers, *found.leaving) if one.descriptors is None]
    if not lacking or budget is None or budget.affords():
        return []
    why = "that would have cost too much of what reading may (--budget)"
    return [("processes", f"the descriptors of {len(lacking)} of nginx's processes were not counted: {why}")]


def _process(system: System, one: _Nginx, budget: Budget | None) -> Process | None:
    """None when it has ended meanwhile. Its limits are there for all to read, its descriptors for its user and root."""
    try:
        limits = system.read(f"/proc/{one.pid}/limits")
        nofile, hard = procfs.open_files_limit(limits), procfs.open_files_limit(limits, hard=True)
    except OSError:
        return None
    except ValueError as error:
        raise InputError(f"/proc/{one.pid}/limits: {error}") from None
    descriptors = sockets = None
    if budget is None or budget.affords():
        with suppress(OSError):
            descriptors, sockets = _open(f"/proc/{one.pid}/fd")
    return Process(
        pid=one.pid,
        started=one.started,
        nofile=nofile,
        nofile_hard=hard,
        descriptors=descriptors,
        sockets=sockets,
    )


def _sys_resource(system: System, pid: int) -> bool | None:
    """None when the master has ended meanwhile."""
    try:
        held = procfs.capabilities(system.read(f"/proc/{pid}/status"))
    except OSError:
        return None
    except ValueError as error:
        raise InputError(f"/proc/{pid}/status: {error}") from None
    return bool(held >> _SYS_RESOURCE & 1)


def _open(path: str) -> tuple[int, int | None]:
    """How many descriptors a process has open, and how many of them are sockets; None where they are too many."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        names = os.listdir(folder)
        if len(names) > _MOST_DESCRIPTORS:
            return len(names), None
        return len(names), sum(_is_socket(name, folder) for name in names)
    finally:
        os.close(folder)


def _is_socket(name: str, folder: int) -> bool:
    """False for one that was closed meanwhile."""
    try:
        return stat.S_ISSOCK(os.stat(name, dir_fd=folder).st_mode)
    except OSError:
        return False


def _deleted(pid: int, problems: Problems) -> bool:
    """Whether the binary was replaced or removed since it was started (proc(5))."""
    try:
        return os.readlink(f"/proc/{pid}/exe").endswith(" (deleted)")
    except OSError:
        problems.append(("processes", f"only root can tell whether the binary of nginx (pid {pid}) was replaced"))
        return False
