"""Names that nginx must look up to pass a request on: at run time, where a variable stands in a pass; else once.

A pass with a variable is resolved for every request: an address needs no lookup, the name of an upstream (or the
name and port of another pass) is known, and any other name needs a ``resolver`` (ngx_http_proxy_module.html#proxy_pass,
ngx_http_upstream_init_request). Without a variable the name is looked up when the configuration is loaded, and kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import ClassVar, NamedTuple

from advisor.errors import Unread
from advisor.facts.config import Config
from advisor.facts.settings import Block, Setting, settings
from advisor.facts.tree import Node
from advisor.facts.values import Count

_PASSES = ("proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass")
_URL = re.compile(r"(?:(?P<scheme>[a-z]+)://)?(?P<host>\[[^\]]*\]|[^/:?]*)(?::(?P<port>[^/?]*))?.*", re.DOTALL)
_PATH = re.compile(r"\$(?:\{(?:request_uri|uri|document_uri)\}|(?:request_uri|uri|document_uri)\b)", re.ASCII)
"""Variables that begin with a slash: the host ends before them."""
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+|\[.*\]", re.ASCII)
_MASKED = re.compile(r"x+")
"""A value that a masked snapshot does not show."""
_PORTS = {"http": "80", "grpc": "80", "https": "443", "grpcs": "443"}
_LOCAL = {"localhost", "localhost.localdomain"}


class Target(NamedTuple):
    """What a pass names; ``port`` is empty where it says none, ``default`` where the protocol has none."""

    host: str
    port: str
    default: str

    @property
    def looked_up(self) -> bool:
        """Whether the host is no address and no socket."""
        return bool(self.host) and self.host != "unix" and _ADDRESS.fullmatch(self.host) is None


class Lookup(Setting):
    """A pass with a variable."""

    __slots__ = ("_names",)

    _names: Names

    @property
    def resolver(self) -> bool:
        """Whether a resolver applies there.

        Raises:
            Unread: when none does in a fragment, which some other file may include where one applies.
        """
        if self.here.value("resolver") is None:
            if not self._setter.within("http"):
                raise Unread("nginx", f"{self._setter.at} stands in no http block: what includes it may set a resolver")
            return False
        return True

    @property
    def name(self) -> str:
        """A name that has to be looked up for it; empty when all it may pass to is an address or an upstream."""
        unknown: Unread | None = None
        for target in self._names.targets(self._setter):
            if _VARIABLE.search(target.host) or _MASKED.fullmatch(target.host):
                said = f"what '{self.text[:60]}' names is known only at run time"
                unknown = Unread("nginx", f"{self._setter.at}: {said}")
            elif not self._names.known(target):
                return target.host
        if unknown is not None:
            raise unknown
        return ""


class FrozenName(Block):
    """A host that is passed to by its name, without a variable; it stands where it is named first."""

    __slots__ = ("_count",)

    def __init__(self, config: Config, name: str, nodes: list[Node]) -> None:
        super().__init__(config, nodes[0].parent, nodes[0], name)
        self._count = len(nodes)

    @property
    def count(self) -> Count:
        """How many places name it."""
        return self._count


class Names:
    """The names of a configuration's passes and upstreams."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(self, config: Config) -> None:
        self._config = config

    @cached_property
    def lookups(self) -> list[Lookup]:
        """Every pass with a variable."""
        nodes = [node for (_, text), group in self._passes.items() if "$" in text for node in group]
        items = settings(self._config, nodes, Lookup)
        for item in items:
            item._names = self  # noqa: SLF001 (filled by who makes them all)
        return items

    @cached_property
    def frozen(self) -> list[FrozenName]:
        """Every host that is looked up once, when the configuration is loaded, and never again."""
        found: dict[str, list[Node]] = {}
        known = _LOCAL | self._upstreams
        for target, nodes in self._literal.items():
            if target.looked_up and target.host not in known:
                found.setdefault(target.host, []).extend(nodes)
        for node in self._config.tree.named.get("upstream/server", ()):
            target = _split(node.args[0] if node.args else "", "")
            if target.looked_up and target.host not in _LOCAL and "resolve" not in node.args[1:]:
                found.setdefault(target.host, []).append(node)
        return [FrozenName(self._config, name, nodes) for name, nodes in found.items()]

    def known(self, target: Target) -> bool:
        """Whether nothing has to be looked up: an address, an upstream, or the host and port of a plain pass."""
        if not target.looked_up or (target.host in self._upstreams and not target.port):
            return True
        port = target.port or target.default
        return any(one.host == target.host and (one.port or one.default) == port for one in self._literal)

    def targets(self, node: Node) -> Iterator[Target]:
        """All that a pass may name, as far as ``set`` and ``map`` say what its variable holds."""
        url = _PATH.sub("/", node.args[0])
        found = _VARIABLE.search(url, *_host(url))
        values = [] if found is None else self._values(node, f"${found[1] or found[2]}")
        if found is None or not values:
            yield _split(url, node.name)
            return
        for value in filter(None, values):
            yield _split(f"{url[: found.start()]}{value}{url[found.end() :]}", node.name)

    def _values(self, node: Node, variable: str) -> list[str]:
        """What ``set`` gives a variable around a pass, else what a map does."""
        tree = self._config.tree
        blocks = list(node.ancestors())
        blocks += [one for block in blocks for one in tree.own(block, "if")]
        sets = [one.args for block in blocks for one in tree.own(block, "set")]
        values = [args[1] for args in sets if len(args) > 1 and args[0] == variable]
        entries = [one for block in self._maps.get(variable, ()) for one in block.children]
        return values or [one.args[0] for one in entries if one.args and one.name != "include"]

    @cached_property
    def _maps(self) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for name in ("map", "geo", "split_clients"):
            for node in self._config.tree.named.get(name, ()):
                if node.args:
                    found.setdefault(node.args[-1], []).append(node)
        return found

    @cached_property
    def _passes(self) -> dict[tuple[str, str], list[Node]]:
        """Passes by directive and argument: many say the same."""
        found: dict[tuple[str, str], list[Node]] = {}
        for name in _PASSES:
            for node in self._config.tree.named.get(name, ()):
                if node.args:
                    found.setdefault((name, node.args[0]), []).append(node)
        return found

    @cached_property
    def _literal(self) -> dict[Target, list[Node]]:
        found: dict[Target, list[Node]] = {}
        for (name, text), nodes in self._passes.items():
            if "$" not in text:
                found.setdefault(_split(text, name), []).extend(nodes)
        return found

    @cached_property
    def _upstreams(self) -> set[str]:
        return {node.args[0] for node in self._config.tree.named.get("upstream", ()) if node.args}


def _host(url: str) -> tuple[int, int]:
    """Where the host stands in a URL."""
    found = _URL.fullmatch(url)
    return found.span("host") if found is not None else (0, len(url))


def _split(url: str, word: str) -> Target:
    """What a URL names; ``unix`` is the host of every socket."""
    found = _URL.fullmatch(url)
    if found is None:
        return Target(url, "", "")
    scheme = found["scheme"] or ("grpc" if word == "grpc_pass" else "")
    return Target(found["host"], found["port"] or "", _PORTS.get(scheme, ""))
