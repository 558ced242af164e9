"""The one door to the machine: reading, listing, the clock, and the atomic writing of our own output.

Its root may be a fixture tree (``--root DIR`` with proc/ and etc/): every path is then taken inside that tree,
symbolic links included, so that nothing of this host is ever read in the name of another.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

MIB = 1024 * 1024
_LINKS = 40
"""Symbolic links followed in one path, as the kernel does."""


_Names = list[str]


class System:
    """A machine, or a tree that stands for one.

    Args:
        root: the folder that is ``/``. With anything but ``/`` the machine is not `live`: there are no
            processes and no sockets to ask.
    """

    def __init__(self, root: str = "/") -> None:
        self.root = os.path.realpath(root)
        self.live = self.root == "/"

    def read(self, path: str, limit: int = 16 * MIB) -> bytes:
        """The bytes of a regular file.

        Args:
            path: absolute, inside the root.
            limit: the most it may hold, in bytes.

        Raises:
            OSError: when it can't be read; with EINVAL when it is no regular file, EFBIG above the limit.
        """
        return self._read(path, limit)[0]

    def read_settled(self, path: str, limit: int = 16 * MIB) -> tuple[bytes, float]:
        """The bytes of a regular file that nobody writes to meanwhile, and when it was last written, since the epoch.

        Args:
            path: absolute, inside the root.
            limit: the most it may hold, in bytes.

        Raises:
            OSError: as `read`; with EBUSY when it changed while it was read.
        """
        content, before, after = self._read(path, limit)
        if (before.st_mtime_ns, before.st_size, len(content)) != (after.st_mtime_ns, after.st_size, after.st_size):
            raise OSError(errno.EBUSY, "it changed while it was read", path)
        return content, after.st_mtime

    def tail(self, path: str, limit: int) -> tuple[bytes, int, float]:
        """The last ``limit`` bytes of a regular file, its size in bytes, and when it was last written, since the epoch.

        Raises:
            OSError: as `read`, whatever its size.
        """
        with self._regular(path) as fd:
            status = os.fstat(fd)
            data = os.pread(fd, limit, max(0, status.st_size - limit))
        return data, status.st_size, status.st_mtime

    def _read(self, path: str, limit: int) -> tuple[bytes, os.stat_result, os.stat_result]:
        """The bytes, and the file's state before and after."""
        with self._regular(path) as fd:
            before = os.fstat(fd)
            parts: list[bytes] = []
            size = 0
            while part := os.read(fd, MIB):
                size += len(part)
                if size > limit:
                    raise _too_large(path, limit)
                parts.append(part)
            return b"".join(parts), before, os.fstat(fd)

    @contextmanager
    def _regular(self, path: str) -> Iterator[int]:
        """A regular file, open. Opening can act on what is none: that is asked first, and again of what was opened."""
        inside = self.inside(path)
        fd = -1
        try:
            if stat.S_ISREG(os.stat(inside).st_mode):
                fd = os.open(inside, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
            if fd < 0 or not stat.S_ISREG(os.fstat(fd).st_mode):
                raise OSError(errno.EINVAL, "not a regular file", path)
            yield fd
        finally:
            if fd >= 0:
                os.close(fd)

    def real(self, path: str) -> str:
        """The path without symbolic links, inside the root (as an absolute path of the audited tree).

        Raises:
            OSError: ENOENT when it is not there, ELOOP after 40 links.
        """
        if self.live:
            return os.path.realpath(path, strict=True)
        done: list[str] = []
        todo = [part for part in reversed(path.split("/")) if part]
        links = 0
        while todo:
            part = todo.pop()
            if part in {".", ".."}:
                if not stat.S_ISDIR(os.lstat(os.path.join(self.root, *done)).st_mode):
                    raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
                del done[len(done) - (part == "..") :]
                continue
            here = os.path.join(self.root, *done, part)
            if not stat.S_ISLNK(os.lstat(here).st_mode):
                done.append(part)
                continue
            links += 1
            if links > _LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            target = os.readlink(here)
            done = [] if target.startswith("/") else done
            todo += [piece for piece in reversed(target.split("/")) if piece]
        return "/" + "/".join(done)

    def inside(self, path: str) -> str:
        """The path on this machine's disk for a path of the audited tree, links resolved inside it."""
        return path if self.live else os.path.join(self.root, self.real(path).lstrip("/"))

    def exists(self, path: str) -> bool:
        """Whether something is there."""
        try:
            self.real(path)
        except OSError:
            return False
        return True

    def named(self, path: str) -> bool:
        """Whether its folder has an entry of that name, be it a link that leads nowhere."""
        folder, _, name = path.rpartition("/")
        try:
            return os.path.lexists(os.path.join(self.inside(folder or "/"), name))
        except OSError:
            return False

    def list(self, path: str) -> _Names:
        """The names in a folder, sorted; empty when there is no such folder.

        Raises:
            OSError: when it is there and can't be read.
        """
        return sorted(self.names(path))

    def names(self, path: str) -> Iterator[str]:
        """The names in a folder as they come, so that a huge one can be left early; none when there is no such folder.

        Raises:
            OSError: when it is there and can't be read.
        """
        try:
            entries = os.scandir(self.inside(path))
        except (FileNotFoundError, NotADirectoryError):
            return
        with entries:
            for entry in entries:
                yield entry.name

    def read_only(self, path: str) -> bool:
        """Whether the file system there is mounted read-only; a tree is none that anything would be written to.

        Raises:
            OSError: when it can't be told.
        """
        return self.live and bool(os.statvfs(path).f_flag & os.ST_RDONLY)

    def modified(self, path: str) -> float:
        """When the file was last written, in seconds since the epoch."""
        return os.stat(self.inside(path)).st_mtime

    def now(self) -> float:
        """The clock, in seconds since the epoch."""
        return time.time()

    def tick(self) -> float:
        """A clock that never goes back, in seconds."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)


def standard_input(limit: int) -> bytes:
    """What is piped in, whole.

    Raises:
        OSError: when it is closed or can't be read; with EFBIG above ``limit`` bytes.
    """
    if sys.stdin is None:
        raise OSError(errno.EBADF, "it is closed", "standard input")
    content = sys.stdin.buffer.read(limit + 1)
    if len(content) > limit:
        raise _too_large("standard input", limit)
    return content


def _too_large(path: str, limit: int) -> OSError:
    return OSError(errno.EFBIG, f"larger than the {limit} bytes that are read of such a file", path)


def join(base: str, name: str) -> str:
    """A path of the audited tree."""
    return base.rstrip("/") + "/" + name


def write_whole(path: str, content: bytes, mode: int = 0o644) -> None:
    """Write one of our own output files so that it is there whole or not at all.

    The folder must be there. The file is made anew (a link in its place is replaced, never followed). What is no file
    is written to and stays: a device such as /dev/null, a pipe of ours, and what /dev/stdout and /dev/fd lead to.

    Raises:
        OSError: when it can't be written; nothing is left behind then.
    """
    if _is_channel(path):
        _pour(path, content)
        return
    from tempfile import mkstemp  # noqa: PLC0415 (3 ms, which only a run that writes needs)

    folder = os.path.dirname(path) or "."
    fd, temporary = mkstemp(prefix=".advisor-", dir=folder)
    try:
        with os.fdopen(fd, "wb") as file:
            os.fchmod(fd, mode)
            file.write(content)
            file.flush()
            os.fsync(fd)
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _is_channel(path: str) -> bool:
    """Whether a path is to be written to as it is: to replace /dev/null by a file would harm the whole host.

    Links are followed in the kernel's own folders alone: one that somebody left elsewhere may lead to any device.
    """
    folder = os.path.realpath(os.path.dirname(path) or os.curdir)
    if folder in {"/dev", "/dev/pts"} or folder.startswith("/proc/"):
        return True
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return False
    if stat.S_ISBLK(status.st_mode):
        raise OSError(errno.EINVAL, "it is a disk", path)
    return stat.S_ISCHR(status.st_mode) or (stat.S_ISFIFO(status.st_mode) and status.st_uid == os.geteuid())


def _pour(path: str, content: bytes) -> None:
    """Write to what is there; a pipe that nobody reads from is an error, not a wait."""
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with os.fdopen(fd, "wb") as file:
        if stat.S_ISBLK(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "it is a disk", path)
        os.set_blocking(fd, True)
        file.write(content)
