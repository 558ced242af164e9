"""The root ``advice``: lines of files that do not do what whoever wrote them hoped for.

What a key does is in `advisor.catalog.sysctl`, what it no longer does in `advisor.catalog.sysctl_dead`. A file that
TuneD reads has sections, and its values may be quoted or begin with ``>`` (at least); tuned-profiles and
tuned.conf(5).
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import ClassVar

from advisor.catalog.sysctl import KEYS, Key
from advisor.catalog.sysctl_dead import DEAD
from advisor.catalog.sysctl_names import known, recognised
from advisor.errors import Unread
from advisor.facts.boot import Boot
from advisor.facts.boot_items import Assignment
from advisor.facts.host import HostFacts
from advisor.facts.misspelt import meant
from advisor.facts.nginx import NginxFacts
from advisor.facts.places import Location
from advisor.facts.refused import number, partly, refused
from advisor.facts.sockets import Sockets
from advisor.facts.sysctl import Sysctl
from advisor.facts.values import Count, Item, Version
from advisor.records import dataclass
from advisor.snapshot.model import Snapshot, SysctlFile
from advisor.units import S

_CHECKED = Version((6, 1))
"""The oldest kernel for which what stands here was checked."""
_SECTION = re.compile(rb"[ \t]*\[([^]]{1,64})\]")
_MOST_UNKNOWN = 1_000
"""Lines with an unknown key that are looked at; whoever has more writes no sysctls. One takes up to a millisecond."""
_SYSCTLS = "sysctl"
_REMARK = re.compile(r"-?\d+[ \t]+([#;]).*", re.ASCII)
"""A number, and what somebody took for a comment."""
_LONG = 32767
"""Seconds; setsockopt() takes no longer keepalive time (MAX_TCP_KEEPIDLE in the kernel's include/net/tcp.h)."""
_CONGESTION = "net.ipv4.tcp_congestion_control"
_PROBED = "proxy_socket_keepalive"
_SHOWN_ONLY = frozenset(
    {"fs.dentry-state", "fs.file-nr", "fs.inode-nr", "kernel.osrelease", "net.netfilter.nf_conntrack_count"}
)
"""Keys that can only be read: a file that has one is the output of ``sysctl -a``."""


@dataclass(frozen=True, slots=True)
class Doubt(Item):
    """A line of a file, and what is wrong with it: a reason, the key that was meant, or what the writer hopes for.

    ``idle``: it asks for nothing but what a key that does nothing stood at by itself.
    """

    line: Assignment
    said: str
    hope: str = ""
    idle: bool = False

    @property
    def id(self) -> str:  # type: ignore[override]  # computed, never stored
        """The key and the file."""
        return self.line.id

    def lasting(self) -> str:
        """The key."""
        return self.line.key

    @property
    def location(self) -> Location:
        """The line."""
        return self.line.location


Says = Callable[[Key, str], str | None]


class Advice:
    """What files set, looked at line by line."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(
        self,
        snapshot: Snapshot,
        boot: Boot,
        sysctl: Sysctl,
        nginx: Callable[[], NginxFacts],
        sockets: Callable[[], Sockets],
    ) -> None:
        self._snapshot = snapshot
        self._boot = boot
        self._sysctl = sysctl
        self._nginx = nginx
        self._sockets = sockets

    @property
    def checked(self) -> bool:
        """True; unknown on a kernel before 6.1, for which nobody checked what rules say. Without a host: true."""
        if self._snapshot.host is not None and (kernel := self._kernel) < _CHECKED:
            raise Unread("host", f"Linux {kernel}: what is said here was checked from 6.1 on")
        return True

    @property
    def connecting(self) -> Count:
        """Ports of this host in use towards other hosts; the busiest destinations are enough to tell that it is any."""
        return sum(one.ports for one in self._sockets().destinations if not one.loopback)

    @property
    def keepalive_asked(self) -> bool:
        """Whether nginx asks the kernel to probe any of its connections (so_keepalive, proxy_socket_keepalive)."""
        nginx = self._nginx()
        asked = any(line.startswith("so_keepalive=") and line != "so_keepalive=off" for line in self._parameters)
        return asked or any(node.args[:1] == ["on"] for node in nginx.config.tree.named.get(_PROBED, ()))

    @property
    def fastopen_asked(self) -> bool:
        """Whether a ``listen`` of nginx takes data in a SYN (``fastopen=``)."""
        return any(one.startswith("fastopen=") for one in self._parameters)

    @property
    def _parameters(self) -> Iterator[str]:
        return (one for listen in self._nginx().listens for line in listen.lines for one in line.parameters)

    @property
    def lines(self) -> list[Assignment]:
        """Every line that sets a key, in files that people wrote; the output of ``sysctl -a`` is none."""
        return self._lines

    @cached_property
    def dead(self) -> list[Doubt]:
        """Lines that set a key which does nothing."""
        return [
            Doubt(line, dead.since, dead.hope, idle=self._told(line) == dead.idle)
            for line in self._lines
            if (dead := DEAD.get(line.key)) is not None and not self._alive(line.key)
        ]

    @cached_property
    def misspelt(self) -> list[Doubt]:
        """Lines whose key no kernel has, with the key that was probably meant."""
        found = [line for line in self._lines if line.key not in known()][:_MOST_UNKNOWN]
        return [Doubt(line, key) for line in found if (key := meant(line.key)) is not None]

    @cached_property
    def refused(self) -> list[Doubt]:
        """Lines whose value write() refuses."""
        return self._each(refused)

    @cached_property
    def partly(self) -> list[Doubt]:
        """Lines of whose value the kernel takes a part."""
        found = ((line, _REMARK.fullmatch(line.value)) for line in self._lines if line.key not in KEYS)
        remarks = [
            Doubt(line, f"the kernel stops reading before '{remark[1]}'")
            for line, remark in found
            if remark is not None and recognised(line.key)
        ]
        return remarks + self._each(partly)

    @cached_property
    def milliseconds(self) -> list[Doubt]:
        """Lines that give seconds a number so long and so round that it was probably meant in milliseconds."""
        return self._each(_milliseconds)

    @cached_property
    def newer(self) -> list[Doubt]:
        """Lines that set a key which this kernel is too old for."""
        found = [(line, since) for line in self._known if (since := KEYS[line.key].since) is not None]
        return [Doubt(line, since) for line, since in found if self._kernel < Version.parse(since)]

    @cached_property
    def unavailable(self) -> list[Doubt]:
        """Lines that name a congestion control which is not among those loaded."""
        found = [(line, self._told(line)) for line in self._known if line.key == _CONGESTION]
        return [
            Doubt(line, name)
            for line, name in found
            if name not in self._loaded and refused(KEYS[_CONGESTION], name) is None
        ]

    @property
    def _loaded(self) -> list[str]:
        return self._sysctl.text("net.ipv4.tcp_available_congestion_control").split()

    @property
    def _kernel(self) -> Version:
        return HostFacts(self._snapshot).kernel

    def _alive(self, key: str) -> bool:
        """Whether the host's kernel is from before the release that took the key's effect away."""
        since = DEAD[key].kernel
        return since is not None and self._snapshot.host is not None and self._kernel < Version.parse(since)

    def _each(self, says: Says) -> list[Doubt]:
        found = [
            Doubt(line, said) for line in self._known if (said := says(KEYS[line.key], self._told(line))) is not None
        ]
        return found if found and self.checked else []

    @property
    def _known(self) -> Iterator[Assignment]:
        return (line for line in self._lines if line.key in KEYS)

    def _told(self, line: Assignment) -> str:
        """What is written to the kernel for a line."""
        text = line.value
        if self._tuned(line.file) is not None:
            return text.lstrip("<>").strip().strip("\"'")
        return text

    @cached_property
    def _lines(self) -> list[Assignment]:
        found = self._boot.assignments
        dumps = {line.file.path for line in found if line.key in _SHOWN_ONLY}
        return [line for line in found if line.file.path not in dumps and self._counts(line)]

    def _counts(self, line: Assignment) -> bool:
        """Whether a line sets a sysctl at all: of a file of TuneD, those of one section do."""
        sections = self._tuned(line.file)
        if sections is None:
            return True
        at = bisect.bisect_left(sections, (line.setting.line, ""))
        return at > 0 and sections[at - 1][1] == _SYSCTLS

    def _tuned(self, file: SysctlFile) -> list[tuple[int, str]] | None:
        """The lines that begin a section in a file of TuneD; None for any other file."""
        if file.path not in self._sections:
            found = _sections(file.content) if b"[sysctl]" in file.content else []
            self._sections[file.path] = found if any(name == _SYSCTLS for _, name in found) else None
        return self._sections[file.path]

    @cached_property
    def _sections(self) -> dict[str, list[tuple[int, str]] | None]:
        return {}


def _sections(content: bytes) -> list[tuple[int, str]]:
    lines = enumerate(content.split(b"\n"), 1)
    found = ((at, _SECTION.match(line)) for at, line in lines)
    return [(at, one[1].decode("ascii", "replace")) for at, one in found if one is not None]


def _milliseconds(key: Key, text: str) -> str | None:
    if key.unit != S or key.scale != 1 or key.name.startswith("net.netfilter.") or refused(key, text) is not None:
        return None
    seconds = number(text.split(maxsplit=1)[0])
    if seconds is None or seconds <= _LONG or seconds % 1000:
        return None
    return f"{seconds:,} s are {seconds / 86400:,.1f} days; {seconds // 1000:,} s if milliseconds were meant"
