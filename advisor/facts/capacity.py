"""The facts of ``nginx.capacity``: what the workers are allowed, what that takes, and what they use now."""

from __future__ import annotations

import datetime as dt
import re
from functools import cached_property
from typing import Annotated, ClassVar

from advisor.errors import Unread
from advisor.facts.config import Config
from advisor.facts.host import HostFacts
from advisor.facts.schema import From
from advisor.facts.settings import Block
from advisor.facts.tree import Node
from advisor.facts.values import Count, Number, Seconds, Size
from advisor.formats.nginx_values import parse_count, parse_time
from advisor.snapshot import model
from advisor.snapshot.model import Process, Snapshot

CONNECTION = 432
"""Bytes that a worker takes for each of worker_connections as it starts, used or not: an ngx_connection_t and two
ngx_event_t (ngx_event_process_init in src/event/ngx_event.c). Measured on amd64: 100,000 more made a worker of 1.22.1
grow by 432.6 bytes each, one of 1.31.3 by 431.9."""

_LONG = 300.0
"""Seconds that a connection may be silent towards the backend: websockets and long polls are given as much."""
_SILENT = ("proxy_read_timeout", "grpc_read_timeout", "fastcgi_read_timeout", "uwsgi_read_timeout")
_MAX = re.compile(r"max=(\d{1,15})", re.ASCII)
_NO_FILE = ("off", "syslog:", "stderr", "memory:", "/dev/")
_PROCESSES = From("/proc/PID/limits, /proc/PID/fd")


class CapacityFacts:
    """Workers, connections, descriptors and memory. Facts of the running workers are those of the fullest one."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(self, snapshot: Snapshot, config: Config) -> None:
        self._snapshot = snapshot
        self._config = config

    @cached_property
    def main(self) -> list[Block]:
        """The top level, as where worker_processes is set; none in a file without ``events``: it is a part of one."""
        return self._top("worker_processes")

    @cached_property
    def events(self) -> list[Block]:
        """The top level, as where worker_connections is set; likewise."""
        return self._top("worker_connections")

    @property
    def auto(self) -> bool:
        """Whether worker_processes is ``auto``: as many as CPUs are online, whatever a control group allows."""
        return self._config.value(None, "worker_processes") == "auto"

    @property
    def processes(self) -> Annotated[Number, From("nginx, /proc/stat")]:
        """Worker processes configured; of ``auto``, the CPUs online."""
        value = str(self._config.value(None, "worker_processes"))
        if value == "auto":
            return self._host.cpus
        count = parse_count(value)
        if not count:
            raise Unread("nginx", f"'{value[:60]}' is nothing nginx would take for worker_processes")
        return count

    @property
    def reserved(self) -> Annotated[Size, From("nginx, /proc/stat")]:
        """Memory that all workers together take for their worker_connections as they start: 432 B each."""
        return int(self.processes) * self.connections * CONNECTION

    @property
    def connections(self) -> Annotated[Count, From("nginx")]:
        """worker_connections."""
        events = next(iter(self._config.tree.named.get("events", ())), None)
        return int(self._config.value(events, "worker_connections") or 0)

    @property
    def cached_files(self) -> Annotated[Count, From("nginx")]:
        """Files that all open_file_cache together may hold open."""
        found = [_MAX.fullmatch(arg) for node in self._named("open_file_cache") for arg in node.args]
        return sum(int(one[1]) for one in found if one)

    @property
    def descriptors(self) -> Annotated[Count, From("nginx")]:
        """What a worker may have open: worker_connections, cached files, listening sockets and logs."""
        logs = {node.args[0] for name in ("error_log", "access_log") for node in self._named(name) if node.args}
        files = sum(not log.startswith(_NO_FILE) for log in logs)
        listens = {arg for node in self._named("listen") for arg in node.args[:1]}
        return self.connections + self.cached_files + len(listens) + files

    @property
    def masks(self) -> Annotated[Number | None, From("nginx")]:
        """CPU masks that worker_cpu_affinity gives; unset where there are none, or ``auto``."""
        nodes = self._config.tree.own(None, "worker_cpu_affinity")
        if not nodes or "auto" in nodes[-1].args:
            return None
        return len(nodes[-1].args)

    @cached_property
    def long_connections(self) -> str | None:
        """What lets a connection last: Upgrade, gRPC, or a backend that may be silent for 5 minutes; unset: nothing."""
        for node in self._named("map"):
            if node.args[:1] == ["$http_upgrade"]:
                return f"map $http_upgrade at {node.at}"
        for name in _SILENT:
            for node in self._named(name):
                if (parse_time("".join(node.args[:1])) or 0) >= _LONG:
                    return f"{name} {node.args[0]} at {node.at}"
        return next((f"grpc_pass at {node.at}" for node in self._named("grpc_pass")), None)

    @property
    def nofile(self) -> Annotated[Count, _PROCESSES]:
        """The soft limit of open descriptors of the running workers, the lowest."""
        return min(self._known([one.nofile for one in self._workers], "limits"))

    @property
    def open(self) -> Annotated[Count, _PROCESSES]:
        """Open descriptors of the worker that has most."""
        return max(self._known([one.descriptors for one in self._workers], "descriptors"))

    @property
    def taken(self) -> Annotated[Count, _PROCESSES]:
        """Connections of the fullest worker: its sockets, less one that leads to each other worker."""
        others = len(self._workers) - 1
        return max(0, max(self._known([one.sockets for one in self._workers], "sockets")) - others)

    @property
    def running(self) -> Annotated[Number, From("/proc")]:
        """Worker processes that run and are not shutting down."""
        return len(self._workers)

    @property
    def leaving(self) -> Annotated[Number, From("/proc")]:
        """Worker processes that are shutting down."""
        return len(self._processes.leaving)

    @property
    def running_for(self) -> Annotated[Seconds, From("/proc")]:
        """For how long the oldest worker has run: since nginx was started or, all of them being new, reloaded."""
        taken = dt.datetime.fromisoformat(self._snapshot.taken).timestamp()
        return max(0.0, taken - min(worker.started for worker in self._workers))

    @property
    def leaving_for(self) -> Annotated[Seconds, From("/proc")]:
        """For how long at least they have been: since the workers that run now were started."""
        return self.running_for

    def _top(self, directive: str) -> list[Block]:
        tree = self._config.tree
        events = tree.named.get("events", ())
        nodes = self._named(directive)
        return [Block(self._config, None, node, "main") for node in [*nodes[-1:], *events][:1] if events]

    def _named(self, name: str) -> list[Node]:
        return self._config.tree.named.get(name, [])

    @property
    def _host(self) -> HostFacts:
        return HostFacts(self._snapshot)

    @property
    def _processes(self) -> model.Processes:
        self._snapshot.still("processes")
        found: model.Processes = self._snapshot.need("processes")
        return found

    @property
    def _workers(self) -> list[Process]:
        found = self._processes.workers
        if not found:
            raise Unread("processes", "no worker process was seen")
        return found

    def _known(self, values: list[int | None], what: str) -> list[int]:
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            raise Unread("processes", f"the {what} of the workers could not be read; root can")
        return known
