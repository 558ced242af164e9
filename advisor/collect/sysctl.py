"""Live sysctls of this network namespace, and the files that set them at boot or were given."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Sequence

from advisor.catalog.sysctl import KEYS
from advisor.collect.sysctl_writers import read_writers
from advisor.errors import InputError
from advisor.formats.sysctl import parse
from advisor.snapshot.model import SysctlFile, Sysctls
from advisor.system import MIB, System, join

FOLDERS = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")
"""Where sysctl.d(5) and sysctl(8) look for ``*.conf``, the first first."""
LAST = "/etc/sysctl.conf"
"""Read by sysctl(8) ``--system`` after all others."""
_MOST_FILES = 1_000
_MOST_BYTES = 4 * MIB
"""Of all files together; those of a host with every package of a distribution hold less than a hundredth of it."""
_KEPT_ASIDE = re.compile(
    r"readme|(?:\.(?:bak|old|orig|save|disabled|off|sample|example|swp|pac\w+|dpkg-\w+|rpm\w+|ucf-\w+)|~)$"
)
"""Names of files that nobody expects to be read."""

Problems = list[tuple[str, str]]


def read_sysctls(system: System, more: Sequence[str] = ()) -> Sysctls:
    """The value of every key of the catalogue, and of ``more`` keys.

    /proc/sys/net shows the network namespace of the process that reads it.

    Raises:
        InputError: when there is no /proc/sys at all.
    """
    if not system.exists("/proc/sys"):
        raise InputError("no /proc/sys in the tree: copy the host's proc/sys/net into it, or leave --root out")
    values: dict[str, str] = {}
    absent: list[str] = []
    refused: dict[str, str] = {}
    for key in dict.fromkeys([*KEYS, *more]):
        try:
            values[key] = system.read(path_of(key), MIB).decode().rstrip("\n")
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
            So is one that can't be read, since it hides others of its name.
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
    taken = [file for file in files if file.given or (file.writer is None and file.path.endswith(".conf"))]
    problems += [("sysctl_files", why) for file in taken for _, why in parse(file.content, file.path).problems]
    return files, problems


def path_of(key: str) -> str:
    """Where /proc shows a key: its dots are slashes, and slashes in it are dots (sysctl(8))."""
    return "/proc/sys/" + key.translate(str.maketrans("./", "/."))


def _found(system: System, problems: Problems) -> list[SysctlFile]:
    files: list[SysctlFile] = []
    size = 0
    for path in _paths(system, problems):
        if len(files) == _MOST_FILES or size > _MOST_BYTES:
            most = f"{_MOST_FILES} files" if len(files) == _MOST_FILES else f"{_MOST_BYTES // MIB} MiB of files"
            problems.append(("sysctl_files", f"more than {most}: {path} and later ones were not read"))
            break
        file = _file(system, path, problems)
        size += len(file.content)
        files.append(file)
    return files + read_writers(system, problems)


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
            yield from (join(folder, name) for name in names if _wanted(folder, name))
    if system.exists(LAST):
        yield LAST


def _wanted(folder: str, name: str) -> bool:
    """What is read, and what an administrator may take for read."""
    return name.endswith(".conf") or (folder == FOLDERS[0] and _KEPT_ASIDE.search(name.lower()) is None)


def _file(system: System, path: str, problems: Problems) -> SysctlFile:
    """A file, or what stands in its place: a link to /dev/null, or to nothing, masks those of its name."""
    link = None
    try:
        link = _link(system, path)
        return SysctlFile(path=path, content=b"" if link == "/dev/null" else system.read(path, MIB), link=link)
    except FileNotFoundError:
        problems.append(("sysctl_files", f"{path} is a link that leads nowhere: it only hides files of its name"))
        return SysctlFile(path=path, content=b"", link=link)
    except OSError as error:
        if path.endswith(".conf"):
            problems.append(("sysctl_files", f"{path} can't be read: {error.strerror}"))
        return SysctlFile(path=path, content=b"", link=link, unread=error.strerror or str(error))


def _link(system: System, path: str) -> str | None:
    folder, _, name = path.rpartition("/")
    try:
        return os.readlink(join(system.inside(folder), name))
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    return None


def _given(path: str) -> SysctlFile:
    try:
        return SysctlFile(path=path, content=System().read(path, MIB), given=True)
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}; give a file of sysctl settings") from None
