"""The snapshot: bytes of configuration, counts of measurements, nothing derived.

Times are seconds since the epoch, durations seconds, sizes bytes, unless a name says otherwise.
A source that was not read is ``None`` and stands in `Snapshot.unread` with its reason.
"""

from __future__ import annotations

from typing import Any, Literal

from advisor.errors import Unread
from advisor.formats.nginx import Statement, scan
from advisor.records import dataclass, field
from advisor.snapshot.around import Modules, Unit, UnitLimit
from advisor.snapshot.captured import Captured, CapturedPort, CapturedServer
from advisor.snapshot.counted import (
    IDLE_EDGES,
    Ages,
    Bytes,
    Cgroup,
    Count,
    Counts,
    Destination,
    ErrorLog,
    Held,
    Listener,
    Logged,
    Moment,
    Port,
    Reading,
    Release,
    Seconds,
    Share,
    Sockets,
    StubStatus,
)

__all__ = [
    "IDLE_EDGES",
    "SOURCES",
    "UDP_SOCKETS",
    "Ages",
    "Bytes",
    "Captured",
    "CapturedPort",
    "CapturedServer",
    "Cgroup",
    "Claim",
    "ConfigFile",
    "Count",
    "Counts",
    "Destination",
    "ErrorLog",
    "Held",
    "Host",
    "Listener",
    "Logged",
    "Modules",
    "Moment",
    "Nginx",
    "Port",
    "Process",
    "Processes",
    "Reading",
    "Release",
    "Seconds",
    "Share",
    "Snapshot",
    "Sockets",
    "StubStatus",
    "SysctlFile",
    "Sysctls",
    "Unit",
    "UnitLimit",
]


@dataclass(frozen=True, kw_only=True)
class Host:
    """The machine.

    ``netns`` says which network namespace was read: ``host``, its inode number, its name, or ``of pid N``.
    ``cgroup`` is that of the running nginx, ours where none runs; None: it could not be read. ``uptime`` is the time
    since the kernel started, ``page`` the size of a page of memory, in bytes.
    """

    name: str
    kernel: str
    cpus: Count | None = None
    memory: Count | None = None
    netns: str = "host"
    container: str | None = None
    root: bool = False
    cgroup: Cgroup | None = None
    uptime: Seconds | None = None
    page: Count | None = None


@dataclass(frozen=True, kw_only=True)
class Sysctls:
    """Live values as the kernel's strings; keys this kernel or namespace lacks; keys that refused to be read.

    ``read_only``: /proc/sys is mounted so, as engines do it for containers; nothing can be set from here.
    """

    values: dict[str, str] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    read_only: bool = False


@dataclass(frozen=True, kw_only=True)
class ConfigFile:
    """One file's bytes. ``differs`` says where crossplane and our scanner part: judged, never edited."""

    content: Bytes
    modified: Seconds | None = None
    differs: str | None = None

    def statements(self, name: str) -> list[Statement]:
        """What it says, scanned on first use and kept: all who read it share it, so nobody may change it.

        Args:
            name: what messages call the file.

        Raises:
            InputError: where it can't be read as nginx reads it: see `advisor.formats.nginx.scan`.
        """
        kept: list[Statement] | None = self.__dict__.get("scanned")
        if kept is None:
            kept = self.__dict__["scanned"] = scan(self.content, name)
        return kept


@dataclass(frozen=True, kw_only=True)
class SysctlFile:
    """A file that sets sysctls. ``given`` by the user: judged as if it were applied.

    ``link`` is where a symbolic link leads, as it is written. ``writer`` names the program, neither systemd-sysctl nor
    sysctl(8), that sets what stands there, or that is seen to be there (`advisor.catalog.writers`). ``unread`` is why
    it could not be read.
    """

    path: str
    content: Bytes
    given: bool = False
    link: str | None = None
    writer: str | None = None
    unread: str | None = None


UDP_SOCKETS = "UDP sockets"
"""Who claims the ports that UDP sockets are bound to: the kernel may have picked those inside the ephemeral range."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Ports that somebody needs who need not listen on TCP just now.

    ``by`` says who: a socket unit, `UDP_SOCKETS`, the NodePorts of Kubernetes. ``file`` and ``line``: where it is said.
    """

    low: Port
    high: Port
    protocol: Literal["tcp", "udp"]
    by: str
    file: str | None = None
    line: Count | None = None


