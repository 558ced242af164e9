"""The group ``nginx.clients``: what a connection of a client gets, where one directive alone does not tell it.

Sources: ngx_http_core_module, ngx_http_v2_module, and what nginx 1.22.1 and 1.31.3 were seen to do.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import ClassVar, TypeVar

from advisor.catalog.directives import default
from advisor.errors import Unread
from advisor.facts.config import Config, read
from advisor.facts.servers import Endpoint, Server
from advisor.facts.settings import Setting, TimeSetting, settings
from advisor.facts.tree import Node
from advisor.facts.values import Seconds
from advisor.formats.nginx_values import parse_time

_KEEPALIVE = "keepalive_timeout"
_PATIENCE = ("client_header_timeout", "client_body_timeout", "send_timeout")
_LASTING = ("keepalive_timeout", "keepalive_requests", "keepalive_time")
_EARLY = ("client_header_timeout", "client_header_buffer_size", "large_client_header_buffers")
_ENCRYPTED = {"ssl", "quic"}
_DEFAULT = {"default_server", "default"}


class Named(Setting):
    """A place that sets one of several directives: its id says which."""

    __slots__ = ()

    def __init__(self, config: Config, block: Node | None, node: Node | None, name: str) -> None:
        super().__init__(config, block, node, f"{node.name} in {name}" if node else name)

    @property
    def node(self) -> Node:
        """The statement."""
        return self._setter


class Advertised(TimeSetting):
    """A place that sets keepalive_timeout."""

    __slots__ = ()

    @property
    def header(self) -> Seconds | None:
        """What clients of this block are told: its second argument, or that of a block around; unset without one."""
        node = self._told()
        if node is None:
            return None
        seconds = parse_time(node.args[1])
        if seconds is None:
            raise Unread("nginx", f"{node.at}: '{node.args[1][:60]}' is no time nginx would take for {_KEEPALIVE}")
        return seconds

    @property
    def header_from(self) -> str | None:
        """Where that stands: file and line; unset without one."""
        node = self._told()
        return None if node is None else node.at

    def _told(self) -> Node | None:
        """The innermost statement with two arguments: each of the two is inherited on its own."""
        levels = self._config.tree.chain(self._block, _KEEPALIVE)
        return next((node for nodes in levels for node in nodes if len(node.args) > 1), None)


class Patience(Named, TimeSetting):
    """A place that says for how long nginx waits for a client in the midst of a request or response."""

    __slots__ = ()


class Located(Named):
    """A place inside a location that says how long, or for how many requests, a connection lasts."""

    __slots__ = ("_server",)

    def belongs(self, server: Server) -> None:
        """It stands in this server."""
        self._server = server

    @property
    def over(self) -> str:
        """The protocols that take the server's value: HTTP/2, HTTP/3 or both; empty where clients can speak neither."""
        spoken = (("HTTP/2", self._server.http2), ("HTTP/3", self._server.http3))
        return " and ".join(name for name, speaks in spoken if speaks)

    @property
    def server(self) -> str:
        """The server's name."""
        return self._server.id

    @property
    def applied(self) -> str:
        """What the server itself has."""
        return _text(self._config, self._server, self.directive)

    @property
    def differs(self) -> bool:
        """Whether that is another value than this place sets."""
        return read(self._setter, self.directive) != self._server.here.value(self.directive)


class Early(Named):
    """A place in a server that says how a request's header is read, before nginx can know which server is meant."""

    __slots__ = ("_first",)

    def belongs(self, first: Server | None) -> None:
        """``first``: the default server of an address where another than this one decides; None where none does."""
        self._first = first

    @property
    def ignored(self) -> bool:
        """Whether, on one of its addresses at least, the default server has another value, and that one decides."""
        first, name = self._first, self.directive
        return first is not None and first.here.value(name) != self.here.value(name)

    @property
    def decides(self) -> str:
        """The server that decides there."""
        return "this one" if self._first is None else self._first.id

    @property
    def instead(self) -> str:
        """What that server has."""
        return self.text if self._first is None else _text(self._config, self._first, self.directive)


class Clients:
    """What connections of clients get."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(self, config: Config, servers: Callable[[], list[Server]]) -> None:
        self._config = config
        self._servers = servers

    @cached_property
    def keepalives(self) -> list[Advertised]:
        """Every place that sets keepalive_timeout."""
        return settings(self._config, self._config.tree.named.get(_KEEPALIVE, ()), Advertised)

    @cached_property
    def patience(self) -> list[Patience]:
        """Every place that sets client_header_timeout, client_body_timeout or send_timeout."""
        return each_of(self._config, _PATIENCE, Patience)

    @cached_property
    def located(self) -> list[Located]:
        """Every place in a location that sets keepalive_timeout, keepalive_requests or keepalive_time."""
        found = []
        by_node = self._by_node
        for item in each_of(self._config, _LASTING, Located):
            server = _server_of(item.node, by_node)
            if item.block == "location" and server is not None:
                item.belongs(server)
                found.append(item)
        return found

    @cached_property
    def early(self) -> list[Early]:
        """Every place in a server that sets client_header_timeout or the size of a buffer for headers."""
        found = []
        by_node = self._by_node
        for item in each_of(self._config, _EARLY, Early):
            server = _server_of(item.node, by_node)
            if item.block == "server" and server is not None:
                item.belongs(self._deciding(server, item.directive))
                found.append(item)
        return found

    @cached_property
    def _by_node(self) -> dict[Node, Server]:
        return {server.node: server for server in self._servers()}

    @cached_property
    def _first(self) -> dict[Endpoint, Server]:
        return defaults(self._servers())

    @cached_property
    def _encrypted(self) -> set[Endpoint]:
        """The addresses that take TLS: what one server says of an address holds for all servers there."""
        lines = (line for server in self._servers() for line in server.listens)
        return {line.endpoint for line in lines if _ENCRYPTED & {*line.parameters}}

    def _deciding(self, server: Server, directive: str) -> Server | None:
        """The default server of an address of this one, if it is another and decides.

        TLS names the server before the buffers are made, but after the timer for the header has been started.
        """
        timer = directive == _EARLY[0]
        for line in server.listens:
            first = self._first[line.endpoint]
            if first is not server and (timer or line.endpoint not in self._encrypted):
                return first
        return None


Made = TypeVar("Made", bound=Setting)


def each_of(config: Config, names: tuple[str, ...], made: type[Made]) -> list[Made]:
    """Every place that sets one of several directives."""
    return [item for name in names for item in settings(config, config.tree.named.get(name, ()), made)]


def defaults(servers: list[Server]) -> dict[Endpoint, Server]:
    """The default server of each address: the one that says so, else the first."""
    found: dict[Endpoint, Server] = {}
    for server in servers:
        for line in server.listens:
            if line.endpoint not in found or _DEFAULT & {*line.parameters}:
                found[line.endpoint] = server
    return found


def _server_of(node: Node, by_node: dict[Node, Server]) -> Server | None:
    return next((by_node[above] for above in node.ancestors() if above in by_node), None)


def _text(config: Config, server: Server, directive: str) -> str:
    """What applies in a server, as it stands, or nginx's default."""
    nodes = config.tree.applied(server.node, directive)
    if nodes:
        return " ".join(nodes[-1].args)
    try:
        return f"nginx's default, {default(directive, config.version)}"
    except LookupError:
        return "nginx's default"
