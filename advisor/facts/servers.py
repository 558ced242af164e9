"""The servers of a configuration: what they listen on, and what they are called."""

from __future__ import annotations

import re

from advisor.facts.config import Config
from advisor.facts.settings import Block
from advisor.facts.tree import Node, Tree
from advisor.records import dataclass

_ADDRESS = re.compile(r"(?:(\[[0-9A-Fa-f:.%]+\]|[^:\[\]]+):)?(\d{1,5})|(\[[0-9A-Fa-f:.%]+\]|[^:\[\]]+)", re.ASCII)
_NUMBERS = re.compile(r"[0-9-]+")
"""A range of ports, or a port that is too large: no host is called so."""
_HTTP_PORT = 80
_DEFAULT = {"default_server", "default"}


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


class Server(Block):
    """A ``server`` block of http (or of a fragment that stands for it)."""

    __slots__ = ("_default", "_parameters", "listens", "node")

    def __init__(self, config: Config, node: Node, listens: list[ListenLine]) -> None:
        """``listens``: its ``listen`` lines, or nginx's default."""
        super().__init__(config, node, node, "")
        self.node = node
        self.listens = listens
        self.id = f"server {self.name}"
        self._default = False
        self._parameters: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Its first server_name; else its first address; else its place."""
        names = [arg for node in self._config.tree.own(self.node, "server_name") for arg in node.args]
        named = next((name for name in names if name not in {"", "_"}), None)
        return named or (str(self.listens[0].endpoint) if self.listens else self.node.path)

    @property
    def addresses(self) -> str:
        """The addresses it listens on."""
        return ", ".join(str(line.endpoint) for line in self.listens) or "no address"

    @property
    def default(self) -> bool:
        """Whether it is the default server of one of its addresses at least."""
        return self._default

    def is_default(self) -> None:
        """It is the one that takes, on one of its addresses, what no other server is named for."""
        self._default = True

    def shares(self, parameters: set[str]) -> None:
        """What any server says of an address holds for all servers there."""
        self._parameters |= parameters

    @property
    def tls(self) -> bool:
        """Whether it takes TLS on one of its addresses at least."""
        return any(one in line.parameters for line in self.listens for one in ("ssl", "quic"))

    @property
    def http2(self) -> bool:
        """Whether clients may speak HTTP/2 to it: the directive, or ``listen ... http2`` by any server there."""
        return "http2" in self._parameters or bool(self.here.value("http2"))

    @property
    def http3(self) -> bool:
        """Whether clients may speak HTTP/3 to it: ``listen ... quic``, unless ``http3`` is off."""
        return any("quic" in line.parameters for line in self.listens) and bool(self.here.value("http3"))


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


def servers(config: Config) -> list[Server]:
    """Every server of http, in the order of the files."""
    found = []
    named: dict[str, int] = {}
    shared: dict[Endpoint, tuple[list[Server], set[str]]] = {}
    for node in config.tree.named.get("server", ()):
        if node.statement.block is None:
            continue
        server = Server(config, node, _listens(config.tree, node))
        named[server.id] = named.get(server.id, 0) + 1
        server.id += f" #{named[server.id]}" if named[server.id] > 1 else ""
        found.append(server)
        for line in server.listens:
            group, parameters = shared.setdefault(line.endpoint, ([], set()))
            group.insert(0 if _DEFAULT & {*line.parameters} else len(group), server)
            parameters.update(line.parameters)
    for group, parameters in shared.values():
        group[0].is_default()
        for server in group:
            server.shares(parameters)
    return found


def _listens(tree: Tree, server: Node) -> list[ListenLine]:
    nodes = tree.own(server, "listen")
    lines = []
    for node in nodes:
        address, *parameters = node.args or [""]
        endpoint = parse_listen(address)
        if endpoint is not None:
            lines.append(ListenLine(endpoint, node, tuple(parameters)))
    if not nodes:
        lines.append(ListenLine(Endpoint("0.0.0.0", _HTTP_PORT), None))  # noqa: S104 (nginx's default)
    return lines
