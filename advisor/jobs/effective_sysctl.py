"""What applies of one sysctl: in force, at boot, after a reload by hand, and which lines have no say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from advisor.catalog.sysctl import KEYS, Key, lookup
from advisor.catalog.sysctl_dead import DEAD
from advisor.catalog.sysctl_names import known
from advisor.engine.syntax import did_you_mean
from advisor.errors import Unread, UsageError
from advisor.facts.boot import Boot
from advisor.facts.boot_readers import Line, order
from advisor.facts.boot_value import plain, same, start
from advisor.facts.boot_writers import thirds
from advisor.formats.sysctl import PROCPS, SYSTEMD, Reader, dotted
from advisor.snapshot.model import Snapshot

_FOLDERS = ("net", "fs", "vm", "kernel", "user", "dev", "abi", "debug", "sunrpc", "crypto")
"""The folders of /proc/sys."""


class Said(NamedTuple):
    """A line that sets the key: its text, and ``why`` the kernel refuses it."""

    text: str
    file: str
    line: int
    why: str | None = None


class Applied(NamedTuple):
    """What one reader leaves: ``value`` (``?`` where the kernel's own is not known; None: it sets nothing).

    ``wins`` is the line that gives it, ``beaten`` are those without a say, ``refused`` those the kernel does not take.
    ``unknown`` is why nothing of this can be told.
    """

    reader: Reader
    value: str | None = None
    wins: Said | None = None
    beaten: tuple[Said, ...] = ()
    refused: tuple[Said, ...] = ()
    unknown: str | None = None


class Later(NamedTuple):
    """A program that sets the key after boot; without a value that depends on the machine.

    ``yields``: it applies the files in /etc and /run once more after its own, and one of these sets the key.
    """

    writer: str
    file: str
    line: int | None
    value: str | None
    yields: bool


class SysctlReport(NamedTuple):
    """The answer to the question. ``live`` is None where it was not read, or is not there; ``why_not`` says which.

    ``given`` is the line of a file that the user gave, judged as if it were applied. ``scope`` and ``unit`` are the
    catalogue's, None for a key that it does not have.
    """

    key: str
    part: str | None
    live: str | None
    why_not: str | None
    given: Said | None
    readers: tuple[Applied, ...]
    later: tuple[Later, ...]
    default: str | None
    scope: str | None
    unit: str | None
    needs: tuple[str, ...]
    notes: tuple[str, ...]


def is_sysctl(name: str) -> bool:
    """Whether a name can only be a sysctl's: no directive of nginx has a dot in it, or such a folder before a slash."""
    return "." in name or (name.lstrip("/").partition("/")[0] in _FOLDERS and "/" in name)


def key_of(name: str) -> str:
    """The key of a name with dots or slashes, perhaps with a part of it behind (``net.ipv4.tcp_rmem.max``)."""
    found = _found(name)
    return found[0].name if found is not None else dotted(name.strip())


def _found(name: str) -> tuple[Key, str | None] | None:
    key = dotted(name.strip())
    return lookup(key) or lookup(key.replace("/", "."))


def effective(snapshot: Snapshot, name: str) -> SysctlReport:
    """Ask what applies.

    Args:
        snapshot: what was read.
        name: the key, with dots or slashes, or one part of it.

    Raises:
        UsageError: when nobody knows such a key, and no file sets it.
    """
    key, found = key_of(name), _found(name)
    part = found[1] if found is not None else None
    boot = Boot(snapshot)
    if snapshot.sysctl_files is not None or snapshot.sysctls is not None:
        _check(snapshot, boot, key)
    entry = KEYS.get(key)
    index = entry.parts.index(part) if entry is not None and part is not None else None
    live, why_not = _live(snapshot, key, index)
    readers = tuple(_applied(snapshot, boot, reader, key, index) for reader in (SYSTEMD, PROCPS))
    later = tuple(_later(snapshot, boot, key))
    return SysctlReport(
        key,
        part,
        live,
        why_not,
        _given(snapshot, boot, key),
        readers,
        later,
        _word(entry.default, index) if entry is not None else None,
        entry.scope if entry is not None else None,
        entry.unit.spoken if entry is not None else None,
        entry.needs if entry is not None else (),
        tuple(_notes(snapshot, boot, key, readers, later)),
    )


def _check(snapshot: Snapshot, boot: Boot, key: str) -> None:
    named = {*boot.named()} if snapshot.sysctl_files is not None else set()
    live = snapshot.sysctls.values if snapshot.sysctls is not None else {}
    if key not in KEYS and key not in DEAD and key not in known() and key not in named and key not in live:
        near = did_you_mean(key, [*KEYS, *DEAD, *sorted(named)])
        raise UsageError(f"'{key[:80]}' is no sysctl that is known here, and no file sets it{near}")


def _word(text: str | None, index: int | None) -> str | None:
    """One part of a value; all of it without an index."""
    if text is None or index is None:
        return text
    words = text.split()
    return words[index] if index < len(words) else None


def _live(snapshot: Snapshot, key: str, index: int | None) -> tuple[str | None, str | None]:
    live = snapshot.sysctls
    if live is None:
        return None, snapshot.unread.get("sysctls", "not collected")
    if key in live.values:
        return _word(" ".join(live.values[key].split()), index), None
    if key in live.absent:
        return None, "this kernel or network namespace has no such key"
    return None, live.refused.get(key, "only the keys of the catalogue were read")


def _given(snapshot: Snapshot, boot: Boot, key: str) -> Said | None:
    lines = [
        Said(one.value, file.path, one.line)
        for file in snapshot.sysctl_files or ()
        if file.given
        for one in boot.parsed(file).settings
        if one.key == key
    ]
    return lines[-1] if lines else None


def _applied(snapshot: Snapshot, boot: Boot, reader: Reader, key: str, index: int | None) -> Applied:
    if snapshot.sysctls is None and snapshot.sysctl_files and all(file.given for file in snapshot.sysctl_files):
        return Applied(reader, unknown="none but the files given were read")
    try:
        outcome = boot.outcomes(reader).get(key)
    except Unread as unread:
        return Applied(reader, unknown=unread.why)
    if outcome is None:
        return Applied(reader)
    value = outcome.text if outcome.winner is not None else None
    return Applied(
        reader,
        _word(value, index),
        _said(outcome.winner),
        tuple(filter(None, map(_said, outcome.shadowed))),
        tuple(
            Said(one.line.setting.value, one.line.file.path, one.line.setting.line, one.why) for one in outcome.refused
        ),
    )


def _said(line: Line | None) -> Said | None:
    return None if line is None else Said(line.setting.value, line.file.path, line.setting.line)


def _later(snapshot: Snapshot, boot: Boot, key: str) -> Iterator[Later]:
    for one in thirds(key, snapshot.sysctl_files or (), boot.parsed):
        yield Later(one.writer, one.path, one.line, one.value, one.yields)


def _notes(
    snapshot: Snapshot, boot: Boot, key: str, readers: tuple[Applied, ...], later: tuple[Later, ...]
) -> Iterator[str]:
    entry = KEYS.get(key)
    if key in DEAD:
        yield f"{DEAD[key].since}: it does nothing; what is hoped from it: {DEAD[key].hope}"
    elif entry is None:
        yield "it is not in the catalogue: whether the kernel takes what files say is not known here"
    elif entry.since is not None:
        yield f"it came with Linux {entry.since}"
    yield from _unheard(snapshot, boot, key)
    wild = any(one.wild for file in snapshot.sysctl_files or () for one in boot.parsed(file).settings)
    if snapshot.sysctls is None and wild:
        yield "/proc/sys was not read: wildcards in files are taken to name the keys of the catalogue alone"
    live = snapshot.sysctls.values.get(key) if snapshot.sysctls is not None else None
    first = readers[0]
    if live is not None and first.wins is not None and same(plain(key, live), plain(key, first.wins.text)) is False:
        yield "the value in force is not the one that boot gives"
    unset = all(one.value is None and one.unknown is None for one in readers) and not later
    if live is not None and unset and entry is not None and same(plain(key, live), start(key)) is False:
        yield "no file says what is in force, and it is not the kernel's default: the next boot may lose it"


def _unheard(snapshot: Snapshot, boot: Boot, key: str) -> Iterator[str]:
    """Lines for the key in files that no reader reads."""
    files = snapshot.sysctl_files or ()
    read = {id(file) for reader in (SYSTEMD, PROCPS) for file in order(files, reader)}
    for file in files:
        if id(file) not in read and not file.given and file.writer is None:
            for one in boot.parsed(file).settings:
                if one.key == key:
                    yield f"{file.path}:{one.line} sets it to {one.value}, and is not read"
