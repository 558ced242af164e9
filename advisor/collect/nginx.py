"""nginx's configuration tree: every file as bytes, includes resolved against the audited tree, nothing executed."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from advisor.collect.crosscheck import difference
from advisor.errors import InputError
from advisor.formats.nginx import LONGEST_WORD, Statement, absolute, scan, walk
from advisor.snapshot.model import ConfigFile, Nginx
from advisor.system import MIB, System

ENTRY = "/etc/nginx/nginx.conf"

_MOST_FILES = 10_000
_MOST_BYTES = 256 * MIB
_COMPARED = 4 * MIB
"""Bytes of one file up to which crossplane reads it too (some 2 s); larger ones are data, which no patch edits."""
_COMPARED_IN_ALL = 32 * MIB
_MOST_BINARY = 64 * MIB
_VERSION = re.compile(rb"nginx/(\d{1,4}\.\d{1,4}\.\d{1,4})(?=[\0\n])")
_MOST_LINKS = 1_000_000
"""Files named by all includes together, each as often as it is named."""
_MOST_CYCLES = 20
_CHAIN = 8
"""Includes of a cycle that are named."""


@dataclass(frozen=True, slots=True)
class _Site:
    """An ``include``: where it stands, and the path it names."""

    file: str
    line: int
    path: str


def read_nginx(system: System, entry: str, content: bytes | None = None) -> tuple[Nginx, list[tuple[str, str]]]:
    """Read the entry file and all it includes, each file once, breadth first.

    At most 16 MiB a file, 10,000 files, 256 MiB in all. Where the entry is a link, the keys of ``includes`` are
    made absolute from the real file's folder, and resolved, as nginx does, from the folder of the path given.

    Args:
        system: the machine, or the tree, that is read.
        entry: the main file's absolute path.
        content: its bytes, where they do not come from the disk.

    Returns:
        The configuration, and what is wrong with it: pairs of source and reason.

    Raises:
        InputError: when any file that nginx would read can't be read or understood: file:line, the way out.
    """
    if not entry.startswith("/"):
        raise InputError(f"{entry}: not an absolute path; give the main configuration file's whole path")
    reader = _Reader(system, entry, content)
    while reader.todo:
        reader.read(reader.todo.popleft())
    reader.problems += [("nginx", cycle) for cycle in islice(_cycles(reader.entry, reader.sites), _MOST_CYCLES)]
    return Nginx(entry=reader.entry, files=reader.files, includes=reader.includes), reader.problems


class _Reader:
    """The files so far, and those still to be read."""

    def __init__(self, system: System, entry: str, content: bytes | None) -> None:
        self.system = system
        self.given = entry
        self.content = content
        self.entry = entry if content is not None else self._real(entry, entry)
        self.links = 0
        self.files: dict[str, ConfigFile] = {}
        self.includes: dict[str, list[str]] = {}
        self.sites: dict[str, list[_Site]] = {}
        self.problems: list[tuple[str, str]] = []
        self.todo: deque[tuple[str, str]] = deque([(self.entry, self.entry)])
        self.known = {self.entry}
        self.bytes = 0
        self.compared = 0

    def read(self, todo: tuple[str, str]) -> None:
        """Read one file (``todo``: its path, and who asks for it) and queue what it includes."""
        path, asker = todo
        given = self.content if path == self.entry else None
        try:
            data = self.system.read(path) if given is None else given
            modified = self.system.modified(path) if given is None else None
        except OSError as error:
            raise _unreadable(asker, path, error) from None
        self.bytes += len(data)
        if self.bytes > _MOST_BYTES:
            raise InputError(f"{asker}: the configuration is larger than {_MOST_BYTES // MIB} MiB in all; split it")
        statements = scan(data, path)
        self.files[path] = ConfigFile(content=data, modified=modified, differs=self._differs(data, path, statements))
        self.sites[path] = list(self._look_through(path, statements))

    def _differs(self, data: bytes, path: str, statements: list[Statement]) -> str | None:
        if len(data) > _COMPARED or self.compared + len(data) > _COMPARED_IN_ALL:
            return f"not compared with crossplane: {len(data)} bytes are too many"
        self.compared += len(data)
        return difference(data, path, statements)

    def _look_through(self, path: str, statements: list[Statement]) -> Iterator[_Site]:
        for _, statement in walk(statements):
            words = (statement.token, *statement.args)
            if any(word.end - word.start - word.quoted > LONGEST_WORD for word in words):
                what = f"{path}:{statement.line}: a word of more than {LONGEST_WORD:,} bytes, which nginx refuses"
                self.problems.append(("nginx", f"{what}; shorten it"))
            if statement.name == "include" and statement.block is None:
                yield from self._include(path, statement)

    def _include(self, path: str, statement: Statement) -> Iterator[_Site]:
        asker = f"{path}:{statement.line}"
        if len(statement.args) != 1:
            self.problems.append(
                ("nginx", f"{asker}: include takes one path, not {len(statement.args)}; nginx refuses")
            )
            return
        text = statement.args[0].text
        key = absolute(self.entry, text)
        if key not in self.includes:
            self.includes[key] = self._named(asker, absolute(self.given, text))
        self.links += len(self.includes[key]) + 1
        if self.links > _MOST_LINKS or len(self.known) > _MOST_FILES:
            raise InputError(f"{asker}: the includes name more than {_MOST_FILES:,} files; include fewer")
        for target in self.includes[key]:
            yield _Site(path, statement.line, target)
            if target not in self.known:
                self.known.add(target)
                self.todo.append((target, asker))

    def _named(self, asker: str, pattern: str) -> list[str]:
        """The real paths of the files that an include names; a link that leads nowhere is a problem, as for nginx."""
        paths = [pattern]
        if any(char in pattern for char in "*?["):
            try:
                paths = self.system.glob(pattern)
            except OSError as error:
                raise _unreadable(asker, pattern, error) from None
        found = []
        for path in paths:
            try:
                found.append(self._real(asker, path))
            except _MissingError as missing:
                self.problems.append(("nginx", str(missing)))
        return found

    def _real(self, asker: str, path: str) -> str:
        try:
            real = self.system.real(path)
            real.encode()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise _MissingError(str(_unreadable(asker, path, error))) from None
        except OSError as error:
            raise _unreadable(asker, path, error) from None
        except UnicodeEncodeError:
            raise InputError(f"{asker}: {_printable(path)} is a path that is not UTF-8; rename it") from None
        return real


class _MissingError(InputError):
    """A file that an include names is not there: for nginx an error, for us a problem among others."""


def _unreadable(asker: str, path: str, error: OSError) -> InputError:
    what = f"can't read {_printable(path)}: {error.strerror or error}"
    way_out = "run as root" if isinstance(error, PermissionError) else "correct the path, or the file"
    return InputError(f"{what}; {way_out}" if asker == path else f"{asker}: {what}; {way_out}")


def _printable(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _cycles(entry: str, sites: dict[str, list[_Site]]) -> Iterator[str]:
    """Each include that leads back to a file it came from, with the way there."""
    stack = [iter(sites[entry])]
    open_files = {entry: 0}
    trail: list[_Site] = []
    done: set[str] = set()
    while stack:
        site = next(stack[-1], None)
        if site is None:
            stack.pop()
            done.add(open_files.popitem()[0])
            del trail[-1:]
        elif site.path in open_files:
            chain = [f"{link.file}:{link.line}" for link in (*trail[open_files[site.path] :], site)]
            shown = [*chain[:_CHAIN], "..."] if len(chain) > _CHAIN else chain
            yield f"include cycle: {' -> '.join([*shown, site.path])}; nginx can't load it: remove one of them"
        elif site.path not in done:
            open_files[site.path] = len(stack)
            stack.append(iter(sites[site.path]))
            trail.append(site)


def find_entry(system: System) -> str:
    """The main configuration file where packages put it.

    Raises:
        InputError: when it is not there.
    """
    if not system.exists(ENTRY):
        raise InputError(f"{ENTRY}: not there; name nginx's main configuration file (nginx -V says --conf-path)")
    return ENTRY


def version_of(binary: bytes) -> str | None:
    """The nginx version in its binary's bytes (``nginx/1.22.1``, NGINX_VER in src/core/nginx.h); None: not there."""
    found = _VERSION.search(binary)
    return found[1].decode() if found else None


def nginx_version(system: System, pid: int) -> str | None:
    """The version of a running nginx, from the bytes of its executable, also one that was deleted by an upgrade.

    Raises:
        InputError: when the executable can't be read.
    """
    path = f"/proc/{pid}/exe"
    try:
        return version_of(system.read(path, _MOST_BINARY))
    except OSError as error:
        raise _unreadable(path, path, error) from None
