"""The nginx configuration as one tree: every file in its place, every statement with its logical address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from advisor.errors import Unread
from advisor.facts.places import Location, Place
from advisor.formats.nginx import Statement, absolute, column, line_text, scan
from advisor.snapshot.model import Nginx

_MOST = 2_000_000
"""Statements in one tree, includes expanded; files that include each other twice grow without end."""


@dataclass(slots=True, eq=False)
class Node:
    """A statement where it takes effect. ``block`` is its block's path inside its own file (see `Place`)."""

    statement: Statement
    file: str
    block: str
    ordinal: int
    parent: Node | None
    children: list[Node] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The directive's name."""
        return self.statement.name

    @property
    def args(self) -> list[str]:
        """Its arguments, unquoted."""
        return [token.text for token in self.statement.args]

    @property
    def place(self) -> Place:
        """Its logical address, true through edits of values."""
        return Place(self.file, self.block, self.name, self.ordinal)

    @property
    def path(self) -> str:
        """As a block: the path its children name as their ``block``."""
        return f"{self.block}/{self.name}#{self.ordinal}".lstrip("/")

    def ancestors(self) -> Iterator[Node]:
        """The blocks around it, innermost first."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    def within(self, name: str) -> bool:
        """Whether a block of that name is around it."""
        return any(node.name == name for node in self.ancestors())

    def all(self, name: str) -> list[Node]:
        """The children of that name."""
        return [child for child in self.children if child.name == name]


@dataclass(slots=True)
class _Frame:
    todo: Iterator[Statement]
    file: str
    block: str
    parent: Node | None
    out: list[Node]
    chain: tuple[str, ...]
    seen: Counter[tuple[str, bool]]


def expand(nginx: Nginx) -> list[Node]:
    """The tree below the entry file, includes in place.

    Raises:
        Unread: when the tree has more than 2,000,000 statements.
        InputError: when a file can't be read as nginx reads it (file:line).
    """
    scans = {path: scan(file.content, path) for path, file in nginx.files.items()}
    top: list[Node] = []
    stack = [_Frame(iter(scans[nginx.entry]), nginx.entry, "", None, top, (nginx.entry,), Counter())]
    made = 0
    while stack:
        frame = stack[-1]
        statement = next(frame.todo, None)
        if statement is None:
            stack.pop()
            continue
        made += 1
        if made > _MOST:
            raise Unread("nginx", f"the files include each other into more than {_MOST:,} statements")
        key = (statement.name, statement.block is not None)
        node = Node(statement, frame.file, frame.block, frame.seen[key], frame.parent)
        frame.seen[key] += 1
        frame.out.append(node)
        if statement.block is not None:
            inner = node.path
            stack.append(_Frame(iter(statement.block), frame.file, inner, node, node.children, frame.chain, Counter()))
        elif statement.name == "include" and statement.args:
            pattern = absolute(nginx.entry, statement.args[0].text)
            stack += [
                _Frame(iter(scans[path]), path, "", frame.parent, frame.out, (*frame.chain, path), Counter())
                for path in reversed(nginx.includes.get(pattern, []))
                if path in scans and path not in frame.chain
            ]
    return top


def locate(nginx: Nginx, node: Node, argument: int | None = None) -> Location:
    """Where a statement, or one argument of it, stands in its file."""
    data = nginx.files[node.file].content
    mark = node.statement.token if argument is None else node.statement.args[argument]
    end = node.statement.end if argument is None and node.statement.block is None else mark.end
    return Location(
        logical=node.path,
        file=node.file,
        line=mark.line,
        column=column(data, mark.start),
        length=max(1, len(data[mark.start : end].split(b"\n")[0].decode("utf-8", "replace"))),
        excerpt=line_text(data, mark.start),
        key=node.name,
    )


def walk(nodes: list[Node]) -> Iterator[Node]:
    """Every node, in the order of the files."""
    stack = list(reversed(nodes))
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))
