"""SARIF 2.1.0 (OASIS Static Analysis Results Interchange Format), for code scanning, editors and viewers.

The rooms: `advisor.report.sarif_rule` describes the rules, `advisor.report.sarif_result` tells the findings,
`advisor.report.sarif_place` says where things stand. Here: the run, and what went wrong in it.

GitHub's code scanning refuses more than 25,000 results and as many rules a run, 20 tags a rule, 10,000 steps of a flow
and 10 MB, compressed ("SARIF support for code scanning", "SARIF results exceed limits"). What is left out is said in a
notification. Findings that are gone since the baseline are no results with ``baselineState`` ``absent``: code scanning,
which does not read that property, would open alerts for them. They stand among the properties of the run.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from advisor.formats.text import encodable
from advisor.report.sarif_place import ROOT, message, of_fault
from advisor.report.sarif_result import result
from advisor.report.sarif_rule import descriptor, rules_of
from advisor.report.text import reasons

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.report.gated import Fault, Gated, Judged, Unknown
    from advisor.report.sarif_place import Json

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

MOST_RESULTS = 25_000
_MOST_NOTIFICATIONS = 1_000
"""Of one kind; a repository of broken files says no more by the next thousand."""

_NOTIFICATIONS = {
    "target": "Something could not be read, or understood",
    "configuration": "The configuration is wrong",
    "rule": "A rule is wrong",
    "problem": "Something is wrong with what was read, and was judged nonetheless",
    "unknown": "Rules could not be judged everywhere",
    "left-out": "The report is cut",
}

_EXITS = {
    0: "nothing fails",
    1: "findings count",
    2: "the usage, the configuration or a rule is wrong",
    3: "not everything could be judged",
}


def render(gated: Gated, **_look: object) -> str:
    """The log, a line each for the run and for every result; the same bytes for the same findings."""
    rules = rules_of(gated)
    places = {rule.id: index for index, rule in enumerate(rules)}
    kept = _kept(gated)
    run = _dumps(_run(gated, [descriptor(rule) for rule in rules], len(gated.findings) - len(kept)))
    baseline = gated.baseline is not None
    lines = ",\n".join(_dumps(result(one, places[one.finding.rule], baseline=baseline)) for one in kept)
    head = f'{{"$schema":{_dumps(SCHEMA)},"version":"2.1.0","runs":[\n'
    return encodable(f'{head}{run[:-1]},"results":[\n{lines}\n]}}\n]}}\n')


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _kept(gated: Gated) -> list[Judged]:
    """The findings that find room: those that count before all others."""
    if len(gated.findings) <= MOST_RESULTS:
        return gated.findings
    return sorted(gated.findings, key=lambda one: not one.counts)[:MOST_RESULTS]


def _run(gated: Gated, rules: list[Json], left_out: int) -> Json:
    return {
        "tool": {
            "driver": {
                "name": "advisor",
                "version": gated.advisor,
                "semanticVersion": gated.advisor,
                "rules": rules,
                "notifications": [
                    {"id": name, "shortDescription": {"text": text}} for name, text in _NOTIFICATIONS.items()
                ],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "the top of the repository"}}},
        "invocations": [_invocation(gated, left_out)],
        "properties": {
            "policy": gated.policy,
            "targets": [
                {"name": one.name, "kind": one.kind, "files": len(one.files), "nginx": one.head.nginx}
                for one in gated.targets
            ],
            "baseline": gated.baseline,
            "fixed": [
                {"rule": gone.rule, "place": gone.place, "path": gone.path, "count": gone.count}
                for gone in gated.fixed[:_MOST_NOTIFICATIONS]
            ],
        },
    }


def _invocation(gated: Gated, left_out: int) -> Json:
    """One process: a notification of level ``error`` means that it failed (3.20.21)."""
    configuration = [one for one in gated.faults if one.kind == "configuration"]
    others = [one for one in gated.faults if one.kind != "configuration"]
    execution = [
        *_bounded([_fault(one) for one in others]),
        *_left_out(left_out),
        *_bounded([_notification("problem", "warning", f"{source}: {why}") for source, why in gated.problems]),
        *_bounded(list(_unknown(gated.unknown))),
    ]
    return {
        "executionSuccessful": not gated.faults and gated.exit_code in {0, 1},
        "exitCode": gated.exit_code,
        "exitCodeDescription": _EXITS.get(gated.exit_code, "it failed"),
        "toolConfigurationNotifications": _bounded([_fault(one) for one in configuration]),
        "toolExecutionNotifications": execution,
    }


def _bounded(notifications: list[Json]) -> list[Json]:
    more = len(notifications) - _MOST_NOTIFICATIONS
    if more <= 0:
        return notifications
    level = notifications[0]["level"]
    return [*notifications[:_MOST_NOTIFICATIONS], _notification("left-out", level, f"and {more:,} more of this kind")]


def _left_out(count: int) -> list[Json]:
    said = f"{count:,} findings are left out: code scanning takes {MOST_RESULTS:,} results; -f json has all of them"
    return [_notification("left-out", "warning", said)] if count else []


def _fault(fault: Fault) -> Json:
    locations = of_fault(fault)
    return {**_notification(fault.kind, "error", fault.message), **({"locations": locations} if locations else {})}


def _notification(kind: str, level: str, text: str) -> Json:
    index = list(_NOTIFICATIONS).index(kind)
    return {"descriptor": {"id": kind, "index": index}, "level": level, "message": message(text)}


def _unknown(unknown: list[Unknown]) -> Iterator[Json]:
    """One for each reason: with files alone, a hundred rules lack the same host."""
    for why, rules in reasons((one.rule, one.missing) for one in unknown):
        yield {**_notification("unknown", "note", why), "properties": {"rules": rules}}
