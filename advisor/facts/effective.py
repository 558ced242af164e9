"""Which values apply in each block, and whether two configurations differ in any.

A block gets what it sets itself, else what the nearest block around it sets, as a whole: that is how nginx merges most
directives. The others are: what passes requests on, which only the ``if`` and ``limit_except`` of a location inherit;
``add_header`` and ``add_trailer``, whose inheritance has directives of its own; and the second argument of
``keepalive_timeout``, which inherits apart from the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from advisor.catalog.directives import DIRECTIVES
from advisor.facts.tree import Node, Tree

Values = tuple[tuple[str, ...], ...]
"""The arguments of each statement that applies."""

HEADER = "keepalive_timeout header"
"""What the second argument of ``keepalive_timeout`` is called here."""

HANDLERS = frozenset({"proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass"})
"""Not inherited by locations (``clcf->noname`` in the merging of ngx_http_proxy_module.c and its like)."""

_WITHIN = frozenset({"if", "limit_except"})
_MERGING = {"add_header": "add_header_inherit", "add_trailer": "add_trailer_inherit"}


class Applied(NamedTuple):
    """The statements of each level that apply together, innermost first; and those that they replace."""

    levels: list[list[Node]]
    replaced: list[list[Node]]

    @property
    def nodes(self) -> list[Node]:
        """All that apply, the innermost level first."""
        return [node for level in self.levels for node in level]


def applied(tree: Tree, block: Node | None, name: str) -> Applied:
    """What applies in a block.

    Args:
        tree: the configuration.
        block: None for the top level.
        name: as `Tree.named` calls it. One that is not in the catalogue is taken to be inherited like most.
    """
    if name == HEADER:
        levels = [level for level in tree.chain(block, "keepalive_timeout") if len(level[-1].args) > 1]
        return Applied(levels[:1], levels[1:])
    if name in HANDLERS:
        around = block.parent if block is not None and block.name in _WITHIN else None
        return Applied(
            [own for own in (tree.own(block, name), tree.own(around, name) if around else []) if own][:1], []
        )
    levels = tree.chain(block, name)
    merging = _MERGING.get(name)
    if merging is None or not levels or merging not in tree.named:
        return Applied(levels[:1], levels[1:])
    return _merged(tree, block, name, merging)


def _merged(tree: Tree, block: Node | None, name: str, merging: str) -> Applied:
    """The levels from a block outwards, as far as ``add_header_inherit`` lets them through (since nginx 1.29.3)."""
    levels: list[list[Node]] = []
    here = block
    while True:
        own = tree.own(here, name)
        levels += [own] if own else []
        rules = tree.applied(here, merging)
        mode = "".join(rules[-1].args[:1]) if rules else "on"
        if here is None or mode == "off" or (own and mode != "merge"):
            break
        here = here.parent
    return Applied(levels, [level for level in tree.chain(block, name) if level not in levels])


def values(tree: Tree, block: Node | None, name: str) -> Values:
    """The arguments that apply in a block; empty where nothing is set."""
    found = applied(tree, block, name).nodes
    if name == HEADER:
        return tuple((node.args[1],) for node in found[-1:])
    if name == "keepalive_timeout":
        return tuple(tuple(node.args[:1]) for node in found[-1:])
    entry = DIRECTIVES.get(name)
    if entry is not None and not entry.array:
        found = found[-1:]
    return tuple(tuple(node.args) for node in found)


class Difference(NamedTuple):
    """A value that differs in one block: before and after."""

    scope: str
    name: str
    was: Values
    now: Values


class Scopes:
    """A tree by its blocks: each is called by file and block path of every block down to it, the top level ``""``.

    What stands in a block and is not in the catalogue counts as that block's own, inherited by none; so do the
    arguments of the blocks themselves. Entries of ``map`` and its like have names of their own (``map/default``).
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.blocks: dict[str, Node | None] = {"": None}
        self.around: dict[str, str] = {}
        self.own: dict[str, dict[str, Values]] = {}
        self._called: dict[Node | None, str] = {None: ""}
        self._realms: dict[Node | None, str] = {None: ""}
        stack: list[tuple[Node | None, list[Node]]] = [(None, tree.top)]
        while stack:
            block, nodes = stack.pop()
            scope = self._called[block]
            for node in nodes:
                if node.statement.block is not None:
                    self._enter(node, scope)
                    stack.append((node, node.children))
                self._add(self.name(node), self._called.get(node, scope), tuple(node.args))

    def _enter(self, node: Node, scope: str) -> None:
        below = f"{scope} > {node.file}:{node.path}".removeprefix(" > ")
        self._called[node] = below
        self.blocks[below] = node
        self.around[below] = scope
        around = self._realms[node.parent]
        self._realms[node] = around if node.name in _SHARED else f"{around}{node.name}/"

    def _add(self, name: str, scope: str, args: tuple[str, ...]) -> None:
        own = self.own.setdefault(name, {})
        own[scope] = (*own.get(scope, ()), args)
        if name == "keepalive_timeout" and len(args) > 1:
            self._add(HEADER, scope, args[1:])

    def scope(self, block: Node | None) -> str:
        """What a block is called."""
        return self._called[block]

    def name(self, node: Node) -> str:
        """What a statement's directive is called."""
        return f"{self._realms[node.parent]}{node.name}"

    def value(self, scope: str, name: str) -> Values:
        """What applies in a block, of a directive of the catalogue; of anything else, what stands in it."""
        if scope in self.blocks and (name in DIRECTIVES or name == HEADER):
            return values(self.tree, self.blocks[scope], name)
        return self.own.get(name, {}).get(scope, ())


_SHARED = frozenset({"events", "http", "server", "location", "if", "limit_except"})
"""Blocks in which a word means what it means around them."""


def differences(before: Scopes, after: Scopes) -> Iterator[Difference]:
    """Every value that differs in a block that one of them has; in time linear in what there is to compare.

    Blocks that only inherit differently because they are new, or gone, are no difference of their own.
    """
    changed = {name for name in before.own.keys() | after.own.keys() if before.own.get(name) != after.own.get(name)}
    changed |= {name for name, merging in _MERGING.items() if merging in changed}
    both = before.blocks.keys() & after.blocks.keys()
    for name in sorted(changed):
        for scope in {**before.blocks, **after.blocks}:
            was, now = before.value(scope, name), after.value(scope, name)
            if was != now and (scope in both or _own(before, after, scope, name)):
                yield Difference(scope, name, was, now)


def _own(before: Scopes, after: Scopes, scope: str, name: str) -> bool:
    return scope in before.own.get(name, {}) or scope in after.own.get(name, {})
