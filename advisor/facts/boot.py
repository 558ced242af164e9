"""What files set, and which of them has the last word at boot.

systemd-sysctl reads every ``*.conf`` of the sysctl.d folders in the order of their base names, the same name in
/etc masking those in /run, /usr/local/lib, /usr/lib and /lib; procps' ``sysctl --system`` reads /etc/sysctl.conf
after all of them (sysctl.d(5), sysctl(8)).
"""

from __future__ import annotations

import fnmatch
from collections import Counter
from functools import cached_property
from typing import ClassVar

from advisor.catalog.sysctl_dead import DEAD
from advisor.facts.places import Location
from advisor.facts.sysctl import located
from advisor.facts.values import Item
from advisor.formats.sysctl import Setting, parse
from advisor.records import dataclass
from advisor.snapshot.model import Snapshot, SysctlFile

_FOLDERS = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")
_LAST = "/etc/sysctl.conf"
_LINK = "/etc/sysctl.d/99-sysctl.conf"


@dataclass(frozen=True, slots=True)
class Assignment(Item):
    """One line of one file that sets one key."""

    file: SysctlFile
    setting: Setting
    _turn: int

    @property
    def id(self) -> str:  # type: ignore[override]  # computed, never stored
        """The key and the file; a key that a file repeats is numbered."""
        again = f" #{self._turn}" if self._turn > 1 else ""
        return f"{self.setting.key} in {self.file.path}{again}"

    @property
    def key(self) -> str:
        """The key as dotted name."""
        return self.setting.key

    @property
    def value(self) -> str:
        """The text it is set to."""
        return self.setting.value

    @property
    def dead_since(self) -> str | None:
        """Why the key does nothing (``removed in Linux 4.12``); unset for a key that lives."""
        dead = DEAD.get(self.setting.key)
        return dead.since if dead else None

    @property
    def hope(self) -> str | None:
        """What people wrongly hope from a dead key."""
        dead = DEAD.get(self.setting.key)
        return dead.hope if dead else None

    @property
    def location(self) -> Location:
        """The line."""
        return located(self.file, self.setting)


class Boot:
    """The root ``boot``: what the files on disk say."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    @property
    def assignments(self) -> list[Assignment]:
        """Every line that sets a key, in every file read, file by file; a link to /etc/sysctl.conf is that file."""
        return [one for one in self._every if one.file.path != _LINK or one.file.content != self._last]

    @property
    def _last(self) -> bytes | None:
        return next((file.content for file in self._snapshot.sysctl_files or () if file.path == _LAST), None)

    @cached_property
    def _every(self) -> list[Assignment]:
        files: list[SysctlFile] = self._snapshot.need("sysctl_files")
        turns: Counter[tuple[str, str]] = Counter()
        found = []
        for file in files:
            for setting in parse(file.content, file.path).settings:
                turns[file.path, setting.key] += 1
                found.append(Assignment(file, setting, turns[file.path, setting.key]))
        return found

    def after(self, path: str, key: str) -> list[Assignment]:
        """The assignments of a key that are applied after those of the file at ``path``, under either reader.

        An explicit key beats a later glob, so only explicit ones count.
        """
        mine = path.rsplit("/", 1)[-1]
        masked = self._winners
        return [
            one
            for one in self._every
            if one.key == key
            and (one.file.path == _LAST or (one.file.path in masked and one.file.path.rsplit("/", 1)[-1] > mine))
        ]

    @cached_property
    def _winners(self) -> frozenset[str]:
        """The files of the sysctl.d folders that no file of the same name in an earlier folder masks."""
        first: dict[str, str] = {}
        paths = {one.file.path for one in self._every}
        for folder in _FOLDERS:
            for path in sorted(paths):
                if fnmatch.fnmatchcase(path, f"{folder}/*.conf") and path.count("/") == folder.count("/") + 1:
                    first.setdefault(path.rsplit("/", 1)[-1], path)
        return frozenset(first.values())
