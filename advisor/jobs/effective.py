"""What applies of one directive: found for each server and location, or for those that a name and a URI lead to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from advisor.catalog.directives import DIRECTIVES
from advisor.engine.syntax import did_you_mean
from advisor.errors import InputError, Unread, UsageError
from advisor.facts.answers import Row, Table
from advisor.facts.derive import Facts
from advisor.facts.servers import Server
from advisor.facts.virtual import addresses, find, take
from advisor.snapshot.model import Snapshot


class Place(NamedTuple):
    """A server: which addresses it is meant on and why, and what applies in it and in its locations.

    ``inheriting`` counts locations that set nothing themselves and get what the server has.
    """

    server: str
    file: str
    line: int
    addresses: tuple[str, ...]
    how: str
    rows: tuple[Row, ...]
    inheriting: int
    unsure: tuple[str, ...] = ()


class Report(NamedTuple):
    """The answer to the question; ``notes`` say what it rests on, or does not cover."""

    directive: str
    version: str | None
    outside: tuple[Row, ...]
    places: tuple[Place, ...]
    notes: tuple[str, ...]


def effective(snapshot: Snapshot, directive: str, name: str | None = None, uri: str | None = None) -> Report:
    """Ask what applies.

    Args:
        snapshot: what was read; its nginx configuration is needed.
        directive: as it stands in a file, or as the catalogue calls it (``upstream/keepalive``).
        name: a host name: only the servers that take it.
        uri: a path, or ``@name``: only the location that takes it.

    Raises:
        UsageError: when the directive is neither known nor used, the name is none, or the URI is none.
        InputError: when the configuration holds what nginx would refuse, and the answer rests on it.
    """
    try:
        return _effective(snapshot, directive, name, uri)
    except Unread as unread:
        raise InputError(f"{unread.why}; correct it first") from None


def _effective(snapshot: Snapshot, directive: str, name: str | None, uri: str | None) -> Report:
    nginx = Facts(snapshot).nginx
    config = nginx.config
    known = _known(directive, {*config.tree.named})
    if uri is not None and not uri.startswith(("/", "@")):
        raise UsageError(f"--location {uri}: a URI begins with '/', a named location with '@'")
    if name is not None and not name.strip():
        raise UsageError("--server needs a host name, as clients send it")
    table = Table(config, known)
    asked = _Asked(table, nginx.servers, uri)
    chosen = name is not None or uri is not None
    places = asked.named(name) if name is not None else asked.all()
    return Report(
        known,
        config.tree.nginx.version,
        () if chosen else tuple(table.outside()),
        tuple(places) if table.served else (),
        tuple(_notes(table, known)),
    )


def _known(directive: str, used: set[str]) -> str:
    for name in (directive, f"upstream/{directive}"):
        if name in DIRECTIVES or name in used:
            return name
    near = did_you_mean(directive, [*DIRECTIVES, *used])
    raise UsageError(f"'{directive}' is no directive that is known, nor one of this configuration{near}")


def _notes(table: Table, name: str) -> Iterator[str]:
    entry = DIRECTIVES.get(name)
    version = table.config.version
    if entry is None:
        yield "how it is inherited is not known here: what is said is the text of the innermost block"
    elif version is not None and entry.since and version < _numbers(entry.since):
        yield f"it came with nginx {entry.since}: this version says 'unknown directive', and does not start"
    elif entry.gone and (version is None or version >= _numbers(entry.gone)):
        yield f"from nginx {entry.gone} on it does nothing"
    elif entry.since and version is None:
        yield f"it came with nginx {entry.since}; earlier ones say 'unknown directive'"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


class _Asked:
    """The servers, and the location that is asked for (None: all of them)."""

    def __init__(self, table: Table, servers: list[Server], uri: str | None) -> None:
        self.table = table
        self.servers = servers
        self.uri = uri
        tree = table.config.tree
        self.groups = addresses(servers, tree)

    def all(self) -> Iterator[Place]:
        """Every server."""
        listened: dict[Server, list[str]] = {}
        for address, group in self.groups.items():
            for server in group:
                listened.setdefault(server, []).append(address)
        for server in self.servers:
            mine = listened.get(server, [])
            by_default = [self.groups[address][0] for address in mine]
            yield self._place(server, mine, "", by_default[0] if by_default else server)

    def named(self, name: str) -> Iterator[Place]:
        """The servers that take a name, those that have it before those that are but the default."""
        chosen: dict[tuple[Server, str], list[str]] = {}
        unsure: dict[tuple[Server, str], tuple[str, ...]] = {}
        default: dict[tuple[Server, str], Server] = {}
        for one in take(name, self.servers, self.table.config.tree):
            chosen.setdefault((one.server, one.how), []).append(one.address)
            unsure[one.server, one.how] = one.unsure
            default[one.server, one.how] = one.default
        for key in sorted(chosen, key=lambda key: key[1].startswith("as the default")):
            yield self._place(key[0], chosen[key], f"takes {name} {key[1]}", default[key])._replace(unsure=unsure[key])

    def _place(self, server: Server, listened: list[str], how: str, default: Server) -> Place:
        if self.uri is not None:
            return self._located(server, listened, how, default)
        rows = [self.table.row(server.node, server, default)] if self.table.allowed(server.node) else []
        inheriting = 0
        for block in self.table.inside(server):
            row = self.table.row(block, server, default)
            alike = rows and row.answer == rows[0].answer and row.header == rows[0].header
            inheriting += bool(alike)
            rows += [] if alike else [row]
        node = server.node
        return Place(server.id, node.file, node.statement.line, tuple(listened), how, tuple(rows), inheriting)

    def _located(self, server: Server, listened: list[str], how: str, default: Server) -> Place:
        found = find(server.node, self.uri or "/")
        block = found.block if found.block is not None else server.node
        taken = f"{self.table.config.called(block)} takes {self.uri} {found.how}" if found.block else found.how
        row = self.table.row(block, server, default)
        node = server.node
        said = "; ".join(filter(None, [how, taken]))
        return Place(server.id, node.file, node.statement.line, tuple(listened), said, (row,), 0, found.unsure)
