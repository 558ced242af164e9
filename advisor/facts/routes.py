"""Where each request is passed on to, and what keeps its connection from being used again.

The rules are those of ngx_http_upstream_keepalive_module and of the modules that pass requests on: a connection is
kept only for an upstream block that has room for it, and only if both sides leave it open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from advisor.errors import Unread
from advisor.facts.config import Config
from advisor.facts.connection import Connection, connection
from advisor.facts.tree import Node
from advisor.facts.upstreams import POOLED, Upstream
from advisor.formats.nginx_values import parse_count

PASSES = ("proxy_pass", "fastcgi_pass", "grpc_pass", "uwsgi_pass", "scgi_pass")
"""The directives that pass requests on to something that may be an upstream block."""

_URL = re.compile(
    r"((?:\$?\w++://)?+)"
    r"(unix:[^:]*+|[^/?$]*+(?:\$\{?+\w++\}?+[^/?$]*+)*?)"
    r"((?:[/?:]|\$(?:request_)?uri\b).*)?",
    re.DOTALL | re.ASCII,
)
"""Scheme, host and port, URI; a variable behind the host that begins with a slash belongs to the URI."""
_ONE_VARIABLE = re.compile(r"\$\{?(\w+)\}?", re.ASCII)
_NAME = re.compile(r"(?![0-9.]+\Z)[\w.-]+", re.ASCII)
"""A host that may be the name of an upstream block: no address, no port."""
_PORT = re.compile(r":\d+\Z", re.ASCII)
_PORTS = {"https": 443, "grpcs": 443}


class Link(NamedTuple):
    """A link that is missing: a short code, and what is missing in a person's words."""

    code: str
    words: str


_NO_BLOCK = Link("upstream", "an upstream block with keepalive")
_NO_POOL = Link("keepalive", "keepalive in the upstream block")
_OFF = Link("keepalive", "keepalive above 0 in the upstream block")
_LATE = Link("method", "keepalive behind the balancing method")
_HTTP_1_0 = Link("version", "proxy_http_version 1.1")
_HEADER = Link("header", 'proxy_set_header Connection ""')
_REPLACED = Link("replaced", 'proxy_set_header Connection "" beside the headers set there, which replace those above')
_CLOSE = Link("close", 'an empty Connection header (it says "close")')
_MAP = Link("map", "an empty Connection header where no upgrade is asked for (its map gives 'close')")
_KEEP_CONN = Link("fastcgi_keep_conn", "fastcgi_keep_conn on")
_PROTOCOL = Link("protocol", "a protocol that can: uwsgi and SCGI close after each request")


class Target(NamedTuple):
    """What a pass names: ``scheme`` (without ``://``; may be empty), host and port, and the URI behind them."""

    scheme: str
    host: str
    uri: str

    @property
    def unix(self) -> bool:
        """Whether it is a unix socket."""
        return self.host.startswith("unix:")

    @property
    def port(self) -> int:
        """The port where the host names none."""
        return _PORTS.get(self.scheme, 80)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}" if self.scheme else self.host


class Verdict(NamedTuple):
    """What is missing (empty: nothing), and, where that is empty, what nobody can know from the files."""

    links: tuple[Link, ...] = ()
    doubt: str | None = None


class Route(NamedTuple):
    """A directive that passes requests on, with the one target that is meant here (a variable may name several).

    ``older`` and ``newer`` are the verdicts for nginx before 1.29.7 and from then on. ``header`` is the Connection
    header, None where it does not matter.
    """

    node: Node
    target: Target
    upstream: Upstream | None
    older: Verdict
    newer: Verdict
    header: Connection | None = None

    @property
    def literal(self) -> bool:
        """Whether it holds no variable."""
        return "$" not in self.node.args[0]

    @property
    def block(self) -> Node:
        """The location, or ``if``, it stands in."""
        if self.node.parent is None:
            raise TypeError(self.node.at)
        return self.node.parent


