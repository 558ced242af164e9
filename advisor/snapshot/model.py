"""The snapshot: bytes of configuration, counts of measurements, nothing derived.

Times are seconds since the epoch, durations seconds, sizes bytes, unless a name says otherwise.
A source that was not read is ``None`` and stands in `Snapshot.unread` with its reason.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator

from advisor.errors import Unread

IDLE_EDGES = (1, 2, 3, 4, 5, 8, 10, 15, 20, 30, 45, 60, 65, 75, 90, 120, 180, 300, 600, 3600)
"""Upper edges, in seconds, of the buckets in which idle ages are counted; one more bucket lies above."""

T = TypeVar("T")


def _bytes_in(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict) and set(value) == {"base64"} and isinstance(value["base64"], str):
        try:
            return base64.b64decode(value["base64"], validate=True)
        except binascii.Error as error:
            raise ValueError(f"not base64: {error}") from None
    raise ValueError('expected text or {"base64": ...}')


def _bytes_out(value: bytes) -> str | dict[str, str]:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode("ascii")}


Bytes = Annotated[bytes, PlainValidator(_bytes_in), PlainSerializer(_bytes_out, when_used="json")]
"""Bytes that stand in JSON as text where they are UTF-8, and as base64 where they are not."""

Count = Annotated[int, Field(ge=0, lt=2**63)]
Seconds = Annotated[float, Field(ge=0, lt=2**53)]
Port = Annotated[int, Field(ge=0, le=65535)]


class Model(BaseModel):
    """Strict about its fields, frozen once made."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Reading(Model):
    """A counter at the beginning and at the end of the sample; ``last`` is None with one reading."""

    first: Count
    last: Count | None = None


class Ages(Model):
    """How many connections are how old: counts per bucket of `IDLE_EDGES`, and the oldest age seen."""

    counts: Annotated[list[Count], Field(min_length=len(IDLE_EDGES) + 1, max_length=len(IDLE_EDGES) + 1)]
    oldest: Seconds | None = None


class Host(Model):
    """The machine. ``netns`` says which network namespace was read: ``host`` or its inode number."""

    name: str
    kernel: str
    cpus: Count | None = None
    memory: Count | None = None
    netns: str = "host"
    container: str | None = None
    root: bool = False


class Sysctls(Model):
    """Live values as the kernel's strings; keys this kernel or namespace lacks; keys that refused to be read."""

    values: dict[str, str] = {}
    absent: list[str] = []
    refused: dict[str, str] = {}


class ConfigFile(Model):
    """One file's bytes. ``differs`` says where crossplane and our scanner part: judged, never edited."""

    content: Bytes
    modified: Seconds | None = None
    differs: str | None = None


class SysctlFile(Model):
    """A file that sets sysctls. ``given`` by the user: judged as if it were applied."""

    path: str
    content: Bytes
    given: bool = False


class Nginx(Model):
    """A configuration tree, by the real path of each file in the audited tree.

    ``includes`` maps an include pattern, made absolute, to the real paths it names, in nginx's order.
    """

    entry: str
    files: dict[str, ConfigFile]
    includes: dict[str, list[str]] = {}
    version: str | None = None


class Process(Model):
    """An nginx process: its start, its limits and its open descriptors (None: not readable)."""

    pid: Count
    started: Seconds
    nofile: Count | None = None
    descriptors: Count | None = None


class Processes(Model):
    """The running nginx. ``workers`` holds those that are not shutting down after a reload."""

    master: Process
    workers: list[Process] = []
    binary_deleted: bool = False


class Listener(Model):
    """A listening address; several sockets (reuseport) are one row: drops added, the fullest queue kept."""

    address: str
    port: Port
    sockets: Count = 1
    states: dict[str, Count] = {}
    queue: Count | None = None
    limit: Count | None = None
    drops: Reading | None = None
    idle: Ages | None = None
    clients: Count | None = None
    top_clients: dict[str, Count] = {}


class Destination(Model):
    """What this host connects to: local ports in use towards it, whole and by state."""

    local: str
    remote: str
    port: Port
    ports: Count
    states: dict[str, Count] = {}


class Sockets(Model):
    """Every TCP socket of one network namespace, counted; ``rest`` counts what the bound of rows left out."""

    method: Literal["SOCK_DIAG", "/proc/net/tcp"]
    states: dict[str, Count]
    listeners: list[Listener] = []
    destinations: list[Destination] = []
    rest: Count = 0


class Held(Model):
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


class StubStatus(Model):
    """What stub_status said, at the end of the sample."""

    active: Count
    accepts: Count
    handled: Count
    requests: Count
    reading: Count
    writing: Count
    waiting: Count


class Snapshot(Model):
    """Everything that was read, and what was not.

    ``sample`` is the time between the two counter readings, in seconds; 0 with one reading.
    ``problems`` are things wrong with what was read (a line that is no setting): ``source`` to reason.
    ``moved`` is filled by predict: a measurement that a patch moves, and why it is void.
    """

    format: Literal["advisor.snapshot/v1"] = Field("advisor.snapshot/v1", alias="schema")
    advisor: str
    taken: str
    sample: Seconds = 0
    took: Seconds | None = None
    host: Host | None = None
    sysctls: Sysctls | None = None
    sysctl_files: list[SysctlFile] | None = None
    counters: dict[str, Reading] | None = None
    sockets: Sockets | None = None
    nginx: Nginx | None = None
    processes: Processes | None = None
    held: list[Held] | None = None
    stub_status: StubStatus | None = None
    site: dict[str, str] = {}
    unread: dict[str, str] = {}
    problems: list[tuple[str, str]] = []
    moved: dict[str, str] = {}

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

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
        for name in (f"{measurement}@{item}", measurement):
            if name in self.moved:
                raise Unread(measurement, self.moved[name])


SOURCES = (
    "host",
    "sysctls",
    "sysctl_files",
    "counters",
    "sockets",
    "nginx",
    "processes",
    "held",
    "stub_status",
)
"""The fields of a `Snapshot` that a collector fills, and that may be unread."""
