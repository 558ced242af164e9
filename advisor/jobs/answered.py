"""What somebody answers for, where one host is looked at: an audit marks it, and a patch leaves it."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator

from advisor.collect.tops import below, top_of
from advisor.findings import State, Verdict
from advisor.gate import MARK
from advisor.jobs.configure import Settings
from advisor.jobs.seen import Seen
from advisor.snapshot.model import Snapshot


def answered(snapshot: Snapshot, settings: Settings) -> list[Verdict]:
    """What the rules say of a snapshot; findings that a comment or the configuration answers for are marked.

    The gate's own findings, on what is wrong with such comments and entries, stand last.
    """
    seen = Seen("", snapshot, settings.judging)
    if not settings.ignores and not any(MARK in content for content in _contents(snapshot)):
        return seen.verdicts
    from advisor.jobs.marks import marked  # noqa: PLC0415 (7 ms, which only a host with such comments needs)

    found = marked([seen], settings, dt.datetime.now(dt.UTC).date(), whole=False, named=_named())
    findings = iter(found.findings)
    verdicts = [
        one if one.finding is None else Verdict(one.rule, one.item, one.state, next(findings)) for one in seen.verdicts
    ]
    return [*verdicts, *(Verdict(one.rule, one.item, one.state, one) for one in findings)]


def _contents(snapshot: Snapshot) -> Iterator[bytes]:
    yield from (file.content for file in (snapshot.nginx.files.values() if snapshot.nginx is not None else ()))
    yield from (file.content for file in snapshot.sysctl_files or ())


def left(snapshot: Snapshot, settings: Settings) -> frozenset[tuple[str, str]]:
    """The rule and the item of every finding that somebody answers for."""
    found = (one.finding for one in answered(snapshot, settings))
    return frozenset((one.rule, one.item) for one in found if one is not None and one.state is State.SUPPRESSED)


def _named() -> Callable[[str], str]:
    """What patterns of paths take a file for: its path from the top of the repository on, where it lies in one."""
    top = top_of(os.curdir)
    return lambda name: os.path.relpath(name, top) if top is not None and below(os.path.abspath(name), top) else name
