"""Which value of each directive applies to each http block, server and location: the innermost one wins.

Only the directives of `advisor.catalog.directives` are followed.
"""

from __future__ import annotations

from advisor.catalog.directives import DIRECTIVES
from advisor.facts.tree import Node

_SCOPES = frozenset({"http", "server", "location", "if", "limit_except"})

Values = dict[str, tuple[tuple[str, ...], ...]]
"""Directive to the argument lists that apply."""


def effective(tree: list[Node]) -> dict[str, Values]:
    """The values that apply to each scope, by its logical address: file and block path of each block down to it."""
    found: dict[str, Values] = {}
    stack: list[tuple[list[Node], str, Values]] = [(tree, "", {})]
    while stack:
        nodes, scope, inherited = stack.pop()
        values = {**inherited, **_own(nodes)}
        found[scope] = values
        stack.extend(
            (node.children, _below(scope, node), values)
            for node in nodes
            if node.statement.block is not None and node.name in _SCOPES
        )
    return found


def _own(nodes: list[Node]) -> Values:
    own: Values = {}
    for node in nodes:
        entry = DIRECTIVES.get(node.name)
        if entry is not None and node.statement.block is None:
            before = own.get(node.name, ()) if entry.array else ()
            own[node.name] = (*before, tuple(node.args))
    return own


def scope_of(node: Node) -> str:
    """The scope a statement stands in, as `effective` calls it."""
    scope = ""
    for block in reversed([*node.ancestors()]):
        if block.name in _SCOPES:
            scope = _below(scope, block)
    return scope


def _below(scope: str, block: Node) -> str:
    return f"{scope} > {block.file}:{block.path}".removeprefix(" > ")
