"""The findings as one line each, for editors and grep: ``path:line:column: severity[rule] message``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.report.gate_words import fault_message, fault_place, mark, spot
from advisor.report.terminal import visible

if TYPE_CHECKING:
    from advisor.report.gated import Fault, Gated, Judged


def render(gated: Gated, **_look: object) -> str:
    """One line for each fault and each finding, worst first; those that do not count say why. No verdict: it is talk.

    Paths are those of the command line, so that an editor finds them. Nothing in a text ends or colours a line.
    """
    lines = [*map(_fault, gated.faults), *map(_finding, gated.findings)]
    return "".join(f"{line}\n" for line in lines)


def _fault(fault: Fault) -> str:
    place = fault_place(fault)
    return visible(f"{place}: error: {fault_message(fault)}" if place else f"error: {fault_message(fault)}")


def _finding(one: Judged) -> str:
    finding = one.finding
    said = f"{finding.severity.word}[{visible(finding.rule)}] {visible(finding.message)}"
    return f"{visible(spot(finding))}: {said} {visible(mark(one))}".rstrip()
