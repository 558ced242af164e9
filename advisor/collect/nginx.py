"""nginx's configuration tree: every file as bytes, includes resolved against the audited tree, nothing executed."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator

from advisor.collect.budget import Budget
from advisor.collect.crosscheck import difference
from advisor.collect.nginx_files import Files
from advisor.collect.nginx_includes import Includes, Site, included_first, printable, real_path, unreadable
from advisor.errors import InputError
from advisor.formats.nginx import LONGEST_WORD, Statement, absolute, walk
from advisor.records import replace
from advisor.snapshot.model import ConfigFile, Nginx
from advisor.system import MIB

_MOST_FILES = 10_000
_MOST_BYTES = 256 * MIB
COMPARED = 16 * MIB
"""Bytes of one file up to which crossplane reads it too (some 8 s); larger ones are data, which no patch edits."""
COMPARED_IN_ALL = 64 * MIB
"""Of all files together."""
_COMPARING_S = 0.8e-6
"""CPU time, in seconds, that it takes to compare a byte."""
_MOST_LINKS = 1_000_000
"""Files named by all includes together, each as often as it is named."""
_MOST_PROBLEMS = 200
_MOST_STATEMENTS = 2_000_000
"""Statements of the whole tree, those of a file counted as often as it is included; nginx would keep them all, too."""
_UNCOMPARED = "crossplane did not read it as well, which would cost too much of what reading may (--budget)"
_LONGEST = f"{LONGEST_WORD:,} bytes"
_COMMENT = re.compile(rb"#[^\n]*+")

Content = tuple[bytes, float | None]
"""A file's bytes, and when they were written, in seconds since the epoch; None: not known."""


def read_nginx(
    files: Files,
    entry: str,
    content: Content | None = None,
    folder: str | None = None,
    budget: Budget | None = None,
    known: dict[str, ConfigFile] | None = None,
) -> tuple[Nginx, list[tuple[str, str]]]:
    """Read the entry file and all it includes, each file once, breadth first.

    At most 16 MiB a file, 10,000 files, 256 MiB in all. Where the entry is a link, the keys of ``includes`` are
    made absolute from the real file's folder, and resolved, as nginx does, from the folder of the path given.

    Args:
        files: the machine, the tree or the dump that is read.
        entry: the main file's absolute path, or what it is called that was piped in.
        content: its bytes and when they were written, where they are at hand.
        folder: where relative includes begin; if left out, in the entry's own folder. What was piped in has none:
            nobody knows where it belongs, and none of its includes is followed.
        budget: once three quarters of it are spent, no file is read by crossplane as well, which takes most of the
            time: the files that are left are judged, and never edited. None: there is none.
        known: files that were read before, by their real paths; those that are read now are put there.

    Returns:
        The configuration, and what is wrong with it: pairs of source and reason.

    Raises:
        InputError: when any file that nginx would read can't be read or understood, where includes turn round, which
            nginx does not survive, and where they make more than 2,000,000 statements: file:line, the way out.
    """
    if content is None and not entry.startswith("/"):
        raise InputError(f"{entry}: not an absolute path; give the main configuration file's whole path")
    if folder is None and entry.startswith("/"):
        folder = entry.rpartition("/")[0]
    reader = _Reader(files, entry, content, folder, budget)
    reader.shared = {} if known is None else known
    while reader.todo:
        reader.read(reader.todo.popleft())
    reader.measure()
    return Nginx(entry=reader.entry, files=reader.files, includes=reader.includes), reader.told()


