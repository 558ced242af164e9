"""The rule files: of a checkout, an editable install or a wheel alike, and of folders the user names.

A folder that the user names may come from anybody: its files are regular, bounded in number and size, and no link in
it is followed.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Iterator
from typing import Any

from advisor.collect import trusted
from advisor.errors import RuleError, UsageError
from advisor.system import MIB, System

INDEX = "index.json"
LARGEST = 128 * 1024
"""Of a rule's file, in bytes; twenty times the largest that comes with this program."""

_MOST = 1000
_WHOLE = 2 * MIB
_ENTRIES = 20_000
_DEEPEST = 16


def builtin_folder() -> str:
    """Where the rules lie that came with this program.

    Raises:
        UsageError: when the installation lacks them.
    """
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for folder in (os.path.join(package, "_rules"), os.path.join(os.path.dirname(package), "rules")):
        if os.path.isdir(folder):
            return folder
    raise UsageError("the rules that belong to advisor are not installed; install it again")


def is_builtin(folder: str) -> bool:
    """Whether it is the folder of the rules that came with this program."""
    return os.path.realpath(folder) == os.path.realpath(builtin_folder())


def read_builtin() -> list[tuple[str, bytes]]:
    """Every rule file that came with this program: its path relative to their folder's own parent, and its bytes.

    Raises:
        UsageError: when they can't be read.
    """
    top = os.path.realpath(builtin_folder())
    system = System()
    paths = [os.path.join(base, name) for base, _, names in sorted(os.walk(top)) for name in sorted(names)]
    try:
        return [(os.path.relpath(one, os.path.dirname(top)), system.read(one)) for one in paths if _is_rule(one)]
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}; install advisor again") from None


def read_packs(folders: Iterable[str]) -> list[tuple[str, bytes]]:
    """Every ``*.yaml`` below folders, sorted: its path, beginning with the folder as it was named, and its bytes.

    Raises:
        UsageError: when one is no folder, can't be read, or holds no rule.
        RuleError: when all of them hold more than 1,000 rules, 2 MiB or 20,000 entries, one of them 16 levels, or a
            link in place of a rule.
        ConfigError: as root, when others can write to any of it.
    """
    walk = _Walk()
    return [file for folder in folders for file in _read_pack(walk, folder)]


def _read_pack(walk: _Walk, folder: str) -> list[tuple[str, bytes]]:
    try:
        with trusted.opened(folder) as top:
            found = list(walk.files(top, folder, 0))
    except NotADirectoryError:
        raise UsageError(f"{folder} is no folder; name the one it lies in: {os.path.dirname(folder) or '.'}") from None
    except OSError as error:
        raise UsageError(f"{error.filename or folder}: {error.strerror}") from None
    if not found:
        raise UsageError(f"{folder} holds no rule: a rule is a file NAME.yaml")
    return found


class _Walk:
    """Reads folders whose content may mean harm."""

    def __init__(self) -> None:
        self.entries = 0
        self.rules = 0
        self.bytes = 0

    def files(self, top: int, folder: str, depth: int) -> Iterator[tuple[str, bytes]]:
        """The rule files in an open folder and below it."""
        if depth > _DEEPEST:
            raise RuleError(f"{folder}:1:1: folders of rules lie at most {_DEEPEST} deep")
        for name in self._names(top, folder):
            path = os.path.join(folder, name)
            if stat.S_ISDIR(os.stat(name, dir_fd=top, follow_symlinks=False).st_mode):
                with trusted.opened(name, path, top) as inner:
                    yield from self.files(inner, path, depth + 1)
            elif _is_rule(name):
                yield path, self._rule(top, name, path)

    def _names(self, top: int, folder: str) -> list[str]:
        names: list[str] = []
        with os.scandir(top) as entries:
            for entry in entries:
                self.entries += 1
                if self.entries > _ENTRIES:
                    raise RuleError(f"{folder}:1:1: packs hold at most {_ENTRIES:,} files and folders; name their own")
                names.append(entry.name)
        return sorted(name for name in names if not name.startswith("."))

    def _rule(self, top: int, name: str, path: str) -> bytes:
        try:
            data = trusted.read_in(top, name, path, LARGEST)
        except OSError as error:
            raise RuleError(f"{path}:1:1: {error.strerror}") from None
        self.rules += 1
        self.bytes += len(data)
        if self.rules > _MOST or self.bytes > _WHOLE:
            raise RuleError(f"{path}:1:1: with it, packs hold more than {_MOST:,} rules or {_WHOLE // MIB} MiB")
        return data


def _is_rule(name: str) -> bool:
    return name.endswith(".yaml")


def read_index() -> Any:  # noqa: ANN401 (JSON, of which `advisor.engine.pack` says what it holds)
    """What was made of the rules that came with this program; None where it is missing, which only costs time.

    A folder that the user names has none: what is read there is checked.

    Raises:
        UsageError: when it can't be read.
    """
    path = os.path.join(builtin_folder(), INDEX)
    try:
        return json.loads(System().read(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} can't be read ({error}); install advisor again, or delete the file") from None
