"""The value of a sysctl: what the user gave as a file, else what is live."""

from __future__ import annotations

import re
from functools import cached_property
from typing import ClassVar

from advisor.catalog.sysctl import KEYS, Key
from advisor.errors import Unread
from advisor.facts.places import Location
from advisor.facts.scope import absent
from advisor.facts.values import Ports
from advisor.formats.sysctl import Setting, parse
from advisor.snapshot.model import Snapshot, SysctlFile

_INTEGER = re.compile(r"(-)?(?:0[xX]([0-9a-fA-F]{1,16})|(\d{1,20}))", re.ASCII)
_SHOWN = 60
NO_FILE_SETS = "no host was read and no file given sets"
"""Why a key is not known where files alone are judged; the key follows."""
"""Characters of a value that is none that a message quotes."""


class Sysctl:
    """The root ``sysctl``; names go on with a key and perhaps its part."""

    FACT_KIND: ClassVar[str] = "sysctl"

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def text(self, key: str) -> str:
        """The value as the kernel or the file writes it, blanks made single.

        Raises:
            Unread: when neither a given file nor the live system has it.
        """
        if key in self._given:
            return " ".join(self._given[key][1].value.split()[: taken(key)])
        if self._snapshot.sysctls is None and self._given:
            raise Unread("sysctls", f"{NO_FILE_SETS} {key}")
        live = self._snapshot.need("sysctls")
        if key in live.values:
            return " ".join(live.values[key].split())
        if key in live.absent:
            raise Unread("sysctls", absent(self._snapshot, key))
        raise Unread("sysctls", f"{key} could not be read: {live.refused.get(key, 'not collected')}")

    def value(self, key: str, part: str | None = None) -> float | str | Ports:
        """The value in base units; the whole vector as text.

        Raises:
            Unread: when it is not there, or is no value of its kind.
        """
        entry = KEYS[key]
        text = self.text(key)
        try:
            return _value(entry, part, text)
        except (ValueError, IndexError):
            raise Unread("sysctls", f"{self.origin(key)} holds '{text[:_SHOWN]}', which is no value of {key}") from None

    def origin(self, key: str) -> str:
        """Where the value was read: the given file's line, or the path in /proc/sys."""
        if key in self._given:
            file, setting = self._given[key]
            return f"{file.path}:{setting.line}"
        return "/proc/sys/" + key.replace(".", "/")

    def setter(self, key: str) -> tuple[SysctlFile, Setting] | None:
        """The given file and the line of it that set a key; None where none does."""
        return self._given.get(key)

    def location(self, key: str) -> Location:
        """Where a finding about it points."""
        if key not in self._given:
            return Location(logical=key, key=key)
        file, setting = self._given[key]
        return located(file, setting)

    @cached_property
    def _given(self) -> dict[str, tuple[SysctlFile, Setting]]:
        given: dict[str, tuple[SysctlFile, Setting]] = {}
        for file in self._snapshot.sysctl_files or ():
            if file.given:
                given.update({setting.key: (file, setting) for setting in parse(file.content, file.path)[0]})
        return given


def located(file: SysctlFile, setting: Setting) -> Location:
    """The place of a setting's value in its file."""
    lines = file.content.split(b"\n")
    excerpt = lines[setting.line - 1].decode("utf-8", "replace").rstrip("\r") if setting.line <= len(lines) else None
    return Location(
        logical=setting.key,
        file=file.path,
        line=setting.line,
        column=setting.column,
        length=len(setting.value),
        excerpt=excerpt,
        key=setting.key,
    )


def taken(key: str) -> int | None:
    """How many words of a file's value the kernel takes: it stops after as many numbers as it wants. None: all."""
    entry = KEYS.get(key)
    return len(entry.parts) or 1 if entry is not None and entry.kind in {"int", "vector"} else None


def _value(entry: Key, part: str | None, text: str) -> float | str | Ports:
    if entry.kind == "ports":
        return Ports.parse(text)
    if entry.kind == "string" or (entry.kind == "vector" and part is None):
        return text
    word = text.split()[entry.parts.index(part)] if part is not None else text
    value = _integer(word)
    value = abs(value) if entry.magnitude else value
    return value if entry.scale == 1 else value * entry.scale


def _integer(word: str) -> int:
    """A number as the kernel reads it: decimal, octal after a 0, hexadecimal after 0x."""
    found = _INTEGER.fullmatch(word)
    if found is None:
        raise ValueError(word)
    digits = int(found[2], 16) if found[2] else int(found[3], 8 if found[3].startswith("0") else 10)
    return -digits if found[1] else digits
