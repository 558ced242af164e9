"""The root ``modules``: kernel modules whose sysctls files set, and whether they are there when that happens."""

from __future__ import annotations

from typing import Annotated, ClassVar

from advisor.catalog.modules import brings, module_of
from advisor.errors import Unread
from advisor.facts.boot import Boot
from advisor.facts.boot_items import Assignment
from advisor.facts.places import Location
from advisor.facts.schema import From
from advisor.facts.values import Item
from advisor.snapshot import model
from advisor.snapshot.model import Snapshot

_SHOWN = 3
_SOURCE = From("/proc/modules, modules.builtin, modules-load.d")


def at_boot(snapshot: Snapshot, module: str) -> bool:
    """Whether a module is there at boot before sysctls are set.

    It may be built in: the kernel's list says so, or keys of it are there with no module loaded. Else
    systemd-modules-load must load it, or one that needs it.

    Raises:
        Unread: when modules were not read, or the kernel's list would have to be known.
    """
    known: model.Modules = snapshot.need("modules")
    if any(brings(name, module) for names in known.at_boot.values() for name in names):
        return True
    if module in known.loaded:
        return False
    keys = snapshot.sysctls.values if snapshot.sysctls is not None else ()
    if module in (known.builtin or ()) or any(module_of(key) == module for key in keys):
        return True
    if known.builtin is None:
        raise Unread("modules", "this kernel's list of built-in modules could not be read")
    return False


class NeededModule(Item):
    """A module that brings keys which a file sets at boot."""

    __slots__ = ("_lines", "_snapshot", "id")

    def __init__(self, snapshot: Snapshot, module: str, lines: list[Assignment]) -> None:
        self._snapshot = snapshot
        self._lines = lines
        self.id = module

    @property
    def keys(self) -> str:
        """The keys of it that files set."""
        names = list(dict.fromkeys(line.key for line in self._lines))
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return ", ".join(names[:_SHOWN]) + more

    @property
    def loaded(self) -> Annotated[bool, _SOURCE]:
        """Whether it is loaded now."""
        known: model.Modules = self._snapshot.need("modules")
        return self.id in known.loaded

    @property
    def at_boot(self) -> Annotated[bool, _SOURCE]:
        """Whether it is there before sysctls are set: a part of the kernel, or loaded by systemd-modules-load."""
        return at_boot(self._snapshot, self.id)

    @property
    def location(self) -> Location:
        """The first line that sets a key of it."""
        return self._lines[0].location


class ModuleFacts:
    """Modules and sysctls."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(self, snapshot: Snapshot, boot: Boot) -> None:
        self._snapshot = snapshot
        self._boot = boot

    @property
    def needed(self) -> list[NeededModule]:
        """Modules that bring a key which a file read at boot sets; other writers do so when they please."""
        found: dict[str, list[Assignment]] = {}
        for line in self._boot.assignments:
            module = module_of(line.key)
            if module is not None and line.file.writer is None:
                found.setdefault(module, []).append(line)
        return [NeededModule(self._snapshot, module, lines) for module, lines in found.items()]
