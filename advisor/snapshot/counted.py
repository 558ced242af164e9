"""What was measured, as counts: sockets, counters, ages, the lines of a log. Nothing derived.

Times are seconds since the epoch, durations seconds, sizes bytes, unless a name says otherwise.
"""

from __future__ import annotations

from typing import Literal

from advisor.records import dataclass, field

IDLE_EDGES = (1, 2, 3, 4, 5, 8, 10, 15, 20, 30, 45, 60, 65, 75, 90, 120, 180, 300, 600, 3600)
"""Upper edges, in seconds, of the buckets in which idle ages are counted; one more bucket lies above."""

# The limits of these, and how they stand in JSON, are those of `advisor.snapshot.json`.
Count = int
Counts = list[int]
"""One for each bucket of `IDLE_EDGES`, and one above."""
Seconds = float
Port = int
Bytes = bytes
Moment = str
"""A time with its zone, as ISO 8601 writes it."""
Share = float
"""A part of a whole, 0 to 1."""
Release = str
"""A version: up to four numbers with dots between."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A counter at the beginning and at the end of the sample; ``last`` is None with one reading."""

    first: Count
    last: Count | None = None


@dataclass(frozen=True, kw_only=True)
class Cgroup:
    """What a control group and those around it allow at most; None: no limit.

    ``cpus`` is CPU time each second, in seconds; ``memory`` in bytes. ``memory_used`` and ``sockets`` (the buffers of
    sockets, a part of it) are bytes in use in the group whose limit ``memory`` is; None: no limit, or it is not told.
    """

    cpus: Seconds | None = None
    memory: Count | None = None
    memory_used: Count | None = None
    sockets: Count | None = None


@dataclass(frozen=True, kw_only=True)
class Ages:
    """How many connections are how old: counts per bucket of `IDLE_EDGES`, and the oldest age seen."""

    counts: Counts
    oldest: Seconds | None = None


@dataclass(frozen=True, kw_only=True)
class Listener:
    """A listening address; several sockets (reuseport) are one row: drops added, the fullest queue kept.

    ``unit`` is the systemd unit or the container whose control group the socket was made in.
    """

    address: str
    port: Port
    sockets: Count = 1
    states: dict[str, Count] = field(default_factory=dict)
    queue: Count | None = None
    limit: Count | None = None
    drops: Reading | None = None
    idle: Ages | None = None
    clients: Count | None = None
    top_clients: dict[str, Count] = field(default_factory=dict)
    unit: str | None = None


@dataclass(frozen=True, kw_only=True)
class Destination:
    """What this host connects to: local ports in use towards it, whole and by state.

    ``odd`` counts those with an odd number; ``time_wait`` says for how long those in TIME_WAIT have been there.
    """

    local: str
    remote: str
    port: Port
    ports: Count
    states: dict[str, Count] = field(default_factory=dict)
    odd: Count | None = None
    time_wait: Ages | None = None


@dataclass(frozen=True, kw_only=True)
class Sockets:
    """Every TCP socket of one network namespace, counted; ``rest`` counts what the bound of rows left out.

    ``share`` is the part of them that was looked at. Below 1 the budget was spent, ``states`` holds what the kernel
    itself counts, and the counts of rows are those of the part, divided by it.
    """

    method: Literal["SOCK_DIAG", "/proc/net/tcp"]
    states: dict[str, Count]
    listeners: list[Listener] = field(default_factory=list)
    destinations: list[Destination] = field(default_factory=list)
    rest: Count = 0
    share: Share = 1.0


@dataclass(frozen=True, kw_only=True)
class Held:
    """Sockets in one state that one process holds towards one remote: the owner of a leak.

    ``ages`` is the time since the peer's FIN for CLOSE_WAIT, the idle time for ESTABLISHED.
    ``pid`` is None where the owner could not be seen; ``name`` then says why.
    """

    pid: Count | None = None
    name: str
    state: Literal["CLOSE_WAIT", "ESTABLISHED"]
    remote: str
    count: Count
    ages: Ages
    descriptors: Count | None = None
    nofile: Count | None = None
    unit: str | None = None


@dataclass(frozen=True, kw_only=True)
class StubStatus:
    """What stub_status said, at the end of the sample."""

    active: Count
    accepts: Count
    handled: Count
    requests: Count
    reading: Count
    writing: Count
    waiting: Count


@dataclass(frozen=True, kw_only=True)
class Logged:
    """Lines of one kind (see `advisor.formats.errorlog` and `kmsg`) about one thing; None where they name none.

    ``ages`` is the time since each line was written, ``newest`` since the last; None where the log's time zone can't
    be told.
    """

    kind: str
    subject: str | None = None
    count: Count
    ages: Ages | None = None
    newest: Seconds | None = None


@dataclass(frozen=True, kw_only=True)
class ErrorLog:
    """The end of an error log: ``size`` bytes are in the file, the last ``read`` of them were read.

    ``unread`` says why nothing was; the times of its lines are those of the log's own time zone, found by comparing
    the last line with the file's mtime.
    """

    path: str
    unread: str | None = None
    size: Count = 0
    read: Count = 0
    logged: list[Logged] = field(default_factory=list)
