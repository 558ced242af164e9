"""The findings that were there before: how many of each rule at each logical place.

No line, no measured value and no severity is kept, and a file only to tell which of several equal ones is meant. So a
baseline stays true when lines move, files are renamed, and values drift; one finding more at a place is new.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any

from advisor.errors import UsageError
from advisor.findings import Finding, State, Suppression
from advisor.gate.notices import IDS
from advisor.records import dataclass, replace

SCHEMA = "advisor.baseline/v1"
REASON = "it was there when the baseline was written"
LARGEST = 32 * 2**20
"""Bytes of a baseline that are read: some 200,000 entries."""

_MOST = 1_000_000
"""Findings of one entry."""
_KEYS = {"rule", "place", "path", "count"}
_AGAIN = "write it anew with --write-baseline"
_DECODER = json.JSONDecoder()
_BETWEEN = re.compile(r"[\[,\s]*")

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """So many findings of a rule at a logical place, in a file; ``path`` is None for what stands in none."""

    rule: str
    place: str
    path: str | None
    count: int

    @property
    def key(self) -> Key:
        """What is compared."""
        return self.rule, self.place


@dataclass(frozen=True, slots=True)
class Baseline:
    """Entries, sorted; no two of one rule, place and path."""

    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """``findings`` in their order, the known ones marked; the entries that are cured; the baseline without them."""

    findings: list[Finding]
    gone: list[Entry]
    pruned: Baseline


def baseline_of(findings: Iterable[Finding], path: Callable[[str], str] = str) -> Baseline:
    """The findings that nobody answers for, those of an earlier baseline included; the gate's own are left out.

    Args:
        findings: those of a run.
        path: what a file is called in the baseline: best relative to the top of the repository.
    """
    return _collected(Counter(_where(one, path) for one in findings if _open(one) or _known(one)))


def _where(finding: Finding, path: Callable[[str], str]) -> tuple[str, str, str | None]:
    file = finding.location.file
    return finding.rule, finding.place, None if file is None else path(file)


def _open(finding: Finding) -> bool:
    return finding.state is State.FAIL and finding.rule not in IDS


def _known(finding: Finding) -> bool:
    return finding.suppression is not None and finding.suppression.kind == "baseline"


def _collected(counts: Mapping[tuple[str, str, str | None], int]) -> Baseline:
    order = sorted((at for at in counts if counts[at] > 0), key=lambda at: (*at[:2], at[2] or ""))
    return Baseline(tuple(Entry(*at, counts[at]) for at in order))


def compare(
    baseline: Baseline,
    findings: Sequence[Finding],
    where: str,
    path: Callable[[str], str] = str,
    concerns: Callable[[Entry], bool] = lambda _: True,
    sure: Callable[[Entry], bool] = lambda _: True,
) -> Comparison:
    """Mark the findings that a baseline knows, and tell what of it is cured.

    Of more findings than it holds at a place, those in the same files are known, then the first ones.

    Args:
        baseline: what was there.
        findings: what there is.
        where: the baseline's file, for the marks.
        path: as for `baseline_of`.
        concerns: whether the run looked where an entry points. Others are neither known nor cured, and stay.
        sure: whether the run could tell that what an entry holds is not there. Others are known, never cured, and stay.
    """
    ours = [entry for entry in baseline.entries if concerns(entry)]
    known: set[int] = set()
    missing = ours
    for names in (_place, _also):
        missing = _taken(missing, findings, names, path, known)
    marked = [_marked(one, where) if number in known and _open(one) else one for number, one in enumerate(findings)]
    stay = [*(one for one in baseline.entries if not concerns(one)), *(one for one in missing if not sure(one))]
    kept = Counter({(*entry.key, entry.path): entry.count for entry in stay})
    kept.update(_where(one, path) for one in marked if _known(one))
    return Comparison(marked, [one for one in missing if sure(one)], _collected(kept))


def _place(finding: Finding) -> tuple[str, ...]:
    return (finding.place,)


def _also(finding: Finding) -> tuple[str, ...]:
    return finding.also


def _taken(
    entries: Iterable[Entry],
    findings: Sequence[Finding],
    names: Callable[[Finding], Iterable[str]],
    path: Callable[[str], str],
    known: set[int],
) -> list[Entry]:
    """Add the findings, by number, to the known ones that entries hold by one of their names; what is left over."""
    there: defaultdict[Key, list[int]] = defaultdict(list)
    for number, finding in enumerate(findings):
        for name in () if number in known else names(finding):
            there[finding.rule, name].append(number)
    missing: list[Entry] = []
    for key, group in _grouped(entries).items():
        numbers = sorted({*there.get(key, ())} - known, key=lambda number: _rank(findings[number]))
        taken, left = _matched(group, {number: _where(findings[number], path)[2] for number in numbers})
        known.update(taken)
        missing += left
    return missing


def _rank(finding: Finding) -> tuple[bool, str, int, int]:
    """Those that nobody answers for come first, then by where they stand."""
    at = finding.location
    return not _open(finding), at.file or "", at.line or 0, at.column or 0


def _grouped(entries: Iterable[Entry]) -> dict[Key, list[Entry]]:
    groups: dict[Key, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.key, []).append(entry)
    return groups


def _matched(entries: list[Entry], files: Mapping[int, str | None]) -> tuple[set[int], list[Entry]]:
    """The findings, by number, that entries of one place know, and what of the entries is left over."""
    held = {entry.path: entry.count for entry in entries}
    known: set[int] = set()
    for number, file in files.items():
        if held.get(file, 0) > 0:
            held[file] -= 1
            known.add(number)
    moved = sum(held.values())
    others = [number for number in files if number not in known][:moved]
    return known | {*others}, _left(entries, held, moved - len(others))


def _left(entries: list[Entry], held: dict[str | None, int], gone: int) -> list[Entry]:
    """The entries that so many missing findings are told as."""
    left = []
    for entry in entries:
        count = min(held[entry.path], gone)
        gone -= count
        if count:
            left.append(replace(entry, count=count))
    return left


def _marked(finding: Finding, where: str) -> Finding:
    return replace(finding, state=State.SUPPRESSED, suppression=Suppression("baseline", REASON, where))


def dumps(baseline: Baseline) -> str:
    """The document: one entry a line, sorted, so that a change of it is easy to read; equal baselines, equal text."""
    rows = [
        json.dumps({"rule": one.rule, "place": one.place, "path": one.path, "count": one.count})
        for one in baseline.entries
    ]
    listed = ",".join(f"\n    {row}" for row in rows)
    return f'{{\n  "schema": "{SCHEMA}",\n  "findings": [{listed}\n  ]\n}}\n'


def loads(data: bytes, name: str, known: Mapping[str, str] | None = None) -> Baseline:
    """Read a document.

    Args:
        data: its bytes.
        name: what messages call it.
        known: ids and aliases of rules to ids; a rule that it does not name keeps its own.

    Raises:
        UsageError: when it is no baseline: file:line, what is wrong, the way out.
    """
    if len(data) > LARGEST:
        raise UsageError(f"{name}: a baseline has at most {LARGEST // 2**20} MiB; {_AGAIN}")
    text, rows = _rows(data, name)
    counts: Counter[tuple[str, str, str | None]] = Counter()
    seen: set[tuple[str, str, str | None]] = set()
    for number, row in enumerate(rows):
        wrong = _wrong(row, seen)
        if wrong is not None:
            raise UsageError(f"{name}:{_line(text, number)}: {wrong}")
        rule, place, path = row["rule"], row["place"], row["path"]
        seen.add((rule, place, path))
        counts[(known or {}).get(rule, rule), place, path] += row["count"]
    return _collected(counts)


def _rows(data: bytes, name: str) -> tuple[str, list[Any]]:
    """The text, and what it lists as findings."""
    try:
        text = data.decode("utf-8")
        document = json.loads(text)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{name}:{line}: not UTF-8; {_AGAIN}") from None
    except json.JSONDecodeError as error:
        raise UsageError(f"{name}:{error.lineno}:{error.colno}: no JSON: {error.msg}; {_AGAIN}") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{name}:1: no baseline: a number is too long, or lists too deep; {_AGAIN}") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise UsageError(f"{name}:1: no baseline: its schema is not {SCHEMA}; {_AGAIN}")
    if document.keys() != {"schema", "findings"} or not isinstance(document["findings"], list):
        raise UsageError(f"{name}:1: a baseline has the keys schema and findings, which is a list; {_AGAIN}")
    return text, document["findings"]


def _wrong(row: object, seen: Container[object]) -> str | None:
    """What is wrong with an entry, and the way out."""
    if not isinstance(row, dict) or row.keys() != _KEYS:
        return f"an entry has the keys rule, place, path and count; {_AGAIN}"
    if not isinstance(row["rule"], str) or not isinstance(row["place"], str) or not isinstance(row["path"], str | None):
        return f"rule and place are texts, path is one or null; {_AGAIN}"
    if type(row["count"]) is not int or not 0 < row["count"] <= _MOST:
        return f"count is a number from 1 to {_MOST:,}; {_AGAIN}"
    if (row["rule"], row["place"], row["path"]) in seen:
        return "this entry is here twice; keep the one with the right count"
    return None


def _line(text: str, number: int) -> int:
    """The line on which an entry begins, counted from 1; the first, where the list's name is written otherwise."""
    named = text.find('"findings"')
    at = _next(text, text.find("[", named)) if named >= 0 else 0
    for _ in range(number if at else 0):
        at = _next(text, _DECODER.raw_decode(text, at)[1])
    return text.count("\n", 0, at) + 1


def _next(text: str, at: int) -> int:
    """Where the next value begins."""
    found = _BETWEEN.match(text, at)
    return at if found is None else found.end()
