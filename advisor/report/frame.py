"""One finding as a frame: the headline, the marked source line, and what stands behind it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from advisor.report.terminal import Paint, cells, clip, visible, wrap
from advisor.report.words import evidence_words, step_words

if TYPE_CHECKING:
    from advisor.findings import Finding, Location

_TAB = "    "
_LABEL = 10
"""Cells of the widest label, and one more."""
_NARROWEST = 20
"""Cells that text always gets, however narrow the terminal."""


def frame(finding: Finding, width: int, paint: Paint) -> list[str]:
    """The lines of a finding's frame, at most ``width`` cells each where that is possible."""
    place = finding.location
    margin = " " * max(2, len(str(place.line or "")))
    lines = _headline(finding, width, paint)
    if where := _where(finding):
        lines.append(f"{margin}{paint('frame', '-->')} {where}")
    lines += _source(place, margin, width, paint, finding.severity.word)
    for label, text in notes(finding):
        lines += _note(label, text, margin, width, paint)
    return lines


def _headline(finding: Finding, width: int, paint: Paint) -> list[str]:
    tag = f"{finding.severity.word}[{visible(finding.rule)}]"
    first, *rest = wrap(f"{tag} {finding.message}", max(width, _NARROWEST))
    if first.startswith(tag):
        first = paint(finding.severity.word, tag) + paint("strong", first.removeprefix(tag))
    return [first, *(paint("strong", line) for line in rest)]


def _where(finding: Finding) -> str | None:
    """The file with line and column, else the key, else the logical place where the message does not name it."""
    place = finding.location
    if place.file is not None:
        parts = [place.file, *(str(part) for part in (place.line, place.column) if part is not None)]
        return visible(":".join(parts))
    if place.key is not None:
        return visible(place.key)
    named = place.logical == finding.rule or place.logical in finding.message
    return None if named else visible(place.logical)


def _source(place: Location, margin: str, width: int, paint: Paint, role: str) -> list[str]:
    if place.excerpt is None or place.line is None:
        return []
    bar = paint("frame", "|")
    text, start, length = _marked(place, max(width - len(margin) - 3, _NARROWEST))
    number = paint("frame", str(place.line).rjust(len(margin)))
    lines = [f"{margin} {bar}", f"{number} {bar} {text}".rstrip()]
    if length:
        lines.append(f"{margin} {bar} {' ' * start}{paint(role, '^' * length)}")
    return lines


def _marked(place: Location, room: int) -> tuple[str, int, int]:
    """The source line cut to ``room`` cells around the mark; where the mark begins in it, and its length in cells."""
    excerpt = place.excerpt or ""
    at = max(0, min((place.column or 1) - 1, len(excerpt)))
    before, mark, after = (
        _shown(part)
        for part in (
            excerpt[:at][-4 * room :],
            excerpt[at : at + place.length][: 4 * room],
            excerpt[at + place.length :][: 4 * room],
        )
    )
    mark = clip(mark, room)
    length = max(cells(mark), 1)
    if cells(before) + length > room:
        before = _tail(before, max(0, min(room // 2, room - length)))
    after = _head(after, max(0, room - cells(before + mark)))
    return clip(before + mark + after, room), cells(before), length if place.column is not None else 0


def _shown(text: str) -> str:
    return "".join(map(visible, text.replace("\t", _TAB)))


def _head(text: str, room: int) -> str:
    """The beginning of a text in at most ``room`` cells, with a mark where something was left out."""
    return text if cells(text) <= room else clip(text, room - 1) + "…" if room else ""


def _tail(text: str, room: int) -> str:
    """The end of a text in exactly ``room`` cells, with a mark of what was left out."""
    kept = clip(text[::-1], max(0, room - 1))[::-1]
    return " " * (room - 1 - cells(kept)) + "…" + kept if room else ""


def notes(finding: Finding) -> list[tuple[str, str]]:
    """What stands behind a finding, labelled, as the frame has it: what was seen, why, the steps, what to expect."""
    told = [(finding.confidence.word, evidence_words(finding)), ("why", finding.why)]
    # What evidence is missing is said once, not under each step that would need it.
    lacking = Counter(step.skipped for step in finding.steps if (step.skipped or "").startswith("needs "))
    shown = [step for step in finding.steps if step.skipped not in lacking]
    told += [("or" if index else "fix", step_words(step)) for index, step in enumerate(shown)]
    told += [("open", f"{_need(count)} {why.removeprefix('needs ')}") for why, count in lacking.items() if why]
    told += [("expect", text) for text in finding.expected]
    return [*((label, text) for label, text in told if text), ("more", f"advisor explain {finding.rule}")]


def _need(count: int) -> str:
    return "one step needs" if count == 1 else f"{count} steps need"


def _note(label: str, text: str, margin: str, width: int, paint: Paint) -> list[str]:
    indent = len(margin) + 3 + _LABEL
    first, *rest = wrap(" ".join(text.split("\n")).strip(), max(width - indent, _NARROWEST))
    return [
        f"{margin} {paint('frame', '=')} {paint('strong', label)}{' ' * (_LABEL - len(label))}{first}".rstrip(),
        *(f"{' ' * indent}{line}" for line in rest),
    ]
