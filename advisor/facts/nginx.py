"""The root ``nginx``: the configuration, the addresses it asks for, the running workers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import Annotated, ClassVar

from advisor.errors import Unread
from advisor.facts.capacity import CapacityFacts
from advisor.facts.clients import Clients
from advisor.facts.config import Config
from advisor.facts.errorlog import ErrorLogFacts, ErrorLogSetting, error_logs
from advisor.facts.keepalives import Keepalive, keepalives
from advisor.facts.listens import Listen, endpoints, option_line
from advisor.facts.logs import AccessLogs
from advisor.facts.names import NameConflict, name_conflicts
from advisor.facts.passes import Pass
from advisor.facts.passing import Passes
from advisor.facts.places import Location, Place
from advisor.facts.proxying import Proxying, Requests
from advisor.facts.schema import From
from advisor.facts.sending import Sending
from advisor.facts.servers import Endpoint, ListenLine, Server, servers
from advisor.facts.settings import Block, Here, Setters
from advisor.facts.site import Site
from advisor.facts.sockets import Listener, Sockets, serving
from advisor.facts.tls import Tls
from advisor.facts.tree import Node, Tree, locate
from advisor.facts.upstreams import Upstream, upstreams
from advisor.facts.values import Count, Item, Seconds, Version
from advisor.records import dataclass
from advisor.snapshot import model
from advisor.snapshot.model import Snapshot

_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (wildcards, to be asked on loopback)


@dataclass(frozen=True, slots=True)
class File(Item):
    """A file of the configuration."""

    path: str
    snapshot: Snapshot

    @property
    def id(self) -> str:  # type: ignore[override]  # computed, never stored
        """Its path."""
        return self.path

    def lasting(self) -> str:
        """A file: its name may change."""
        return "file"

    @property
    def newer_by(self) -> Annotated[Seconds, From("mtime, /proc/PID/stat")]:
        """For how long before its last edit the newest worker had already been running; negative when it was not."""
        self.snapshot.still("processes")
        processes: model.Processes = self.snapshot.need("processes")
        modified = self.snapshot.need("nginx").files[self.path].modified
        if modified is None:
            raise Unread("nginx", f"when {self.path} was edited is not known")
        if not processes.workers:
            raise Unread("processes", "no worker process was seen")
        return float(modified) - max(worker.started for worker in processes.workers)

    @property
    def location(self) -> Location:
        """The file."""
        return Location(logical=self.path, file=self.path)


class NginxFacts:
    """What the configuration and the processes say; sockets come through ``listeners`` and ``sockets``."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(
        self, snapshot: Snapshot, listeners: Callable[[], dict[str, Listener]], sockets: Callable[[], Sockets]
    ) -> None:
        self._snapshot = snapshot
        self._listeners = listeners
        self._sockets = sockets

    @property
    def version(self) -> Version:
        """The version that runs, or that ``--nginx-version`` names."""
        text = self._config.version
        if text is None:
            raise Unread("nginx", "its version is not known: nothing runs here; --nginx-version 1.22.1 would say it")
        return Version.parse(text)

    @cached_property
    def listens(self) -> list[Listen]:
        """Every address the configuration listens on."""
        return [
            Listen(endpoint, lines, self._where(endpoint), partial(self._serving, endpoint))
            for endpoint, lines in self._endpoints.items()
        ]

    @cached_property
    def keepalives(self) -> list[Keepalive]:
        """Every place that sets keepalive_timeout, and the http block where it is left to the default."""
        return keepalives(self._tree, self.servers, self._listeners)

    @cached_property
    def main(self) -> Here:
        """The values at the top level, those of ``events`` included."""
        return Here(self.config, None)

    @cached_property
    def set(self) -> Setters:
        """Every place that sets a directive."""
        return Setters(self.config)

    @cached_property
    def http(self) -> list[Block]:
        """The http block."""
        return [Block(self.config, node, node, "http") for node in self._tree.named.get("http", ())]

    @cached_property
    def servers(self) -> list[Server]:
        """Every server of http."""
        return servers(self.config)

    @cached_property
    def upstreams(self) -> list[Upstream]:
        """Every upstream block of http."""
        return upstreams(self.config)

    @cached_property
    def passes(self) -> list[Pass]:
        """Who passes requests on to whom: one for each directive, target and verdict on reuse."""
        return self.passing.items

    @cached_property
    def passing(self) -> Passes:
        """The same, joined with sockets and edits."""
        capacity = partial(Site(self._snapshot).value, "backend_capacity")
        return Passes(self.config, self.upstreams, self._sockets, lambda: self.workers, capacity)

    @cached_property
    def clients(self) -> Clients:
        """What connections of clients get."""
        return Clients(self.config, lambda: self.servers)

    @cached_property
    def tls(self) -> Tls:
        """What clients get over TLS."""
        return Tls(self.config, lambda: self.servers)

    @cached_property
    def sending(self) -> Sending:
        """How responses leave."""
        return Sending(self.config)

    @cached_property
    def access_logs(self) -> AccessLogs:
        """The access logs."""
        return AccessLogs(self.config)

    @cached_property
    def proxying(self) -> Proxying:
        """Passing requests on."""
        return Proxying(self.config)

    @cached_property
    def requests(self) -> Requests:
        """What a request may take, and what bounds it."""
        return Requests(self.config)

    @cached_property
    def files(self) -> list[File]:
        """Every file of the configuration."""
        return [File(path, self._snapshot) for path in self._config.files]

    @cached_property
    def name_conflicts(self) -> list[NameConflict]:
        """Every server that claims a name which another has on the same address."""
        return name_conflicts(self.config, self.servers)

    @cached_property
    def error_logs(self) -> list[ErrorLogSetting]:
        """Every place that sets error_log."""
        return error_logs(self.config)

    @cached_property
    def log(self) -> ErrorLogFacts:
        """What the ends of the error logs say."""
        return ErrorLogFacts(self._snapshot, self.config)

    @cached_property
    def capacity(self) -> CapacityFacts:
        """What the workers are allowed, what that takes, and what they use now."""
        return CapacityFacts(self._snapshot, self.config)

    @property
    def workers(self) -> Annotated[Count, From("/proc")]:
        """Worker processes that are not shutting down."""
        self._snapshot.still("processes")
        processes: model.Processes = self._snapshot.need("processes")
        return len(processes.workers)

    @property
    def waiting(self) -> Annotated[Count, From("stub_status")]:
        """Client connections that nginx itself calls idle, of all its listeners; needs ``--stub-status``."""
        self._snapshot.still("listener.idle")
        status: model.StubStatus = self._snapshot.need("stub_status")
        return status.waiting

    def tree(self) -> list[Node]:
        """The configuration as one tree."""
        return self._tree.top

    @cached_property
    def config(self) -> Config:
        """The configuration, with what applies in each block."""
        found = self._grown()
        if isinstance(found, Unread):
            raise found
        return found

    def asked(self) -> dict[str, tuple[Place, Location]]:
        """Where each address is asked for; empty when there is no configuration."""
        if self._snapshot.nginx is None:
            return {}
        found = {}
        for endpoint, lines in self._endpoints.items():
            node = option_line(lines).node
            if node is not None:
                found[str(endpoint)] = (node.place, self._where(endpoint))
        return found

    def status_url(self) -> str | None:
        """A page of ``stub_status`` that loopback reaches: in a server that is the first on its address."""
        for node in self._tree.named.get("stub_status", ()):
            if node.parent is None or node.parent.name != "location":
                continue
            server = next((one for one in self.servers if one.node in node.ancestors()), None)
            path = node.parent.args[-1]
            for line in server.listens if server is not None and path.startswith("/") else ():
                host = _LOOPBACK.get(line.endpoint.address, line.endpoint.address)
                first = self._endpoints[line.endpoint][0]
                if host.startswith(("127.", "::1")) and first is line and "ssl" not in line.parameters:
                    return f"http://{Endpoint(host, line.endpoint.port)}{path}"
        return None

    @property
    def _config(self) -> model.Nginx:
        config: model.Nginx = self._snapshot.need("nginx")
        return config

    @property
    def _tree(self) -> Tree:
        return self.config.tree

    def _grown(self) -> Config | Unread:
        """The configuration, or why it is none: that takes long to find out, so once, also for whoever reads it."""
        kept: Config | Unread | None = self._config.__dict__.get("grown")
        if kept is None:
            try:
                kept = Config(Tree(self._config))
            except Unread as why:
                kept = why
            self._config.__dict__["grown"] = kept
        return kept

    @cached_property
    def _endpoints(self) -> dict[Endpoint, tuple[ListenLine, ...]]:
        return endpoints(self.servers)

    def _serving(self, endpoint: Endpoint) -> Listener | None:
        return serving(self._listeners(), endpoint)

    def _where(self, endpoint: Endpoint) -> Location:
        node = option_line(self._endpoints[endpoint]).node
        return Location(logical=str(endpoint)) if node is None else locate(self._config, node)
