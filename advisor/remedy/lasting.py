"""What would take back a planned sysctl: lines that are read after the drop-in, and programs that write after boot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from advisor.facts.boot import Boot
from advisor.facts.boot_readers import LAST, order
from advisor.facts.boot_value import plain, same
from advisor.formats.sysctl import PROCPS, SYSTEMD, Reader
from advisor.records import replace
from advisor.remedy.elsewhere import way_in
from advisor.remedy.plan import Plan
from advisor.remedy.sysctl import DROPIN, SysctlChange
from advisor.snapshot.model import SysctlFile

_CHANGE = "change or delete the line"
_LAST_CHANGE = "move what is wanted of the file into /etc/sysctl.d, and delete the line"
_LOOK = "make sure that it does not set the key"
_THERE = "set it there, too, or let that program leave it alone"


def overrides(plan: Plan) -> list[dict[str, Any]]:
    """What sets a planned key to something else after the drop-in is read, by key: ``by`` whom, where, and what to do.

    Each has ``key``, ``by`` (the reader, or the program), ``file``, ``line`` and ``value`` (None where there is none)
    and ``do``. Nothing is, where the file is for a network namespace that no file sets.
    """
    files = plan.snapshot.sysctl_files
    if files is None or plan.prediction.dropin is None or way_in(plan) is not None:
        return []
    others = [file for file in files if file.path != DROPIN and not file.given]
    written = [*others, SysctlFile(path=DROPIN, content=plan.prediction.dropin)]
    boot = Boot(replace(plan.snapshot, sysctl_files=written))
    return [found for change in plan.prediction.sysctls for found in _against(boot, change)]


def _against(boot: Boot, change: SysctlChange) -> Iterator[dict[str, Any]]:
    seen: dict[tuple[str, int | None], dict[str, Any]] = {}
    for reader in (SYSTEMD, PROCPS):
        for one in _lines(boot, change, reader):
            seen.setdefault((one["file"], one["line"]), one)
    yield from seen.values()
    for third in boot.key(change.key).thirds if not any(file.unread for file in boot.files) else ():
        if third.value is not None and not third.yields and _differs(change, third.value):
            yield _found(change, third.writer, third.path, third.line, third.value, _THERE)


def _lines(boot: Boot, change: SysctlChange, reader: Reader) -> Iterator[dict[str, Any]]:
    """The lines of later files that keep the key from holding what is planned, under one reader."""
    files = order(boot.files, reader)
    later = files[1 + next(number for number, file in enumerate(files) if file.path == DROPIN) :]
    for file in later:
        if file.unread is not None:
            yield _found(change, reader, file.path, None, None, f"{_LOOK}; it could not be read here: {file.unread}")
    if any(file.unread for file in files):
        return
    outcome = boot.outcomes(reader).get(change.key)
    if outcome is not None and outcome.winner is not None and same(outcome.words, plain(change.key, change.after)):
        return
    for file in later:
        do = _LAST_CHANGE if file.path == LAST else _CHANGE
        for setting in boot.parsed(file).settings:
            if setting.key == change.key and setting.only in {None, reader} and _differs(change, setting.value):
                yield _found(change, reader, file.path, setting.line, setting.value, do)
        for line in boot.parsed(file).exclusions if reader == SYSTEMD else ():
            if line.key == change.key:
                yield _found(change, reader, file.path, line.line, None, do)


def _differs(change: SysctlChange, text: str) -> bool:
    return same(plain(change.key, text), plain(change.key, change.after)) is not True


def _found(change: SysctlChange, by: str, path: str, line: int | None, value: str | None, do: str) -> dict[str, Any]:
    return {"key": change.key, "by": by, "file": path, "line": line, "value": value, "do": do}
