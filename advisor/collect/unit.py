"""The limits that systemd gives a service: its unit file, the drop-ins, and the manager's own defaults.

Only lines that set a limit are kept: environments and command lines are read over. Folders and their order are those
of systemd.unit(5) and systemd-system.conf(5); limits those of systemd.exec(5) and systemd.resource-control(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.collect.dropins import conf_files
from advisor.snapshot.model import Unit, UnitLimit
from advisor.system import MIB, System, join

_FOLDERS = (
    *("/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient"),
    *("/etc/systemd/system", "/run/systemd/system", "/run/systemd/generator", "/usr/local/lib/systemd/system"),
    *("/usr/lib/systemd/system", "/lib/systemd/system"),
)
_MANAGER = ("/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd")
_KEPT = re.compile(r"(?:Default)?(?:Limit[A-Z]{1,12}|TasksMax)|MemoryMax|MemoryHigh|CPUQuota", re.ASCII)
_SECTIONS = {"[Service]", "[Manager]"}
_LONGEST = 200
"""Characters of a value; the longest that means anything is some 40."""

Problems = list[tuple[str, str]]


def read_unit(system: System, pid: int, problems: Problems) -> Unit | None:
    """The service that a process runs in; None where it runs in none, or systemd's control group can't be told."""
    try:
        groups = system.read(f"/proc/{pid}/cgroup", MIB).decode("utf-8", "replace")
    except OSError:
        return None
    name = service_of(groups)
    if name is None:
        return None
    limits = [limit for path in _files(system, name, problems) for limit in _limits(system, path, problems)]
    return Unit(name=name, limits=limits)


def service_of(groups: str) -> str | None:
    """The system service in what /proc/PID/cgroup says; None for one of a user's own manager."""
    for line in groups.splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        parts = path.split("/")
        if controllers in {"", "name=systemd"} and not any(part.startswith("user@") for part in parts):
            found = next((part for part in parts if part.endswith(".service")), None)
            if found is not None:
                return found
    return None


def _files(system: System, name: str, problems: Problems) -> Iterator[str]:
    """The manager's files, the unit's file and its drop-ins, in the order in which they are read."""

    def say(why: str) -> None:
        problems.append(("processes", why))

    yield from _first(system, _MANAGER, ("system.conf",))
    yield from conf_files(system, (join(base, "system.conf.d") for base in _MANAGER), say)
    yield from _first(system, _FOLDERS, _names(name))
    folders = (*(f"{one}.d" for one in _names(name)), "service.d")
    yield from conf_files(system, (join(base, name) for name in folders for base in _FOLDERS), say)


def _names(name: str) -> tuple[str, ...]:
    """A unit, and the template it was made of (``web@a.service`` of ``web@.service``)."""
    before, at, _ = name.partition("@")
    return (name, f"{before}@.service") if at else (name,)


def _first(system: System, folders: tuple[str, ...], names: tuple[str, ...]) -> Iterator[str]:
    paths = (join(folder, name) for name in names for folder in folders)
    yield from [path for path in paths if system.exists(path)][:1]


def _limits(system: System, path: str, problems: Problems) -> Iterator[UnitLimit]:
    try:
        text = system.read(path, MIB).decode("utf-8", "replace")
    except OSError as error:
        if not _masked(system, path):
            problems.append(("processes", f"{path} can't be read: {error.strerror}"))
        return
    section = ""
    for number, line in _logical(text):
        if line.startswith("["):
            section = line
        key, equals, value = line.partition("=")
        if equals and section in _SECTIONS and _KEPT.fullmatch(key.strip()):
            yield UnitLimit(path=path, line=number, name=key.strip(), value=value.strip()[:_LONGEST])


def _masked(system: System, path: str) -> bool:
    """Whether it leads to /dev/null, which takes files of its name in later folders away (systemd.unit(5))."""
    return system.real(path) == "/dev/null"


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """Lines with those that a backslash at the end continues, by the number of their first; no comments."""
    held, first = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.startswith(("#", ";")):
            continue
        first = first if held else number
        held += line
        if held.endswith("\\"):
            held = held[:-1] + " "
            continue
        yield first, held
        held = ""
    if held:
        yield first, held.strip()
