"""The group ``nginx.tls``: TLS sessions, certificates and protocols, HTTP/2 and HTTP/3, joined over servers.

Sources: ngx_http_ssl_module, ngx_http_v2_module, ngx_http_v3_module, and what nginx 1.22.1 and 1.31.3 were seen to do.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import ClassVar

from advisor.errors import Unread
from advisor.facts.clients import defaults
from advisor.facts.config import Config
from advisor.facts.places import Location, Place
from advisor.facts.servers import Endpoint, ListenLine, Server
from advisor.facts.settings import FlagSetting, Setting, place_for, settings
from advisor.facts.tree import Node, locate
from advisor.facts.values import Count, Item

_UNSTORED = {"none", "off"}
_NAMED = 3
"""Servers that a message names; of more it says how many."""


class Tickets(FlagSetting):
    """A place that sets ssl_session_tickets."""

    __slots__ = ("_asked",)

    def governs(self, asked: list[tuple[Server, Server]]) -> None:
        """The TLS servers that take its value, each with the one whose cache is asked for sessions."""
        self._asked = asked

    @property
    def uncached(self) -> Count:
        """How many TLS servers take this value, and no cache keeps their sessions, either."""
        return len(self._uncached)

    @property
    def servers(self) -> str:
        """Those servers."""
        found = self._uncached
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        return ", ".join(server.name for server, _ in found[:_NAMED]) + more

    @property
    def decides(self) -> bool:
        """Whether a cache that is set in the same block is the one that is asked for those servers' sessions."""
        return all(self._reaches(node) for node in {first.node for _, first in self._uncached})

    def _reaches(self, node: Node | None) -> bool:
        """Whether a server takes a cache that is set in this block: the server is inside, and sets none on the way."""
        while node is not self._block:
            if node is None or self._config.tree.own(node, "ssl_session_cache"):
                return False
            node = node.parent
        return True

    @property
    def _uncached(self) -> list[tuple[Server, Server]]:
        return [pair for pair in self._asked if pair[1].here.value("ssl_session_cache") in _UNSTORED]


class SessionCache(Setting):
    """A place that sets ssl_session_cache."""

    __slots__ = ()

    @property
    def builtin(self) -> bool:
        """Whether each worker keeps sessions of its own."""
        return any(arg.partition(":")[0] == "builtin" for arg in self._setter.args)

    @property
    def shared(self) -> bool:
        """Whether all workers share one cache."""
        return any(arg.startswith("shared:") for arg in self._setter.args)


class Protocols(Setting):
    """A place that sets ssl_protocols."""

    __slots__ = ()

    @property
    def newest(self) -> bool:
        """Whether TLS 1.3 is among them."""
        return "TLSv1.3" in self._setter.args


class Certificate(Setting):
    """A place that sets ssl_certificate."""

    __slots__ = ()

    @property
    def variable(self) -> bool:
        """Whether which file it is becomes known only in a handshake."""
        return "$" in "".join(self._setter.args)


class Spoken(Item):
    """An address, and the protocols that its ``listen`` lines ask for."""

    __slots__ = ("_config", "_lines", "_parameters", "endpoint")

    def __init__(self, config: Config, endpoint: Endpoint, lines: list[ListenLine], parameters: set[str]) -> None:
        """``lines``: those that ask for the protocol; ``parameters``: of all lines of the address, which share them."""
        self._config = config
        self._lines = lines
        self._parameters = parameters
        self.endpoint = endpoint

    @property
    def id(self) -> str:  # type: ignore[override]  # computed, never stored
        """Address and port."""
        return str(self.endpoint)

    @property
    def lines(self) -> Count:
        """How many ``listen`` lines ask for it."""
        return len(self._lines)

    @property
    def tls(self) -> bool:
        """Whether the address takes TLS."""
        return "ssl" in self._parameters

    @property
    def reuseport(self) -> bool:
        """Whether each worker has a socket of its own there."""
        return "reuseport" in self._parameters

    @property
    def announced(self) -> bool:
        """Whether any response says by Alt-Svc that HTTP/3 is spoken.

        Raises:
            Unread: when the arguments of add_header were masked.
        """
        named = self._config.tree.named
        nodes = [node for name in ("add_header", "more_set_headers") for node in named.get(name, ())]
        first = [node.args[0].lower() for node in nodes if node.args]
        if any(name.startswith("alt-svc") for name in first):
            return True
        if any(set(name) == {"x"} for name in first):
            raise Unread("nginx", "the headers that add_header adds were masked in this snapshot")
        return False

    @property
    def location(self) -> Location:
        """The first such line."""
        return locate(self._config.tree.nginx, self._node)

    def place(self, directive: str) -> Place:
        """Where a directive would be written so that it applies in the server of that line."""
        return place_for(self._config.tree, self._node.parent, directive)

    @property
    def _node(self) -> Node:
        found = next((line.node for line in self._lines if line.node is not None), None)
        if found is None:
            raise TypeError(self.id)
        return found


class Tls:
    """What clients get over TLS."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(self, config: Config, servers: Callable[[], list[Server]]) -> None:
        self._config = config
        self._servers = servers

    @cached_property
    def tickets(self) -> list[Tickets]:
        """Every place that sets ssl_session_tickets, with the TLS servers that take its value."""
        items = settings(self._config, self._config.tree.named.get("ssl_session_tickets", ()), Tickets)
        governed: dict[Place, list[tuple[Server, Server]]] = {}
        servers = self._servers() if items else []
        first = defaults(servers)
        for server in servers:
            nodes = self._config.tree.applied(server.node, "ssl_session_tickets")
            if nodes and server.tls:
                line = next(line for line in server.listens if not {"ssl", "quic"}.isdisjoint(line.parameters))
                governed.setdefault(nodes[-1].place, []).append((server, first[line.endpoint]))
        for item in items:
            item.governs(governed.get(item.place("ssl_session_tickets"), []))
        return items

    @cached_property
    def session_caches(self) -> list[SessionCache]:
        """Every place that sets ssl_session_cache."""
        return settings(self._config, self._config.tree.named.get("ssl_session_cache", ()), SessionCache)

    @cached_property
    def protocols(self) -> list[Protocols]:
        """Every place that sets ssl_protocols."""
        return settings(self._config, self._config.tree.named.get("ssl_protocols", ()), Protocols)

    @cached_property
    def certificates(self) -> list[Certificate]:
        """Every place that names certificates by variables."""
        found = settings(self._config, self._config.tree.named.get("ssl_certificate", ()), Certificate)
        return [item for item in found if item.variable]

    @cached_property
    def http2_listens(self) -> list[Spoken]:
        """Every address with a ``listen ... http2``."""
        return self._spoken("http2", datagrams=False)

    @cached_property
    def quic_listens(self) -> list[Spoken]:
        """Every address with a ``listen ... quic``."""
        return self._spoken("quic", datagrams=True)

    def _spoken(self, parameter: str, *, datagrams: bool) -> list[Spoken]:
        """TCP and UDP have their sockets, and options, apart."""
        found: dict[Endpoint, list[ListenLine]] = {}
        shared: dict[Endpoint, set[str]] = {}
        for line in (line for server in self._servers() for line in server.listens):
            if ("quic" in line.parameters) is datagrams:
                shared.setdefault(line.endpoint, set()).update(line.parameters)
                if parameter in line.parameters:
                    found.setdefault(line.endpoint, []).append(line)
        return [Spoken(self._config, endpoint, lines, shared[endpoint]) for endpoint, lines in found.items()]
