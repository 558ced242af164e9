"""The nginx configuration as one tree: every file in its place, every statement with its logical address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property

from advisor.catalog.directives import DIRECTIVES
from advisor.errors import Unread
from advisor.facts.places import Location, Place
from advisor.formats.nginx import FREE_FORM, Statement, absolute, column, line_text
from advisor.snapshot.model import Nginx

_MOST = 2_000_000
"""Statements in one tree, includes expanded; files that include each other twice grow without end."""

_REALMS = {"upstream": "upstream/", "stream": "stream/", "mail": "mail/", **dict.fromkeys(FREE_FORM, None)}
"""Blocks in which the words mean something else: what they are called in `Tree.named`; None for entries of a map."""


_WHOLE = frozenset({"http", "events", "stream", "mail"})
_BESIDE_SERVERS = frozenset({"server", "upstream", "map", "geo", "split_clients"})
_INSIDE_SERVERS = frozenset({"location", "if", "limit_except"})
_AROUND_SERVERS = "meh"
_AROUND_LOCATIONS = "mehsli"

_NONE: list[Node] = []
"""What stands in a simple directive."""


class Node:
    """A statement where it takes effect. ``block`` is its block's path inside its own file (see `Place`)."""

    __slots__ = ("_args", "block", "children", "file", "name", "ordinal", "parent", "statement")

    def __init__(self, statement: Statement, file: str, block: str, ordinal: int, parent: Node | None) -> None:
        self.statement = statement
        self.name = statement.name
        self.file = file
        self.block = block
        self.ordinal = ordinal
        self.parent = parent
        self.children: list[Node] = _NONE if statement.block is None else []
        self._args: list[str] | None = None

    @property
    def args(self) -> list[str]:
        """Its arguments, unquoted; nobody may change the list."""
        if self._args is None:
            self._args = self.statement.texts
        return self._args

    @property
    def place(self) -> Place:
        """Its logical address, true through edits of values."""
        return Place(self.file, self.block, self.name, self.ordinal)

    @property
    def path(self) -> str:
        """As a block: the path its children name as their ``block``."""
        return f"{self.block}/{self.name}#{self.ordinal}".lstrip("/")

    @property
    def at(self) -> str:
        """The line it stands on, for messages."""
        return f"{self.file}:{self.statement.line}"

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


class Tree:
    """The tree below the entry file, includes in place.

    ``named`` holds the statements of each name in the order of the files: those of ``stream``, ``mail`` and
    ``upstream`` blocks under ``stream/NAME`` and so on, and none of a map's entries.

    Raises:
        Unread: when the tree has more than 2,000,000 statements.
        InputError: when a file can't be read as nginx reads it (file:line).
    """

    def __init__(self, nginx: Nginx) -> None:
        self.nginx = nginx
        self.named: dict[str, list[Node]] = {}
        self.top = _expand(nginx, self.named)
        self._setters: dict[str, dict[Node | None, list[Node]]] = {}
        self._counts: dict[str, Counter[Place]] = {}
        self._placed: dict[str, dict[Place, Node]] = {}

    def own(self, block: Node | None, name: str) -> list[Node]:
        """What a block itself sets of that name (None: the top level); empty where it sets nothing."""
        return self._set_in(name).get(block, [])

    def applied(self, block: Node | None, name: str) -> list[Node]:
        """What applies in a block: its own, else what the nearest block around it sets; empty: nginx's default.

        This is the rule of nginx's merging for single and for array directives alike (the lower level's set replaces
        the upper one's). Directives that stand in no block of http are looked up with None.
        """
        setters = self._set_in(name)
        while block not in setters:
            if block is None:
                self._inherits(name)
                return []
            block = block.parent
        return setters[block]

    def chain(self, block: Node | None, name: str) -> list[list[Node]]:
        """What every level from a block outwards sets, innermost first: the first applies, it replaces the others."""
        setters = self._set_in(name)
        levels = [setters[block]] if block in setters else []
        while block is not None:
            block = block.parent
            if block in setters:
                levels.append(setters[block])
        return levels

    @cached_property
    def outer(self) -> str:
        """The contexts around a part of a configuration that some main file includes; empty for a whole one.

        They are written as `Directive.contexts`. What is read tells: a whole one has ``http`` or its like at the top,
        or nothing that could not stand there.
        """
        top = {node.name for node in self.top}
        if top & _WHOLE:
            return ""
        if top & _BESIDE_SERVERS:
            return _AROUND_SERVERS
        inner = top & _INSIDE_SERVERS or any("m" not in DIRECTIVES[name].contexts for name in top & DIRECTIVES.keys())
        return _AROUND_LOCATIONS if inner else ""

    def _inherits(self, name: str) -> None:
        """Make sure that a directive which is not set could not be set around what was read.

        Raises:
            Unread: when it could.
        """
        known = DIRECTIVES.get(name) if self.outer else None
        if known is not None and set(known.contexts) & set(self.outer):
            what = "this is a part of a configuration"
            raise Unread("nginx", f"{what}: {name} may be set where it is included; judge the main file")

    def find(self, place: Place) -> Node | None:
        """The simple directive at a place of http, events or the top level; None where it is not there (yet)."""
        name = place.directive
        if name not in self._placed:
            nodes = (*self.named.get(name, ()), *self.named.get(f"upstream/{name}", ()))
            self._placed[name] = {node.place: node for node in reversed(nodes) if node.statement.block is None}
        return self._placed[name].get(place)

    def count(self, name: str, place: Place) -> int:
        """How often a statement takes effect: more than once where its file is included more than once."""
        if name not in self._counts:
            self._counts[name] = Counter(node.place for node in self.named.get(name, ()))
        return self._counts[name][place]

    def siblings(self, node: Node) -> list[Node]:
        """The simple directives of its name in its block, itself among them."""
        inside = self.top if node.parent is None else node.parent.children
        return [child for child in inside if child.name == node.name and child.statement.block is None]

    def _set_in(self, name: str) -> dict[Node | None, list[Node]]:
        found = self._setters.get(name)
        if found is None:
            found = self._setters[name] = {}
            for node in self.named.get(name, ()):
                found.setdefault(node.parent, []).append(node)
        return found


