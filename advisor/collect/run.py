"""Reading it all: one source after the other; one that fails is named with its reason and never stops the rest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from advisor import __version__
from advisor.collect.counters import read_counters, readings
from advisor.collect.host import read_host
from advisor.collect.nginx_find import Asked, read_configuration
from advisor.collect.processes import read_processes
from advisor.collect.sysctl import read_sysctl_files, read_sysctls
from advisor.errors import AdvisorError, InputError
from advisor.facts.derive import Facts
from advisor.facts.nginx import NginxFacts
from advisor.records import dataclass
from advisor.snapshot.model import SOURCES, Nginx, Snapshot
from advisor.system import System

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What to read.

    ``nginx_conf`` is the main file's path, that of a dump, or ``-`` for standard input; ``nginx_prefix`` is nginx's
    ``-p``. ``sample`` is the time between the two counter readings in seconds, 0 for one reading. ``site`` holds the
    site facts as the user wrote them. ``nginx_only`` leaves out all that is not nginx's configuration or processes.
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


def collect(request: Request, say: Say = lambda _: None) -> Snapshot:
    """Read what was asked for.

    Args:
        request: what to read.
        say: told what is being read, for a person who waits.

    Raises:
        InputError: when something the user named can't be read; what was merely looked for becomes unread instead.
    """
    return _Run(request, say).snapshot()


class _Run:
    """The sources so far, and why others are missing."""

    def __init__(self, request: Request, say: Say) -> None:
        self.request = request
        self.say = say
        self.system = System(request.root)
        self.found: dict[str, Any] = {}
        self.unread: dict[str, str] = {}
        self.problems: list[tuple[str, str]] = []

    def snapshot(self) -> Snapshot:
        begun = self.system.tick()
        if self.request.host:
            self._try("processes", self._processes)
        self._nginx()
        sample = 0.0 if self.request.nginx_only else self._rest()
        why = "only files are judged (--no-host)" if not self.request.host else "not collected"
        return Snapshot(
            advisor=__version__,
            taken=dt.datetime.fromtimestamp(self.system.now(), dt.UTC).isoformat(timespec="seconds"),
            sample=sample,
            took=self.system.tick() - begun,
            site=dict(self.request.site),
            unread={name: self.unread.get(name, why) for name in SOURCES if self.found.get(name) is None},
            problems=self.problems,
            **self.found,
        )

    def _rest(self) -> float:
        """Everything but nginx's processes and configuration; returns the length of the sample in seconds."""
        sample = 0.0
        files, problems = read_sysctl_files(self.system if self.request.host else None, self.request.sysctl_files)
        self.problems += problems
        if self.request.host or files:
            self.found["sysctl_files"] = files
        if self.request.host:
            self._try("host", lambda: read_host(self.system, self._master()))
            self._try("sysctls", lambda: read_sysctls(self.system))
            sample = self._measure()
            self._try("error_log", self._logs)
        return sample

    def _try(self, source: str, read: Callable[[], object]) -> None:
        self.say(source)
        try:
            self.found[source] = read()
        except AdvisorError as error:
            self.unread[source] = str(error)
        except OSError as error:
            self.unread[source] = f"{error.filename or source}: {error.strerror or error}"
        except Exception as error:  # noqa: BLE001 (a fault in one collector must not cost the others' evidence)
            self.unread[source] = f"a fault in advisor, please report it: {type(error).__name__}: {error}"

    def _processes(self) -> object:
        found, problems = read_processes(self.system)
        self.problems += problems
        return found

    def _master(self) -> int | None:
        processes = self.found.get("processes")
        return None if processes is None else processes.master.pid

    def _logs(self) -> object:
        from advisor.collect.errorlog import read_error_logs  # noqa: PLC0415 (its patterns, which only a host needs)

        config = self._config()
        if config is None:
            raise InputError("no configuration was read that would name it")
        return read_error_logs(self.system, config.config, self._master())

    def _measure(self) -> float:
        """Counters and listeners' drops twice, the rest once, at the end of the sample; returns its length."""
        # Not above: netlink's modules take 10 ms, which a run that reads only files need not pay.
        from advisor.collect.owners import read_held  # noqa: PLC0415 (see above)
        from advisor.collect.sockets import read_drops, read_sockets  # noqa: PLC0415 (see above)

        first: dict[str, int] | None = None
        ports = self._ports()
        self._try("counters", lambda: read_counters(self.system))
        first = self.found.pop("counters", None)
        drops = read_drops(self.system)
        begun = self.system.tick()
        twice = self.request.sample > 0 and self.system.live
        if twice:
            self.say(f"{self.request.sample:g} s between two readings")
            self.system.wait(self.request.sample)
        self._try("sockets", lambda: read_sockets(self.system, ports, drops if twice else None))
        elapsed = self.system.tick() - begun if twice else 0.0
        self._say_method()
        if first is not None:
            self._try("counters", lambda: readings(first, read_counters(self.system) if twice else {}))
        self._try("held", lambda: read_held(self.system, self.found.get("sockets")))
        if self.request.stub_status:
            self._try("stub_status", self._status)
        return elapsed

    def _say_method(self) -> None:
        """A live host that refuses SOCK_DIAG shows less; say so beside what then stays unknown."""
        sockets = self.found.get("sockets")
        if self.system.live and sockets is not None and sockets.method != "SOCK_DIAG":
            why = f"SOCK_DIAG was refused: read from {sockets.method}, which shows no queue limits, drops or idle times"
            self.problems.append(("sockets", why))

    def _ports(self) -> frozenset[int]:
        """The ports nginx listens on, whose idle connections are counted by age."""
        config = self._config()
        return frozenset(listen.endpoint.port for listen in config.listens) if config is not None else frozenset()

    def _status(self) -> object:
        from advisor.collect.stub_status import read_stub_status  # noqa: PLC0415 (urllib, which few runs need)

        config = self._config()
        url = config.status_url() if config is not None else None
        if url is None:
            raise InputError("the configuration has no location with stub_status that loopback reaches")
        return read_stub_status(url)

    def _config(self) -> NginxFacts | None:
        """What the configuration says, where one was read."""
        if self.found.get("nginx") is None:
            return None
        return Facts(Snapshot(advisor=__version__, taken="", nginx=self.found["nginx"])).nginx

    def _nginx(self) -> None:
        """The configuration: one that was named must be there, one that is looked for may be missing."""
        if self.request.nginx_conf is not None:
            self.say(self.request.nginx_conf)
            self.found["nginx"] = self._configuration()
        elif self.request.host:
            self._try("nginx", self._configuration)

    def _configuration(self) -> Nginx:
        request = self.request
        asked = Asked(request.nginx_conf, request.nginx_prefix, request.nginx_version)
        config, problems = read_configuration(self.system, asked, self._master())
        self.problems += problems
        return config
