"""The places that set keepalive_timeout, joined with the connections their value governs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Annotated

from advisor.catalog.nginx import DEFAULT_KEEPALIVE_TIMEOUT
from advisor.errors import Unread
from advisor.facts.places import Location, Place
from advisor.facts.schema import From
from advisor.facts.servers import Endpoint, Server
from advisor.facts.sockets import Listener, serving
from advisor.facts.tree import Node, Tree, locate
from advisor.facts.values import Count, Histogram, Item, Number, Seconds, numberless
from advisor.formats.nginx_values import parse_time
from advisor.records import dataclass

_SOCKETS = From("SOCK_DIAG")
_NAME = "keepalive_timeout"

DECIDING = frozenset({"map", "geo", "limit_req_zone", "limit_conn_zone", "split_clients"})
"""Directives whose arguments name what a decision is made by."""


@dataclass(frozen=True, slots=True)
class Keepalive(Item):
    """A ``keepalive_timeout``, or the http block in which nginx's default of 75 s stands.

    ``endpoints`` are the addresses of the servers it governs; ``whole`` of them it governs alone.
    """

    id: str
    block: Node
    node: Node | None
    location: Location
    endpoints: tuple[Endpoint, ...]
    whole: tuple[Endpoint, ...]
    listeners: Callable[[], dict[str, Listener]]
    _proxied: bool
    _also: tuple[str, ...] = ()

    def also(self) -> tuple[str, ...]:
        """What its place is called by the other servers that include its file."""
        return self._also

    @property
    def timeout(self) -> Seconds:
        """For how long nginx keeps an idle connection; 75 s where nothing is set."""
        if self.node is None:
            return DEFAULT_KEEPALIVE_TIMEOUT
        return _time(self.node, 0)

    @property
    def header(self) -> Seconds | None:
        """What clients are told in the Keep-Alive header; unset without the second argument."""
        return _time(self.node, 1) if self.node is not None and len(self.node.args) > 1 else None

    @property
    def addresses(self) -> str:
        """The addresses it governs."""
        return ", ".join(map(str, self.endpoints)) or "no address"

    @property
    def idle(self) -> Annotated[Histogram, _SOCKETS]:
        """How long the keep-alive-idle connections on those addresses have been idle."""
        return Histogram.merge([listener.idle for listener in self._live()])

    @property
    def established(self) -> Annotated[Count, _SOCKETS]:
        """ESTABLISHED on those addresses."""
        return sum(listener.established for listener in self._live())

    @property
    def clients(self) -> Annotated[Count, _SOCKETS]:
        """Distinct remote addresses, the most on any one of them."""
        return max((listener.clients for listener in self._live()), default=0)

    @property
    def top_share(self) -> Annotated[Number, _SOCKETS]:
        """The share of ESTABLISHED (0 to 1) that the ten busiest remote addresses hold; 0 without connections."""
        live = self._live()
        whole = sum(listener.established for listener in live)
        return sum(listener.top() for listener in live) / whole if whole else 0.0

    @property
    def behind_proxy(self) -> bool:
        """Whether the configuration expects a balancer: real_ip, proxy_protocol, or X-Forwarded-For from outside."""
        return self._proxied

    def place(self, directive: str) -> Place:
        """Where ``keepalive_timeout`` is, or would be written."""
        if self.node is not None:
            return self.node.place
        return Place(self.block.file, self.block.path, directive)

    def _live(self) -> list[Listener]:
        rows = self.listeners()
        found = (serving(rows, endpoint) for endpoint in self.endpoints)
        return list({row.id: row for row in found if row is not None}.values())


def keepalives(tree: Tree, found: list[Server], listeners: Callable[[], dict[str, Listener]]) -> list[Keepalive]:
    """One item a place that sets it, then one for each http block whose servers are left to the default.

    A file that several servers include is one place: who edits it changes all of them. A fragment without any
    server is judged by what it sets, wherever it may be included.
    """
    proxied = _forwarded(tree)
    inside = _inside(tree)
    groups = {} if found else {node.place: (node, list[Server]()) for node in tree.named.get(_NAME, ())}
    for server in found:
        for node in _setters(tree, server, inside):
            groups.setdefault(node.place, (node, []))[1].append(server)
    governed = _Governed(found, lambda server: _setters(tree, server, inside))
    called = {server.node: server.name for server in found}
    items = []
    names: Counter[str] = Counter()
    places = _by_place(tree)
    for node, group in groups.values():
        set_here = node.name == _NAME
        block = node.parent if set_here and node.parent is not None else node
        addresses = tuple(dict.fromkeys(line.endpoint for server in group for line in server.listens))
        whole = tuple(address for address in addresses if governed.alone(address, node.place))
        location = locate(tree.nginx, node, 0) if set_here and node.args else locate(tree.nginx, node)
        name = _name(block, called)
        names[name] += 1
        items.append(
            Keepalive(
                id=name if names[name] == 1 else f"{name} #{names[name]}",
                block=block,
                node=node if set_here else None,
                location=location,
                endpoints=addresses,
                whole=whole,
                listeners=listeners,
                _proxied=proxied,
                _also=_others(name, places.get(node.place, ()), called),
            )
        )
    return items


def _inside(tree: Tree) -> dict[Node, list[Node]]:
    """For each server, the statements inside it that set it, in the order of the files."""
    inside: dict[Node, list[Node]] = {}
    for node in tree.named.get(_NAME, ()):
        server = next((above for above in node.ancestors() if above.name == "server"), None)
        if server is not None:
            inside.setdefault(server, []).append(node)
    return inside


def _setters(tree: Tree, server: Server, inside: dict[Node, list[Node]]) -> list[Node]:
    """The statements whose value a server's connections can get, else the outermost block: the default's place.

    In a part of a configuration there is no such place: what includes it may set the value.
    """
    own = inside.get(server.node, [])
    if any(node.parent is server.node for node in own):
        return own
    levels = tree.chain(server.node.parent, _NAME)
    if not levels and tree.outer:
        return own
    top = next((above for above in server.node.ancestors() if above.name == "http"), server.node)
    return [*own, levels[0][0] if levels else top]


class _Governed:
    """Which places set the value that a connection to an address can get."""

    def __init__(self, found: list[Server], setters: Callable[[Server], list[Node]]) -> None:
        self.own: dict[Endpoint, set[Place]] = {}
        self.wild: dict[tuple[bool, int], set[Place]] = {}
        self.every: dict[tuple[bool, int], set[Place]] = {}
        for server in found:
            places = {node.place for node in setters(server)}
            for line in server.listens:
                family = _family(line.endpoint)
                self.own.setdefault(line.endpoint, set()).update(places)
                self.every.setdefault(family, set()).update(places)
                if line.endpoint.wildcard:
                    self.wild.setdefault(family, set()).update(places)

    def alone(self, address: Endpoint, place: Place) -> bool:
        """Whether every connection of the socket behind an address gets the value of one place.

        Where the wildcard of a port is listened on, too, nginx opens only that socket for all addresses.
        """
        if address.wildcard:
            return self.every[_family(address)] == {place}
        return self.own[address] == {place} and self.wild.get(_family(address), {place}) == {place}


def _family(endpoint: Endpoint) -> tuple[bool, int]:
    return ":" in endpoint.address, endpoint.port


def _time(node: Node, argument: int) -> float:
    text = node.args[argument] if len(node.args) > argument else ""
    seconds = parse_time(text)
    if seconds is None:
        where = f"{node.file}:{node.statement.line}"
        raise Unread("nginx", f"{where}: '{text}' is no time nginx would take for {_NAME}")
    return seconds


def _name(block: Node, names: dict[Node, str]) -> str:
    """The block in a person's words: ``http``, ``location /x of server a.example``; ``main`` where there is none."""
    words = []
    for node in (block, *block.ancestors()):
        if node.name == "location":
            words.append(f"location {' '.join(node.args)}")
        elif node.name == "server":
            words.append(f"server {names.get(node, node.path)}")
    return " of ".join(words) or ("main" if block.name == _NAME else block.name)


def _by_place(tree: Tree) -> dict[Place, list[Node]]:
    """The statements that set it; those of a file that is included more than once together."""
    places: dict[Place, list[Node]] = {}
    for node in tree.named.get(_NAME, ()):
        places.setdefault(node.place, []).append(node)
    return places


def _others(name: str, nodes: Iterable[Node], names: dict[Node, str]) -> tuple[str, ...]:
    """What the place of these statements is called, too."""
    called = (numberless(_name(node.parent or node, names)) for node in nodes)
    return tuple(dict.fromkeys(one for one in called if one != numberless(name)))


def _forwarded(tree: Tree) -> bool:
    """Whether real_ip, proxy_protocol, or a decision by the X-Forwarded-For that came in is configured."""
    if any(name in tree.named for name in ("set_real_ip_from", "real_ip_header")):
        return True
    if any("proxy_protocol" in node.args[1:] for node in tree.named.get("listen", ())):
        return True
    deciding = (node for name in DECIDING for node in tree.named.get(name, ()))
    return any("$http_x_forwarded_for" in arg for node in deciding for arg in node.args)
