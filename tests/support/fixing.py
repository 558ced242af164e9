"""Cures of files in memory, and rules made for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from advisor.engine.judging import Judging
from advisor.engine.pack import load_rule
from advisor.facts.derive import Facts
from advisor.formats.splice import spliced
from advisor.jobs import load
from advisor.jobs.fix import Fixed, fix
from advisor.remedy.plan import Allowed
from advisor.snapshot.model import Snapshot, SysctlFile
from support.snapshots import nginx_of, snapshot_with

if TYPE_CHECKING:
    from advisor.engine.rule import Rule

SHIPPED = Judging(load.rules())


def target(nginx: dict[str, bytes] | None = None, sysctl: dict[str, bytes] | None = None, **more: Any) -> Snapshot:
    """What a target of nothing but files is read as; the first of nginx's is the entry."""
    given = [SysctlFile(path=path, content=content, given=True) for path, content in (sysctl or {}).items()]
    return snapshot_with(nginx=nginx_of(nginx) if nginx else None, sysctl_files=given or None, **more)


def cure(*snapshots: Snapshot, judging: Judging = SHIPPED, **allowed: bool) -> Fixed:
    """The cure of these targets; its edits lead to its bytes, are disjoint, and belong to findings."""
    options = {"unsafe": True, **allowed}
    fixed = fix(snapshots, [judging] * len(snapshots), judging.causes, Allowed(**options))
    first = [
        {(at, one.rule, one.item) for one in judging(Facts(each)) if one.finding} for at, each in enumerate(snapshots)
    ]
    failing = set().union(*first) if first else set()
    assert fixed.files.keys() == fixed.edits.keys()
    for path, (old, new) in fixed.files.items():
        assert spliced(old, fixed.edits[path]) == new != old
        ends = [position for one in fixed.edits[path] for position in (one.start, one.end)]
        assert ends == sorted(ends)
        assert all(one.owners and set(one.owners) <= failing for one in fixed.edits[path])
    return fixed


def new(fixed: Fixed) -> dict[str, bytes]:
    """The bytes of every file that changes."""
    return {path: after for path, (_, after) in fixed.files.items()}


def rule_of(name: str, when: str, step: str, each: str | None = None) -> Rule:
    """A small rule: ``step`` is its remedy's ``sysctl`` or ``nginx``; without one it only advises."""
    remedy = f"{{safety: safe, {step}}}" if step else "{safety: manual, text: think}"
    text = f"""
id: {name}
title: A rule of this test
severity: low
maturity: stable
{f"each: {each}" if each else ""}
when: {when}
message: it is
why: it is so
unless: it is not
references: [man:listen(2)]
remedies:
  - {remedy}
cases:
  - {{name: a, expect: fail, given: {{}}}}
  - {{name: b, expect: pass, given: {{}}}}
"""
    return load_rule(text.encode(), f"{name}.yaml", Facts)