@dataclass(frozen=True, kw_only=True)
class Nginx:
    """A configuration tree, by the real path of each file in the audited tree.

    ``includes`` maps an include pattern, made absolute, to the real paths it names, in nginx's order.
    ``prefix`` is nginx's own (``-p``): logs, pid and roots begin there, while includes begin at the entry's folder.
    ``masked`` says that arguments were hidden: what stands there can't be written again elsewhere.
    """

    entry: str
    files: dict[str, ConfigFile]
    includes: dict[str, list[str]] = field(default_factory=dict)
    version: Release | None = None
    prefix: str | None = None
    masked: bool = False


@dataclass(frozen=True, kw_only=True)
class Process:
    """An nginx process: its start, its limits of descriptors, those open, the sockets among them (None: not known).

    ``nofile`` is the soft limit, ``nofile_hard`` the hard one. ``cpu`` is the time that its main thread, which is the
    one that accepts, has run since it started, ``waited`` the time that it was ready to run and waited for a CPU; in
    milliseconds, at the beginning and at the end of the sample.
    """

    pid: Count
    started: Seconds
    nofile: Count | None = None
    nofile_hard: Count | None = None
    descriptors: Count | None = None
    sockets: Count | None = None
    cpu: Reading | None = None
    waited: Reading | None = None


@dataclass(frozen=True, kw_only=True)
class Processes:
    """The running nginx. ``leaving`` holds the workers that are shutting down after a reload, ``workers`` the rest.

    ``sys_resource``: the master has CAP_SYS_RESOURCE, by which it gives workers more than its own hard limits.
    ``timed`` is the time between the two readings of the workers' ``cpu`` and ``waited``.
    """

    master: Process
    workers: list[Process] = field(default_factory=list)
    leaving: list[Process] = field(default_factory=list)
    binary_deleted: bool = False
    unit: Unit | None = None
    sys_resource: bool | None = None
    timed: Seconds | None = None


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Everything that was read, and what was not.

    ``took`` is the time that took, ``cpu`` the CPU time of it, user and system; ``sample`` is the time between the
    two counter readings, 0 with one reading; all in seconds. ``problems`` are things wrong with what was read (a line
    that is no setting): ``source`` to reason. ``profile`` is the workload that the user named. ``kernel_log`` holds
    lines of /dev/kmsg, ``claims`` the ports of others than live TCP listeners, ``capture`` what a packet capture came
    to. ``moved`` is filled by predict: a measurement that a patch moves, and why it is void. ``format`` is called
    ``schema`` in JSON.
    """

    format: Literal["advisor.snapshot/v1"] = "advisor.snapshot/v1"
    advisor: str
    taken: Moment
    sample: Seconds = 0
    took: Seconds | None = None
    cpu: Seconds | None = None
    profile: str | None = None
    host: Host | None = None
    sysctls: Sysctls | None = None
    sysctl_files: list[SysctlFile] | None = None
    counters: dict[str, Reading] | None = None
    sockets: Sockets | None = None
    nginx: Nginx | None = None
    processes: Processes | None = None
    held: list[Held] | None = None
    stub_status: StubStatus | None = None
    error_log: list[ErrorLog] | None = None
    kernel_log: list[Logged] | None = None
    claims: list[Claim] | None = None
    modules: Modules | None = None
    capture: Captured | None = None
    site: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)
    moved: dict[str, str] = field(default_factory=dict)

    def need(self, source: str) -> Any:  # noqa: ANN401 (the field's own type; callers name it)
        """The source of that field name.

        Raises:
            Unread: when it was not read; the reason is the collector's.
        """
        value = getattr(self, source)
        if value is None:
            raise Unread(source, self.unread.get(source, "not collected"))
        return value

    def still(self, measurement: str, item: str = "") -> None:
        """Make sure that no patch moved a measurement (of one item, or of all).

        Raises:
            Unread: when one did.
        """
        for name in (f"{measurement}@{item}", measurement) if self.moved else ():
            if name in self.moved:
                raise Unread(measurement, self.moved[name])


SOURCES = tuple(
    "host sysctls sysctl_files counters sockets nginx processes held stub_status error_log "  # noqa: SIM905 (short)
    "kernel_log claims modules capture".split()
)
"""The fields of a `Snapshot` that a collector fills, and that may be unread."""
