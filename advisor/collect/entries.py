"""Which nginx files of a repository are configurations of their own: those that no other one includes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from advisor.collect.classify import MAIN
from advisor.collect.nginx import read_nginx
from advisor.collect.nginx_includes import Includes, printable
from advisor.collect.recognise import LARGEST, Candidate, TooMuchError
from advisor.collect.repository import Reach, Repository
from advisor.errors import InputError
from advisor.formats.nginx import Statement, walk
from advisor.snapshot.model import ConfigFile, Nginx

_MOST_READ = 200_000
"""Files of all configurations together, each as often as one of them includes it."""
_DATA = frozenset({"types", "charset_map", "fastcgi_param", "scgi_param", "uwsgi_param"})


class Entry(NamedTuple):
    """A configuration: its file, what was read of it, what is wrong with that; whether it is but a part of one."""

    file: Candidate
    nginx: Nginx
    problems: list[tuple[str, str]]
    part: bool


class Entries(NamedTuple):
    """The configurations, by the names of their files; why others can't be read; files of data that none includes."""

    found: list[Entry]
    faults: list[InputError]
    unused: int


def entries(repository: Repository, files: Iterable[Candidate]) -> Entries:
    """Read every configuration with all it includes, and leave out those that another one includes.

    Args:
        repository: where the files are.
        files: those of nginx, each of them in `Repository.known`.
    """
    mains, parts = _apart(repository, files)
    reader = _Reading(repository)
    try:
        for main in mains:
            reader.read(main, part=False)
        for part in parts:
            if part.name not in reader.included:
                reader.read(part, part=True)
    except TooMuchError as error:
        reader.faults.append(error)
    found = [one for one in reader.found if one.file.name not in reader.included]
    unused = {one.file.name for one in found if not one.file.named and _only_data(repository.known[one.file.name])}
    return Entries([one for one in found if one.file.name not in unused], reader.faults, len(unused))


def _apart(repository: Repository, files: Iterable[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """Main configurations, and what may be a part of one."""
    mains: list[Candidate] = []
    parts: list[Candidate] = []
    for file in files:
        top = repository.known[file.name].statements(file.name)
        (mains if any(one.name in MAIN and one.block is not None for one in top) else parts).append(file)
    return mains, parts


class _Reading:
    """What was read so far; ``included`` holds the names of files that another one includes."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.found: list[Entry] = []
        self.faults: list[InputError] = []
        self.included: set[str] = set()
        self._read = 0

    def read(self, file: Candidate, *, part: bool) -> None:
        reach = Reach(self.repository, file.path, part=part, limit=LARGEST)
        try:
            nginx, problems = read_nginx(reach, file.path, known=self.repository.known)
        except InputError as error:
            self.faults.append(error)
            self.included |= self._reached(file, reach)
            return
        self.found.append(Entry(file, nginx, problems, part))
        self.included.update(name for name in nginx.files if name != nginx.entry)
        self._read += len(nginx.files)
        if self._read > _MOST_READ:
            what = f"the configurations include more than {_MOST_READ:,} files in all; name fewer, or exclude some"
            raise TooMuchError(f"{printable(file.name)}: {what}")

    def _reached(self, file: Candidate, reach: Reach) -> set[str]:
        """What a configuration that can't be read whole includes, as far as that can be told."""
        finder = Includes(reach, reach.folder)
        seen: set[str] = set()
        todo = deque([file.name])
        while todo:
            known = self.repository.known.get(todo.popleft())
            named = set(_named(known, finder)) if known is not None else set()
            todo += sorted(named - seen)
            seen |= named
        return seen - {file.name}


def _named(file: ConfigFile, finder: Includes) -> Iterator[str]:
    for _, statement in walk(file.statements("")):
        if statement.name == "include" and statement.block is None and len(statement.args) == 1:
            try:
                yield from [one for one in finder.named("", statement.texts[0]) if isinstance(one, str)]
            except InputError:
                continue  # told already, where the configuration was read


def _only_data(file: ConfigFile) -> bool:
    """Whether it holds nothing but tables for others, such as mime.types and fastcgi_params."""
    statements: list[Statement] = file.statements("")
    return all(one.name in _DATA for one in statements)
