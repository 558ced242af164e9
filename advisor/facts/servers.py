"""The servers of a configuration: what they listen on, and what they are called."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from advisor.facts.tree import Node, walk

_ADDRESS = re.compile(r"(?:(\[[0-9A-Fa-f:.%]+\]|[^:\[\]]+):)?(\d{1,5})|(\[[0-9A-Fa-f:.%]+\]|[^:\[\]]+)", re.ASCII)
_NUMBERS = re.compile(r"[0-9-]+")
"""A range of ports, or a port that is too large: no host is called so."""
_HTTP_PORT = 80


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address and port as sockets show them: ``0.0.0.0`` and ``::`` are the wildcards."""

    address: str
    port: int

    @property
    def wildcard(self) -> bool:
        """Whether it stands for every address of its family."""
        return self.address in {"0.0.0.0", "::"}  # noqa: S104 (addresses to compare with)

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class ListenLine:
    """One ``listen`` of one server, with its parameters; ``node`` is None where nginx's default stands."""

    endpoint: Endpoint
    node: Node | None
    parameters: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Server:
    """A ``server`` block of http (or of a fragment that stands for it)."""

    node: Node
    listens: list[ListenLine] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its first server_name; else its first address; else its place."""
        names = [arg for child in self.node.all("server_name") for arg in child.args if arg not in {"", "_"}]
        if names:
            return names[0]
        return str(self.listens[0].endpoint) if self.listens else self.node.path


def parse_listen(text: str) -> Endpoint | None:
    """The address a ``listen`` names; None for a unix socket, a range of ports or what nginx would refuse."""
    if text.startswith("unix:"):
        return None
    found = _ADDRESS.fullmatch(text)
    if found is None or (found[3] and _NUMBERS.fullmatch(found[3])):
        return None
    host, port = (found[1], int(found[2])) if found[2] else (found[3], _HTTP_PORT)
    if not 0 < port <= 65535:  # noqa: PLR2004 (the last port)
        return None
    address = "0.0.0.0" if host in {None, "*"} else host.strip("[]")  # noqa: S104 (an address to compare with)
    return Endpoint(address, port)


def servers(tree: list[Node]) -> list[Server]:
    """Every server outside of stream and mail, in the order of the files."""
    return [
        Server(node, _listens(node))
        for node in walk(tree)
        if node.name == "server" and node.statement.block is not None and not _elsewhere(node)
    ]


def _elsewhere(node: Node) -> bool:
    return any(above.name in {"stream", "mail"} for above in node.ancestors())


def _listens(server: Node) -> list[ListenLine]:
    lines = []
    for node in server.all("listen"):
        endpoint = parse_listen(node.args[0]) if node.args else None
        if endpoint is not None:
            lines.append(ListenLine(endpoint, node, tuple(node.args[1:])))
    if not server.all("listen"):
        lines.append(ListenLine(Endpoint("0.0.0.0", _HTTP_PORT), None))  # noqa: S104 (nginx's default)
    return lines
