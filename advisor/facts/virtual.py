"""Which server a name leads to, and which location a URI: as nginx chooses them.

Sources: ngx_http_find_virtual_server and ngx_hash_find_combined (server_names.html), ngx_http_core_find_location
(ngx_http_core_module.html#location).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from advisor.facts.servers import Server
from advisor.facts.tree import Node, Tree
from advisor.formats.pattern import Pattern, Unsupported

_DEFAULT = {"default_server", "default"}
_PASSES = frozenset({"proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass"})


class Taken(NamedTuple):
    """The server that takes a name on one address: ``how`` in words; ``default`` is the address's default server.

    ``unsure`` names regular expressions that are not evaluated here, and might match before.
    """

    address: str
    server: Server
    how: str
    default: Server
    unsure: tuple[str, ...] = ()


class Found(NamedTuple):
    """The location that takes a URI: None where the server itself does. ``how`` and ``unsure`` as in `Taken`."""

    block: Node | None
    how: str
    unsure: tuple[str, ...] = ()


def addresses(servers: Iterable[Server], tree: Tree) -> dict[str, list[Server]]:
    """The servers on each address, its default server first: the one that says so, else the first of the files."""
    found: dict[str, dict[Server, bool]] = {}
    for server in servers:
        for address, default in _listened(server, tree):
            group = found.setdefault(address, {})
            group[server] = default or group.get(server, False)
    return {address: sorted(group, key=group.__getitem__, reverse=True) for address, group in found.items()}


def _listened(server: Server, tree: Tree) -> Iterable[tuple[str, bool]]:
    lines = {line.node: line for line in server.listens}
    for line in server.listens:
        yield str(line.endpoint), bool(_DEFAULT & {*line.parameters})
    for node in tree.own(server.node, "listen"):
        if node not in lines and node.args:
            yield node.args[0], bool(_DEFAULT & {*node.args[1:]})


def take(name: str, servers: list[Server], tree: Tree) -> list[Taken]:
    """What takes a name, on each address: exact names first, then ``*.``, ``.*``, regular expressions, the default.

    Args:
        name: a host name, with or without a port.
        servers: all of them, in the order of the files.
        tree: the configuration.
    """
    host = _host(name)
    order = {server: index for index, server in enumerate(servers)}
    return [
        _taken(host, address, group[0], sorted(group, key=order.__getitem__), tree)
        for address, group in addresses(servers, tree).items()
    ]


def _host(name: str) -> str:
    bare = name if name.startswith("[") or name.count(":") != 1 else name.partition(":")[0]
    return bare.lower().removesuffix(".")


def _taken(host: str, address: str, default: Server, group: list[Server], tree: Tree) -> Taken:
    names = [(text, server) for server in group for node in tree.own(server.node, "server_name") for text in node.args]
    text, server = max(names, key=lambda one: _fit(one[0], host), default=("", default))
    if _fit(text, host) > _UNFIT and names:
        return Taken(address, server, f"by its name {text}", default)
    unsure: list[str] = []
    for text, server in (one for one in names if one[0].startswith("~")):
        try:
            if Pattern(text[1:], ignore_case=True).matches(host):
                return Taken(address, server, f"by its name {text}", default, tuple(unsure))
        except Unsupported as why:
            unsure.append(f"{text} of {server.id}: {why}")
    return Taken(address, default, "as the default server: no other there has that name", default, tuple(unsure))


_UNFIT = (0, 0)


def _fit(text: str, host: str) -> tuple[int, int]:
    """How well a name that is no regular expression fits: exactly, else ``*.`` and then ``.*``, the longest first."""
    name = text.lower()
    if name == host or (name[:1] == "." and name[1:] == host):
        return 3, 0
    suffix = name.removeprefix("*") if name.startswith(("*.", ".")) else ""
    if suffix and host.endswith(suffix) and len(host) > len(suffix):
        return 2, len(suffix)
    prefix = name.removesuffix("*") if name.endswith(".*") else ""
    if prefix and host.startswith(prefix) and len(host) > len(prefix):
        return 1, len(prefix)
    return _UNFIT


class _Location(NamedTuple):
    """A location: ``modifier`` is ``=``, ``^~``, ``~``, ``~*``, ``@``, or empty for a plain prefix."""

    modifier: str
    text: str
    block: Node


def find(server: Node, uri: str) -> Found:
    """What takes a URI.

    Args:
        server: the server's block.
        uri: as nginx sees it: decoded, without its query; or a named location, ``@name``.
    """
    if uri.startswith("@"):
        named = next((one.block for one in _locations(server) if one.modifier == "@" and one.text == uri), None)
        return Found(named, "by its name" if named is not None else "no location has that name")
    unsure: list[str] = []
    block, how, _ = _search(server, uri, unsure)
    return Found(block, how, tuple(unsure))


def _search(level: Node, uri: str, unsure: list[str]) -> tuple[Node | None, str, bool]:
    """What takes it below one level; the last is whether nothing further out is asked any more."""
    inside = _locations(level)
    best = _static(inside, uri)
    block, how = None, "no location takes it: the server itself does"
    if best is not None:
        block, how = best.block, _HOW[best.modifier]
        if best.modifier == "=":
            return block, how, True
        if len(best.text) > len(uri):
            return block, f"which redirects to {best.text}", True
        inner, said, last = _search(block, uri, unsure)
        block, how = (block, how) if inner is None else (inner, said)
        if last or best.modifier == "^~":
            return block, how, last
    for one in inside:
        if one.modifier in {"~", "~*"} and _matches(one, uri, unsure):
            inner, said, _ = _search(one.block, uri, unsure)
            return (one.block, _HOW[one.modifier], True) if inner is None else (inner, said, True)
    return block, how, False


_HOW = {
    "=": "by its exact match",
    "": "by its prefix, the longest; no regular expression matches",
    "^~": "by its prefix, the longest, which asks no regular expression",
    "~": "by its regular expression, the first that matches",
    "~*": "by its regular expression, the first that matches",
}


def _static(inside: list[_Location], uri: str) -> _Location | None:
    """The exact one, else the longest prefix; or one that differs by a slash at its end, and passes requests on."""
    plain = [one for one in inside if one.modifier in {"", "^~"}]
    exact = next((one for one in inside if one.modifier == "=" and one.text == uri), None)
    best = max((one for one in plain if uri.startswith(one.text)), key=lambda one: len(one.text), default=None)
    if exact is not None or (best is not None and best.text == uri):
        return exact or best
    slash = (one for one in plain if one.text == f"{uri}/" and any(node.name in _PASSES for node in one.block.children))
    return next(slash, best)


def _matches(location: _Location, uri: str, unsure: list[str]) -> bool:
    try:
        return Pattern(location.text, ignore_case=location.modifier == "~*").matches(uri)
    except Unsupported as why:
        unsure.append(f"location {location.modifier} {location.text}: {why}")
        return False


def _locations(level: Node) -> list[_Location]:
    return [
        _Location(*_split(child.args), child)
        for child in level.children
        if child.name == "location" and child.statement.block is not None and child.args
    ]


def _split(args: list[str]) -> tuple[str, str]:
    """Modifier and text, which nginx also takes in one word."""
    if len(args) > 1:
        return args[0], args[1]
    modifier = next((one for one in ("=", "^~", "~*", "~") if args[0].startswith(one)), "")
    text = args[0].removeprefix(modifier)
    return ("@", text) if not modifier and text.startswith("@") else (modifier, text)
