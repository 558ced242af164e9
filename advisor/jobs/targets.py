"""What a gate judges: configurations, sysctl files and snapshots found below some paths, joined into hosts."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Literal

from advisor import __version__
from advisor.collect.discover import Search, Seen
from advisor.collect.entries import Entry, entries
from advisor.collect.hosts import by_base, nearest, taken
from advisor.collect.nginx_includes import printable
from advisor.collect.recognise import Candidate
from advisor.collect.repository import Repository
from advisor.collect.run import FILES_ONLY, NO_CAPTURE, Request, Say, collect
from advisor.collect.tops import below, top_of
from advisor.errors import AdvisorError, InputError
from advisor.formats.pathglob import PathGlob
from advisor.formats.sysctl import parse
from advisor.jobs import load
from advisor.records import dataclass, replace
from advisor.report.gated import Fault
from advisor.snapshot.model import SOURCES, Nginx, Snapshot, SysctlFile
from advisor.system import System

Kind = Literal["nginx", "sysctl", "nginx and sysctl", "snapshot", "host"]

_PLACE = re.compile(r"((?:(?!: )[^\n])+?)(?::(\d+))?(?::(\d+))?: (.*)", re.DOTALL)
_NAMED = 20_000
"""Files whose names are kept for the next pattern: more than a search finds."""
_NOT_THERE = "there is no such file or folder; correct the path"


@dataclass(frozen=True, slots=True)
class Target:
    """What is judged as one host.

    ``host`` is its name in the configuration, None where the files were joined by where they lie. ``fragment``: it is
    a part of a configuration, judged alone. ``problems`` are things wrong with what was read. ``kept`` is the file of
    a snapshot.
    """

    name: str
    kind: Kind
    files: tuple[str, ...]
    nginx: Nginx | None = None
    sysctl_files: tuple[SysctlFile, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    kept: str | None = None
    fragment: bool = False
    host: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What there is to judge, and what can't be.

    ``looked`` counts the files whose names were looked at, ``passed`` those that are not judged, by the reason.
    ``empty_hosts`` are hosts of the configuration that none of the files belongs to.
    """

    targets: list[Target]
    faults: list[Fault]
    looked: int
    passed: Mapping[str, int]
    empty_hosts: tuple[str, ...] = ()


def discover(
    paths: Sequence[str],
    exclude: Iterable[str] = (),
    hosts: Mapping[str, Sequence[str]] | None = None,
    say: Say = lambda _: None,
) -> Found:
    """Find what can be judged.

    Args:
        paths: files and folders, as the user named them. Only what lies in them, or in the git repository that we are
            in, is read.
        exclude: globs (`PathGlob`) of what is left out, from the current folder or from the repository's top.
        hosts: names, and globs of the files that make one host each.
        say: told how far it is.
    """
    here = os.path.realpath(os.curdir)
    top = top_of(here)
    given = [os.path.abspath(path) for path in paths]
    repository = Repository(here, [*([top] if top else []), *map(_folder, given)])
    names = _Names(repository, top or here)
    search = Search(repository, names.matcher(exclude), say)
    for path in given:
        if os.path.lexists(path):
            search.named(path)
        else:
            search.found.faults.append(InputError(f"{printable(repository.name(path))}: {_NOT_THERE}"))
    return _joined(repository, search.found, names, hosts or {}, say)


def _folder(path: str) -> str:
    real = os.path.realpath(path)
    return real if os.path.isdir(real) else os.path.dirname(real)


class _Names:
    """What files are called from the current folder, and from the top of the repository."""

    def __init__(self, repository: Repository, top: str) -> None:
        self._repository = repository
        self._top = top
        self._of = lru_cache(_NAMED)(self._called)

    def matcher(self, globs: Iterable[str]) -> Callable[[str], bool]:
        """Whether one of some globs names a path, by any of what it is called."""
        patterns = [PathGlob(glob) for glob in globs]
        return lambda path: any(one.matches(name) for name in self._of(path) for one in patterns) if patterns else False

    def _called(self, path: str) -> Iterable[str]:
        own = self._repository.name(path)
        return dict.fromkeys((own, path[len(self._top) :].lstrip("/")) if below(path, self._top) else (own,))


def _joined(repository: Repository, seen: Seen, names: _Names, hosts: Mapping[str, Sequence[str]], say: Say) -> Found:
    say("includes")
    read = entries(repository, [file for file in seen.files if file.kind == "nginx"])
    sets = [file for file in seen.files if file.kind == "sysctl"]
    joined = _Joined(repository)
    left, rest, empty = read.found, sets, []
    for host, globs in hosts.items():
        wanted = names.matcher(globs)
        own = [one for one in read.found if wanted(one.file.path)]
        beside = [file for file in sets if wanted(file.path)]
        joined.add(host, own, beside)
        left = [one for one in left if one not in own]
        rest = [file for file in rest if file not in beside]
        empty += [] if own or beside else [host]
    joined.by_place(left, rest)
    kept = [
        Target(file.name, "snapshot", (file.name,), kept=file.name) for file in seen.files if file.kind == "snapshot"
    ]
    passed = Counter(seen.passed)
    passed.update({"data that nothing includes": read.unused, "sysctl files that others hide": joined.hidden})
    faults = dict.fromkeys(map(fault_of, [*seen.faults, *read.faults]))
    return Found([*joined.targets, *kept], list(faults), seen.looked, +passed, tuple(empty))


