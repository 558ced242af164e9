"""The facts of ``nginx.log``: what nginx's error logs say went wrong, towards whom, how often and how long ago."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, ClassVar

from advisor.errors import Unread
from advisor.facts.config import Config
from advisor.facts.places import Location, Place
from advisor.facts.schema import From
from advisor.facts.settings import Setting, place_for, settings
from advisor.facts.tree import Node, Tree
from advisor.facts.values import Count, Histogram, Item
from advisor.snapshot import model
from advisor.snapshot.model import Snapshot

SPECIAL = ("stderr", "syslog:", "memory:", "/dev/")
"""What ``error_log`` may name that is no file to read (ngx_core_module.html#error_log)."""

_LEVELS = ("debug", "info", "notice", "warn", "error", "crit", "alert", "emerg")
_WARNING = _LEVELS[:4]
"""Levels that show warnings."""
_WARNINGS = frozenset(["connections_reused", "responses_buffered", "requests_buffered"])
"""Kinds that nginx logs as warnings: a level of error hides them."""
_COARSE = 2.0
"""Seconds: a line's time and that of the snapshot are cut to whole ones."""
_SOURCE = From("error_log")


def targets(config: Config) -> list[tuple[str, str]]:
    """The files that hold all errors, and the level from which on each of them is written to.

    Several logs of one block get the same lines: the one with the lowest level has them all.
    """
    found: dict[Node | None, tuple[str, str]] = {}
    for node in config.tree.named.get("error_log", ()):
        target, level = _target(node)
        now = found.get(node.parent)
        if target and not target.startswith(SPECIAL) and (now is None or _LEVELS.index(level) < _LEVELS.index(now[1])):
            found[node.parent] = target, level
    return list(dict.fromkeys(found.values()))


def _target(node: Node) -> tuple[str, str]:
    first, *levels = node.args or [""]
    if any(one.startswith("debug") for one in levels):
        return first, "debug"
    return first, next((one for one in levels if one in _LEVELS), "error")


class ErrorLogSetting(Setting):
    """A place that sets ``error_log``."""

    __slots__ = ()

    @property
    def target(self) -> str:
        """What it writes to: a file, ``stderr``, ``syslog:...`` or ``memory:...``."""
        return _target(self._setter)[0]

    @property
    def level(self) -> str:
        """From which level on it writes: debug (also debug_http and the like) ... emerg; error where none is set."""
        return _target(self._setter)[1]


def error_logs(config: Config) -> list[ErrorLogSetting]:
    """Every place that sets it."""
    return settings(config, config.tree.named.get("error_log", ()), ErrorLogSetting)


class LoggedError(Item):
    """Lines of one kind about one thing, in all error logs together."""

    __slots__ = ("_rows", "_snapshot", "_tree", "id", "location")

    def __init__(self, source: tuple[Snapshot, Tree], path: str, name: str, rows: list[model.Logged]) -> None:
        """``path``: the log in which the first of them stand; ``name``: what they are about."""
        self._snapshot, self._tree = source
        self._rows = rows
        self.id = name
        self.location = Location(logical=name, file=path)

    @property
    def about(self) -> str:
        """What the lines name: an upstream's address, a listener's, a signal ...; ``nginx`` where they name nothing."""
        return self.id

    @property
    def count(self) -> Annotated[Count, _SOURCE]:
        """How many lines the ends of the logs hold."""
        return sum(row.count for row in self._rows)

    @property
    def ages(self) -> Annotated[Histogram, _SOURCE]:
        """How long ago they were written."""
        return Histogram.merge([self._dated(row) for row in self._rows])

    @property
    def current(self) -> Annotated[Histogram, _SOURCE]:
        """The same, of those written since the workers that run now were started with their limits."""
        self._snapshot.still("processes")
        processes: model.Processes = self._snapshot.need("processes")
        if not processes.workers:
            raise Unread("processes", "no worker process was seen")
        taken = dt.datetime.fromisoformat(self._snapshot.taken).timestamp()
        since = taken - min(worker.started for worker in processes.workers) + _COARSE
        dated = [self._dated(row) for row in self._rows if row.newest is None or row.newest <= since]
        return Histogram.merge(dated).cut(max(0.0, since))

    def place(self, directive: str) -> Place:
        """Where a directive of main or events would be written."""
        return place_for(self._tree, None, directive)

    def _dated(self, row: model.Logged) -> Histogram:
        if row.ages is None:
            why = f"{self.location.file} tells no time zone: its last line and its mtime do not agree on one"
            raise Unread("error_log", why)
        return Histogram.of(row.ages)


class ErrorLogFacts:
    """What the ends of the error logs say, by kind; each kind one item for each thing that its lines name."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(self, snapshot: Snapshot, config: Config) -> None:
        self._snapshot = snapshot
        self._config = config

    @property
    def connections_exhausted(self) -> list[LoggedError]:
        """``N worker_connections are not enough``: a connection was refused."""
        return self._found("connections_exhausted")

    @property
    def connections_reused(self) -> list[LoggedError]:
        """``N worker_connections are not enough, reusing connections``: idle ones were closed early (a warning)."""
        return self._found("connections_reused")

    @property
    def too_many_files(self) -> list[LoggedError]:
        """``(24: Too many open files)``, by whatever call."""
        return self._found("too_many_files")

    @property
    def ports_exhausted(self) -> list[LoggedError]:
        """``connect() to ADDRESS failed (99: Cannot assign requested address)``."""
        return self._found("ports_exhausted")

    @property
    def refused(self) -> list[LoggedError]:
        """``(111: Connection refused) while connecting to upstream``."""
        return self._found("refused")

    @property
    def queue_full(self) -> list[LoggedError]:
        """``connect() to unix:PATH failed (11: Resource temporarily unavailable)``: its accept queue is full."""
        return self._found("queue_full")

    @property
    def timed_out_connecting(self) -> list[LoggedError]:
        """``(110: Connection timed out) while connecting to upstream``."""
        return self._found("timed_out_connecting")

    @property
    def timed_out_reading(self) -> list[LoggedError]:
        """``upstream timed out`` while it was sent a request or waited for."""
        return self._found("timed_out_reading")

    @property
    def closed_early(self) -> list[LoggedError]:
        """``upstream prematurely closed connection``, or reset it (104)."""
        return self._found("closed_early")

    @property
    def none_live(self) -> list[LoggedError]:
        """``no live upstreams``: all servers of an upstream block are held to be down."""
        return self._found("none_live")

    @property
    def header_too_big(self) -> list[LoggedError]:
        """``upstream sent too big header``: more than the buffer for it takes."""
        return self._found("header_too_big")

    @property
    def responses_buffered(self) -> list[LoggedError]:
        """``an upstream response is buffered to a temporary file`` (a warning)."""
        return self._found("responses_buffered")

    @property
    def requests_buffered(self) -> list[LoggedError]:
        """``a client request body is buffered to a temporary file`` (a warning)."""
        return self._found("requests_buffered")

    @property
    def crashed(self) -> list[LoggedError]:
        """``worker process N exited on signal N``."""
        return self._found("crashed")

    def _found(self, kind: str) -> list[LoggedError]:
        logs: list[model.ErrorLog] = self._snapshot.need("error_log")
        rows: dict[str, list[model.Logged]] = {}
        where: dict[str, str] = {}
        for log in logs:
            for row in log.logged:
                if row.kind == kind:
                    name = row.subject or "nginx"
                    rows.setdefault(name, []).append(row)
                    where.setdefault(name, log.path)
        if not rows:
            self._might_be_unseen(kind, logs)
        source = self._snapshot, self._config.tree
        return [LoggedError(source, where[name], name, group) for name, group in rows.items()]

    def _might_be_unseen(self, kind: str, logs: list[model.ErrorLog]) -> None:
        """Nothing was found: was everything looked at?"""
        for log in logs:
            if log.unread is not None:
                raise Unread("error_log", log.unread)
        if kind in _WARNINGS and not any(level in _WARNING for _, level in targets(self._config)):
            raise Unread("error_log", "its level hides warnings; error_log FILE warn would show them")
