"""The root ``kernel_log``: what the kernel itself wrote of what ran full, was dropped or killed, and how long ago."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, ClassVar

from advisor.errors import Unread
from advisor.facts.places import Location
from advisor.facts.schema import From
from advisor.facts.values import Count, Item, Seconds
from advisor.records import dataclass
from advisor.snapshot import model
from advisor.snapshot.model import Snapshot

_SOURCE = From("/dev/kmsg")
_NAMELESS = "kernel"

Listening = Callable[[], list[tuple[str, int]]]
"""The addresses and ports that are listened on in the network namespace that was read."""


@dataclass(frozen=True, slots=True)
class KernelMessage(Item):
    """Messages of one kind about one thing."""

    row: model.Logged
    snapshot: Snapshot
    listening: Listening

    @property
    def id(self) -> str:  # type: ignore[override]  # computed, never stored
        """What they are about."""
        return self.about

    @property
    def about(self) -> str:
        """What they name: an address and port, a program, a table; ``kernel`` where they name nothing."""
        return self.row.subject or _NAMELESS

    @property
    def count(self) -> Annotated[Count, _SOURCE]:
        """How many the log holds; the kernel writes at most 10 of the network's in 5 s (net.core.message_burst)."""
        return self.row.count

    @property
    def newest(self) -> Annotated[Seconds, _SOURCE]:
        """How long ago the last of them was written."""
        if self.row.newest is None:
            raise Unread("kernel_log", "the log tells no times")
        return self.row.newest

    @property
    def whole(self) -> Annotated[bool, From("/proc/self/ns")]:
        """Whether we see the host itself, and not a container or a network namespace of its own."""
        host: model.Host = self.snapshot.need("host")
        return host.netns == "host" and host.container is None

    @property
    def ours(self) -> Annotated[bool, From("/proc/self/ns")]:
        """Whether they are about what we see; unknown where we do not see the host itself."""
        if not self.whole:
            raise Unread("kernel_log", "the log is the whole machine's, of which only a part is judged here")
        return True

    @property
    def listened(self) -> Annotated[bool, From("SOCK_DIAG")]:
        """Whether somebody listens, where we look, on the address and port that they name (before 6.2, the port)."""
        address, _, port = self.about.rpartition(":")
        return any(port == str(one) and address.strip("[]") in {"", host} for host, one in self.listening())

    @property
    def location(self) -> Location:
        """The thing itself."""
        return Location(logical=self.about)


class KernelLog:
    """By kind; each kind one item for each thing that its messages name."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(self, snapshot: Snapshot, listening: Listening) -> None:
        self._snapshot = snapshot
        self._listening = listening

    @property
    def conntrack_full(self) -> list[KernelMessage]:
        """``nf_conntrack: table full, dropping packet``; names another network namespace by its number."""
        return self._found("conntrack_full")

    @property
    def syn_flooding(self) -> list[KernelMessage]:
        """``Possible SYN flooding on port ADDRESS:PORT``: its SYN queue was full; at most one for each listen()."""
        return self._found("syn_flooding")

    @property
    def out_of_memory(self) -> list[KernelMessage]:
        """``Out of memory: Killed process N (NAME)``, also of a control group."""
        return self._found("out_of_memory")

    @property
    def tcp_memory(self) -> list[KernelMessage]:
        """``TCP: out of memory -- consider tuning tcp_mem``."""
        return self._found("tcp_memory")

    @property
    def orphans(self) -> list[KernelMessage]:
        """``TCP: too many orphaned sockets``."""
        return self._found("orphans")

    @property
    def neighbours_full(self) -> list[KernelMessage]:
        """``neighbour: arp_cache: neighbor table overflow!``; names the table."""
        return self._found("neighbours_full")

    @property
    def file_max(self) -> list[KernelMessage]:
        """``VFS: file-max limit N reached``."""
        return self._found("file_max")

    @property
    def crashed(self) -> list[KernelMessage]:
        """``nginx[N]: segfault at ...``, or a general protection fault."""
        return self._found("crashed")

    @property
    def suppressed(self) -> Annotated[Count, _SOURCE]:
        """Messages about the network that the kernel counted and did not write, of whatever kind."""
        return sum(row.count for row in self._rows if row.kind == "suppressed")

    def _found(self, kind: str) -> list[KernelMessage]:
        return [KernelMessage(row, self._snapshot, self._listening) for row in self._rows if row.kind == kind]

    @property
    def _rows(self) -> list[model.Logged]:
        rows: list[model.Logged] = self._snapshot.need("kernel_log")
        return rows
