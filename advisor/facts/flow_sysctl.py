"""The lines that set a sysctl, in the order in which they are applied, and the value in force."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from advisor.facts.places import Waypoint
from advisor.facts.sysctl import located

if TYPE_CHECKING:
    from advisor.facts.derive import Facts
    from advisor.formats.sysctl import Setting
    from advisor.snapshot.model import SysctlFile

_MOST_TEXT = 200
"""Characters of a value that a step quotes."""


class SysctlFlows:
    """The steps of each key of one snapshot."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._given: dict[str, list[tuple[SysctlFile, Setting]]] = {}
        self._kept: dict[str, list[Waypoint]] = {}
        for file in facts.snapshot.sysctl_files or ():
            if file.given:
                for setting in facts.boot.parsed(file).settings:
                    self._given.setdefault(setting.key, []).append((file, setting))

    @classmethod
    def of(cls, facts: Facts) -> SysctlFlows:
        """Those of some facts, made once."""
        kept: SysctlFlows | None = facts.__dict__.get("flows")
        if kept is None:
            kept = facts.__dict__["flows"] = cls(facts)
        return kept

    def steps(self, key: str) -> list[Waypoint]:
        """The lines for a key, the one that wins last; who sets it after boot; the live value.

        Raises:
            Unread: when a file that is read at boot was not read here.
        """
        if key not in self._kept:
            lines = self._judged(key) if key in self._given else self._booted(key)
            self._kept[key] = [*lines, *self._live(key)]
        return self._kept[key]

    def _judged(self, key: str) -> Iterator[Waypoint]:
        """The files that the user gave count as if they were applied, in this order."""
        *beaten, (file, last) = self._given[key]
        for other, setting in beaten:
            yield _line(other, setting, "a later line replaces it")
        yield _line(file, last, "no later line sets it, so it holds")

    def _booted(self, key: str) -> Iterator[Waypoint]:
        if not self._facts.snapshot.sysctl_files:
            return
        found = self._facts.boot.key(key)
        outcome = found.boot or found.hand
        if outcome is not None:
            for line in outcome.shadowed:
                yield _line(line.file, line.setting, "another line replaces it")
            for write in outcome.refused:
                yield _line(write.line.file, write.line.setting, f"the kernel does not take it: {write.why}")
            if outcome.winner is not None:
                yield _line(outcome.winner.file, outcome.winner.setting, "it wins")
        for third in found.thirds:
            value = "a value of its own" if third.value is None else third.value[:_MOST_TEXT]
            yield Waypoint(f"{third.writer} sets {key} to {value} after boot", third.path, third.line)

    def _live(self, key: str) -> Iterator[Waypoint]:
        live = self._facts.snapshot.sysctls
        if live is not None and key in live.values:
            value = " ".join(live.values[key].split())
            yield Waypoint(f"{key} is {value[:_MOST_TEXT]} now", f"/proc/sys/{key.replace('.', '/')}")


def _line(file: SysctlFile, setting: Setting, what: str) -> Waypoint:
    place = located(file, setting)
    text = f"{setting.key} = {setting.value[:_MOST_TEXT]}: {what}"
    return Waypoint(text, place.file, place.line, place.column, place.excerpt, place.length)
