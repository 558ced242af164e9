"""glob(3) over any tree that can list its folders: the machine's disk, a fixture, the files of a dump."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Protocol

from advisor.formats.wildcard import encoded, is_wild, part, unescaped
from advisor.system import join

_MOST = 10_000
_MOST_LOOKED = 5_000_000
_OPENING = 20
"""What opening a folder counts for, in names that are looked at."""
_NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}
"""What glob(3), and so nginx, passes over. A folder that we may not read is another matter: nginx's root may."""


class Folders(Protocol):
    """A tree of names."""

    def names(self, path: str) -> Iterator[str]:
        """The names in a folder; none when there is no such folder."""

    def named(self, path: str) -> bool:
        """Whether its folder has an entry of that name."""


class Glob:
    """Patterns, resolved one after the other within one bound of work.

    Args:
        folders: the tree.
    """

    def __init__(self, folders: Folders) -> None:
        self.folders = folders
        self.looked = 0

    def paths(self, pattern: str) -> list[str]:
        """The paths an absolute pattern names, sorted by their bytes, dangling links included.

        Raises:
            OSError: when a folder can't be read; E2BIG when it names more than 10,000 files, or when all patterns
                together looked at more than 5,000,000 names.
        """
        found, listed = ["/"], True
        for one in (one for one in pattern.split("/") if one):
            listed = is_wild(one)
            if listed:
                found = list(self._matching(found, one, pattern))
            else:
                found = [join(base, unescaped(one)) for base in found]
        return sorted((path for path in found if listed or self.folders.named(path)), key=encoded)

    def _matching(self, bases: list[str], wild: str, pattern: str) -> Iterator[str]:
        matches = part(wild).fullmatch
        count = 0
        for base in bases:
            for name in self._names(base, pattern):
                if matches(encoded(name)):
                    yield join(base, name)
                    count += 1
                    if count > _MOST:
                        raise OSError(errno.E2BIG, f"it names more than {_MOST:,} files", pattern)

    def _names(self, base: str, pattern: str) -> Iterator[str]:
        self._look(_OPENING, pattern)
        try:
            for name in self.folders.names(base):
                self._look(1, pattern)
                yield name
        except OSError as error:
            if error.errno not in _NOT_THERE:
                raise

    def _look(self, names: int, pattern: str) -> None:
        self.looked += names
        if self.looked > _MOST_LOOKED:
            raise OSError(errno.E2BIG, f"the patterns of includes look at more than {_MOST_LOOKED:,} names", pattern)