def split(text: str) -> Target:
    """Take ``http://host:port/uri``, ``host:port`` or ``unix:/path`` apart."""
    found = _URL.fullmatch(text)
    if found is None:
        return Target("", text, "")
    return Target(found[1].removesuffix("://"), found[2], found[3] or "")


class Routes:
    """Every pass of http: built once, each value read once."""

    def __init__(self, config: Config, blocks: list[Upstream]) -> None:
        """``blocks``: the upstream blocks."""
        self.config = config
        self.tree = config.tree
        self.upstreams = {one.name.lower(): one for one in blocks}
        self._targets: dict[str, Target] = {}
        self._headers: dict[Node | None, Connection] = {}
        self._known: dict[tuple[object, ...], tuple[Verdict, Verdict]] = {}

    def all(self) -> Iterator[Route]:
        """One for each directive and target, in the order of the files.

        A name with a port can't be that of an upstream block, whatever the variable before the port holds.
        """
        for name in PASSES:
            for node in self.tree.named.get(name, ()):
                if node.args and node.parent is not None:
                    yield from self._of(node, node.parent, node.args[0])

    def _of(self, node: Node, block: Node, text: str) -> Iterator[Route]:
        for one in self._texts(block, text) if "$" in text else (text,):
            target = self._split(one)
            upstream = self.upstreams.get(target.host.lower())
            if "$" in target.host and not _PORT.search(target.host):
                doubt = Verdict(doubt=f"where {text} leads depends on the request")
                yield Route(node, self._split(text), None, doubt, doubt)
            else:
                yield self._to(node, block, target, upstream)

    def _to(self, node: Node, block: Node, target: Target, upstream: Upstream | None) -> Route:
        try:
            if upstream is None:
                self._no_block(target)
            header = self._header(block) if node.name == "proxy_pass" else None
            verdicts = self._verdicts(node.name, block, upstream, header)
        except Unread as unread:
            doubt = Verdict(doubt=unread.why)
            return Route(node, target, upstream, doubt, doubt)
        return Route(node, target, upstream, *verdicts, header)

    def _no_block(self, target: Target) -> None:
        """Make sure that what is named is no upstream block that stands around what was read."""
        if self.tree.outer and _NAME.fullmatch(target.host):
            raise Unread("nginx", f"whether {target.host} is an upstream block is said where this is included")

    def _split(self, text: str) -> Target:
        if text not in self._targets:
            self._targets[text] = split(text)
        return self._targets[text]

    def _texts(self, block: Node, text: str) -> list[str]:
        """What a text with one variable in its scheme, host or whole can be: by ``set`` in its server, or by a map."""
        target = self._split(text)
        found = _ONE_VARIABLE.fullmatch(target.host)
        if found is None:
            return [text]
        values = self._values(block, found[1])
        if any("$" in value for value in values):
            return [text]
        scheme = f"{target.scheme}://" if target.scheme else ""
        return list(dict.fromkeys(f"{scheme}{value}{target.uri}" for value in values)) or [text]

    def _values(self, block: Node, variable: str) -> list[str]:
        around = (block, *block.ancestors())
        setters = dict(one for node in around for one in self._setters.get((variable, node), ()))
        if setters:
            return [setters[number].args[1] for number in sorted(setters)]
        entry = self._maps.get(f"${variable}")
        inside = entry.children if entry is not None else ()
        return [child.args[0] for child in inside if child.args and child.name != "include"]

    @cached_property
    def _setters(self) -> dict[tuple[str, Node], list[tuple[int, Node]]]:
        """Each ``set``, with its number, by its variable and the blocks for whose requests it runs.

        Those are the one it stands in and, where that is an ``if``, what is around that as well.
        """
        found: dict[tuple[str, Node], list[tuple[int, Node]]] = {}
        for number, node in enumerate(self.tree.named.get("set", ())):
            parent = node.parent if len(node.args) > 1 else None
            while parent is not None:
                found.setdefault((node.args[0].lstrip("$"), parent), []).append((number, node))
                parent = parent.parent if parent.name == "if" else None
        return found

    @cached_property
    def _maps(self) -> dict[str, Node]:
        """The first map of each variable that it makes."""
        found: dict[str, Node] = {}
        for entry in self.tree.named.get("map", ()):
            found.setdefault(" ".join(entry.args[1:]), entry)
        return found

    def _header(self, block: Node) -> Connection:
        """The header of a set of headers, which is known by its first."""
        own = self.tree.applied(block, "proxy_set_header")
        key = own[0] if own else None
        if key not in self._headers:
            self._headers[key] = connection(self.tree, block, "")
        return self._headers[key]

    def _verdicts(
        self, kind: str, block: Node, upstream: Upstream | None, header: Connection | None
    ) -> tuple[Verdict, Verdict]:
        """Those for older and newer versions; worked out once for all passes that are alike."""
        said = None if header is None else (header.value, header.replaced, header.node is None, header.map is None)
        text = self._text(block, "fastcgi_keep_conn" if kind == "fastcgi_pass" else "proxy_http_version")
        key = (kind, upstream, text, said)
        if key not in self._known:
            older, newer = (_verdict(kind, upstream, text, header, new=new) for new in (False, True))
            self._known[key] = (older, newer)
        return self._known[key]

    def _text(self, block: Node, name: str) -> str | None:
        nodes = self.tree.applied(block, name)
        args = nodes[-1].args if nodes else ()
        return args[0].lower() if args else None


