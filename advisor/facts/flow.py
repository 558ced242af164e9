"""How the value that a finding rests on comes to be in force: from file to file and block to block, line by line.

For nginx: the includes and blocks from the main file down to the directive, with the values that outer levels set,
inherited or replaced. For a sysctl: every line that sets it, in the order in which they are applied, and the value in
force.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from advisor.catalog.sysctl import lookup
from advisor.errors import Unread
from advisor.facts.effective import applied
from advisor.facts.enclosing import chain
from advisor.facts.flow_sysctl import SysctlFlows
from advisor.facts.places import Waypoint
from advisor.facts.tree import Node, Tree, text_of, walk
from advisor.formats.nginx import absolute, column

if TYPE_CHECKING:
    from advisor.facts.derive import Facts
    from advisor.facts.places import Location

MOST = 100
"""Steps that are told of one finding."""

_MOST_TEXT = 200
"""Characters of a value that a step quotes."""


class Value(Protocol):
    """A value that a finding rests on: what it is called, as it prints, and where it was read (``FILE:LINE``)."""

    @property
    def name(self) -> str: ...  # noqa: D102 (see the class)
    @property
    def text(self) -> str: ...  # noqa: D102 (see the class)
    @property
    def source(self) -> str: ...  # noqa: D102 (see the class)


class Found(Protocol):
    """What is asked of a finding here."""

    @property
    def message(self) -> str: ...  # noqa: D102 (see `advisor.findings.Finding`)
    @property
    def location(self) -> Location: ...  # noqa: D102 (likewise)
    @property
    def evidence(self) -> Sequence[Value]: ...  # noqa: D102 (likewise)


def flow(facts: Facts, finding: Found) -> tuple[Waypoint, ...]:
    """The way to a finding's value, its own place last.

    Empty where there is none to tell: the value is set once, in the one file that is read, and nothing replaces it.

    Args:
        facts: those that the finding was judged by.
        finding: the finding.
    """
    try:
        sysctls = [step for key in _keys(finding) for step in SysctlFlows.of(facts).steps(key)]
        steps = [*sysctls, *_nginx(facts, finding, bool(sysctls))]
    except Unread:  # what could not be read is told as unknown by the rules that need it
        return ()
    if len(steps) > MOST:
        steps = [*steps[: MOST - 1], steps[-1]]
    return tuple(steps) if len(steps) > 1 else ()


def _keys(finding: Found) -> list[str]:
    """The sysctls that a finding points at, or rests on."""
    key = finding.location.key or ""
    named = [item.name.removeprefix("sysctl.") for item in finding.evidence if item.name.startswith("sysctl.")]
    names = [key, *named] if "." in key else named
    found = [(name, lookup(name)) for name in names]
    return [*dict.fromkeys(name if known is None else known[0].name for name, known in found)]


def _nginx(facts: Facts, finding: Found, always: bool) -> list[Waypoint]:  # noqa: FBT001 (there is more to tell)
    """The steps in nginx's files; none where they say no more than the finding's own place does."""
    nginx, location = facts.snapshot.nginx, finding.location
    if nginx is None or location.file not in nginx.files:
        return []
    way = _Way(facts, finding)
    steps = [*way.steps(), _own(finding)]
    return steps if way.telling or always else []


def _own(finding: Found) -> Waypoint:
    place = finding.location
    return Waypoint(finding.message, place.file, place.line, place.column, place.excerpt, place.length)


class _Way:
    """The way from the main file to a finding's place. ``telling``: it has more than blocks in the one file."""

    def __init__(self, facts: Facts, finding: Found) -> None:
        self.telling = False
        self._config = facts.nginx.config
        self._tree = self._config.tree
        self._index = _Index.of(self._tree)
        self._place = finding.location
        self._blocks = chain(facts, finding.location)
        self._file = self._tree.nginx.entry
        self._values: dict[Node, str] = {**self._replaced(), **self._evidence(finding)}

    def steps(self) -> Iterator[Waypoint]:
        """The includes and blocks, outermost first; what is set on each level, and what is set elsewhere."""
        yield from self._level(None)
        for block in self._blocks:
            yield from self._into(block.file)
            if (block.file, block.statement.line) != (self._place.file, self._place.line):
                yield self._at(block, f"in {self._config.called(block)}")
            yield from self._level(block)
        around = {None, *self._blocks}
        yield from self._told([node for node in self._values if node.parent not in around])
        yield from self._into(self._place.file or "")

    def _into(self, file: str) -> Iterator[Waypoint]:
        """The includes that lead from the file at hand into another."""
        for node in self._index.includes(self._file, file):
            self.telling = True
            yield self._at(node, f"{self._words(node)} reads {self._index.reads(node, file)}")
        self._file = file

    def _level(self, block: Node | None) -> Iterator[Waypoint]:
        yield from self._told([node for node in self._values if node.parent is block])

    def _told(self, nodes: list[Node]) -> Iterator[Waypoint]:
        for node in sorted(nodes, key=lambda node: (node.file, node.statement.start)):
            self.telling = True
            yield self._at(node, self._values[node])

    def _replaced(self) -> dict[Node, str]:
        """What outer levels set of the directive that the finding points at."""
        block = self._blocks[-1] if self._blocks else None
        key = self._place.key or ""
        name = f"upstream/{key}" if block is not None and block.name == "upstream" else key
        if not self._tree.own(block, name):
            return {}
        levels = applied(self._tree, block, name)
        replaced = [(node, "is replaced further in") for level in levels.replaced for node in level]
        merged = [(node, "applies, too") for level in levels.levels[1:] for node in level]
        return {node: f"{self._words(node)} {what}" for node, what in islice([*replaced, *merged], MOST)}

    def _evidence(self, finding: Found) -> dict[Node, str]:
        """The values that are set elsewhere than where the finding points, and apply there."""
        found: dict[Node, str] = {}
        for item in finding.evidence:
            node = self._index.node(item)
            if node is not None and (node.file, node.statement.line) != (self._place.file, self._place.line):
                applies = " applies" if ".here." in item.name or ".main." in item.name else f": {_named(item)}"
                found.setdefault(node, f"{self._words(node)}{applies}")
        return found

    @staticmethod
    def _words(node: Node) -> str:
        """A statement without its block."""
        words = " ".join([node.name, *node.args])
        return words if len(words) <= _MOST_TEXT else f"{words[: _MOST_TEXT - 1]}…"

    def _at(self, node: Node, text: str) -> Waypoint:
        data, statement = self._tree.nginx.files[node.file].content, node.statement
        end = statement.token.end if statement.block is not None else statement.end
        length = len(data[statement.start : end].split(b"\n")[0].decode("utf-8", "replace"))
        excerpt = text_of(self._tree.nginx, node.file, statement.line, statement.start)
        return Waypoint(text, node.file, statement.line, column(data, statement.start), excerpt, length)


