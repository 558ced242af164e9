"""The blocks of a configuration in which a change of nginx matters, by what they do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from advisor.facts.config import Config
from advisor.facts.effective import applied
from advisor.facts.servers import Server
from advisor.facts.tree import Node, Tree

_METHODS = frozenset({"least_conn", "ip_hash", "hash", "random", "least_time"})
_NUMERIC = re.compile(r"unix:.*|\*?(:?\d+(-\d+)?)?|\[.*\](:\d+(-\d+)?)?|\d+\.\d+\.\d+\.\d+(:\d+(-\d+)?)?", re.ASCII)
_PASSES = ("proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass")

Select = Callable[[Config, list[Server]], Iterator[Node]]


def bitten(bites: str, config: Config, servers: list[Server]) -> list[Node]:
    """The blocks, or statements, that a change bites in, each once, in the order of the files."""
    return list(dict.fromkeys(_SELECT[bites](config, servers)))


def _servers(_: Config, servers: list[Server]) -> Iterator[Node]:
    return (server.node for server in servers)


def _tls(_: Config, servers: list[Server]) -> Iterator[Node]:
    return (server.node for server in servers if server.tls)


def _http2(_: Config, servers: list[Server]) -> Iterator[Node]:
    return (server.node for server in servers if server.http2)


def _events(config: Config, _: list[Server]) -> Iterator[Node]:
    return iter(config.tree.named.get("events", ()))


def _sendfile(config: Config, _: list[Server]) -> Iterator[Node]:
    return (block for node, block in _set(config.tree, "sendfile") if node.args == ["on"])


def _set(tree: Tree, *names: str) -> Iterator[tuple[Node, Node]]:
    """Each statement of those names, with the block it stands in."""
    for name in names:
        for node in tree.named.get(name, ()):
            if node.parent is not None:
                yield node, node.parent


def _passing(*names: str) -> Select:
    return lambda config, _: (block for _, block in _set(config.tree, *names))


def _https(config: Config, _: list[Server]) -> Iterator[Node]:
    return (block for node, block in _set(config.tree, "proxy_pass") if "".join(node.args[:1]).startswith("https:"))


def _pools(config: Config, _: list[Server]) -> Iterator[Node]:
    return (node for node in config.tree.named.get("upstream", ()) if node.statement.block is not None)


def _kept(config: Config, _: list[Server]) -> Iterator[Node]:
    return (block for _, block in _set(config.tree, "upstream/keepalive"))


def _keepalive_first(config: Config, servers: list[Server]) -> Iterator[Node]:
    for block in _pools(config, servers):
        names = [node.name for node in block.children]
        if "keepalive" in names and _METHODS & {*names[names.index("keepalive") :]}:
            yield block


def _named_listen(config: Config, _: list[Server]) -> Iterator[Node]:
    return (
        node for node in config.tree.named.get("listen", ()) if node.args and _NUMERIC.fullmatch(node.args[0]) is None
    )


def _shared_cache(config: Config, _: list[Server]) -> Iterator[Node]:
    for node, block in _set(config.tree, "ssl_session_cache"):
        tickets = applied(config.tree, block, "ssl_session_tickets").nodes
        if any(arg.startswith("shared:") for arg in node.args) and not (tickets and tickets[-1].args == ["off"]):
            yield block


def _own_protocols(config: Config, servers: list[Server]) -> Iterator[Node]:
    tree = config.tree
    return (server.node for server in servers if server.tls and not server.default and tree.own(server.node, _TLS))


_TLS = "ssl_protocols"


def _no_connection_header(config: Config, _: list[Server]) -> Iterator[Node]:
    for _node, block in _set(config.tree, "proxy_pass"):
        headers = applied(config.tree, block, "proxy_set_header").nodes
        if not any("".join(node.args[:1]).lower() == "connection" for node in headers):
            yield block


def _http2_backend(config: Config, _: list[Server]) -> Iterator[Node]:
    yield from (block for _, block in _set(config.tree, "grpc_pass"))
    yield from (block for node, block in _set(config.tree, "proxy_http_version") if node.args == ["2"])


_SELECT: dict[str, Select] = {
    "server": _servers,
    "tls": _tls,
    "http2": _http2,
    "events": _events,
    "sendfile": _sendfile,
    "proxied": _passing("proxy_pass"),
    "passed": _passing(*_PASSES),
    "gateway": _passing("fastcgi_pass", "uwsgi_pass", "scgi_pass"),
    "https": _https,
    "pool": _pools,
    "kept": _kept,
    "keepalive first": _keepalive_first,
    "named listen": _named_listen,
    "shared cache": _shared_cache,
    "own protocols": _own_protocols,
    "no connection header": _no_connection_header,
    "http2 backend": _http2_backend,
}
"""What the tables of `advisor.catalog` call each kind of block."""
