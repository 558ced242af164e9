"""What rules range over of the files that are read at boot: lines, and files that are not what they seem."""

from __future__ import annotations

from advisor.catalog.writers import TUNED
from advisor.facts.places import Location
from advisor.facts.sysctl import located
from advisor.facts.values import Count, Item
from advisor.formats.sysctl import Setting
from advisor.records import dataclass
from advisor.snapshot.model import SysctlFile

_FILE = "file"
"""The logical place of what a whole file is: its name may change."""


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

    def lasting(self) -> str:
        """The key."""
        return self.setting.key

    @property
    def key(self) -> str:
        """The key as dotted name."""
        return self.setting.key

    @property
    def value(self) -> str:
        """The text it is set to; without TuneD's quotes and its ``>``, which says that less is raised to it."""
        if self.file.writer is not None and self.file.writer.startswith(TUNED):
            return self.setting.value.strip("\"'").lstrip("<>").strip()
        return self.setting.value

    @property
    def location(self) -> Location:
        """The line."""
        return located(self.file, self.setting)


@dataclass(frozen=True, slots=True)
class NoSettings(Item):
    """A file with lines that both readers pass over, or take differently."""

    file: SysctlFile
    _problems: tuple[tuple[int, str], ...]

    @property
    def id(self) -> str:  # type: ignore[override]  # computed, never stored
        """The file."""
        return self.file.path

    def lasting(self) -> str:
        """A file: which one, its place in the files says."""
        return _FILE

    @property
    def lines(self) -> Count:
        """How many there are."""
        return len(self._problems)

    @property
    def first(self) -> str:
        """What is wrong with the first of them."""
        return self._problems[0][1].removeprefix(f"{self.file.path}:{self._problems[0][0]}: ")

    @property
    def location(self) -> Location:
        """The first of them."""
        number = self._problems[0][0]
        line = self.file.content.split(b"\n")[number - 1].decode("utf-8", "replace").rstrip("\r")
        return Location(self.file.path, self.file.path, number, 1, len(line), line)


@dataclass(frozen=True, slots=True)
class Ignored(Item):
    """A file in a folder of sysctl.d that no reader takes, and what it would set."""

    file: SysctlFile
    settings: tuple[Setting, ...]

    @property
    def id(self) -> str:  # type: ignore[override]  # computed, never stored
        """The file."""
        return self.file.path

    def lasting(self) -> str:
        """A file, as `NoSettings`."""
        return _FILE

    @property
    def keys(self) -> str:
        """The keys it would set."""
        return _listed([one.key for one in self.settings])

    @property
    def location(self) -> Location:
        """Its first setting."""
        return located(self.file, self.settings[0])


@dataclass(frozen=True, slots=True)
class Masked(Item):
    """A file that is not read because another of its name stands in an earlier folder, and the keys that are lost."""

    file: SysctlFile
    _by: SysctlFile
    _lost: tuple[str, ...]

    @property
    def id(self) -> str:  # type: ignore[override]  # computed, never stored
        """The file."""
        return self.file.path

    def lasting(self) -> str:
        """A file, as `NoSettings`."""
        return _FILE

    @property
    def by(self) -> str:
        """The file that is read instead."""
        return self._by.path

    @property
    def lost(self) -> str | None:
        """The keys that it sets and the other does not; unset where the other sets all of them."""
        return _listed(self._lost) if self._lost else None

    @property
    def location(self) -> Location:
        """The file that is read instead."""
        return Location(self._by.path, self._by.path, 1, 1)


@dataclass(frozen=True, slots=True)
class Unapplied(Item):
    """/etc/sysctl.conf, where nothing applies it at boot, and the keys whose value is another then."""

    file: SysctlFile
    settings: tuple[Setting, ...]
    _lost: tuple[str, ...]

    @property
    def id(self) -> str:  # type: ignore[override]  # computed, never stored
        """The file."""
        return self.file.path

    def lasting(self) -> str:
        """A file, as `NoSettings`."""
        return _FILE

    @property
    def lost(self) -> str | None:
        """The keys that boot leaves at another value; unset where other files or the kernel say the same."""
        return _listed(self._lost) if self._lost else None

    @property
    def settings_count(self) -> Count:
        """How many lines of it set something."""
        return len(self.settings)

    @property
    def location(self) -> Location:
        """Its first setting."""
        return located(self.file, self.settings[0])


def _listed(keys: tuple[str, ...] | list[str]) -> str:
    """At most four of them, each once, and how many more."""
    names = [*dict.fromkeys(keys)]
    most = 4
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
