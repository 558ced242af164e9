"""The gate's findings as GitHub annotations (workflow commands), and as the summary of a step.

Sources: GitHub Docs, "Workflow commands for GitHub Actions" (``::error file=,line=,endLine=,col=,endColumn=,title=::``,
and job summaries: 1 MiB a step, else the whole is dropped); the escapes are those that actions/runner takes back in
src/Runner.Common/ActionCommand.cs; the limits on annotations are GitHub's answer in its community discussion 26680:
10 errors and 10 warnings a step, 50 annotations a job, the first ones win.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.findings import Severity
from advisor.report.frame import notes
from advisor.report.gate_markdown import compose
from advisor.report.gate_words import fault_words, mark, open_findings, spot, verdict
from advisor.report.terminal import visible
from advisor.report.text import count

if TYPE_CHECKING:
    from advisor.report.gated import Fault, Gated, Judged

_ANNOTATIONS = 10
"""Annotations of a run, whatever their level: five steps such as this one fill what a job may show."""
_SUMMARY = 1_000_000
"""Bytes of a summary; less than 1 MiB, since other commands of the step may write to it, too."""


def render(gated: Gated, **_look: object) -> str:
    """At most 10 annotations, faults first, then the worst that count, and the verdict as a plain last line."""
    findings = list(open_findings(gated))
    told = [_fault(fault) for fault in gated.faults[:_ANNOTATIONS]]
    told += [_finding(one) for one in findings[: _ANNOTATIONS - len(told)]]
    more = len(gated.faults) + len(findings) - len(told)
    rest = f"; {count(more, 'annotation')} more than GitHub shows: the summary of this step has them" if more else ""
    return "".join(f"{line}\n" for line in (*told, visible(f"{verdict(gated)}{rest}")))


def summary(gated: Gated) -> str:
    """The whole table, for the file that ``GITHUB_STEP_SUMMARY`` names; rows past 1 MB are left out, and counted."""
    return compose(gated, _SUMMARY)


def _finding(one: Judged) -> str:
    finding, place = one.finding, one.finding.location
    level = "error" if one.counts else "warning" if finding.severity >= Severity.MEDIUM else "notice"
    where: dict[str, str | int | None] = {}
    if one.path is not None:
        end = place.column + place.length if place.column is not None and place.length else None
        where = {"file": one.path, "line": place.line, "endLine": place.line, "col": place.column, "endColumn": end}
    said = " ".join(filter(None, (finding.message, "" if one.path else f"({spot(finding)})", mark(one))))
    told = [f"{label}: {' '.join(text.split())}" for label, text in notes(finding)]
    return _command(level, {**where, "title": f"{finding.severity.word}: {finding.rule}"}, [said, *told])


def _fault(fault: Fault) -> str:
    where = {"file": fault.path, "line": fault.line, "col": fault.column}
    return _command("error", {**where, "title": f"{fault.kind}: could not be judged"}, [fault_words(fault)])


def _command(level: str, properties: dict[str, str | int | None], lines: list[str]) -> str:
    told = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items() if value is not None)
    return f"::{level} {told}::{'%0A'.join(map(_data, lines))}"


def _data(text: str) -> str:
    """Text after the second ``::``. `visible` leaves no CR and no LF to escape."""
    return visible(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