class _Joined:
    """Targets, as they are made."""

    def __init__(self, repository: Repository) -> None:
        self.targets: list[Target] = []
        self.hidden = 0
        self._repository = repository

    def by_place(self, found: Iterable[Entry], files: Iterable[Candidate]) -> None:
        """Join configurations and sysctl files by where they lie; what nothing joins stands alone."""
        sets = by_base(files)
        alone = set(sets)
        for entry in found:
            base = nearest(entry.file.path, sets)
            alone.discard(base or "")
            self.targets.append(self._target(entry.file.name, None, entry, sets.get(base or "", ())))
        for base in sorted(alone):
            self.targets.append(self._target(self._called(sets[base]), None, None, sets[base]))
        self.hidden += sum(len(taken(group)[1]) for group in sets.values())

    def add(self, host: str, found: Sequence[Entry], files: Sequence[Candidate]) -> None:
        """Join what the configuration says is one host."""
        several = len(found) > 1
        for entry in found:
            name = f"{host}: {entry.file.name}" if several else host
            self.targets.append(self._target(name, host, entry, files))
        if files and not found:
            self.targets.append(self._target(host, host, None, files))
        self.hidden += len(taken(files)[1])

    def _called(self, files: Sequence[Candidate]) -> str:
        if len(files) == 1:
            return files[0].name
        return self._repository.name(os.path.commonpath([os.path.dirname(file.path) for file in files]))

    def _target(self, name: str, host: str | None, entry: Entry | None, files: Iterable[Candidate]) -> Target:
        order, _ = taken(files)
        read = tuple(SysctlFile(path=file.name, content=file.content, given=True) for file in order)
        wrong = [("sysctl_files", why) for file in read for _, why in parse(file.content, file.path).problems]
        if entry is None:
            return Target(name, "sysctl", tuple(file.path for file in read), None, read, tuple(wrong), host=host)
        return Target(
            name,
            "nginx and sysctl" if read else "nginx",
            (*entry.nginx.files, *(file.path for file in read)),
            entry.nginx,
            read,
            (*entry.problems, *wrong),
            fragment=entry.part,
            host=host,
        )


def live(request: Request, say: Say = lambda _: None) -> Snapshot | None:
    """What this host shows, to be judged with the files of each target; None where only files are.

    Raises:
        InputError: when what was named can't be read.
    """
    return collect(request, say) if request.host else None


def snapshot_of(target: Target, request: Request, host: Snapshot | None = None) -> Snapshot:
    """A target as a snapshot.

    Args:
        target: one of `discover`.
        request: what else the user said: site facts, the workload, nginx's version.
        host: what `live` found; its configuration gives way to the target's.

    Raises:
        InputError: when it is a kept snapshot that can't be read.
    """
    if target.kept is not None:
        beside = Request(nginx_version=request.nginx_version, site=request.site, profile=request.profile)
        return load.snapshot(beside, target.kept, lambda _: None)
    nginx = target.nginx
    if nginx is not None and request.nginx_version is not None:
        nginx = replace(nginx, version=request.nginx_version)
    files = list(target.sysctl_files) if target.sysctl_files else None
    if host is not None:
        return _with_host(host, target, nginx, files)
    read = {"nginx": nginx, "sysctl_files": files}
    unread = {name: FILES_ONLY for name in SOURCES if read.get(name) is None} | {"capture": NO_CAPTURE}
    return Snapshot(
        advisor=__version__,
        taken=dt.datetime.fromtimestamp(System().now(), dt.UTC).isoformat(timespec="seconds"),
        profile=request.profile,
        nginx=nginx,
        sysctl_files=files,
        site=dict(request.site),
        unread=unread,
        problems=[*target.problems],
    )


def _with_host(host: Snapshot, target: Target, nginx: Nginx | None, files: list[SysctlFile] | None) -> Snapshot:
    """What a host shows, with the files of a target in place of its own; what the target lacks stays the host's."""
    own = {name: value for name, value in (("nginx", nginx), ("sysctl_files", files)) if value is not None}
    return replace(
        host,
        nginx=own.get("nginx", host.nginx),
        sysctl_files=own.get("sysctl_files", host.sysctl_files),
        unread={name: why for name, why in host.unread.items() if name not in own},
        problems=[*(one for one in host.problems if one[0] not in own), *target.problems],
    )


def snapshots(found: Found, request: Request, say: Say = lambda _: None) -> Iterator[tuple[Target, Snapshot | Fault]]:
    """Every target with what was read of it, or why that can't be had; a host that is asked is asked once.

    Raises:
        InputError: when something of the host that the user named can't be read.
    """
    host = live(request, say) if found.targets else None
    for target in found.targets:
        say(target.name)
        try:
            yield target, snapshot_of(target, request, host)
        except InputError as error:
            yield target, fault_of(error)


def fault_of(error: AdvisorError, kind: Literal["target", "configuration", "rule"] = "target") -> Fault:
    """An error as reports tell it: its place, where the message begins with one, apart from what is wrong there."""
    text = str(error)
    found = _PLACE.fullmatch(text)
    if found is None or (found[2] is None and not os.path.lexists(found[1])):
        return Fault(text, kind)
    line, column = (None if number is None else int(number) for number in found.group(2, 3))
    return Fault(found[4], kind, found[1], line, column if column is not None or line is None else error.column)
