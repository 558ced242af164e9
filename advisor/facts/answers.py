"""What applies of one directive, block by block, with the statements that say so and those that they replace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from advisor.catalog.directives import DIRECTIVES, default
from advisor.facts.config import Config
from advisor.facts.effective import HANDLERS, HEADER, applied
from advisor.facts.protocols import Asked, views
from advisor.facts.servers import Server
from advisor.facts.tree import Node

_INSIDE = {"server": "s", "location": "l", "if": "i", "limit_except": "l"}
_OUTSIDE = {"m": "", "e": "events", "h": "http", "u": "upstream"}


class Said(NamedTuple):
    """One statement: its arguments as they stand, its file and line, and the block it stands in."""

    text: str
    file: str
    line: int
    block: str


class Answer(NamedTuple):
    """What applies: the statements; what they replace further out; and what nginx takes where there is none.

    ``default`` is set where nothing applies: nginx's text, or in words why there is none.
    """

    applies: tuple[Said, ...]
    replaced: tuple[Said, ...]
    default: str | None


class Seen(NamedTuple):
    """What one protocol gets: from which block, and why from there."""

    protocol: str
    directive: str
    block: str
    why: str
    answer: Answer | None


class Row(NamedTuple):
    """A block and what applies there. ``header`` is what keepalive_timeout's second argument comes to."""

    block: str
    file: str
    line: int
    answer: Answer
    header: Answer | None = None
    seen: tuple[Seen, ...] = ()


class Table:
    """The answers of one directive, as `Tree.named` calls it."""

    def __init__(self, config: Config, name: str) -> None:
        self.config = config
        self.name = name
        self._contexts = DIRECTIVES[name].contexts if name in DIRECTIVES else ""

    @property
    def served(self) -> bool:
        """Whether it can differ by server or location."""
        return not self._contexts or bool({*self._contexts} & {"s", "l"})

    def outside(self) -> Iterator[Row]:
        """The blocks around all servers, and those that are none of a server's: upstream, events, the top level."""
        tree = self.config.tree
        for letter in self._contexts:
            kind = _OUTSIDE.get(letter)
            if kind == "":
                yield self.row(None)
            elif kind is not None:
                yield from (self.row(node) for node in tree.named.get(kind, ()) if node.statement.block is not None)
        if not self._contexts:
            inside = {"server", *_INSIDE}
            blocks = dict.fromkeys(node.parent for node in tree.named.get(self.name, ()))
            yield from (self.row(block) for block in blocks if block is None or block.name not in inside)

    def allowed(self, block: Node) -> bool:
        """Whether it may stand in a block."""
        return not self._contexts or _INSIDE.get(block.name, "-") in self._contexts

    def inside(self, server: Server) -> Iterator[Node]:
        """The locations of a server where it may stand, in the order of the files; and each ``if`` that sets it."""
        stack = list(reversed(server.node.children))
        while stack:
            node = stack.pop()
            if node.statement.block is None or node.name not in _INSIDE:
                continue
            if self.allowed(node) and (node.name == "location" or self.config.tree.own(node, self.name)):
                yield node
            stack.extend(reversed(node.children))

    def row(self, block: Node | None, server: Server | None = None, default_server: Server | None = None) -> Row:
        """What applies in a block; of a server that is given, also by protocol."""
        seen: tuple[Seen, ...] = ()
        if server is not None:
            location = block if block is not server.node else None
            asked = Asked(self.name, server, location, default_server or server, self.config.version)
            seen = tuple(self._seen(asked))
        file, line = (block.file, block.statement.line) if block is not None else (self.config.tree.nginx.entry, 1)
        header = self.answer(block, HEADER) if self.name == "keepalive_timeout" else None
        return Row(self.config.called(block), file, line, self.answer(block, self.name), header, seen)

    def answer(self, block: Node | None, name: str) -> Answer:
        """What applies of a directive in a block."""
        found = applied(self.config.tree, block, name)
        first = 1 if name == HEADER else 0
        applies = self._said(found.nodes, first)
        replaced = self._said((node for level in found.replaced for node in level), first)
        return Answer(applies, replaced, None if applies else self._default(name))

    def _seen(self, asked: Asked) -> Iterator[Seen]:
        for view in views(asked):
            answer = None if view.block is None else self.answer(view.block, view.name)
            yield Seen(view.protocol, view.name, self.config.called(view.block), view.why, answer)

    def _said(self, nodes: Iterable[Node], first: int) -> tuple[Said, ...]:
        """The statements, with their arguments from the first that matters."""
        return tuple(_said(node, first, self.config.called(node.parent)) for node in nodes)

    def _default(self, name: str) -> str:
        entry = DIRECTIVES.get(name)
        if entry is None:
            return "not sent" if name == HEADER else "not set"
        if name in HANDLERS:
            return "not set, and not inherited"
        if entry.later and self.config.version is None:
            return "; ".join([entry.default or "none", *(f"{text} from {since} on" for since, text in entry.later)])
        return default(name, self.config.version) or "not set; nginx has no default"


def _said(node: Node, first: int, block: str) -> Said:
    text = b" ".join(token.raw for token in node.statement.args[first:])
    return Said(text.decode("utf-8", "surrogateescape"), node.file, node.statement.line, block)
