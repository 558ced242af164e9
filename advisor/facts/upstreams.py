"""Upstream blocks: whom they name, and how many idle connections to them each worker keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.facts.config import Config
from advisor.facts.servers import Endpoint
from advisor.facts.settings import Block
from advisor.facts.tree import Node
from advisor.facts.values import Count, Seconds

POOLED = (1, 29, 7)
"""The version from which every upstream block keeps 32 idle connections, one pool for each location, and proxy_pass
speaks HTTP/1.1 without a Connection header (CHANGES, 1.29.7)."""

METHODS = frozenset({"hash", "ip_hash", "least_conn", "least_time", "random"})
"""Balancing methods: before 1.29.7 one that stands behind ``keepalive`` takes its place (nginx logs "load balancing
method redefined"). ``sticky`` and ``zone`` are none: they leave what is there."""

_LITERAL = re.compile(
    r"(\[[0-9A-Fa-f:.]+\]|\d{1,3}(?:\.\d{1,3}){3}|localhost)(?::(\d{1,5}))?", re.ASCII | re.IGNORECASE
)
_LOOPBACK = ("127.0.0.1", "::1")
"""What ``localhost`` stands for (RFC 6761, section 6.3)."""


class Upstream(Block):
    """An ``upstream`` block of http."""

    __slots__ = ("_servers", "config", "node")

    def __init__(self, config: Config, node: Node) -> None:
        self.config = config
        self.node = node
        self._servers = [one.args[0] for one in config.tree.own(node, "upstream/server") if one.args]
        super().__init__(config, node, node, f"upstream {self.name}")

    @property
    def name(self) -> str:
        """Its name."""
        return " ".join(self.node.args)

    @property
    def servers(self) -> Count:
        """How many servers it names."""
        return len(self._servers)

    @property
    def keepalive(self) -> Count:
        """How many idle connections to its servers each worker keeps; 0 where it keeps none."""
        return int(self.config.value(self.node, "upstream/keepalive") or 0)

    @property
    def keepalive_set(self) -> bool:
        """Whether it sets ``keepalive`` itself, to more than 0."""
        return bool(self.keepalives) and self.keepalive > 0

    @property
    def timeout(self) -> Seconds:
        """For how long it keeps an idle connection."""
        return float(self.config.value(self.node, "upstream/keepalive_timeout") or 0)

    @property
    def method(self) -> str | None:
        """Its balancing method; unset where it takes one server after the other."""
        return next((child.name for child in self.node.children if child.name in METHODS), None)

    @property
    def method_late(self) -> bool:
        """Whether the method stands behind ``keepalive``."""
        names = [child.name for child in self.node.children if child.name == "keepalive" or child.name in METHODS]
        return "keepalive" in names and names[-1] != "keepalive"

    @property
    def zone(self) -> bool:
        """Whether its state is shared by the workers."""
        return bool(self.config.tree.own(self.node, "upstream/zone"))

    @property
    def tcp(self) -> bool:
        """Whether one of its servers at least is reached by TCP."""
        return not self._servers or any(not address.startswith("unix:") for address in self._servers)

    @property
    def keepalives(self) -> tuple[Node, ...]:
        """Its own ``keepalive``."""
        return tuple(self.config.tree.own(self.node, "upstream/keepalive"))

    def endpoints(self) -> Iterator[tuple[str, tuple[Endpoint, ...]]]:
        """Each server reached by TCP, with the addresses it stands for: see `endpoints_of`."""
        for address in self._servers:
            if not address.startswith("unix:"):
                yield address, endpoints_of(address, 80)


def upstreams(config: Config) -> list[Upstream]:
    """Every upstream block of http, in the order of the files."""
    named = config.tree.named.get("upstream", ())
    found = {node.place: Upstream(config, node) for node in named if node.statement.block is not None}
    return [*found.values()]


def endpoints_of(text: str, port: int) -> tuple[Endpoint, ...]:
    """The addresses that an address and port, or an address alone, stand for; none for another host's name.

    Args:
        text: ``127.0.0.1:8080``, ``[::1]``, ``localhost:80``.
        port: the port where none is named.
    """
    found = _LITERAL.fullmatch(text)
    if found is None:
        return ()
    number = int(found[2] or port)
    hosts = _LOOPBACK if found[1].lower() == "localhost" else (found[1].strip("[]"),)
    return tuple(Endpoint(host, number) for host in hosts)
