"""The root ``boot``: what the files on disk set, and which of them has the last word at boot.

`advisor.facts.boot_readers` has the two programs that read sysctl.d, `advisor.facts.boot_items` what rules range over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import ClassVar

from advisor.catalog.sysctl import KEYS
from advisor.catalog.writers import SYSTEMD_SYSCTL
from advisor.errors import Unread
from advisor.facts.boot_items import Assignment, Ignored, Masked, NoSettings, Unapplied
from advisor.facts.boot_key import Around, BootKey
from advisor.facts.boot_readers import LAST, Outcome, Reading, masked, order, place, target
from advisor.facts.boot_writers import thirds
from advisor.formats.sysctl import PROCPS, SYSTEMD, Parsed, Reader, parse
from advisor.snapshot.model import Snapshot, SysctlFile

__all__ = ["Assignment", "Boot"]

_LINK = "/etc/sysctl.d/99-sysctl.conf"


class Boot:
    """What files on disk set, and what is left of it."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._read: dict[str, Parsed] = {}

    @property
    def assignments(self) -> list[Assignment]:
        """Every line that sets a key, of every file given or read at boot or by another writer; a linked file once."""
        turns: Counter[tuple[str, str]] = Counter()
        found = []
        for file in self._heard:
            for setting in self.parsed(file).settings:
                turns[file.path, setting.key] += 1
                found.append(Assignment(file, setting, turns[file.path, setting.key]))
        return found

    @cached_property
    def keys(self) -> list[BootKey]:
        """Every key of the catalogue that a file sets at boot, or that ``sysctl --system`` would set."""
        names = {key for reader in (SYSTEMD, PROCPS) for key in self.outcomes(reader)}
        return [self.key(name) for name in sorted(names & KEYS.keys())]

    @property
    def no_settings(self) -> list[NoSettings]:
        """Files with lines that set nothing, among those read at boot: both readers pass over these lines."""
        return [
            NoSettings(file, tuple(self.parsed(file).problems))
            for file in self._heard
            if not file.given and file.writer is None and self.parsed(file).problems
        ]

    @property
    def ignored(self) -> list[Ignored]:
        """Files among those read at boot whose name does not end in ``.conf``: no reader takes them."""
        return [
            Ignored(file, tuple(self.parsed(file).settings))
            for file in self.files
            if place(file.path) is not None and not file.path.endswith(".conf") and self.parsed(file).settings
        ]

    @property
    def masked(self) -> list[Masked]:
        """Files that another of the same name replaces as a whole; one that sets nothing (/dev/null) does it openly."""
        return [
            Masked(file, other, tuple(sorted(self._keys_of(file) - self._keys_of(other))))
            for file, other in masked(self.files)
            if self._keys_of(other)
        ]

    @property
    def unapplied(self) -> list[Unapplied]:
        """/etc/sysctl.conf, where systemd-sysctl is installed and no link in a folder leads it there."""
        last = self._last
        if last is None or not self._systemd or self._is_linked:
            return []
        settings = tuple(self.parsed(last).settings)
        lost = tuple(one.id for one in self.keys if one.only_by_hand)
        return [Unapplied(last, settings, lost)] if settings else []

    @cached_property
    def files(self) -> list[SysctlFile]:
        """Every file that was read."""
        files: list[SysctlFile] = self._snapshot.need("sysctl_files")
        return files

    def parsed(self, file: SysctlFile) -> Parsed:
        """What a file says, read once."""
        key = f"{file.given}{file.path}"
        if key not in self._read:
            self._read[key] = parse(file.content, file.path)
        return self._read[key]

    def outcomes(self, reader: Reader) -> dict[str, Outcome]:
        """What one reader leaves in each key it writes.

        Raises:
            Unread: when a file it reads was not read here, so that nobody knows what stands there.
        """
        return self._systemd_outcomes if reader == SYSTEMD else self._procps_outcomes

    @cached_property
    def _systemd_outcomes(self) -> dict[str, Outcome]:
        return self._reading(SYSTEMD).outcomes()

    @cached_property
    def _procps_outcomes(self) -> dict[str, Outcome]:
        return self._reading(PROCPS).outcomes()

    def _reading(self, reader: Reader) -> Reading:
        unread = next((file for file in order(self.files, reader) if file.unread is not None), None)
        if unread is not None:
            raise Unread("sysctl_files", f"{unread.path} can't be read: {unread.unread}")
        live = self._snapshot.sysctls
        return Reading(self.files, reader, KEYS if live is None else live.values, self.parsed)

    def key(self, name: str) -> BootKey:
        """All that is known of one key at boot, be it in the catalogue or not."""
        outcomes = (self.outcomes(SYSTEMD).get(name), self.outcomes(PROCPS).get(name))
        thirds_of = tuple(thirds(name, self.files, self.parsed))
        return BootKey(name, *outcomes, thirds_of, Around(self._snapshot, self._is_linked))

    def named(self) -> Iterator[str]:
        """Every key that some line names, without wildcards."""
        for file in self.files:
            yield from (one.key for one in self.parsed(file).settings if not one.wild)

    def _real(self, file: SysctlFile) -> str:
        if file.path == _LINK and self._is_linked:
            return LAST
        return target(file) or file.path

    def _keys_of(self, file: SysctlFile) -> set[str]:
        return {one.key for one in self.parsed(file).settings}

    @cached_property
    def _heard(self) -> list[SysctlFile]:
        """The given files, those that a reader reads, and those of other writers; a file and a link to it once."""
        read = {id(file) for reader in (SYSTEMD, PROCPS) for file in order(self.files, reader)}
        paths = {file.path for file in self.files}
        return [
            file
            for file in self.files
            if file.given or file.writer is not None or (id(file) in read and not self._twice(file, paths))
        ]

    def _twice(self, file: SysctlFile, paths: set[str]) -> bool:
        return self._real(file) != file.path and self._real(file) in paths

    @cached_property
    def _last(self) -> SysctlFile | None:
        return next((file for file in self.files if file.path == LAST and not file.given), None)

    @cached_property
    def _systemd(self) -> bool:
        return any(file.writer == SYSTEMD_SYSCTL for file in self.files)

    @cached_property
    def _is_linked(self) -> bool:
        """Whether systemd-sysctl reads /etc/sysctl.conf under another name: by a link, or as a file with its bytes."""
        last = self._last
        return last is not None and any(
            target(file) == LAST or (file.path == _LINK and file.link is None and file.content == last.content)
            for file in order(self.files, SYSTEMD)
        )
