"""The root ``limits``: what bounds a worker's descriptors and memory beside nginx's own configuration.

A worker's RLIMIT_NOFILE is what its master had, unless worker_rlimit_nofile says otherwise; setrlimit(2) then refuses
what is above fs.nr_open, and above the hard limit what is asked without CAP_SYS_RESOURCE. The master has what systemd
(LimitNOFILE), a container engine or a shell gave it.
"""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from advisor.errors import Unread
from advisor.facts.schema import From
from advisor.facts.values import Count, Size
from advisor.snapshot import model
from advisor.snapshot.model import Snapshot, UnitLimit

_NOFILE = ("LimitNOFILE", "DefaultLimitNOFILE")
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
_MASTER = From("/proc/PID/limits, /proc/PID/status")
_UNIT = From("systemd unit")
_CGROUP = From("cgroup")


class Limits:
    """Limits that others set for nginx."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    @property
    def nofile_hard(self) -> Annotated[Count, _MASTER]:
        """The master's hard limit of open descriptors, which its workers begin with."""
        limit = self._processes.master.nofile_hard
        if limit is None:
            raise Unread("processes", "the hard limit of nginx's master could not be read")
        return limit

    @property
    def raisable(self) -> Annotated[bool, _MASTER]:
        """Whether the master may raise hard limits: CAP_SYS_RESOURCE, which root has, but not in most containers."""
        known = self._processes.sys_resource
        if known is None:
            raise Unread("processes", "the capabilities of nginx's master could not be read")
        return known

    @property
    def unit(self) -> Annotated[str | None, _UNIT]:
        """The systemd service that nginx runs in; unset where it runs in none that can be seen."""
        unit = self._processes.unit
        return unit.name if unit is not None else None

    @property
    def unit_nofile(self) -> Annotated[Count | None, _UNIT]:
        """LimitNOFILE of that service, else systemd's DefaultLimitNOFILE, the soft one; unset where no file says it."""
        line = self._line
        if line is None:
            return None
        soft = line.value.partition(":")[0].strip()
        if not _NUMBER.fullmatch(soft):
            raise Unread("processes", f"{line.path}:{line.line}: {line.name}={line.value[:40]} is no number")
        return int(soft)

    @property
    def unit_nofile_at(self) -> Annotated[str | None, _UNIT]:
        """The file and the line that say so."""
        line = self._line
        return f"{line.path}:{line.line}" if line is not None else None

    @property
    def memory(self) -> Annotated[Size | None, _CGROUP]:
        """Memory that the control group of nginx (ours where it does not run) may take; unset: no limit."""
        return self._cgroup.memory

    @property
    def memory_used(self) -> Annotated[Size, _CGROUP]:
        """What that group takes of it, files kept in memory included."""
        return self._told(self._cgroup.memory_used)

    @property
    def socket_buffers(self) -> Annotated[Size, _CGROUP]:
        """What buffers of its sockets take of that."""
        return self._told(self._cgroup.sockets)

    def _told(self, value: int | None) -> int:
        if value is None:
            raise Unread("host", "the control group does not say what its memory is used for")
        return value

    @property
    def _line(self) -> UnitLimit | None:
        """The last line that sets it; an empty one takes those of the unit back (systemd.exec(5))."""
        unit = self._processes.unit
        found: UnitLimit | None = None
        default: UnitLimit | None = None
        for line in unit.limits if unit is not None else ():
            if line.name == _NOFILE[1]:
                default = line if line.value else None
            elif line.name == _NOFILE[0]:
                found = line if line.value else None
        return found or default

    @property
    def _processes(self) -> model.Processes:
        """What a patch does to workers leaves their master as it is."""
        found: model.Processes = self._snapshot.need("processes")
        return found

    @property
    def _cgroup(self) -> model.Cgroup:
        host: model.Host = self._snapshot.need("host")
        if host.cgroup is None:
            raise Unread("host", "the control group's limits could not be read")
        return host.cgroup
