"""Only what was meant changed: the effective values of every server and location, before and after."""

from __future__ import annotations

from advisor.errors import PlanError
from advisor.facts.derive import Facts
from advisor.facts.effective import effective, scope_of
from advisor.facts.tree import walk
from advisor.remedy.nginx import NginxChange


def only_what_was_meant(before: Facts, after: Facts, changes: list[NginxChange]) -> None:
    """Compare the value of every inherited directive in every scope.

    Raises:
        PlanError: when a value differs that no planned directive of that scope, or of one around it, sets so: an
            inserted directive can silently replace a whole inherited set.
    """
    if not changes:
        return
    planned = {change.place: change.meant for change in changes}
    meant = {
        (scope_of(node), node.name): planned[node.place]
        for facts in (before, after)
        for node in walk(facts.nginx.tree())
        if node.place in planned
    }
    was, is_now = effective(before.nginx.tree()), effective(after.nginx.tree())
    for scope in was.keys() | is_now.keys():
        old, new = was.get(scope, {}), is_now.get(scope, {})
        for name in old.keys() | new.keys():
            said = new.get(name, ())
            if said == old.get(name, ()):
                continue
            wanted = (where for (where, one), values in meant.items() if one == name and values == said)
            if not any(_within(scope, where) for where in wanted):
                raise PlanError(f"the edit would also change {name} in {scope or 'the file'}; nothing is written")


def _within(scope: str, outer: str) -> bool:
    return not outer or scope == outer or scope.startswith(f"{outer} > ")
