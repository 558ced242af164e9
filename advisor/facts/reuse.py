"""What makes the connections to one target last, statement by statement; or why that is left to a person.

Statements are changed and added in the very location that passes the request on: so no other request changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import chain, count

from advisor.errors import Unread
from advisor.facts.managed import managed
from advisor.facts.places import Place
from advisor.facts.routes import PASSES, Link, Route, Target
from advisor.facts.tree import Node, Tree
from advisor.facts.upstreams import POOLED
from advisor.records import dataclass, field

Args = tuple[str, ...]

_HEADERS = {"proxy_pass": "proxy_set_header", "grpc_pass": "grpc_set_header"}
_MOST = 200
"""Places that one step edits, each with some lines: nobody would write more of them by hand, or read them."""
_NAMES_HOST = ("$proxy_host", "$proxy_port", "${proxy_host}", "${proxy_port}")
_TLS = ("https", "grpcs")
_BY_HAND = {
    "protocol": "its protocol closes after each request",
    "map": "its Connection header comes from a map that others may use: give that map an entry '' '' by hand",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Statements that get other arguments, and new ones by the place of the block that gets them.

    ``upstream`` is the name of the upstream block that has to be added; None where there is one.
    """

    changed: dict[Node, Args] = field(default_factory=dict)
    added: dict[Place, tuple[Node, list[Args]]] = field(default_factory=dict)
    upstream: str | None = None


def wanted(tree: Tree, version: tuple[int, ...] | None, group: list[Route], name: str | None) -> Wanted:
    """What makes the connections of every route to one target last, but for the pool itself.

    Args:
        tree: the configuration.
        version: nginx's; None where it is not known (then what all versions take).
        group: every route to that target.
        name: what its upstream block will be called; None where it has one.

    Raises:
        Unread: when only a person can do it; it says why.
    """
    if len(group) > _MOST:
        why = f"{len(group):,} places pass requests there; set what they lack once, in a block around them"
        raise Unread("nginx", f"{group[0].node.at}: {why}")
    out = Wanted(upstream=name)
    if name is not None:
        _new_block(tree, group)
    for route in group:
        links = missing(route, version)
        new = [*_values(route, links), *(_host(tree, route) if name else ())]
        headers = _headers(tree, route, links, new_block=name is not None)
        if name is not None:
            out.changed[route.node] = (_url(route.target, name),)
        if new or headers:
            _alone(route)
            _write(tree, out, route, new, headers)
    _shared(tree, out.changed)
    _files(tree, [*out.changed, *(block for block, _ in out.added.values())])
    return out


def missing(route: Route, version: tuple[int, ...] | None) -> tuple[Link, ...]:
    """What is missing on a version; on an unknown one what may be."""
    return (route.newer if version is not None and version >= POOLED else route.older).links


def name_for(route: Route, taken: set[str]) -> str:
    """A name for the upstream block of an address, such as ``127_0_0_1_8080``.

    Args:
        route: a route to the address.
        taken: hosts and upstream blocks that are named already, in lower case.
    """
    kind = "" if route.node.name == "proxy_pass" else route.node.name.removesuffix("pass")
    base = kind + "".join(char if char.isascii() and char.isalnum() else "_" for char in route.target.host).strip("_")
    names = chain([base], (f"{base}_{number}" for number in count(2)))
    return next(name for name in names if name.lower() not in taken)


def _url(target: Target, name: str) -> str:
    return f"{target._replace(host=name)}{target.uri}"


def _new_block(tree: Tree, group: list[Route]) -> None:
    """Make sure that a name of ours may stand in the place of the address."""
    for route in group:
        if not route.literal:
            raise Unread("nginx", f"{route.node.at}: a variable stands in the address, which must become a name")
        if route.target.unix:
            raise Unread("nginx", f"{route.node.at}: it is a unix socket, to which no ports are used")
        if route.target.scheme in _TLS:
            why = "the address is also the name that TLS asks for and checks"
            raise Unread("nginx", f"{route.node.at}: {why}; make an upstream block by hand, with its proxy_ssl_name")
    if not tree.named.get("http"):
        raise Unread("nginx", "there is no http block among the files to which an upstream block could be added")


def _values(route: Route, links: Iterable[Link]) -> list[Args]:
    """Directives of one value that the route lacks."""
    for link in links:
        if link.code in _BY_HAND:
            raise Unread("nginx", f"{route.node.at}: {_BY_HAND[link.code]}")
    known = {"version": ("proxy_http_version", "1.1"), "fastcgi_keep_conn": ("fastcgi_keep_conn", "on")}
    return [known[link.code] for link in links if link.code in known]


