"""What somebody answers for, where one host is looked at: an audit marks it, and a patch leaves it."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable

from advisor.collect.tops import below, top_of
from advisor.findings import State, Verdict
from advisor.jobs.configure import Settings
from advisor.jobs.marks import marked
from advisor.jobs.seen import Seen
from advisor.snapshot.model import Snapshot


def answered(snapshot: Snapshot, settings: Settings) -> list[Verdict]:
    """What the rules say of a snapshot; findings that a comment or the configuration answers for are marked.

    The gate's own findings, on what is wrong with such comments and entries, stand last.
    """
    seen = Seen("", snapshot, settings.judging)
    found = marked([seen], settings, dt.datetime.now(dt.UTC).date(), whole=False, named=_named())
    findings = iter(found.findings)
    verdicts = [
        one if one.finding is None else Verdict(one.rule, one.item, one.state, next(findings)) for one in seen.verdicts
    ]
    return [*verdicts, *(Verdict(one.rule, one.item, one.state, one) for one in findings)]


def left(snapshot: Snapshot, settings: Settings) -> frozenset[tuple[str, str]]:
    """The rule and the item of every finding that somebody answers for."""
    found = (one.finding for one in answered(snapshot, settings))
    return frozenset((one.rule, one.item) for one in found if one is not None and one.state is State.SUPPRESSED)


def _named() -> Callable[[str], str]:
    """What patterns of paths take a file for: its path from the top of the repository on, where it lies in one."""
    top = top_of(os.curdir)
    return lambda name: os.path.relpath(name, top) if top is not None and below(os.path.abspath(name), top) else name
