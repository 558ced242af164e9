"""Where a snapshot and rules come from: the host, files, a snapshot that was kept; the pack that came with advisor."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from advisor.collect.packs import is_builtin, read_builtin, read_index, read_packs
from advisor.collect.run import Request, Say, collect
from advisor.engine.judge import overridden
from advisor.engine.pack import load_rules
from advisor.engine.rule import Rule
from advisor.engine.syntax import did_you_mean
from advisor.errors import InputError, UsageError
from advisor.facts.derive import Facts
from advisor.facts.site import check as check_site
from advisor.facts.values import Version
from advisor.facts.workload import PROFILES
from advisor.records import replace
from advisor.snapshot.model import Snapshot
from advisor.system import MIB, System

_LARGEST = 512 * MIB
_BESIDE_A_SNAPSHOT = ("sample", "nginx_version", "site", "profile", "budget")
"""Parts of a request that say nothing of what is read."""


def snapshot(request: Request, kept: str | None, say: Say) -> Snapshot:
    """Read the host or the files, or take a snapshot that was kept (``-``: from standard input).

    Raises:
        InputError: when what was named can't be read.
        UsageError: as `check`.
    """
    check(request, kept)
    if kept is None:
        return collect(request, say)
    found = parse(_bytes(kept), kept)
    for name, text in found.site.items():
        try:
            check_site(name, text)
        except UsageError as error:
            raise InputError(f"{kept}: site: {error}") from None
    site = {**found.site, **dict(request.site)}
    nginx = found.nginx
    if nginx is not None and request.nginx_version is not None:
        nginx = replace(nginx, version=request.nginx_version)
    return replace(found, site=site, nginx=nginx, profile=request.profile or found.profile)


def check(request: Request, kept: str | None) -> None:
    """Make sure that a request can be meant, before anything is read.

    Raises:
        UsageError: when it leaves nothing to judge, or names what there is none of.
    """
    if request.nginx_version is not None:
        _version(request.nginx_version)
    if request.profile is not None and request.profile not in PROFILES:
        hint = did_you_mean(request.profile, PROFILES) or f"; known: {', '.join(PROFILES)}"
        raise UsageError(f"--profile {request.profile}: no such workload{hint}")
    if kept is not None:
        if request != replace(Request(), **{name: getattr(request, name) for name in _BESIDE_A_SNAPSHOT}):
            way = "leave out the options that name other things to read"
            raise UsageError(f"--snapshot holds all that is judged; {way}")
        return
    if not request.host and request.nginx_conf is None and not request.sysctl_files and request.capture is None:
        ways = "--nginx-conf, --sysctl-file or --capture"
        raise UsageError(f"--no-host leaves nothing to judge; name files with {ways}")
    if request.netns is not None and (not request.host or request.root != "/"):
        raise UsageError("--netns names a network namespace of this host; leave out --no-host and --root")


def configuration(request: Request, kept: str | None, say: Say) -> Snapshot:
    """The same, where nothing but nginx's configuration is asked for.

    Raises:
        InputError: when it can't be had.
    """
    found = snapshot(request, kept, say)
    if found.nginx is None:
        raise InputError(f"nginx's configuration was not read: {found.unread.get('nginx', 'not collected')}")
    return found


def _version(text: str) -> None:
    try:
        Version.parse(text)
    except ValueError:
        raise UsageError(f"--nginx-version {text}: write it as nginx -v does, for example 1.22.1") from None


def _bytes(path: str) -> bytes:
    if path == "-":
        data = sys.stdin.buffer.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise InputError(f"the snapshot on standard input is larger than {_LARGEST // MIB} MiB")
        return data
    try:
        return System().read(path, _LARGEST)
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}") from None


def parse(data: bytes, name: str) -> Snapshot:
    """A snapshot from its JSON.

    Raises:
        InputError: naming the field that is no part of a snapshot, or has another shape.
    """
    from advisor.snapshot.json import ShapeError, loads  # noqa: PLC0415 (pydantic, only where one is read back)

    try:
        found = loads(data)
    except ShapeError as error:
        where = error.where or "the document"
        raise InputError(f"{name}: {where}: {error.what}; make one with 'advisor collect -o FILE'") from None
    if found.nginx is not None and found.nginx.entry not in found.nginx.files:
        raise InputError(f"{name}: nginx.entry: {found.nginx.entry!r} is none of nginx.files; collect it anew")
    return found


def rules(packs: Iterable[str] = ()) -> list[Rule]:
    """The rules that came with advisor, and those of folders beside them.

    Raises:
        AdvisorError: when a folder or a rule in it can't be used, or claims a name that another rule has.
    """
    folders = {os.path.realpath(folder): folder for folder in packs if not is_builtin(folder)}
    return load_rules(read_builtin(), Facts, read_index(), read_packs(folders.values()))


def tried(packs: Iterable[str]) -> list[Rule]:
    """The rules of folders, to be tried; the shipped ones stand beside them, but for those that a folder has anew.

    Raises:
        AdvisorError: as `rules`.
    """
    found = read_packs(os.path.normpath(folder) for folder in packs if not is_builtin(folder))
    anew = {name.rpartition("/")[2] for name, _ in found}
    others = [(name, data) for name, data in read_builtin() if name.rpartition("/")[2] not in anew]
    return load_rules(others, Facts, read_index(), found)


def chosen(known: list[Rule], select: Iterable[str], ignore: Iterable[str]) -> list[Rule]:
    """The rules selected (all, when none is named), less those to be ignored.

    Raises:
        UsageError: when a name is no rule's id or alias.
    """
    wanted, unwanted = _ids(known, select), _ids(known, ignore)
    return [rule for rule in known if (not wanted or rule.id in wanted) and rule.id not in unwanted]


def _ids(known: list[Rule], names: Iterable[str]) -> set[str]:
    return {named(known, name).id for name in names}


def named(known: list[Rule], name: str) -> Rule:
    """The rule of an id or an alias.

    Raises:
        UsageError: with did-you-mean.
    """
    for rule in known:
        if name == rule.id or name in rule.aliases:
            return rule
    raise UsageError(f"no rule is called '{name}'{did_you_mean(name, [rule.id for rule in known])}; see: advisor rules")


def params(texts: Iterable[str], known: list[Rule]) -> tuple[dict[str, str], dict[str, str]]:
    """``NAME=QUANTITY`` texts apart: site facts, and parameters of rules (``RULE.PARAMETER``).

    Raises:
        UsageError: when a name is unknown or a quantity is of another kind.
    """
    site: dict[str, str] = {}
    own: dict[str, str] = {}
    ids = {alias: rule.id for rule in known for alias in rule.aliases}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--param {text}: write NAME=QUANTITY, for example load_balancer_idle='60 s'")
        if "." in name:
            rule, _, param = name.rpartition(".")
            own[f"{ids.get(rule, rule)}.{param}"] = value
        else:
            check_site(name, value)
            site[name] = value
    overridden(known, own)
    return site, own
