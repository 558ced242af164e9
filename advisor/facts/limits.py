"""Limits of requests and connections, and what else takes the peer's address for the client's.

Sources: ngx_http_limit_req_module.html, ngx_http_limit_conn_module.html, ngx_http_upstream_module.html#ip_hash.
"""

from __future__ import annotations

import re

from advisor.errors import Unread
from advisor.facts.config import Config
from advisor.facts.settings import Setting, settings
from advisor.facts.tree import Node
from advisor.facts.values import Count, Rate, Seconds
from advisor.formats.nginx_values import parse_count

_RATE = re.compile(r"(\d{1,9})r/([sm])", re.ASCII)
_PEER = re.compile(r"\$(?:binary_)?remote_addr\b|\$\{(?:binary_)?remote_addr\}", re.ASCII)
_KEYED = ("limit_req_zone", "limit_conn_zone", "upstream/hash", "upstream/ip_hash")


class RequestLimit(Setting):
    """A place that applies a ``limit_req``."""

    __slots__ = ("_zone",)

    _zone: Node | None

    @property
    def zone(self) -> str:
        """The name of its zone."""
        return _parameter(self._setter, "zone") or ""

    @property
    def everything(self) -> bool:
        """Whether it governs all that a page loads: in http, in a server, or in ``location /``."""
        block = self._setter.parent
        return block is None or block.name in {"http", "server"} or block.args == ["/"]

    @property
    def rate(self) -> Rate:
        """Requests a second that its zone lets through for one key."""
        found = _RATE.fullmatch(_parameter(self._zone, "rate") or "") if self._zone is not None else None
        if found is None or not int(found[1]):
            raise Unread("nginx", f"{self._setter.at}: no limit_req_zone gives {self.zone} a rate")
        return int(found[1]) / (60 if found[2] == "m" else 1)

    @property
    def apart(self) -> Seconds:
        """The time between two requests that the rate lets through: 1 / rate."""
        return 1 / self.rate

    @property
    def burst(self) -> Count:
        """Requests above the rate that are not refused; 0 where it is not said."""
        text = _parameter(self._setter, "burst")
        number = 0 if text is None else parse_count(text)
        if number is None:
            raise Unread("nginx", f"{self._setter.at}: '{str(text)[:60]}' is no number nginx would take for burst")
        return number

    @property
    def delayed(self) -> bool:
        """Whether requests of the burst wait until the rate allows them: without nodelay and delay."""
        return not any(arg == "nodelay" or arg.startswith("delay=") for arg in self._setter.args)

    @property
    def wait(self) -> Seconds:
        """For how long the last request of a burst waits: burst / rate."""
        return self.burst * self.apart


def request_limits(config: Config) -> list[RequestLimit]:
    """Every place that applies a limit of requests."""
    zones: dict[str, Node] = {}
    for node in config.tree.named.get("limit_req_zone", ()):
        zones.setdefault((_parameter(node, "zone") or "").partition(":")[0], node)
    items = settings(config, config.tree.named.get("limit_req", ()), RequestLimit)
    for item in items:
        item._zone = zones.get(item.zone)  # noqa: SLF001 (filled by who makes them all)
    return items


class PeerKey(Setting):
    """A place that tells clients apart by the address their connection comes from."""

    __slots__ = ()

    @property
    def real_ip(self) -> bool:
        """Whether the realip module puts the client's own address there."""
        return "set_real_ip_from" in self._config.tree.named

    @property
    def proxy_protocol(self) -> bool:
        """Whether a ``listen`` takes the PROXY protocol, which only balancers speak."""
        return any("proxy_protocol" in node.args[1:] for node in self._config.tree.named.get("listen", ()))


def peer_keys(config: Config) -> list[PeerKey]:
    """Limits and balancing that are keyed by the peer's address."""
    nodes = [node for name in _KEYED for node in config.tree.named.get(name, ()) if _by_peer(node)]
    items = settings(config, nodes, PeerKey)
    for item in items:
        item.id = f"{item.directive} in {item.id}"
    return items


def _by_peer(node: Node) -> bool:
    return node.name == "ip_hash" or any(_PEER.search(arg) for arg in node.args[:1])


def _parameter(node: Node | None, name: str) -> str | None:
    """A parameter's value; None where it is not there."""
    found = (arg for arg in (node.args if node is not None else ()) if arg.startswith(f"{name}="))
    text = next(found, None)
    return None if text is None else text.partition("=")[2]
