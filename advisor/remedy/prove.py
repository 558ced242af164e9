"""Only what was meant changed: the effective values of every block, before and after."""

from __future__ import annotations

from advisor.errors import PlanError
from advisor.facts.derive import Facts
from advisor.facts.effective import HEADER, Difference, Scopes, Values, differences
from advisor.facts.tree import Node, walk
from advisor.remedy.nginx import NginxChange


def only_what_was_meant(before: Facts, after: Facts, changes: list[NginxChange]) -> None:
    """Compare the value of every directive in every block.

    Raises:
        PlanError: when a value differs that no planned directive of that block, or of one around it, sets so: an
            inserted directive can silently replace a whole inherited set.
    """
    if not changes:
        return
    was, now = Scopes(before.nginx.config.tree), Scopes(after.nginx.config.tree)
    meant = _Meant(was, now, changes)
    for one in differences(was, now):
        if not meant.holds(one):
            where = one.scope or "the file"
            raise PlanError(f"the edit would also change {one.name} in {where}; nothing is written")


class _Meant:
    """What shall apply, by block and directive; and the blocks that are new as a whole."""

    def __init__(self, was: Scopes, now: Scopes, changes: list[NginxChange]) -> None:
        self.was = was
        self.now = now
        self.meant: dict[tuple[str, str], list[Values]] = {}
        self.new: set[str] = set()
        planned = {change.place: change.meant for change in changes}
        names = {place.directive for place in planned}
        for scopes in (was, now):
            for node in walk(scopes.tree.top):
                if node.name in names and node.place in planned:
                    self._plan(scopes, node, planned[node.place])

    def _plan(self, scopes: Scopes, node: Node, meant: Values) -> None:
        if node.statement.block is not None:
            self.new |= {scopes.scope(node)} - self.was.blocks.keys()
            return
        scope, name = scopes.scope(node.parent), scopes.name(node)
        if name == "keepalive_timeout":
            self._mean(scope, HEADER, tuple(args[1:2] for args in meant if len(args) > 1))
            meant = tuple(args[:1] for args in meant)
        self._mean(scope, name, meant)

    def _mean(self, scope: str, name: str, values: Values) -> None:
        self.meant.setdefault((scope, name), []).append(values)

    def holds(self, one: Difference) -> bool:
        """Whether a plan for that block, or for one around it, says so: what is taken out leaves what is inherited."""
        scope: str | None = one.scope
        while scope is not None:
            around = self.now.around.get(scope, self.was.around.get(scope))
            inherited = self.now.value(around, one.name) if around is not None else ()
            meant = self.meant.get((scope, one.name), [])
            if scope in self.new or any(one.now == (values or inherited) for values in meant):
                return True
            scope = around
        return False
