"""What several of the gate's formats say alike: the verdict, places, why a finding does not count, what is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.findings import Safety, State
from advisor.report.text import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from advisor.findings import Finding
    from advisor.report.gated import Fault, Gated, Gone, Judged

NOTHING = "nothing could be judged: this is no clean bill"
_UNREAD = 3
"""The exit code of a run in which something could not be judged."""


def judged(gated: Gated) -> bool:
    """Whether any rule could be judged at all: a run without is never green."""
    return bool(gated.findings or gated.quiet)


def lacking_fails(gated: Gated) -> bool:
    """Whether what could not be judged makes the gate fail (``--strict``)."""
    return gated.exit_code == _UNREAD and not gated.faults


def verdict(gated: Gated) -> str:
    """The verdict in one line, which begins with ``gate: failed: ``, ``gate: passed``, or ``gate: nothing``."""
    if not judged(gated):
        return f"gate: {'failed: ' if gated.failed else ''}{'; '.join([NOTHING, *_against(gated)])}"
    counting = len(gated.counting)
    told = f"{count(counting, 'finding')} count{'s' * (counting == 1)}" if counting else "no finding counts"
    parts = [*_against(gated), f"{told} ({gated.policy})", *cures(gated.counting)]
    passed = "passed (--exit-zero)" if counting else "passed"
    return f"gate: {'failed' if gated.failed else passed}: {'; '.join(parts)}"


def _against(gated: Gated) -> list[str]:
    """What fails a gate whatever was found."""
    unread = sum(fault.kind == "target" for fault in gated.faults)
    wrong = len(gated.faults) - unread
    lacking = len({one.rule for one in gated.unknown}) if lacking_fails(gated) else 0
    return [
        *([f"{count(unread, 'target')} could not be judged"] if unread else []),
        *([f"{count(wrong, 'error')} in the configuration or in rules"] if wrong else []),
        *([f"{count(lacking, 'rule')} could not be judged"] if lacking else []),
    ]


def cures(findings: Sequence[Judged]) -> list[str]:
    """How many of these can be fixed, and by which command; empty for none."""
    if fixed := [one.finding for one in findings if one.fix]:
        dares = " --unsafe" if any(Safety.SAFE not in _ways(one) for one in fixed) else ""
        return [f"{len(fixed)} of them can be fixed: advisor gate --fix{dares}"]
    # Without fixes at hand (they take as long as all the rest) the steps say for which it is worth to ask.
    wants = [safety for one in findings if one.finding.location.file and (safety := _planned(one.finding))]
    unsafe = " --unsafe" if wants and Safety.SAFE not in wants else ""
    return [f"{len(wants)} of them may have a fix: advisor gate --diff{unsafe}"] if wants else []


def _planned(finding: Finding) -> Safety | None:
    """The first step that changes something, and can be planned: how safe it is."""
    return next(iter(_ways(finding)), None)


def _ways(finding: Finding) -> list[Safety]:
    """How safe the steps are that change something, and can be planned."""
    return [step.safety for step in finding.steps if step.changes and not step.skipped]


def spot(finding: Finding) -> str:
    """The file with line and column as the run names it, else the key, else the logical place."""
    place = finding.location
    if place.file is None:
        return place.key or place.logical
    return ":".join([place.file, *(str(part) for part in (place.line, place.column) if part is not None)])


def fault_words(fault: Fault) -> str:
    """``path:line:column: message``."""
    return ": ".join(filter(None, (fault_place(fault), fault_message(fault))))


def fault_place(fault: Fault) -> str:
    """``path:line:column`` as far as they are known."""
    return ":".join(str(part) for part in (fault.path, fault.line, fault.column) if part is not None)


def fault_message(fault: Fault) -> str:
    """The message without the place with which it may begin."""
    if not fault.path:
        return fault.message
    return fault.message.removeprefix(f"{fault_place(fault)}: ").removeprefix(f"{fault.path}: ")


def mark(one: Judged) -> str:
    """Why a finding does not count, in brackets; empty for one that does."""
    if one.counts:
        return ""
    return f"(does not count: {one.why_not})" if one.why_not else "(does not count)"


def gone_words(gone: Gone) -> str:
    """``keepalive-timeout-long at http in conf/nginx.conf (2)``."""
    parts = [gone.rule, f"at {gone.place}" if gone.place else "", f"in {gone.path}" if gone.path else ""]
    return " ".join([*filter(None, parts), *([f"({gone.count})"] if gone.count > 1 else [])])


def open_findings(gated: Gated) -> Iterable[Judged]:
    """The findings that nobody answered for: first those that count, each part worst first."""
    waiting = [one for one in gated.findings if one.finding.state is not State.SUPPRESSED]
    return sorted(waiting, key=lambda one: not one.counts)
