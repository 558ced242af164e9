"""The root ``host``: the machine."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from advisor.errors import Unread
from advisor.facts.schema import From
from advisor.facts.values import Number, Pages, Size, Version
from advisor.snapshot import model
from advisor.snapshot.model import Snapshot

_RELEASE = re.compile(r"\d{1,4}\.\d{1,4}(?:\.\d{1,6})?(?!\d)", re.ASCII)


class HostFacts:
    """CPUs, memory, and where we stand."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    @property
    def cpus(self) -> Annotated[Number, From("/proc/cpuinfo")]:
        """CPUs online."""
        return self._known(self._row.cpus, "CPUs")

    @property
    def memory(self) -> Annotated[Size, From("/proc/meminfo")]:
        """Main memory."""
        return self._known(self._row.memory, "memory")

    @property
    def pages(self) -> Annotated[Pages, From("/proc/meminfo")]:
        """Main memory, in pages."""
        return self.memory // self._known(self._row.page, "size of a page")

    @property
    def kernel(self) -> Annotated[Version, From("/proc/sys/kernel/osrelease")]:
        """The release of the kernel, without what a distribution adds to its number."""
        release = self._row.kernel
        found = _RELEASE.match(release)
        if found is None:
            raise Unread("host", f"the kernel calls itself '{release[:60]}', which begins with no release of Linux")
        return Version.parse(found[0])

    @property
    def cpu_quota(self) -> Annotated[Number | None, From("cgroup")]:
        """CPUs that the control group of nginx (ours where it does not run) may use at once; unset: all."""
        return self._cgroup.cpus

    @property
    def memory_allowed(self) -> Annotated[Size, From("/proc/meminfo, cgroup")]:
        """Main memory, or what that control group allows of it."""
        allowed = self._cgroup.memory
        return self.memory if allowed is None else min(self.memory, allowed)

    @property
    def container(self) -> str | None:
        """The kind of container this is; unset on a host."""
        return self._row.container

    @property
    def itself(self) -> Annotated[bool, From("/proc/self/ns")]:
        """Whether what counts for the whole machine is of what we see; unknown in a container or a namespace."""
        if self._row.netns != "host" or self._row.container is not None:
            raise Unread("host", "the count is the whole machine's, of which only a part is judged here")
        return True

    @property
    def _row(self) -> model.Host:
        row: model.Host = self._snapshot.need("host")
        return row

    @property
    def _cgroup(self) -> model.Cgroup:
        if self._row.cgroup is None:
            raise Unread("host", "the control group's limits could not be read")
        return self._row.cgroup

    def _known(self, value: int | None, what: str) -> int:
        if value is None:
            raise Unread("host", f"the {what} could not be read")
        return value
