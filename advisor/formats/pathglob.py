"""Patterns for files of a repository: ``*`` and ``?`` inside a name, ``**`` over folders, as in .gitignore.

A pattern without a slash names files and folders at any depth; any other begins at the top, or at the root where it
begins with a slash. A folder that matches takes along all that is below it. Where a name begins with a period, only a
period matches that.
"""

from __future__ import annotations

from advisor.formats.wildcard import encoded, part

_ANY = "**"


class PathGlob:
    """A pattern.

    Args:
        pattern: as the user wrote it; a slash at its end, and ``./`` at its beginning, mean nothing.
    """

    __slots__ = ("_anchored", "_parts")

    def __init__(self, pattern: str) -> None:
        absolute = pattern.startswith("/")
        names = [name for name in pattern.split("/") if name not in {"", "."}]
        self._anchored = absolute or len(names) > 1 or pattern.startswith("./")
        self._parts = [None if name == _ANY else part(name) for name in ([""] if absolute else []) + names]

    def matches(self, path: str) -> bool:
        """Whether it names a path, or a folder that the path is in; in time that grows with the product of both.

        Args:
            path: relative to the top, or absolute; with slashes, without ``.`` and ``..``.
        """
        names = encoded(path).split(b"/")
        if not self._parts:
            return False
        if not self._anchored:
            only = self._parts[0]
            return only is None or any(only.fullmatch(name) for name in names)
        return self._leads(names)

    def _leads(self, names: list[bytes]) -> bool:
        """Whether the parts match the first names, or all of them; ``**`` first stands for nothing, then for more."""
        at = taken = 0
        again: tuple[int, int] | None = None
        while at < len(self._parts):
            one = self._parts[at]
            if one is None:
                at += 1
                if at == len(self._parts):
                    return taken < len(names)
                again = (at, taken)
            elif taken < len(names) and one.fullmatch(names[taken]):
                at, taken = at + 1, taken + 1
            elif again is not None and again[1] < len(names):
                again = (again[0], again[1] + 1)
                at, taken = again
            else:
                return False
        return True
