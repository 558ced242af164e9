"""What nginx asks the kernel for: one item an address and port, the options of all its ``listen`` lines joined."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Annotated

from advisor.catalog.nginx import DEFAULT_BACKLOG
from advisor.errors import Unread
from advisor.facts.places import Location, Place
from advisor.facts.schema import From
from advisor.facts.servers import Endpoint, ListenLine, Server
from advisor.facts.sockets import Listener
from advisor.facts.values import Count, Item
from advisor.records import dataclass

_SOCKETS = From("SOCK_DIAG")
_BACKLOG = re.compile(r"backlog=(\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Listen(Item):
    """An address nginx listens on. ``live`` gives its listening socket, None where none is there."""

    endpoint: Endpoint
    lines: tuple[ListenLine, ...]
    location: Location
    live: Callable[[], Listener | None]

    @property
    def id(self) -> str:  # type: ignore[override]  # computed, never stored
        """Address and port."""
        return self.address

    @property
    def address(self) -> str:
        """Address and port."""
        return str(self.endpoint)

    @property
    def backlog(self) -> Count:
        """The backlog nginx asks for: its ``backlog=`` or 511."""
        found = parse_backlog([parameter for line in self.lines for parameter in line.parameters])
        return DEFAULT_BACKLOG if found is None else found

    @property
    def backlog_set(self) -> bool:
        """Whether a ``listen`` sets it."""
        return any(parameter.startswith("backlog=") for line in self.lines for parameter in line.parameters)

    @property
    def option_lines(self) -> Count:
        """How many ``listen`` lines of this address give options of its socket; nginx takes one, and refuses more."""
        return sum(any(map(_is_option, line.parameters)) for line in self.lines)

    @property
    def limit(self) -> Annotated[Count | None, _SOCKETS]:
        """The live queue's limit; unset while nothing listens there."""
        live = self.live()
        return live.limit if live else None

    @property
    def drops(self) -> Annotated[Count | None, _SOCKETS]:
        """Connection attempts dropped during the sample; unset while nothing listens there."""
        live = self.live()
        return live.drops if live else None

    def place(self, directive: str) -> Place:
        """Where ``listen.backlog`` would be written.

        Raises:
            Unread: when no ``listen`` stands there: nginx's default port is used.
        """
        node = option_line(self.lines).node
        if node is None:
            raise Unread("nginx", f"no listen directive stands for {self.address} to give {directive} to")
        return node.place


def parse_backlog(parameters: Sequence[str]) -> int | None:
    """The number of the first ``backlog=`` that has one."""
    return next((int(found[1]) for found in map(_BACKLOG.fullmatch, parameters) if found), None)


def _is_option(parameter: str) -> bool:
    """Options of the socket, which nginx accepts once per address (the others belong to the server)."""
    return parameter.partition("=")[0] in {
        "backlog",
        "rcvbuf",
        "sndbuf",
        "deferred",
        "fastopen",
        "reuseport",
        "so_keepalive",
        "ipv6only",
        "setfib",
        "accept_filter",
        "bind",
        "multipath",
    }


def endpoints(found: list[Server]) -> dict[Endpoint, tuple[ListenLine, ...]]:
    """Every address with its ``listen`` lines, in the order of the files."""
    lines: dict[Endpoint, list[ListenLine]] = {}
    for server in found:
        for line in server.listens:
            lines.setdefault(line.endpoint, []).append(line)
    return {endpoint: tuple(group) for endpoint, group in lines.items()}


def option_line(lines: tuple[ListenLine, ...]) -> ListenLine:
    """The line that holds the socket's options, else the first."""
    return next((line for line in lines if any(_is_option(one) for one in line.parameters)), lines[0])
