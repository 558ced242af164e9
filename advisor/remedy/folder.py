"""The patch folder: a plan as files, the same bytes for the same snapshot."""

from __future__ import annotations

import json
from typing import Any

from advisor import __version__
from advisor.facts.derive import Facts
from advisor.facts.scope import for_the_host
from advisor.findings import Change, Step
from advisor.formats.diff import unified
from advisor.formats.text import encodable
from advisor.remedy.elsewhere import host_file
from advisor.remedy.lasting import overrides
from advisor.remedy.modules import MODULES_LOAD, modules_file
from advisor.remedy.plan import Addressed, Outcome, Plan
from advisor.remedy.readme import readme
from advisor.remedy.sysctl import DROPIN, FOR_THE_HOST, SysctlChange, made_with


def folder(plan: Plan) -> dict[str, bytes]:
    """Every file of the patch folder, by its path inside it."""
    files: dict[str, bytes] = {}
    if plan.prediction.dropin is not None:
        files[DROPIN.lstrip("/")] = plan.prediction.dropin
    if plan.prediction.modules:
        files[MODULES_LOAD.lstrip("/")] = modules_file(Facts(plan.snapshot), plan.prediction.modules)
    if (content := host_file(plan)) is not None:
        files[FOR_THE_HOST] = content
    if plan.prediction.files and plan.snapshot.nginx is not None:
        files["nginx.diff"] = b"".join(
            unified(plan.snapshot.nginx.files[path].content, new, path)
            for path, new in sorted(plan.prediction.files.items())
        )
    overridden = [] if made_with(Facts(plan.snapshot)) else overrides(plan)
    document = json.dumps(_document(plan, overridden), indent=2, ensure_ascii=False) + "\n"
    files["plan.json"] = encodable(document).encode()
    files["README.md"] = encodable(readme(plan, overridden)).encode()
    return files


def _document(plan: Plan, overridden: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "schema": "advisor.plan/v1",
        "advisor": __version__,
        "snapshot": plan.snapshot.taken,
        "host": plan.snapshot.host.name if plan.snapshot.host else None,
        "rounds": plan.rounds,
        "sysctl": [_sysctl(one) for one in plan.prediction.sysctls],
        "sysctl_form": "container options" if made_with(Facts(plan.snapshot)) else "drop-in",
        "modules": plan.prediction.modules,
        "for_the_host": [
            {**_sysctl(one), "why": for_the_host(plan.snapshot, one.key), "file": FOR_THE_HOST} for one in plan.host
        ],
        "nginx": [
            {
                "file": one.place.file,
                "block": one.place.block,
                "target": one.target,
                "before": one.before,
                "after": one.after,
                "rules": one.rules,
                "needs": one.needs,
            }
            for one in plan.prediction.directives
        ],
        "needs": plan.needs,
        "findings": [_addressed(one) for one in plan.findings],
        "expected": [
            {"name": one.name, "before": one.before, "after": one.after, "unit": one.unit.name}
            for one in plan.prediction.effects
        ],
        "overridden_at_boot": overridden,
    }


def _sysctl(one: SysctlChange) -> dict[str, Any]:
    return {"key": one.key, "before": one.before, "after": one.after, "rules": one.rules, "needs": one.needs}


def _addressed(one: Addressed) -> dict[str, Any]:
    return {
        "rule": one.finding.rule,
        "item": one.finding.item,
        "fingerprint": one.finding.fingerprint,
        "outcome": one.outcome.value,
        "why": one.why,
        "step": None if one.step is None or one.outcome is Outcome.NOT_ADDRESSED else _step(one.step),
    }


def _step(step: Step) -> dict[str, Any]:
    return {"safety": step.safety.value, "text": step.text, "changes": [_change(change) for change in step.changes]}


def _change(change: Change) -> dict[str, Any]:
    return {"target": change.target, "relation": change.relation.value, "value": change.value}
