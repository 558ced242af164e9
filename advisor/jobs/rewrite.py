"""Show what a cure changes in files, or write it into them: all of them or none, and none outside of where it may.

A file is replaced by a new one of its folder, by rename(2), so that whoever reads it meets the old bytes or the new
ones. It keeps mode, owner and extended attributes. Folders are held open from the check to the rename: what stands in
the place of a path meanwhile is never followed.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import NamedTuple

from advisor.collect.nginx_includes import printable
from advisor.collect.tops import top_of
from advisor.errors import InputError, UsageError
from advisor.formats.diff import unified
from advisor.jobs.fix import Fixed

_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


class _File(NamedTuple):
    """A file that is to be replaced: what messages call it, the open folder it is in, its name there, what it is."""

    path: str
    folder: int
    name: str
    status: os.stat_result
    attributes: dict[str, bytes]
    old: bytes
    new: bytes


def diff(fixed: Fixed) -> bytes:
    """The changes, as ``git apply`` and ``patch -p1`` take them; links are followed.

    They are taken from the current folder; where a file does not lie below it, from the top of the repository.
    """
    changes = [(os.path.realpath(path), old, new) for path, (old, new) in fixed.files.items()]
    base = here = os.path.realpath(".")
    if not all(_inside(real, [here]) for real, _, _ in changes):
        base = top_of(here) or here
    return b"".join(
        unified(old, new, os.path.relpath(real, base) if _inside(real, [base]) else real) for real, old, new in changes
    )


def outside(fixed: Fixed, within: Sequence[str]) -> list[str]:
    """The files, as messages name them, that lie where `write` may not write."""
    tops = [os.path.realpath(path) for path in within]
    return [printable(path) for path in fixed.files if not _inside(os.path.realpath(path), tops)]


def write(fixed: Fixed, within: Sequence[str]) -> list[str]:
    """Write the new bytes into the files.

    Args:
        fixed: what to write, and what must stand there now.
        within: the files and folders that may be changed; what a link leads to is in the place it leads to.

    Returns:
        the files that were changed, as messages name them.

    Raises:
        UsageError: when one lies outside; nothing is written then.
        InputError: when one changed since it was read, has other names (hard links), is read-only, or can't be written;
            what was written before that is put back.
    """
    tops = [os.path.realpath(path) for path in within]
    with ExitStack() as open_folders:
        folders: dict[str, int] = {}
        files: dict[str, _File] = {}
        for path, (old, new) in fixed.files.items():
            shown = printable(path)
            with _told(shown):
                real = os.path.realpath(path, strict=True)
                if not _inside(real, tops):
                    leads = shown if os.path.abspath(path) == real else f"{shown} leads to {printable(real)}, which"
                    raise UsageError(f"{leads} lies outside of the paths given; name it, too, or change it by hand")
                if real in files and files[real].new != new:
                    raise InputError(f"{shown} is {files[real].path}, by a link, and both are to change; name one")
                folder = os.path.dirname(real)
                if folder not in folders:
                    folders[folder] = _opened(folder, open_folders)
                files[real] = _checked(shown, folders[folder], os.path.basename(real), old, new)
        _replace(files.values())
        for folder_fd in folders.values():
            os.fsync(folder_fd)
    return [printable(path) for path in fixed.files]


def _inside(real: str, tops: Iterable[str]) -> bool:
    return any(real == top or real.startswith(top.rstrip("/") + "/") for top in tops)


@contextmanager
def _told(path: str) -> Iterator[None]:
    """What goes wrong with a file, as an error that names it."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path} can't be changed: {error.strerror}; nothing is written") from None


def _opened(folder: str, stack: ExitStack) -> int:
    """The folder, open; it must be where its path says, without links."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    stack.callback(os.close, opened)
    if os.readlink(f"/proc/self/fd/{opened}") != folder:
        raise InputError(f"{printable(folder)} was moved just now; run it again")
    return opened


def _checked(path: str, folder: int, name: str, old: bytes, new: bytes) -> _File:
    """The file, where it may be replaced."""
    opened = os.open(name, _READ, dir_fd=folder)
    with os.fdopen(opened, "rb") as file:
        status = os.fstat(opened)
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path} is no regular file; change it by hand")
        if file.read(len(old) + 1) != old:
            raise InputError(f"{path} changed since it was read; run it again")
        attributes = _attributes(opened)
    if status.st_nlink > 1:
        way = "a new file would part them: make it a file of its own, or change it by hand"
        raise InputError(f"{path} has {status.st_nlink} names (hard links); {way}")
    if not status.st_mode & 0o222 or not os.access(name, os.W_OK, dir_fd=folder, effective_ids=True):
        raise InputError(f"{path} is read-only; make it writable, or change it by hand")
    if not os.access(".", os.W_OK | os.X_OK, dir_fd=folder, effective_ids=True):
        raise InputError(f"{path} can't be replaced: its folder is read-only; make it writable")
    return _File(path, folder, name, status, attributes, old, new)


def _attributes(opened: int) -> dict[str, bytes]:
    """Extended attributes, access control lists among them; none where the file system has none."""
    try:
        return {name: os.getxattr(opened, name) for name in os.listxattr(opened)}
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
        return {}


def _replace(files: Iterable[_File]) -> None:
    """Replace all of them, or none."""
    staged: list[tuple[_File, str]] = []
    done: list[_File] = []
    try:
        for file in files:
            with _told(file.path):
                staged.append((file, _staged(file, file.new)))
        for file, temporary in staged:
            with _told(file.path):
                _unchanged(file)
                _into_place(file, temporary)
            done.append(file)
    except BaseException:
        for file, temporary in staged[len(done) :]:
            with suppress(FileNotFoundError):  # that of the one that failed is gone
                os.unlink(temporary, dir_fd=file.folder)
        _put_back(done)
        raise


def _into_place(file: _File, temporary: str) -> None:
    """Give a new file its name; where that fails, nothing is left of it."""
    try:
        os.replace(temporary, file.name, src_dir_fd=file.folder, dst_dir_fd=file.folder)
    except OSError:
        os.unlink(temporary, dir_fd=file.folder)
        raise


def _unchanged(file: _File) -> None:
    """Make sure, at the last moment, that what is replaced is what was looked at."""
    if _state(os.stat(file.name, dir_fd=file.folder, follow_symlinks=False)) != _state(file.status):
        raise InputError(f"{file.path} changed since it was read; run it again")


def _state(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _staged(file: _File, content: bytes) -> str:
    """A new file beside the one to be replaced, with its mode and owner; returns its name."""
    name = f".advisor-{secrets.token_hex(8)}"
    opened = os.open(name, _NEW, 0o600, dir_fd=file.folder)
    try:
        with os.fdopen(opened, "wb") as out:
            out.write(content)
            out.flush()
            os.fchown(opened, file.status.st_uid, file.status.st_gid)
            os.fchmod(opened, stat.S_IMODE(file.status.st_mode))
            for one, value in file.attributes.items():
                with suppress(OSError):  # labels that only the system gives come with the new file
                    os.setxattr(opened, one, value)
            os.fsync(opened)
    except BaseException:
        os.unlink(name, dir_fd=file.folder)
        raise
    return name


def _put_back(done: Iterable[_File]) -> None:
    """Give the files that were replaced already their old bytes again.

    Raises:
        InputError: naming those for which that failed, too.
    """
    lost = []
    for file in done:
        try:
            _into_place(file, _staged(file, file.old))
        except OSError:
            lost.append(file.path)
    if lost:
        raise InputError(f"{', '.join(lost)} could not be put back after a later file failed; look at 'git diff'")