def _expand(nginx: Nginx, named: dict[str, list[Node]]) -> list[Node]:
    scans = {path: file.statements(path) for path, file in nginx.files.items()}
    first = _Frame(scans[nginx.entry], None, (nginx.entry,))
    stack = [first]
    made = 0
    while stack:
        frame = stack[-1]
        for statement in frame.todo:
            made += 1
            node = frame.node(statement)
            if frame.realm is not None:
                named.setdefault(frame.realm + statement.name, []).append(node)
            if statement.block is not None:
                if statement.block:
                    stack.append(frame.below(node, statement.block))
                    break
            elif statement.name == "include" and statement.args:
                pattern = absolute(nginx.entry, statement.args[0].text)
                paths = [path for path in nginx.includes.get(pattern, ()) if path in scans and path not in frame.files]
                if paths:
                    stack += [frame.included(scans[path], path) for path in reversed(paths)]
                    break
        else:
            stack.pop()
        if made > _MOST:
            raise Unread("nginx", f"the files include each other into more than {_MOST:,} statements")
    return first.out


class _Frame:
    """A block, or an included file, that is being gone through."""

    __slots__ = ("block", "file", "files", "out", "parent", "realm", "seen", "todo")

    def __init__(self, statements: list[Statement], parent: Node | None, files: tuple[str, ...]) -> None:
        """``files``: the includes that lead here, the innermost last."""
        self.todo = iter(statements)
        self.parent = parent
        self.files = files
        self.file = files[-1]
        self.block = ""
        self.realm: str | None = ""
        self.out: list[Node] = []
        self.seen: dict[tuple[str, bool], int] = {}

    def node(self, statement: Statement) -> Node:
        key = (statement.name, statement.block is not None)
        ordinal = self.seen.get(key, 0)
        self.seen[key] = ordinal + 1
        node = Node(statement, self.file, self.block, ordinal, self.parent)
        self.out.append(node)
        return node

    def below(self, node: Node, statements: list[Statement]) -> _Frame:
        frame = _Frame(statements, node, self.files)
        frame.block = node.path
        frame.out = node.children
        frame.realm = _REALMS.get(node.name, "") if self.realm == "" else self.realm
        return frame

    def included(self, statements: list[Statement], path: str) -> _Frame:
        frame = _Frame(statements, self.parent, (*self.files, path))
        frame.out = self.out
        frame.realm = self.realm
        return frame


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
        excerpt=text_of(nginx, node.file, mark.line, mark.start),
        key=node.name,
    )


def text_of(nginx: Nginx, file: str, line: int, offset: int) -> str:
    """The text of the line an offset stands on: one object for all that stands there, for a file may be one long line.

    Args:
        nginx: the configuration.
        file: one of its files.
        line: the line's number.
        offset: any on that line, in bytes.
    """
    kept: dict[int, str] = nginx.files[file].__dict__.setdefault("lines", {})
    if line not in kept:
        kept[line] = line_text(nginx.files[file].content, offset)
    return kept[line]


def walk(nodes: list[Node]) -> Iterator[Node]:
    """Every node, in the order of the files."""
    stack = list(reversed(nodes))
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))
