"""Reading a file of a repository, and telling what it is: nginx's, sysctl's, a snapshot, or another program's."""

from __future__ import annotations

import os
from typing import NamedTuple

from advisor.collect.classify import (
    Kind,
    hinted,
    is_configuration,
    is_nginx,
    is_snapshot,
    is_sysctl,
    is_template,
    meant_as_nginx,
    sure_sysctl,
    template_line,
    worth,
)
from advisor.collect.crosscheck import difference
from advisor.collect.nginx import COMPARED, COMPARED_IN_ALL, told, too_many
from advisor.collect.nginx_includes import printable
from advisor.collect.repository import Repository
from advisor.errors import InputError
from advisor.snapshot.model import ConfigFile
from advisor.system import MIB

LARGEST = 16 * MIB
"""Bytes of one file of nginx's."""
_LARGEST_UNSURE = MIB
"""Bytes of one that only its ending speaks for, and of one that sets sysctls."""
_MOST_BYTES = 32 * MIB
"""Of all files together; read, scanned and compared they take some 2 s and 25 MiB of memory each MiB."""
_BEGINNING = 256


class TooMuchError(InputError):
    """There is more than is looked at: the rest is not judged."""


class Candidate(NamedTuple):
    """A file that can be judged: its name, its absolute path without links, and what it is.

    ``content`` is what a sysctl file holds; that of nginx's stands in `Repository.known`. ``named``: by the user.
    """

    name: str
    path: str
    kind: Kind
    named: bool
    content: bytes = b""


class Recogniser:
    """Reads files and tells what they are; what is read of nginx's is kept in the repository, compared and all."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._bytes = self._compared = 0

    def recognise(self, path: str, *, sure: bool) -> Candidate | None:
        """Read a file and tell what it is; None for what can't be judged.

        Args:
            path: absolute, without links.
            sure: the user named it: whatever its name is, its content decides.

        Raises:
            InputError: when it is meant for nginx or sysctl, and can't be understood.
            OSError: when it can't be read.
        """
        name = self.repository.name(path)
        if printable(name) != name and not _utf8(name):
            raise InputError(f"{printable(name)} is a path that is not UTF-8; rename it")
        *folders, own = path.split("/")[1:]
        if is_template(own, folders):
            raise InputError(f"{printable(name)}: it is a template; render it first, and judge what comes out")
        kind = worth(own, folders)
        if (sure or kind == "snapshot") and _begins_a_snapshot(path):
            return Candidate(name, path, "snapshot", sure)
        if kind == "snapshot":
            return None
        hint = sure or hinted(own, folders)
        limit = LARGEST if hint and kind != "sysctl" else _LARGEST_UNSURE
        if not hint and kind == "nginx" and os.path.getsize(path) > limit:
            return None
        content, modified = self._content(path, limit)
        if (sure or kind == "sysctl") and (sure_sysctl(own, folders) or is_sysctl(content)):
            return _sysctl(Candidate(name, path, "sysctl", sure, content))
        file = ConfigFile(content=content, modified=modified)
        if self._is_nginx(file, name, hint=hint) or (sure and kind == "nginx" and not content.strip()):
            self.repository.known[name] = told(file, self._differs(file, name))
            return Candidate(name, path, "nginx", sure)
        return None

    def _content(self, path: str, limit: int) -> tuple[bytes, float]:
        content = self.repository.read(path, limit)
        self._bytes += len(content[0])
        if self._bytes > _MOST_BYTES:
            what = f"more than {_MOST_BYTES // MIB} MiB in all that may be judged; name fewer files, or exclude some"
            raise TooMuchError(f"{printable(self.repository.name(path))}: {what}")
        return content

    def _is_nginx(self, file: ConfigFile, name: str, *, hint: bool) -> bool:
        try:
            statements = file.statements(printable(name))
        except InputError:
            if meant_as_nginx(file.content, hint=hint, configuration=is_configuration(name)):
                raise
            return False
        return is_nginx(statements, hint=hint)

    def _differs(self, file: ConfigFile, name: str) -> str | None:
        size = len(file.content)
        if size > COMPARED or self._compared + size > COMPARED_IN_ALL:
            return too_many(file.content)
        self._compared += size
        return difference(file.content, name, file.statements(name))


def _begins_a_snapshot(path: str) -> bool:
    with open(path, "rb") as file:
        return is_snapshot(file.read(_BEGINNING))


def _sysctl(found: Candidate) -> Candidate:
    line = template_line(found.content)
    if line is not None:
        raise InputError(f"{printable(found.name)}:{line}: it looks like an unrendered template; render it first")
    return found


def _utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
