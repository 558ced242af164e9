"""Modules that must be there at boot for the sysctls that a patch writes: a file of modules-load.d(5) of its own."""

from __future__ import annotations

from advisor.catalog.modules import module_of
from advisor.errors import Unread
from advisor.facts.derive import Facts
from advisor.facts.modules import at_boot
from advisor.records import replace
from advisor.remedy.sysctl import SysctlChange
from advisor.snapshot.model import Snapshot

MODULES_LOAD = "/etc/modules-load.d/90-advisor.conf"
"""Where the patch lists modules: systemd-modules-load reads it before systemd-sysctl sets anything."""


def missing_modules(facts: Facts, changes: list[SysctlChange]) -> list[str]:
    """The modules whose keys the patch writes and which nothing loads in time, sorted; none where that is not known."""
    names = {module for change in changes if (module := module_of(change.key)) is not None}
    return sorted(name for name in names if _late(facts.snapshot, name))


def _late(snapshot: Snapshot, module: str) -> bool:
    try:
        return not at_boot(snapshot, module)
    except Unread:
        return False


def modules_file(facts: Facts, names: list[str]) -> bytes:
    """The file: what an earlier patch listed stays."""
    lines = ["# Written by advisor: their sysctls are set at boot, after these modules are loaded."]
    return "\n".join([*lines, *_listed(facts.snapshot, names), ""]).encode()


def with_modules(facts: Facts, snapshot: Snapshot, names: list[str]) -> Snapshot:
    """The snapshot once they are listed."""
    modules = facts.snapshot.modules
    if modules is None or not names:
        return snapshot
    listed = {**modules.at_boot, MODULES_LOAD: _listed(facts.snapshot, names)}
    return replace(snapshot, modules=replace(modules, at_boot=listed))


def _listed(snapshot: Snapshot, names: list[str]) -> list[str]:
    earlier = snapshot.modules.at_boot.get(MODULES_LOAD, []) if snapshot.modules is not None else []
    return sorted({*earlier, *names})
