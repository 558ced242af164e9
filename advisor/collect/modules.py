"""Kernel modules: those loaded, those built in, and those that systemd-modules-load loads at boot.

The folders are those of modules-load.d(5); /etc/modules is read by Debian's link to it and by kmod's own service.
systemd-sysctl runs after systemd-modules-load, so that sysctls of a module in these lists are there when they are set.
"""

from __future__ import annotations

from advisor.collect.dropins import conf_files
from advisor.snapshot.model import Modules
from advisor.system import MIB, System

_FOLDERS = ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")
_OLD = "/etc/modules"

Problems = list[tuple[str, str]]


def read_modules(system: System) -> tuple[Modules, Problems]:
    """What is there of modules; a kernel without them has loaded none.

    Raises:
        OSError: when the kernel's release, or a /proc/modules that is there, can't be read.
    """
    problems: Problems = []
    release = system.read("/proc/sys/kernel/osrelease", MIB).decode("ascii", "replace").strip()
    loaded = _words(system.read("/proc/modules")) if system.exists("/proc/modules") else []
    return Modules(loaded=loaded, builtin=_builtin(system, release), at_boot=_at_boot(system, problems)), problems


def _words(data: bytes) -> list[str]:
    """The first word of each line that is no comment."""
    lines = (line.split() for line in data.decode("utf-8", "replace").splitlines())
    return [_name(words[0]) for words in lines if words and not words[0].startswith(("#", ";"))]


def _name(word: str) -> str:
    """A module's name as the kernel says it: with ``_``, where files may have ``-``."""
    return word.replace("-", "_")


def _builtin(system: System, release: str) -> list[str] | None:
    """From modules.builtin, a path each line; None where it can't be read."""
    if "/" in release:
        return None
    for folder in ("/lib/modules", "/usr/lib/modules"):
        try:
            data = system.read(f"{folder}/{release}/modules.builtin", MIB)
        except OSError:
            continue
        paths = data.decode("utf-8", "replace").split()
        return [_name(path.rpartition("/")[2].partition(".ko")[0]) for path in paths]
    return None


def _at_boot(system: System, problems: Problems) -> dict[str, list[str]]:
    """By file; of files of the same name that in the first folder counts, and a link to /dev/null masks the others."""
    folders = (f"{base}/modules-load.d" for base in _FOLDERS)
    chosen = conf_files(system, folders, lambda why: problems.append(("modules", why)))
    found = {path: _listed(system, path, problems) for path in [*chosen, _OLD]}
    return {path: modules for path, modules in found.items() if modules}


def _listed(system: System, path: str, problems: Problems) -> list[str]:
    try:
        if not system.exists(path) or system.real(path) == "/dev/null":
            return []
        return _words(system.read(path, MIB))
    except OSError as error:
        problems.append(("modules", f"{path} can't be read: {error.strerror}"))
        return []
