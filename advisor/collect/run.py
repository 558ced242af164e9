"""Reading it all: one source after the other; one that fails is named with its reason and never stops the rest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cached_property
from typing import Any

from advisor import __version__
from advisor.collect.budget import CPU_S, Budget
from advisor.collect.sources import TABLE, Reader, Source
from advisor.errors import AdvisorError, InputError
from advisor.facts.derive import Facts
from advisor.facts.nginx import NginxFacts
from advisor.records import dataclass
from advisor.snapshot.model import SOURCES, Snapshot
from advisor.system import System

Say = Callable[[str], None]

FILES_ONLY = "only files are judged (--no-host)"
NO_CAPTURE = "no capture of packets was given (--capture FILE)"


@dataclass(frozen=True, slots=True)
class Request:
    """What to read.

    ``nginx_conf`` is the main file's path, that of a dump, or ``-`` for standard input; ``nginx_prefix`` is nginx's
    ``-p``. ``sample`` is the time between the two counter readings in seconds, 0 for one reading. ``site`` holds
    the site facts as the user wrote them. ``nginx_only`` leaves out all that is not nginx's configuration or
    processes. ``netns`` is the network namespace to read, by name or by the pid of a process in it; None: ours.
    ``profile`` is the workload that the user named. ``budget`` is the CPU time that reading may take, in seconds.
    ``capture`` is the file of a packet capture. ``only`` names the sources to read, where that is not all, and
    ``sysctl_keys`` sysctls to be read beside those of the catalogue.
    """

    root: str = "/"
    host: bool = True
    nginx_conf: str | None = None
    nginx_prefix: str | None = None
    sysctl_files: tuple[str, ...] = ()
    sample: float = 1.0
    stub_status: bool = False
    nginx_version: str | None = None
    site: tuple[tuple[str, str], ...] = ()
    nginx_only: bool = False
    netns: str | None = None
    profile: str | None = None
    budget: float = CPU_S
    capture: str | None = None
    only: tuple[str, ...] = ()
    sysctl_keys: tuple[str, ...] = ()


def collect(request: Request, say: Say = lambda _: None) -> Snapshot:
    """Read what was asked for.

    Args:
        request: what to read.
        say: told what is being read, for a person who waits.

    Raises:
        InputError: when something the user named can't be read; what was merely looked for becomes unread instead.
    """
    run = Run(request, say)
    if request.netns is None:
        return run.snapshot()
    from advisor.collect.netns import entered  # noqa: PLC0415 (for few runs)

    with entered(request.netns) as refused:
        if refused is not None:
            run.look_from_outside(request.netns, refused)
        return run.snapshot()


class Run:
    """The sources so far, and why others are missing.

    ``found`` holds them by name, ``unread`` the reasons, ``problems`` what is wrong with what was read; ``budget`` is
    what reading may still cost. ``sample`` is the time between two readings, in seconds: of the wait until the counters
    say it of theirs, which on a busy host is longer.
    """

    def __init__(self, request: Request, say: Say) -> None:
        self.request = request
        self.system = System(request.root)
        self.found: dict[str, Any] = {}
        self.unread: dict[str, str] = {} if request.capture else {"capture": NO_CAPTURE}
        self.problems: list[tuple[str, str]] = []
        self.budget = Budget(request.budget)
        self.sample = 0.0
        self._say = say

    @property
    def master(self) -> int | None:
        """The running nginx's pid; None where none was found."""
        processes = self.found.get("processes")
        return None if processes is None else processes.master.pid

    @property
    def twice(self) -> bool:
        """Whether what can be read twice is."""
        return self.request.sample > 0 and self.system.live

    @cached_property
    def config(self) -> NginxFacts | None:
        """What the configuration says, where one was read; to be asked after that."""
        nginx = self.found.get("nginx")
        return None if nginx is None else Facts(Snapshot(advisor=__version__, taken="", nginx=nginx)).nginx

    @property
    def ports(self) -> frozenset[int]:
        """The ports nginx listens on, whose idle connections are counted by age."""
        return frozenset(listen.endpoint.port for listen in self.config.listens) if self.config else frozenset()

    def snapshot(self) -> Snapshot:
        """Read what is wanted.

        Raises:
            InputError: when something the user named can't be read.
        """
        begun = self.system.tick()
        wanted = [source for source in TABLE if source.wanted(self.request) and self._asked(source)]
        for source in wanted:
            self._read(source, source.before)
        if self.twice and any(source.before and source.after for source in wanted):
            self._wait()
        for source in wanted:
            if source.before is None or source.name in self.found:
                self._read(source, source.after)
        why = FILES_ONLY if not self.request.host else "not collected"
        return Snapshot(
            advisor=__version__,
            taken=dt.datetime.fromtimestamp(self.system.now(), dt.UTC).isoformat(timespec="seconds"),
            sample=self.sample,
            took=self.system.tick() - begun,
            cpu=self.budget.spent,
            profile=self.request.profile,
            site=dict(self.request.site),
            unread={name: self.unread.get(name, why) for name in SOURCES if self.found.get(name) is None},
            problems=self.problems,
            **self.found,
        )

    def look_from_outside(self, netns: str, refused: str) -> None:
        """Read of a network namespace that we may not enter what /proc/PID/net shows to everybody.

        Raises:
            InputError: when no process is named that lives there.
        """
        from advisor.collect.netns import FROM_OUTSIDE, Neighbour, process_of  # noqa: PLC0415 (for few runs)

        pid = process_of(netns)
        if pid is None:
            raise InputError(f"--netns: {refused}; the pid of a process in it would show its sockets and counters")
        self.system = Neighbour(pid)
        self.unread = {source.name: refused for source in TABLE if source.name not in FROM_OUTSIDE}
        self.problems.append(("host", f"{refused}: sockets and counters are read from /proc/{pid}/net, and no more"))

    def _asked(self, source: Source) -> bool:
        if source.name in self.unread and not source.named(self.request):
            return False
        return not self.request.only or source.name in self.request.only

    def _wait(self) -> None:
        """Let the sample's time pass."""
        self._say(f"{self.request.sample:g} s between two readings")
        begun = self.system.tick()
        self.system.wait(self.request.sample)
        self.sample = self.system.tick() - begun

    def _read(self, source: Source, read: Reader | None) -> None:
        if read is None:
            return
        if source.costly and not self.budget.left:
            self.unread[source.name] = self.budget.why
            return
        self._say(source.name)
        if source.named(self.request):
            self.found[source.name] = read(self)
        else:
            self._try(source.name, read)

    def _try(self, name: str, read: Reader) -> None:
        try:
            self.found[name] = read(self)
        except AdvisorError as error:
            self._lack(name, str(error))
        except OSError as error:
            self._lack(name, f"{error.filename or name}: {error.strerror or error}")
        except Exception as error:  # noqa: BLE001 (a fault in one collector must not cost the others' evidence)
            self._lack(name, f"a fault in advisor, please report it: {type(error).__name__}: {error}")

    def _lack(self, name: str, why: str) -> None:
        self.unread[name] = why
        self.found.pop(name, None)
