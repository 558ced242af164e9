"""The gate's verdict as JUnit XML, which CI systems show as tests: a finding that counts is a failed one.

There is one test suite, since a rule is quiet, or lacks something, over all targets together, and since GitLab shows
no suites; the class of a test is its rule. Names hold no line and no value, so that a system which follows a test from
run to run knows it again. The text of a failure says all that its message says: GitLab leaves the message out.
Source of the elements: the schema of Ant's JUnit task; of characters: XML 1.0, section 2.2.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from advisor.findings import State
from advisor.report.frame import notes
from advisor.report.gate_words import NOTHING, fault_words, judged, lacking_fails, mark, spot
from advisor.report.terminal import visible

if TYPE_CHECKING:
    from advisor.report.gated import Fault, Gated, Judged, Unknown

_NAME = "advisor gate"


def render(gated: Gated, **_look: object) -> str:
    """A test for each fault, finding, rule that lacks something, problem with what was read, and quiet rule.

    Failed: it counts. Error: it could not be judged, and the gate fails for it. Skipped: it does not count, somebody
    answered for it, or it could not be judged, with the reason.
    """
    suite = _Suite()
    for fault in gated.faults:
        _fault(suite, fault)
    if not judged(gated):
        _result(suite.case(_NAME, "judges anything"), "error", "nothing", NOTHING)
    for one in gated.findings:
        _finding(suite, one)
    kind = "error" if lacking_fails(gated) else "skipped"
    for unknown in gated.unknown:
        _unknown(suite, unknown, kind)
    for source, why in gated.problems:
        _result(suite.case(_NAME, f"understands {source}"), "skipped", "problem", f"{source}: {why}")
    for rule in gated.quiet:
        suite.case(rule, "finds nothing")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{suite.text()}\n'


class _Suite:
    """A test suite whose tests have names of their own."""

    def __init__(self) -> None:
        self.root = Element("testsuites", name=_NAME)
        self.suite = SubElement(self.root, "testsuite", name=_NAME)
        self.named: Counter[tuple[str, str]] = Counter()

    def case(self, rule: str, name: str) -> Element:
        """A new test of a rule; the second of a name gets a number."""
        key = (visible(rule), visible(name))
        self.named[key] += 1
        again = f" ({self.named[key]})" if self.named[key] > 1 else ""
        return SubElement(self.suite, "testcase", classname=key[0], name=key[1] + again)

    def text(self) -> str:
        """The document, its tests counted."""
        kinds = Counter(outcome.tag for case in self.suite for outcome in case)
        counts = {"tests": len(self.suite), "failures": kinds["failure"], "errors": kinds["error"]}
        for element in (self.root, self.suite):
            for key, value in (counts | {"skipped": kinds["skipped"]}).items():
                element.set(key, str(value))
        indent(self.root)
        return tostring(self.root, encoding="unicode")


def _fault(suite: _Suite, fault: Fault) -> None:
    case = suite.case(_NAME, f"reads {fault.path}" if fault.path else f"reads its {fault.kind}")
    _place(case, fault.path, fault.line)
    _result(case, "error", fault.kind, fault_words(fault), fault_words(fault))


def _finding(suite: _Suite, one: Judged) -> None:
    finding = one.finding
    where = one.path or finding.location.file
    inside = finding.place if finding.place != where else ""
    name = " in ".join(filter(None, (inside, where))) or finding.location.logical
    case = suite.case(finding.rule, name)
    _place(case, where, finding.location.line)
    if one.counts:
        said = f"{finding.severity.word}: {finding.message}"
        told = [f"{label}: {' '.join(text.split())}" for label, text in notes(finding)]
        _result(case, "failure", finding.severity.word, said, said, f"at {spot(finding)}", *told)
    else:
        why = one.why_not or "it does not count"
        answered = finding.state is State.SUPPRESSED
        _result(case, "skipped", "suppressed" if answered else "not counted", f"{finding.message} {mark(one)}", why)


def _unknown(suite: _Suite, unknown: Unknown, kind: str) -> None:
    missing = unknown.missing
    case = suite.case(unknown.rule, f"knows '{missing.source}'")
    _result(case, kind, "unknown", f"'{missing.source}': {missing.why}")


def _place(case: Element, path: str | None, line: int | None) -> None:
    """Attributes that no schema has and most readers know."""
    case.attrib |= {"file": visible(path)} if path else {}
    case.attrib |= {"line": str(line)} if line else {}


def _result(case: Element, tag: str, kind: str, message: str, *lines: str) -> None:
    """What became of a test. What `visible` lets through is a character of XML."""
    result = SubElement(case, tag, type=kind, message=visible(message))
    result.text = "\n".join(map(visible, lines)) or None
