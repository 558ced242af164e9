"""What an ``include`` names: files found as nginx finds them, in the audited tree alone; and cycles of includes."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import NamedTuple

from advisor.collect.globbing import Glob
from advisor.collect.nginx_files import Files, MissingError
from advisor.errors import InputError
from advisor.formats.wildcard import is_wild

_CHAIN = 8
"""Includes of a cycle that are named."""


class Site(NamedTuple):
    """An ``include``: where it stands, and the path it names."""

    file: str
    line: int
    path: str


class Includes:
    """Finds what includes name.

    Args:
        files: where to look.
        folder: where relative paths begin (nginx's conf_prefix, the main file's folder); None: nobody knows where
            the configuration belongs, so that nothing is looked for.
    """

    def __init__(self, files: Files, folder: str | None) -> None:
        self.files = files
        self.folder = folder
        self.glob = Glob(files)

    def named(self, asker: str, text: str) -> Iterator[str | MissingError]:
        """The real paths of the files that an include names, and what is missing: a link that leads nowhere, too.

        Args:
            asker: ``file:line`` of the include.
            text: its argument.

        Raises:
            InputError: when what it names is there and can't be read.
        """
        if self.folder is None:
            what = f"{asker}: {printable(text)} was not followed, since standard input may be of any host"
            yield MissingError(f"{what}; say where it belongs by --prefix or --root, or pipe in what nginx -T prints")
            return
        pattern = text if text.startswith("/") else f"{self.folder}/{text}"
        try:
            paths = self.glob.paths(pattern) if is_wild(pattern) else [pattern]
        except MissingError as missing:
            yield MissingError(f"{asker}: {missing}")
            return
        except OSError as error:
            raise unreadable(asker, pattern, error) from None
        for path in paths:
            try:
                yield real_path(self.files, asker, path)
            except MissingError as missing:
                yield missing


def real_path(files: Files, asker: str, path: str) -> str:
    """The path without symbolic links.

    Raises:
        MissingError: when nothing is there.
        InputError: when that can't be told, and where the path is not UTF-8, which reports must be.
    """
    try:
        real = files.real(path)
        real.encode()
    except MissingError as missing:
        raise MissingError(f"{asker}: {missing}") from None
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingError(str(unreadable(asker, path, error))) from None
    except OSError as error:
        raise unreadable(asker, path, error) from None
    except UnicodeEncodeError:
        raise InputError(f"{asker}: {printable(path)} is a path that is not UTF-8; rename it") from None
    return real


def unreadable(asker: str, path: str, error: OSError) -> InputError:
    """The error for a file that can't be read, who asks for it, and the way out."""
    what = f"can't read {printable(path)}: {error.strerror or error}"
    way_out = _WAYS_OUT.get(error.errno or 0, "correct the path, or the file")
    return InputError(f"{what}; {way_out}" if asker == path else f"{asker}: {what}; {way_out}")


_WAYS_OUT = {
    errno.EACCES: "run as root",
    errno.EPERM: "run as root",
    errno.EBUSY: "run again",
    errno.E2BIG: "include fewer, or list them",
}


def printable(text: str) -> str:
    """A path in a message: one line, no control characters; what is not UTF-8 escaped."""
    if text.isprintable():
        return text
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def included_first(entry: str, sites: dict[str, list[Site]]) -> list[str]:
    """Every file, each after all those that it includes.

    Args:
        entry: the main file.
        sites: the includes of each file.

    Raises:
        InputError: for an include that leads back to a file it came from, with the way there.
    """
    stack = [iter(sites[entry])]
    open_files = {entry: 0}
    trail: list[Site] = []
    done: dict[str, None] = {}
    while stack:
        site = next(stack[-1], None)
        if site is None:
            stack.pop()
            done[open_files.popitem()[0]] = None
            del trail[-1:]
        elif site.path in open_files:
            raise _cycle([*trail[open_files[site.path] :], site])
        elif site.path not in done:
            open_files[site.path] = len(stack)
            stack.append(iter(sites[site.path]))
            trail.append(site)
    return list(done)


def _cycle(sites: list[Site]) -> InputError:
    chain = [f"{printable(site.file)}:{site.line}" for site in sites]
    shown = [*chain[:_CHAIN], "..."] if len(chain) > _CHAIN else chain
    way = " -> ".join([*shown, printable(sites[-1].path)])
    return InputError(f"{chain[-1]}: include cycle: {way}; nginx ends on it with a crash: remove one of them")
