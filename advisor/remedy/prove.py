"""Only what was meant changed: the effective values of every server and location, before and after."""

from __future__ import annotations

from advisor.errors import PlanError
from advisor.facts.derive import Facts
from advisor.facts.effective import effective
from advisor.remedy.nginx import NginxChange


def only_what_was_meant(before: Facts, after: Facts, changes: list[NginxChange]) -> None:
    """Compare the value of every inherited directive in every scope.

    Raises:
        PlanError: when a directive that was not planned has another value somewhere: an inserted directive can
            silently replace a whole inherited set.
    """
    if not changes:
        return
    planned = {change.place.directive for change in changes}
    texts = {change.after for change in changes}
    was, is_now = effective(before.nginx.tree()), effective(after.nginx.tree())
    for scope in was.keys() | is_now.keys():
        old, new = was.get(scope, {}), is_now.get(scope, {})
        for name in old.keys() | new.keys():
            if old.get(name) == new.get(name):
                continue
            said = {" ".join([name, *args]) for args in new.get(name, ())}
            if name not in planned or not said <= texts:
                raise PlanError(f"the edit would also change {name} in {scope or 'the file'}; nothing is written")
