"""Directives as facts: the value that applies in a block (``here.sendfile``), and each place that sets one.

A value is what nginx makes of the first argument: true or false, seconds, bytes, a count, or a word; of a directive
that takes several, the whole text. Where nothing sets it, it is the default of the version at hand.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, TypeVar

from advisor.catalog.directives import DIRECTIVES
from advisor.errors import Unread
from advisor.facts.config import Config, Value, read
from advisor.facts.places import Location, Place
from advisor.facts.tree import Node, Tree, locate
from advisor.facts.values import Count, Item, Seconds, Size, numberless


class Here:
    """The values that apply in a block; names go on with a directive, ``upstream.keepalive`` with one of upstream."""

    FACT_KIND: ClassVar[str] = "directives"
    __slots__ = ("block", "config")

    def __init__(self, config: Config, block: Node | None) -> None:
        self.config = config
        self.block = block

    def value(self, name: str) -> Value | None:
        """What applies."""
        return self.config.value(self._block(name), name)

    def origin(self, name: str) -> str:
        """Where it stands."""
        return self.config.origin(self._block(name), name)

    def _block(self, name: str) -> Node | None:
        """Directives of ``events`` are looked up there, wherever one asks from."""
        if DIRECTIVES[name].contexts == "e":
            return next(iter(self.config.tree.named.get("events", ())), None)
        return self.block


class Block(Item):
    """A block of the configuration, or something that stands in one: ``block`` is where its values are looked up."""

    __slots__ = ("_block", "_config", "_node", "id")

    def __init__(self, config: Config, block: Node | None, node: Node | None, name: str) -> None:
        """``node`` is where findings point; ``name`` the id."""
        self._config = config
        self._block = block
        self._node = node
        self.id = name

    @property
    def here(self) -> Here:
        """The values that apply in this block."""
        return Here(self._config, self._block)

    @property
    def block(self) -> str:
        """The kind of block: main, events, http, server, location, if, upstream."""
        return self._block.name if self._block is not None else "main"

    @property
    def location(self) -> Location:
        """Where it stands."""
        node = self._node
        if node is None:
            return Location(logical=self.id, file=self._config.tree.nginx.entry)
        simple = node.statement.block is None and node.args
        return locate(self._config.tree.nginx, node, 0 if simple else None)

    def place(self, directive: str) -> Place:
        """Where a directive would be written so that it applies here: where this very block sets it, else new."""
        return place_for(self._config.tree, self._block, directive)


def place_for(tree: Tree, block: Node | None, directive: str) -> Place:
    """Where a directive would be written so that it applies in a block.

    Args:
        tree: the configuration.
        block: the block; directives of main or events go to their own level, wherever that is asked from.
        directive: one of the catalogue.

    Raises:
        Unread: when it may not stand there.
    """
    entry = DIRECTIVES[directive]
    if entry.contexts == "m":
        block = None
    elif entry.contexts == "e":
        block = next(iter(tree.named.get("events", ())), None)
        if block is None:
            raise Unread("nginx", f"there is no events block to give {entry.word} to")
    elif block is None or _letter(block) not in entry.contexts:
        where = block.name if block is not None else "the main context"
        raise Unread("nginx", f"{entry.word} may not stand in {where}")
    own = tree.own(block, directive)
    if own:
        return own[-1].place
    if block is None:
        return Place(tree.nginx.entry, "", entry.word)
    return Place(block.file, block.path, entry.word)


def _letter(block: Node) -> str:
    return {"if": "i", "limit_except": "-"}.get(block.name, block.name[0])


class Setting(Block):
    """A place that sets a directive; ``here`` are the values that apply in the block it stands in.

    ``again`` are the blocks that it stands in where its file is included once more.
    """

    __slots__ = ("again",)

    def __init__(self, config: Config, block: Node | None, node: Node | None, name: str) -> None:
        """As `Block`; the id ends with what the block is called."""
        super().__init__(config, block, node, name)
        self.again: list[Node | None] = []

    def also(self) -> tuple[str, ...]:
        """Its place by the blocks of the other includes: which of them comes first, one more server may change."""
        name, block = self.lasting(), numberless(self._config.called(self._block))
        if not name.endswith(block):
            return ()
        called = (numberless(self._config.called(block)) for block in self.again)
        return tuple(dict.fromkeys(name.removesuffix(block) + words for words in called))

    @property
    def text(self) -> str:
        """Its arguments as they stand."""
        return " ".join(self._setter.args)

    @property
    def directive(self) -> str:
        """The directive's name."""
        return self._setter.name

    @property
    def alone(self) -> bool:
        """Whether its block sets it once only."""
        return len(self._config.tree.own(self._block, self._name)) == 1

    def place(self, directive: str) -> Place:
        """Where it stands itself, or where another directive would be written so that it applies in its block."""
        node = self._setter
        return node.place if directive == self._name else place_for(self._config.tree, self._block, directive)

    @property
    def _setter(self) -> Node:
        if self._node is None:
            raise TypeError(self.id)
        return self._node

    @property
    def _name(self) -> str:
        realm = "upstream/" if self.block == "upstream" else ""
        return realm + self._setter.name


class FlagSetting(Setting):
    """A place that sets an on-off directive."""

    __slots__ = ()

    @property
    def value(self) -> bool:
        """Whether it is on."""
        return bool(read(self._setter, self._name))


class TimeSetting(Setting):
    """A place that sets a time."""

    __slots__ = ()

    @property
    def value(self) -> Seconds:
        """The time."""
        return float(read(self._setter, self._name))


class SizeSetting(Setting):
    """A place that sets a size."""

    __slots__ = ()

    @property
    def value(self) -> Size:
        """The size."""
        return int(read(self._setter, self._name))


class CountSetting(Setting):
    """A place that sets a number."""

    __slots__ = ()

    @property
    def value(self) -> Count:
        """The number."""
        return int(read(self._setter, self._name))


class WordSetting(Setting):
    """A place that sets a word, or several."""

    __slots__ = ()

    @property
    def value(self) -> str:
        """The first argument; of a directive that takes several, all of them."""
        return str(read(self._setter, self._name))


BY_KIND: dict[str, type[Setting]] = {
    "flag": FlagSetting,
    "time": TimeSetting,
    "size": SizeSetting,
    "count": CountSetting,
    "word": WordSetting,
    "words": WordSetting,
}


class Setters:
    """Every place that sets a directive; names go on with one."""

    FACT_KIND: ClassVar[str] = "setters"

    def __init__(self, config: Config) -> None:
        self._config = config
        self._all: dict[str, list[Setting]] = {}

    def all(self, name: str) -> list[Setting]:
        """The places that set it: one item a place of the files, the first where a file is included twice."""
        if name not in self._all:
            made = BY_KIND[DIRECTIVES[name].kind]
            self._all[name] = settings(self._config, self._config.tree.named.get(name, ()), made)
        return self._all[name]


Made = TypeVar("Made", bound=Setting)


def settings(config: Config, nodes: Iterable[Node], made: type[Made]) -> list[Made]:
    """Statements as items; a file that is included twice has its statements once."""
    called: dict[str, int] = {}
    items: dict[int, Made] = {}
    for node in nodes:
        if id(node.statement) in items:
            items[id(node.statement)].again.append(node.parent)
            continue
        words = config.called(node.parent)
        count = called[words] = called.get(words, 0) + 1
        items[id(node.statement)] = made(config, node.parent, node, words if count == 1 else f"{words} #{count}")
    return list(items.values())
