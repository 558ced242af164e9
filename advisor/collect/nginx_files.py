"""Where the files of an nginx configuration come from: the disk, or a dump of ``nginx -T``."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Protocol

from advisor.collect.globbing import Folders
from advisor.errors import InputError
from advisor.formats.nginx_dump import plain


class MissingError(InputError):
    """A file that an include names is not there: for nginx an error, for us a problem among others."""


class Files(Folders, Protocol):
    """What a configuration is read from. `System` is one.

    Where a folder is none that it could answer for, `names` raises `MissingError`.
    """

    def read_settled(self, path: str) -> tuple[bytes, float | None]:
        """A file's bytes, and when it was last written, in seconds since the epoch; None: not known."""

    def real(self, path: str) -> str:
        """The path without symbolic links; it is there."""


class Dump:
    """The files that ``nginx -T`` printed, and nothing of any disk.

    Args:
        files: see `advisor.formats.nginx_dump.split`; the main file first.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.entry = next(iter(files))
        self.folders: dict[str, dict[str, None]] = {}
        for path in files:
            base = "/"
            for name in path[1:].split("/"):
                self.folders.setdefault(base, {})[name] = None
                base = posixpath.join(base, name)

    def read_settled(self, path: str) -> tuple[bytes, None]:
        """A file's bytes; when it was written is not in a dump."""
        return self.files[path], None

    def real(self, path: str) -> str:
        """The name under which it stands in the dump; of two names for one file by way of ``..``, the short one.

        Raises:
            MissingError: when it is not in the dump.
        """
        path = plain(path)
        if path not in self.files:
            raise MissingError(f"{path} is not in the dump, which was cut or edited; make it anew with nginx -T")
        short = posixpath.normpath(path)
        return short if self.files.get(short) == self.files[path] else path

    def names(self, path: str) -> Iterator[str]:
        """The names in a folder, as far as the dump shows them."""
        yield from self.folders.get(path, ())

    def named(self, path: str) -> bool:
        """Whether the dump holds that file."""
        return path in self.files
