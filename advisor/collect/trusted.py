"""Files that say what is to be judged and how: as root, only those are followed that nobody else can write.

Whoever can write a configuration or a rule decides what root is told to change. Each file, and the folder it lies in,
is looked at once it is open (fstat(2)), so that nothing can be put in its place meanwhile.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from advisor.errors import ConfigError

_SHUT = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY


def read(path: str, limit: int) -> bytes:
    """The bytes of a regular file that may be followed.

    Args:
        path: a link is followed, if nobody else can write to the folder that it lies in.
        limit: the most it may hold, in bytes.

    Raises:
        OSError: when it can't be read; with EINVAL when it is no regular file, EFBIG above the limit.
        ConfigError: as root, when others can write to it or to its folder.
    """
    place = os.path.dirname(os.path.abspath(path))
    folder, name = os.path.split(os.path.realpath(path))
    if os.path.realpath(place) != folder:
        with opened(place):
            pass  # only that it may be opened: who can write to it says where the link leads
    with opened(folder) as fd:
        return read_in(fd, name, path, limit)


def read_in(folder: int, name: str, shown: str, limit: int) -> bytes:
    """The bytes of a regular file in an open folder; no link is followed.

    Args:
        folder: its descriptor.
        name: the file's own.
        shown: what messages call it.
        limit: the most it may hold, in bytes.

    Raises:
        OSError: as `read`; with ELOOP for a link.
        ConfigError: as `read`.
    """
    fd = _open(name, _SHUT, shown, folder)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", shown)
        _check(status, shown)
        with open(fd, "rb", closefd=False) as file:
            data = file.read(limit + 1)
    finally:
        os.close(fd)
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"larger than the {limit:,} bytes that are read of such a file", shown)
    return data


@contextmanager
def opened(path: str, shown: str = "", above: int | None = None) -> Iterator[int]:
    """A folder's descriptor.

    Args:
        path: where it is; a link is followed only in the parts above it, and in all of them where ``above`` is None.
        shown: what messages call it.
        above: the descriptor of the folder that ``path`` begins in.

    Raises:
        OSError: when it can't be opened.
        ConfigError: as root, when others can write to it.
    """
    real = os.path.realpath(path) if above is None else path
    fd = _open(real, _SHUT | os.O_DIRECTORY, shown or path, above)
    try:
        _check(os.fstat(fd), shown or path)
        yield fd
    finally:
        os.close(fd)


def _open(path: str, flags: int, shown: str, above: int | None) -> int:
    try:
        return os.open(path, flags, dir_fd=above)
    except OSError as error:
        what = "a link, which is not followed here" if error.errno == errno.ELOOP else error.strerror
        raise OSError(error.errno, what, shown) from None


def _check(status: os.stat_result, shown: str) -> None:
    """Refuse what others than root can write, where we are root."""
    if os.geteuid() != 0:
        return
    mode = stat.S_IMODE(status.st_mode)
    others = mode & stat.S_IWOTH or (mode & stat.S_IWGRP and status.st_gid != 0)
    if status.st_uid == 0 and not others:
        return
    held = f"uid {status.st_uid}, gid {status.st_gid}, mode {mode:04o}"
    raise ConfigError(
        f"{shown}: others can write to it ({held}), and root would follow what it says; run advisor as its owner"
        " (in a CI container that runs as root, the checkout may belong to another user), or chown it to root and"
        " chmod go-w, with its folder, or leave configuration and packs out: --isolated"
    )