def _verdict(
    kind: str, upstream: Upstream | None, text: str | None, header: Connection | None, *, new: bool
) -> Verdict:
    """What is missing. ``text`` is fastcgi_keep_conn or proxy_http_version, None where it is not set."""
    if kind in {"uwsgi_pass", "scgi_pass"}:
        return Verdict((_PROTOCOL,))
    pool = Verdict((_NO_BLOCK,)) if upstream is None else _pool(upstream, new=new)
    more = Verdict()
    if kind == "fastcgi_pass" and text != "on":
        more = Verdict((_KEEP_CONN,))
    elif header is not None:
        more = _http(text or ("1.1" if new else "1.0"), header, new=new)
    links = (*pool.links, *more.links)
    return Verdict(links, None if links else pool.doubt or more.doubt)


def _http(version: str, header: Connection, *, new: bool) -> Verdict:
    if version == "2":
        return Verdict()
    lost: tuple[Link, ...] = ()
    if header.node is None:
        lost = () if new else (_REPLACED if header.replaced else _HEADER,)
    elif header.says("close"):
        lost = (_MAP if header.map else _CLOSE,)
    if version == "1.0" and not header.says("keep-alive"):
        return Verdict((_HTTP_1_0, *lost))
    return Verdict(lost, "what Connection header is sent depends on the request" if header.value is None else None)


def _pool(upstream: Upstream, *, new: bool) -> Verdict:
    nodes = upstream.keepalives
    if not nodes:
        return Verdict() if new else Verdict((_NO_POOL,))
    args = nodes[-1].args
    size = parse_count(args[0]) if args else None
    if size is None:
        return Verdict(doubt=f"{nodes[-1].at}: '{' '.join(args)[:60]}' is nothing nginx would take for keepalive")
    if size == 0:
        return Verdict((_OFF,))
    return Verdict((_LATE,)) if upstream.method_late and not new else Verdict()


def decided(route: Route, version: tuple[int, ...] | None) -> Verdict:
    """The verdict for a version; where it is not known, that of both, else a doubt."""
    if version is not None:
        return route.newer if version >= POOLED else route.older
    if route.older.doubt is None and bool(route.older.links) == bool(route.newer.links) and route.newer.doubt is None:
        return route.older
    step = ".".join(map(str, POOLED))
    return Verdict(doubt=route.newer.doubt or f"it depends on nginx's version, which is not known: {step} reuses more")
