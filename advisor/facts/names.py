"""Names of servers that are claimed twice on one address: the first server gets all requests.

Source: ngx_http_server_names in src/http/ngx_http.c, which warns of "conflicting server name ... ignored".
"""

from __future__ import annotations

from advisor.facts.config import Config
from advisor.facts.servers import Server
from advisor.facts.settings import Block


class NameConflict(Block):
    """A server of which a name, or several, belong to another one already; ``name`` and ``address`` are the first."""

    __slots__ = ("address", "name", "other")

    name: str
    address: str
    other: str

    def __init__(self, config: Config, server: Server, other: Server, claim: tuple[str, str]) -> None:
        """``claim``: the address and the name that ``other`` has already."""
        named = config.tree.own(server.node, "server_name")
        super().__init__(config, server.node, next(iter(named), server.node), server.id)
        self.address, self.name = claim
        self.other = other.node.at


def name_conflicts(config: Config, servers: list[Server]) -> list[NameConflict]:
    """Every server that claims a name which one before it has on the same address. Regular expressions never clash."""
    claimed: dict[tuple[str, str], Server] = {}
    found: dict[Server, NameConflict] = {}
    for server in servers:
        names = [arg.lower() for node in config.tree.own(server.node, "server_name") for arg in node.args] or [""]
        for address in dict.fromkeys(str(line.endpoint) for line in server.listens):
            for name in names:
                first = claimed.setdefault((address, name), server) if not name.startswith("~") else server
                if first is not server and server not in found:
                    found[server] = NameConflict(config, server, first, (address, name))
    return list(found.values())
