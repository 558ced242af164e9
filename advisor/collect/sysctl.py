"""Live sysctls of this network namespace, and the files that set them at boot or were given."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence

from advisor.catalog.sysctl import KEYS
from advisor.errors import InputError
from advisor.formats.sysctl import parse
from advisor.snapshot.model import SysctlFile, Sysctls
from advisor.system import MIB, System, join

FOLDERS = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")
"""Where sysctl.d(5) and sysctl(8) look for ``*.conf``, the first first."""
LAST = "/etc/sysctl.conf"
"""Read by sysctl(8) ``--system`` after all others."""
_MOST_FILES = 1_000

Problems = list[tuple[str, str]]


def read_sysctls(system: System) -> Sysctls:
    """The value of every key of the catalogue.

    /proc/sys/net shows the network namespace of the process that reads it.

    Raises:
        InputError: when there is no /proc/sys at all.
    """
    if not system.exists("/proc/sys"):
        raise InputError("no /proc/sys in the tree: copy the host's proc/sys/net into it, or leave --root out")
    values: dict[str, str] = {}
    absent: list[str] = []
    refused: dict[str, str] = {}
    for key in KEYS:
        try:
            values[key] = system.read("/proc/sys/" + key.replace(".", "/"), MIB).decode().rstrip("\n")
        except (FileNotFoundError, NotADirectoryError):
            absent.append(key)
        except UnicodeDecodeError:
            refused[key] = "not text"
        except OSError as error:
            refused[key] = error.strerror or str(error)
    return Sysctls(values=values, absent=absent, refused=refused, read_only=system.read_only("/proc/sys"))


def read_sysctl_files(system: System | None, given: Sequence[str] = ()) -> tuple[list[SysctlFile], Problems]:
    """The files that set sysctls: the machine's, and the given ones.

    Args:
        system: the machine or tree whose folders are read; None for the given files alone. A folder that is a link
            to another is read once; a file that is a link to another is a file of its own, as both readers take it.
        given: files on this machine's disk, as the user wrote them, to be judged as if they were applied.

    Returns:
        the files, in the order of the folders and of their names, the given ones last; and what is wrong with them:
        files that can't be read, lines that are no setting.

    Raises:
        InputError: when a given file can't be read.
    """
    problems: Problems = []
    files = _found(system, problems) if system is not None else []
    files += [_given(path) for path in given]
    problems += [("sysctl_files", why) for file in files for _, why in parse(file.content, file.path).problems]
    return files, problems


def _found(system: System, problems: Problems) -> list[SysctlFile]:
    files: list[SysctlFile] = []
    for path in _paths(system, problems):
        if len(files) == _MOST_FILES:
            problems.append(("sysctl_files", f"more than {_MOST_FILES} files: {path} and later ones were not read"))
            break
        try:
            files.append(SysctlFile(path=path, content=_content(system, path)))
        except OSError as error:
            problems.append(("sysctl_files", f"{path} can't be read: {error.strerror}"))
    return files


def _paths(system: System, problems: Problems) -> Iterator[str]:
    seen: set[str] = set()
    for folder in FOLDERS:
        try:
            real, names = system.real(folder), system.list(folder)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            problems.append(("sysctl_files", f"{folder} can't be read: {error.strerror}"))
            continue
        if real not in seen:
            seen.add(real)
            yield from (join(folder, name) for name in names if name.endswith(".conf"))
    if system.exists(LAST):
        yield LAST


def _content(system: System, path: str) -> bytes:
    """The bytes; none of a link to /dev/null, which masks files of its name in later folders (sysctl.d(5))."""
    folder, _, name = path.rpartition("/")
    try:
        if os.readlink(join(system.inside(folder), name)) == "/dev/null":
            return b""
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    return system.read(path, MIB)


def _given(path: str) -> SysctlFile:
    try:
        return SysctlFile(path=path, content=System().read(path, MIB), given=True)
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}; give a file of sysctl settings") from None