class _Reader:
    """The files so far, and those still to be read."""

    def __init__(
        self, source: Files, entry: str, content: Content | None, folder: str | None, budget: Budget | None
    ) -> None:
        self.budget = budget
        self.shared: dict[str, ConfigFile] = {}
        self.source = source
        self.finder = Includes(source, folder)
        self.entry = entry if content is not None else real_path(source, printable(entry), entry)
        self.content = content
        self.links = 0
        self.files: dict[str, ConfigFile] = {}
        self.includes: dict[str, list[str]] = {}
        self.sites: dict[str, list[Site]] = {}
        self.statements: Counter[str] = Counter()
        self.problems: list[tuple[str, str]] = []
        self.untold = 0
        self.todo: deque[tuple[str, str]] = deque([(self.entry, printable(self.entry))])
        self.known = {self.entry}
        self.bytes = 0
        self.compared = 0

    def complain(self, what: str) -> None:
        """Something is wrong that does not keep us from reading on; after 200 of them only their number is kept."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(("nginx", what))
        else:
            self.untold += 1

    def read(self, todo: tuple[str, str]) -> None:
        """Read one file (``todo``: its path, and who asks for it) and queue what it includes."""
        path, asker = todo
        file = self.shared.get(path) or self._new(path, asker)
        self.bytes += len(file.content)
        if self.bytes > _MOST_BYTES:
            raise InputError(f"{asker}: the configuration is larger than {_MOST_BYTES // MIB} MiB in all; split it")
        statements = file.statements(printable(path))
        if path not in self.shared:
            file = self.shared[path] = told(file, self._differs(file.content, path, statements))
        self.files[path] = file
        self.sites[path] = list(self._look_through(path, statements))
        for line in _long_comments(file.content, statements):
            where = f"{printable(path)}:{line}"
            self.complain(f"{where}: a comment of more than {_LONGEST}, which nginx refuses; shorten it")

    def told(self) -> list[tuple[str, str]]:
        """What is wrong, and how much more."""
        more = f"and {self.untold:,} more things like these are wrong with it"
        return [*self.problems, *([("nginx", more)] if self.untold else [])]

    def measure(self) -> None:
        """Make sure that the includes make a tree, and no endless one, as do files that include each other twice."""
        whole: dict[str, int] = {}
        for path in included_first(self.entry, self.sites):
            whole[path] = self.statements[path] + sum(whole[site.path] for site in self.sites[path])
            if whole[path] > _MOST_STATEMENTS:
                what = f"with all it includes it has more than {_MOST_STATEMENTS:,} statements; include less in it"
                raise InputError(f"{printable(path)}: {what}")

    def _new(self, path: str, asker: str) -> ConfigFile:
        data, modified = self._content(path, asker)
        return ConfigFile(content=data, modified=modified)

    def _content(self, path: str, asker: str) -> Content:
        if path == self.entry and self.content is not None:
            return self.content
        try:
            return self.source.read_settled(path)
        except OSError as error:
            raise unreadable(asker, path, error) from None

    def _differs(self, data: bytes, path: str, statements: list[Statement]) -> str | None:
        if len(data) > COMPARED or self.compared + len(data) > COMPARED_IN_ALL:
            return too_many(data)
        self.compared += len(data)
        if self.budget is not None and not self.budget.affords(len(data) * _COMPARING_S):
            return _UNCOMPARED
        return difference(data, path, statements)

    def _look_through(self, path: str, statements: list[Statement]) -> Iterator[Site]:
        for _, statement in walk(statements):
            self.statements[path] += 1
            if statement.end - statement.start > LONGEST_WORD and _has_long_word(statement):
                where = f"{printable(path)}:{statement.line}"
                self.complain(f"{where}: a word of more than {_LONGEST}, which nginx refuses; shorten it")
            if statement.name == "include" and statement.block is None:
                yield from self._include(path, statement)

    def _include(self, path: str, statement: Statement) -> Iterator[Site]:
        asker = f"{printable(path)}:{statement.line}"
        if len(statement.args) != 1:
            self.complain(f"{asker}: include takes one path, not {len(statement.args)}; nginx refuses")
            return
        named = self._named(asker, statement.args[0].text)
        self.links += len(named) + 1
        if self.links > _MOST_LINKS or len(self.known) > _MOST_FILES:
            raise InputError(f"{asker}: the includes name more than {_MOST_FILES:,} files; include fewer")
        for target in named:
            yield Site(path, statement.line, target)
            if target not in self.known:
                self.known.add(target)
                self.todo.append((target, asker))

    def _named(self, asker: str, text: str) -> list[str]:
        key = absolute(self.entry, text)
        if key not in self.includes:
            self.includes[key] = []
            for found in self.finder.named(asker, text):
                if isinstance(found, str):
                    self.includes[key].append(found)
                else:
                    self.complain(str(found))
        return self.includes[key]


def told(file: ConfigFile, differs: str | None) -> ConfigFile:
    """A file with what came of comparing it; what was scanned of it stays."""
    if differs is None:
        return file
    found = replace(file, differs=differs)
    found.__dict__.update({name: kept for name, kept in file.__dict__.items() if name not in found.__dict__})
    return found


def too_many(data: bytes) -> str:
    """Why a file was not compared."""
    return f"not compared with crossplane: {len(data)} bytes are too many"


def _has_long_word(statement: Statement) -> bool:
    words = (statement.token, *statement.args)
    return any(word.end - word.start - word.quoted > LONGEST_WORD for word in words)


def _long_comments(data: bytes, statements: list[Statement]) -> Iterator[int]:
    """The lines of comments that do not fit into nginx's buffer, either (ngx_conf_read_token)."""
    if max(map(len, data.split(b"\n"))) <= LONGEST_WORD:
        return
    line, counted = 1, 0
    for start, end in _gaps(statements, len(data)):
        for comment in _COMMENT.finditer(data, start, end) if end - start > LONGEST_WORD else ():
            if len(comment[0]) > LONGEST_WORD:
                line += data.count(b"\n", counted, comment.start())
                counted = comment.start()
                yield line


def _gaps(statements: list[Statement], end: int) -> Iterator[tuple[int, int]]:
    """What stands between words: there a ``#`` begins a comment."""
    before = 0
    for _, statement in walk(statements):
        for word in (statement.token, *statement.args):
            yield before, word.start
            before = word.end
        before = max(before, statement.close) if statement.opaque else before
    yield before, end
