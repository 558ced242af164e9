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
        return self.id in self._modules.loaded

    @property
    def builtin(self) -> Annotated[bool, _SOURCE]:
        """Whether it is part of the kernel itself: its list says so, or keys are there with no module loaded."""
        if self.loaded:
            return False
        if self.id in (self._modules.builtin or ()):
            return True
        live = self._snapshot.sysctls
        if live is not None and any(module_of(key) == self.id for key in live.values):
            return True
        if self._modules.builtin is None:
            raise Unread("modules", "this kernel's list of built-in modules could not be read")
        return False

    @property
    def at_boot(self) -> Annotated[bool, _SOURCE]:
        """Whether systemd-modules-load loads it, or one that needs it, before sysctls are set."""
        return any(brings(name, self.id) for names in self._modules.at_boot.values() for name in names)

    @property
    def location(self) -> Location:
        """The first line that sets a key of it."""
        return self._lines[0].location

    @property
    def _modules(self) -> model.Modules:
        found: model.Modules = self._snapshot.need("modules")
        return found


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