def _named(item: Value) -> str:
    return f"{item.name.rpartition('.')[2]} is {item.text[:_MOST_TEXT]}"


class _Index:
    """The statements of a tree by their lines, and which include leads into which file first."""

    def __init__(self, tree: Tree) -> None:
        self._nginx = tree.nginx
        self._lines: dict[tuple[str, int], Node] = {}
        self._into: dict[str, Node] = {}
        for node in walk(tree.top):
            if node.statement.block is None:
                self._lines.setdefault((node.file, node.statement.line), node)
                if node.name == "include":
                    for path in self._paths(node):
                        self._into.setdefault(path, node)

    @classmethod
    def of(cls, tree: Tree) -> _Index:
        """The index of a tree, made once."""
        kept: _Index | None = tree.__dict__.get("flows")
        if kept is None:
            kept = tree.__dict__["flows"] = cls(tree)
        return kept

    def _paths(self, node: Node) -> list[str]:
        pattern = absolute(self._nginx.entry, node.statement.args[0].text) if node.statement.args else ""
        return self._nginx.includes.get(pattern, [])

    def includes(self, outer: str, inner: str) -> list[Node]:
        """The includes from one file down into another; of a file that is included more than once, the first."""
        found: list[Node] = []
        while inner != outer and inner in self._into and len(found) < MOST:
            found.append(self._into[inner])
            inner = found[-1].file
        return found[::-1]

    def reads(self, node: Node, file: str) -> str:
        """The file that an include reads on the way to another."""
        while self._into.get(file) is not node and file in self._into:
            file = self._into[file].file
        return file

    def node(self, item: Value) -> Node | None:
        """The statement on the line that a value was read from."""
        file, _, line = item.source.rpartition(":")
        return self._lines.get((file, int(line))) if line.isdecimal() and file in self._nginx.files else None
