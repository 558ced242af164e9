"""Finding what can be judged below some folders: files of nginx and sysctl, and snapshots; nothing is executed.

Links to folders are not followed, folders of tools are left out, and so is what the user excludes. ``.gitignore`` is
not asked: what it says is git's to tell, and git is not run.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator

from advisor.collect.classify import is_template, worth
from advisor.collect.nginx_files import MissingError
from advisor.collect.nginx_includes import printable, unreadable
from advisor.collect.recognise import Candidate, Recogniser, TooMuchError
from advisor.collect.repository import Repository
from advisor.errors import InputError
from advisor.records import dataclass, field

_MOST_ENTRIES = 1_000_000
_MOST_FOUND = 10_000
_DEEPEST = 100
_SKIPPED = frozenset(
    [
        *(".cache", ".direnv", ".eggs", ".hypothesis", ".idea", ".ipynb_checkpoints", ".mypy_cache", ".nox", ".pyenv"),
        *(".pytest_cache", ".ruff_cache", ".terraform", ".tox", ".venv"),
        *(".vscode", "__pycache__", "bower_components", "node_modules", "site-packages", "venv"),
    ]
)
"""Folders in which editors, package managers and other tools keep their own."""
_VERSIONS = frozenset({".bzr", ".git", ".hg", ".jj", ".svn"})
"""Those of version control, which nobody looks for."""
_NOTHING = "it is neither nginx's configuration, nor a sysctl file, nor a snapshot; name another, or leave it out"

Say = Callable[[str], None]


@dataclass(slots=True)
class Seen:
    """What a search came to: the files; what can't be read or understood.

    ``looked`` counts the files whose names were looked at, ``passed`` those that were passed over, by the reason.
    """

    files: list[Candidate] = field(default_factory=list)
    faults: list[InputError] = field(default_factory=list)
    looked: int = 0
    passed: Counter[str] = field(default_factory=Counter)


class Search:
    """Looks for files that can be judged; ``found`` is what it came to so far.

    Args:
        repository: where; what is read of nginx's is kept there.
        excluded: whether the user wants a path (absolute, without links) to be left out.
        say: told how far it is.
    """

    def __init__(self, repository: Repository, excluded: Callable[[str], bool], say: Say) -> None:
        self.repository = repository
        self.found = Seen()
        self._recogniser = Recogniser(repository)
        self._excluded = excluded
        self._say = say
        self._taken: set[str] = set()
        self._entries = 0

    def named(self, path: str) -> None:
        """Take a file or a folder that the user named; what is wrong with it is a fault.

        Args:
            path: absolute.
        """
        try:
            real = self.repository.real(path)
            if os.path.isdir(real):
                self._walk(real)
            elif self._excluded(real):
                self.found.passed["excluded"] += 1
            else:
                self.found.looked += 1
                self._take(real, sure=True)
        except (InputError, OSError) as error:
            self._tell(path, error)

    def _walk(self, top: str) -> None:
        todo = [(top, 0)]
        while todo:
            folder, depth = todo.pop()
            self._say(self.repository.name(folder))
            inside = [path for entry in self._listed(folder) if (path := self._entry(entry, folder)) is not None]
            if inside and depth == _DEEPEST:
                name = printable(self.repository.name(folder))
                raise TooMuchError(f"{name}: folders nested deeper than {_DEEPEST}; exclude them")
            todo += [(path, depth + 1) for path in reversed(inside)]

    def _listed(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                return sorted(self._counted(entries, folder), key=lambda entry: entry.name)
        except OSError as error:
            self._tell(folder, error)
            return []

    def _counted(self, entries: Iterator[os.DirEntry[str]], folder: str) -> Iterator[os.DirEntry[str]]:
        for entry in entries:
            self._entries += 1
            if self._entries > _MOST_ENTRIES:
                what = f"more than {_MOST_ENTRIES:,} files and folders to look at; name fewer, or exclude some"
                raise TooMuchError(f"{printable(self.repository.name(folder))}: {what}")
            yield entry

    def _entry(self, entry: os.DirEntry[str], folder: str) -> str | None:
        """Look at what stands in a folder; returns the path of a folder to be looked into."""
        if entry.is_dir(follow_symlinks=False):
            if entry.name in _VERSIONS:
                return None
            why = self._why_not(entry)
            if why is None:
                return entry.path
            self.found.passed[why] += 1
            return None
        self.found.looked += 1
        folders = folder.split("/")[1:]
        if is_template(entry.name, folders):
            self.found.passed["templates"] += 1
        elif worth(entry.name, folders) is not None:
            self._worthy(entry)
        return None

    def _why_not(self, folder: os.DirEntry[str]) -> str | None:
        if folder.name in _SKIPPED:
            return "folders of tools"
        return "excluded" if self._excluded(folder.path) else None

    def _worthy(self, entry: os.DirEntry[str]) -> None:
        if self._excluded(entry.path):
            self.found.passed["excluded"] += 1
            return
        try:
            path = self.repository.real(entry.path) if entry.is_symlink() else entry.path
            if os.path.isfile(path):
                self._take(path, sure=False)
        except MissingError:
            self.found.passed["links that lead nowhere, or outside"] += 1
        except TooMuchError:
            raise
        except (InputError, OSError) as error:
            self._tell(entry.path, error)

    def _take(self, path: str, *, sure: bool) -> None:
        """Read a file and keep it if it can be judged.

        Raises:
            InputError: as `Recogniser.recognise`, and for one that the user named and that is none.
            OSError: when it can't be read.
        """
        if path in self._taken:
            return
        self._taken.add(path)
        name = printable(self.repository.name(path))
        if not os.path.isfile(path):
            raise InputError(f"{name}: it is no regular file; name another")
        found = self._recogniser.recognise(path, sure=sure)
        if found is not None:
            self.found.files.append(found)
        elif sure:
            raise InputError(f"{name}: {_NOTHING}")
        else:
            self.found.passed["files of other programs"] += 1
        if len(self.found.files) + len(self.found.faults) > _MOST_FOUND:
            raise TooMuchError(f"{name}: more than {_MOST_FOUND:,} files to judge; name fewer, or exclude some")

    def _tell(self, path: str, error: InputError | OSError) -> None:
        """Keep what went wrong with a path."""
        if isinstance(error, OSError):
            name = printable(self.repository.name(path))
            error = unreadable(name, name, error)
        self.found.faults.append(error)
