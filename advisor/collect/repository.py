"""The files of a repository, and how an nginx configuration in it reaches them: never those of the host it is read on.

A repository is no host: ``include /etc/nginx/conf.d/*.conf`` means the files that will lie there. They are looked for
in the tree that the repository holds (``rootfs/etc/nginx``), else beside the file that includes them.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator

from advisor.collect.nginx_files import MissingError
from advisor.collect.tops import around, below
from advisor.snapshot.model import ConfigFile
from advisor.system import System, join

_LINKS = 40
"""Symbolic links followed in one path, as the kernel does."""
_MOST_LISTED = 3_000_000
"""Names that the patterns of all includes look at; each costs some 3 us."""
_PREFIXES = (
    *("/etc/nginx", "/etc/openresty", "/etc/angie", "/etc/tengine", "/config/nginx", "/opt/bitnami/nginx/conf"),
    *("/usr/local/nginx/conf", "/usr/local/openresty/nginx/conf", "/usr/local/etc/nginx", "/usr/local/etc/openresty"),
    *("/opt/homebrew/etc/nginx", "/opt/nginx/conf", "/opt/nginx", "/usr/share/nginx"),
)
"""Folders in which packages and images of nginx, and of what is made of it, keep its configuration."""


class Repository:
    """Files below some folders, by the names that reports give them: relative to where we are, where they lie below it.

    Links lead where they do, and no further than the folders. One that is absolute, and leads outside, is taken for one
    inside of the tree that it lies in, as are those of a host's image.

    Args:
        here: the current folder.
        tops: the folders; nothing outside of them is read.
    """

    def __init__(self, here: str, tops: Iterable[str]) -> None:
        self.here = os.path.realpath(here)
        self.tops = tuple(dict.fromkeys(os.path.realpath(top) for top in tops))
        self.known: dict[str, ConfigFile] = {}
        self._system = System()
        self._links: dict[str, str | None] = {}
        self._listed = 0

    def name(self, path: str) -> str:
        """What reports call a file."""
        return path[len(self.here) :].lstrip("/") or "." if below(path, self.here) else path

    def path(self, name: str) -> str:
        """The absolute path of a name."""
        return os.path.join(self.here, name)

    def holds(self, path: str) -> bool:
        """Whether a path without links lies in the folders."""
        return any(below(path, top) for top in self.tops)

    def top(self, path: str) -> str:
        """The outermost of the folders that hold a path; its own folder where none does."""
        return min((top for top in self.tops if below(path, top)), key=len, default=os.path.dirname(path))

    def read(self, path: str, limit: int) -> tuple[bytes, float]:
        """A regular file's bytes, and when it was last written, in seconds since the epoch.

        Raises:
            OSError: when it can't be read, see `System.read_settled`.
        """
        return self._system.read_settled(path, limit)

    def real(self, path: str) -> str:
        """The absolute path without symbolic links.

        Raises:
            MissingError: when it is not there, or leads outside of the folders.
            OSError: when that can't be told.
        """
        done: list[str] = []
        todo = _parts(path)
        links = 0
        while todo:
            part = todo.pop()
            if part == "..":
                del done[-1:]
                continue
            target = self._target(path, "/" + "/".join([*done, part]))
            if target is None:
                done.append(part)
                continue
            links += 1
            if links > _LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            if target.startswith("/"):
                folder = "/" + "/".join(done)
                target, done = target if self.holds(target) else inside(folder, target) or target, []
            todo += _parts(target)
        found = "/" + "/".join(done)
        if not self.holds(found):
            raise self._outside(path)
        return found

    def count(self, folder: str, names: int) -> None:
        """Count what the patterns of includes look at, of all configurations together.

        Raises:
            OSError: E2BIG when it is too much.
        """
        self._listed += names
        if self._listed > _MOST_LISTED:
            raise OSError(errno.E2BIG, f"the patterns of includes look at more than {_MOST_LISTED:,} names", folder)

    def _target(self, asked: str, path: str) -> str | None:
        """Where a link leads, as it is written; None for what is none. Nothing off the way to a folder is touched."""
        if path not in self._links:
            if not self.holds(path) and not any(below(top, path) for top in self.tops):
                raise self._outside(asked)
            try:
                linked = stat.S_ISLNK(os.lstat(path).st_mode)
                self._links[path] = os.readlink(path) if linked else None
            except (FileNotFoundError, NotADirectoryError):
                raise MissingError(f"{self.name(asked)} is not in the repository") from None
        return self._links[path]

    def _outside(self, path: str) -> MissingError:
        return MissingError(f"{self.name(path)} leads outside of {', '.join(self.tops[:3])}, and is not read")


class Reach:
    """The repository as the includes of one nginx configuration see it: the `Files` of an entry.

    Args:
        repository: the files.
        entry: the main file's, or the part's, absolute path without links.
        part: it is a part of a configuration, which lies somewhere below nginx's prefix: what it includes is looked
            for in its own folder, then in those around it.
        limit: the most that a file may hold, in bytes.
    """

    def __init__(self, repository: Repository, entry: str, *, part: bool, limit: int) -> None:
        self.repository = repository
        self.folder = os.path.dirname(entry)
        top = repository.top(entry)
        self._bases = [one for one in around(self.folder) if below(one, top)] if part else [self.folder]
        self._limit = limit

    def read_settled(self, path: str) -> tuple[bytes, float]:
        """A file's bytes, and when it was last written, in seconds since the epoch."""
        return self.repository.read(self.repository.path(path), self._limit)

    def real(self, path: str) -> str:
        """The name of the file that a path of the host leads to.

        Raises:
            MissingError: when the repository has none.
        """
        return self.repository.name(self._real(path))

    def names(self, path: str) -> Iterator[str]:
        """The names in a folder.

        Raises:
            MissingError: when the repository has no such folder.
        """
        self.repository.count(path, 1)
        names = os.listdir(self._real(path))
        self.repository.count(path, len(names))
        yield from names

    def named(self, path: str) -> bool:
        """Whether its folder has an entry of that name."""
        folder, _, name = path.rpartition("/")
        try:
            return os.path.lexists(join(self._real(folder or "/"), name))
        except (MissingError, OSError):
            return False

    def _real(self, path: str) -> str:
        missing: MissingError | None = None
        for place in self._places(path):
            try:
                return self.repository.real(place)
            except MissingError as error:
                missing = missing or error
        raise missing or MissingError(f"{path} is not in the repository")

    def _places(self, path: str) -> list[str]:
        """Where a path of the host may lie in the repository."""
        if below(path, self.folder):
            return [base + path[len(self.folder) :] for base in self._bases]
        if self.repository.holds(path):
            return [path]
        found = inside(self.folder, path)
        if found is not None and self.repository.holds(found):
            return [found]
        prefix = next((one for one in _PREFIXES if below(path, one)), None)
        return [] if prefix is None else [base + path[len(prefix) :] for base in self._bases]


def inside(folder: str, path: str) -> str | None:
    """A host's path in the tree that stands for the host, and that a folder lies in; None where none is to be seen.

    ``/etc/nginx/mime.types`` seen from ``rootfs/etc/nginx`` is ``rootfs/etc/nginx/mime.types``: the longest beginning
    of the path's folder that a folder around ends in counts, and of several the nearest.
    """
    for start in around(os.path.dirname(path)):
        for one in around(folder):
            if one.endswith(start):
                return one + path[len(start) :]
    return None


def _parts(path: str) -> list[str]:
    return [part for part in reversed(path.split("/")) if part not in {"", "."}]
