"""Looking at another network namespace: by the name that ip-netns(8) gave it, or by a process that lives in it.

setns(2) moves this process there and back again. /proc/net and /proc/sys/net then show that namespace, and SOCK_DIAG
asks it. That takes CAP_SYS_ADMIN; without it, /proc/PID/net of a process in the namespace is open to everybody.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from advisor.errors import InputError
from advisor.system import System

_NAMED = ("/run/netns", "/var/run/netns")
"""Where ip-netns(8) keeps a file for each namespace that has a name."""
_CLONE_NEWNET = 0x40000000
_NS_GET_NSTYPE = 0xB703
"""ioctl_nsfs(2): the kind of a namespace, as the flag of clone(2) that makes one."""
FROM_OUTSIDE = ("host", "counters", "sockets", "modules")
"""The sources that show a namespace which we may not enter, or are the same for all."""
_NAME = re.compile(r"[^/\0]{1,255}")


@contextmanager
def entered(name: str) -> Iterator[str | None]:
    """Be in a network namespace meanwhile; gives None, or why we may not.

    Raises:
        InputError: when there is no such namespace, or a thread of ours would stay behind.
    """
    try:
        there = _opened(name)
    except PermissionError:
        yield f"only root may look into the network namespace {called(name)}"
        return
    home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if len(os.listdir("/proc/self/task")) > 1:  # setns(2) moves one of them
            raise InputError(f"--netns {name}: this process has several threads, of which only one would look there")
        refused = _enter(there)
        if refused == errno.EPERM:
            yield f"only root (CAP_SYS_ADMIN) may enter the network namespace {called(name)}"
        elif refused:
            raise InputError(f"--netns {name}: {os.strerror(refused)}")
        else:
            try:
                yield None
            finally:
                _enter(home)
    finally:
        os.close(home)
        os.close(there)


def named(name: str) -> None:
    """Make sure that there is such a namespace, without opening it.

    Raises:
        InputError: when there is none.
    """
    # Whether a process of somebody else has namespaces only root is told.
    if not os.path.lexists(_path(name).removesuffix("/ns/net")):
        raise _none(name)


def process_of(name: str) -> int | None:
    """The process that stands for a namespace, where none has that name and it is the number of one."""
    named = any(os.path.lexists(f"{folder}/{name}") for folder in _NAMED)
    return int(name) if not named and name.isascii() and name.isdecimal() else None


def called(name: str) -> str:
    """A namespace in words: its name, or whose it is."""
    return name if process_of(name) is None else f"of pid {name}"


def _opened(name: str) -> int:
    """The namespace, open; PermissionError where we may not."""
    path = _path(name)
    try:
        there = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise _none(name) from None
    except PermissionError:
        raise
    except OSError as error:
        raise InputError(f"--netns {name}: {path}: {error.strerror}") from None
    if _kind(there) != _CLONE_NEWNET:
        os.close(there)
        raise InputError(f"--netns {name}: {path} is no network namespace")
    return there


def _none(name: str) -> InputError:
    return InputError(f"--netns {name}: no such network namespace; 'ip netns' lists names, or give a pid")


def _path(name: str) -> str:
    if not _NAME.fullmatch(name) or name in {".", ".."}:
        raise InputError(f"--netns {name!r}: neither the name of a network namespace nor a pid")
    for folder in _NAMED:
        if os.path.lexists(f"{folder}/{name}"):
            return f"{folder}/{name}"
    return f"/proc/{name}/ns/net" if process_of(name) is not None else f"{_NAMED[0]}/{name}"


def _kind(descriptor: int) -> int | None:
    """None for a file that is no namespace."""
    from fcntl import ioctl  # noqa: PLC0415 (only with --netns)

    try:
        return ioctl(descriptor, _NS_GET_NSTYPE)
    except OSError:
        return None


def _enter(descriptor: int) -> int:
    """0, or the errno."""
    import ctypes  # noqa: PLC0415 (5 ms; os.setns came with Python 3.12)

    return ctypes.get_errno() if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET) else 0


class Neighbour(System):
    """This machine with the /proc/net of a process in another network namespace: what is read of it without rights.

    It is not `live`: the sockets that could be asked are those of our own namespace.
    """

    def __init__(self, pid: int) -> None:
        super().__init__()
        self.live = False
        self._net = f"/proc/{pid}/net/"

    def real(self, path: str) -> str:
        """See `System.real`."""
        return os.path.realpath(self._seen(path), strict=True)

    def inside(self, path: str) -> str:
        """See `System.inside`."""
        return self._seen(path)

    def _seen(self, path: str) -> str:
        return self._net + path.removeprefix("/proc/net/") if path.startswith("/proc/net/") else path