def _host(tree: Tree, route: Route) -> list[Args]:
    """What nginx made of the address so far, and has to be told once a name stands there."""
    if route.node.name != "proxy_pass":
        return []
    block = route.block
    cache = tree.applied(block, "proxy_cache")
    keys = tree.applied(block, "proxy_cache_key")
    if cache and cache[-1].args != ["off"] and (not keys or _names_host(keys)):
        raise Unread("nginx", f"{cache[-1].at}: the keys of the cache hold the address; with a name it would be empty")
    redirects = tree.applied(block, "proxy_redirect")
    if _names_host(redirects) or any(node.args == ["default"] for node in redirects):
        raise Unread("nginx", f"{redirects[0].at}: this follows the address, which would become a name")
    if redirects:
        return []
    if not block.args:
        raise Unread("nginx", f"{block.at}: {block.name} has no URI, which nginx refuses")
    shown = f"{route.target.scheme}://{route.target.host}"
    uri = route.target.uri
    return [("proxy_redirect", shown + (uri or "/"), block.args[-1] if uri else "/")]


def _names_host(nodes: list[Node]) -> bool:
    return any(word in arg for node in nodes for arg in node.args for word in _NAMES_HOST)


def _headers(tree: Tree, route: Route, links: Iterable[Link], *, new_block: bool) -> list[Args]:
    """The headers that requests must carry from now on, name and value."""
    directive = _HEADERS.get(route.node.name)
    new: list[Args] = []
    if any(link.code in {"header", "replaced", "close"} for link in links):
        new.append(("Connection", ""))
    if directive is None or not new_block:
        return new
    applied = tree.applied(route.block, directive)
    if _names_host(applied):
        raise Unread("nginx", f"{applied[0].at}: a header holds the address, which would become a name")
    if not any(node.args[:1] and node.args[0].lower() == "host" for node in applied):
        new.append(("Host", _sent(route.target)))
    return new


def _sent(target: Target) -> str:
    """The Host that nginx sends of itself: without the port where it is the scheme's own."""
    return target.host.removesuffix(f":{target.port}") if target.scheme else target.host


def _alone(route: Route) -> None:
    """Make sure that what is written in a location meets the requests of this route and no others."""
    block = route.block
    if block.name != "location":
        raise Unread("nginx", f"{route.node.at}: it stands in '{block.name}', where no headers may be set")
    todo = [child for child in block.children if child.statement.block is not None]
    while todo:
        node = todo.pop()
        if node.name in PASSES:
            raise Unread(
                "nginx", f"{node.at}: it is passed on inside the location, and would inherit what is set there"
            )
        todo += node.children


def _write(tree: Tree, out: Wanted, route: Route, values: list[Args], headers: list[Args]) -> None:
    added: list[Args] = []
    block = route.block
    for name, *rest in values:
        own = tree.own(block, name)
        if own:
            out.changed[own[-1]] = tuple(rest)
        else:
            added.append((name, *rest))
    if headers:
        added += _set(tree, out, route, headers)
    if not added:
        return
    there = out.added.setdefault(block.place, (block, added))
    if there[1] != added:
        raise Unread("nginx", f"{block.at}: it is included twice, and inherits something else each time")


def _set(tree: Tree, out: Wanted, route: Route, headers: list[Args]) -> list[Args]:
    """Headers to add to a location: with those that it inherits, where it had none of its own.

    A set of its own replaces all that would be inherited (ngx_http_proxy_module.html#proxy_set_header).
    """
    block, directive = route.block, _HEADERS[route.node.name]
    own = tree.own(block, directive)
    names = {header[0].lower() for header in headers}
    if own:
        wrong = {node.args[0].lower(): node for node in own if node.args and node.args[0].lower() in names}
        out.changed.update({wrong[header[0].lower()]: header for header in headers if header[0].lower() in wrong})
        return [(directive, *header) for header in headers if header[0].lower() not in wrong]
    carried = [node for node in tree.applied(block, directive) if node.args and node.args[0].lower() not in names]
    if carried and tree.nginx.masked:
        raise Unread("nginx", "the snapshot is masked, so the headers that are inherited can't be carried along")
    return [(directive, *node.args) for node in carried] + [(directive, *header) for header in headers]


def _shared(tree: Tree, changed: Iterable[Node]) -> None:
    """Make sure that no statement changes that other locations include, too."""
    for (name, place), times in Counter((node.name, node.place) for node in changed).items():
        if times < tree.count(name, place):
            raise Unread("nginx", f"{place.file}: its {name} is included by other locations, too")


def _files(tree: Tree, nodes: Iterable[Node]) -> None:
    """Make sure that every file which changes is read alike by all, and nobody else's."""
    for path in {node.file for node in nodes}:
        file = tree.nginx.files[path]
        if file.differs is not None:
            raise Unread("nginx", f"{path} is judged, never edited: {file.differs}")
        if (why := managed(path, file.content)) is not None:
            raise Unread("nginx", why)
