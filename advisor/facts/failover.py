"""What happens when a server of an upstream fails: whether that is noticed, and for how long a request tries on.

Sources: ngx_http_upstream_module.html (max_fails, fail_timeout, max_conns, zone),
ngx_http_proxy_module.html#proxy_next_upstream.
"""

from __future__ import annotations

import re
from functools import cached_property

from advisor.errors import Unread
from advisor.facts.config import Config
from advisor.facts.settings import Block, Setting, settings
from advisor.facts.tree import Node
from advisor.facts.values import Count, Seconds

_ADDRESS = re.compile(r"(?:\d+\.\d+\.\d+\.\d+|\[[^\]]*\])(?::\d+)?|unix:.*", re.ASCII)
_DECIDING = (
    "proxy_connect_timeout",
    "proxy_read_timeout",
    "proxy_next_upstream",
    "proxy_next_upstream_tries",
    "proxy_next_upstream_timeout",
)


class Pool(Block):
    """An ``upstream`` block, and the passes to it."""

    __slots__ = ("__dict__", "_passes", "_servers")

    def __init__(self, config: Config, node: Node, name: str, passes: list[Node]) -> None:
        super().__init__(config, node, node, name)
        self._servers = [one.args for one in config.tree.own(node, "upstream/server") if one.args]
        self._passes = passes

    @property
    def name(self) -> str:
        """Its name."""
        return self._block.args[0] if self._block is not None and self._block.args else ""

    @cached_property
    def servers(self) -> Count:
        """Its servers that take requests while all is well: neither backup nor down."""
        return len(self._taking)

    @property
    def unchecked(self) -> Count:
        """Those of them that are never taken for failed: max_fails=0."""
        return sum("max_fails=0" in args for args in self._taking)

    @property
    def checked(self) -> bool:
        """Whether a server sets for how many failures, or for how long, it is left out."""
        marks = ("max_fails=", "fail_timeout=")
        return any(arg.startswith(marks) and arg != "max_fails=0" for args in self._servers for arg in args[1:])

    @property
    def alone(self) -> bool:
        """Whether all goes to one address: nginx then ignores max_fails and fail_timeout."""
        if len(self._servers) != 1:
            return False
        address = self._servers[0][0]
        if not _ADDRESS.fullmatch(address):
            raise Unread("nginx", f"how many addresses '{address[:60]}' has is known only once it is looked up")
        return True

    @property
    def limited(self) -> bool:
        """Whether a server has a max_conns."""
        return any(arg.startswith("max_conns=") and arg != "max_conns=0" for args in self._servers for arg in args)

    @property
    def shared(self) -> bool:
        """Whether the workers share what they know of it: a zone."""
        return bool(self._config.tree.own(self._block, "upstream/zone"))

    @property
    def zone(self) -> str:
        """The arguments of a zone for it: its name, and the size of nginx's own example."""
        return f"{self.name} 64k"

    @property
    def wait(self) -> Seconds:
        """For how long a request of a pass to it may go from one server to the next, at most, until the last gives up.

        Each try may last for the longer of proxy_connect_timeout and proxy_read_timeout; tries are bounded by
        the servers and by proxy_next_upstream_tries, and none begins after proxy_next_upstream_timeout.
        """
        tree = self._config.tree
        names = [name for name in _DECIDING if name in tree.named]
        ways = {tuple((*tree.applied(node.parent, name)[-1:],) for name in names): node for node in self._passes}
        return max((self._wait(node.parent) for node in ways.values()), default=0.0)

    def _wait(self, block: Node | None) -> float:
        connect, answer, when, tries, bound = (self._config.value(block, name) for name in _DECIDING)
        once = max(float(connect or 0), float(answer or 0))
        conditions = str(when).split()
        if "off" in conditions or not {"timeout", "error"} & {*conditions}:
            return once
        most = min(self.servers, int(tries or 0) or self.servers)
        return min(most * once, float(bound) + once if bound else most * once)

    @cached_property
    def _taking(self) -> list[list[str]]:
        return [args for args in self._servers if not {"backup", "down"} & {*args[1:]}]


def pools(config: Config) -> list[Pool]:
    """Every upstream block."""
    passes: dict[str, list[Node]] = {}
    for node in config.tree.named.get("proxy_pass", ()):
        url = node.args[0] if node.args else ""
        passes.setdefault(url.partition("://")[2].partition("/")[0], []).append(node)
    found: dict[str, Pool] = {}
    for node in config.tree.named.get("upstream", ()):
        if node.statement.block is not None and node.args:
            name = f"upstream {node.args[0]}"
            name = name if name not in found else f"{name} #{len(found)}"
            found[name] = Pool(config, node, name, passes.get(node.args[0], []))
    return list(found.values())


class NextUpstream(Setting):
    """A place that says when a request goes on to the next server."""

    __slots__ = ()

    @property
    def repeats(self) -> bool:
        """Whether requests that are not idempotent (POST, LOCK, PATCH) may be sent again, too."""
        return "non_idempotent" in self._setter.args

    @property
    def idempotent(self) -> str:
        """The same without that; nginx's default where nothing else is said."""
        return " ".join(arg for arg in self._setter.args if arg != "non_idempotent") or "error timeout"


def next_upstreams(config: Config) -> list[NextUpstream]:
    """Every place that sets proxy_next_upstream."""
    return settings(config, config.tree.named.get("proxy_next_upstream", ()), NextUpstream)
