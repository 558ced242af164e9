"""What applies of a directive, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

from advisor.catalog.directives import DIRECTIVES
from advisor.facts.answers import Answer, Row, Said, Seen
from advisor.formats.text import encodable
from advisor.jobs.effective import Place, Report
from advisor.jobs.effective_sysctl import SysctlReport
from advisor.jobs.effective_sysctl_text import sysctl_lines, wrapped
from advisor.report.words import link

_CONTEXTS = {"m": "main", "e": "events", "h": "http", "s": "server", "l": "location", "i": "if", "u": "upstream"}


def as_json(report: Report | SysctlReport, _: int) -> str:
    """The whole report; ``schema`` names its shape."""
    schema = "advisor.effective/v1" if isinstance(report, Report) else "advisor.effective-sysctl/v1"
    return encodable(json.dumps({"schema": schema, "report": _plain(report)}, indent=2)) + "\n"


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        fields = getattr(value, "_fields", None)
        if fields is not None:
            return {name: _plain(one) for name, one in zip(fields, value, strict=True)}
        return [_plain(one) for one in value]
    return value


def as_text(report: Report | SysctlReport, width: int) -> str:
    """For people: each line at most ``width`` characters wide where words allow it."""
    lines = _Text(report, width).lines() if isinstance(report, Report) else sysctl_lines(report, width)
    return encodable("\n".join(lines) + "\n")


class _Text:
    def __init__(self, report: Report, width: int) -> None:
        self.report = report
        self.width = width
        self.word = report.directive.rpartition("/")[2]

    def lines(self) -> Iterator[str]:
        yield from self._head()
        for row in self.report.outside:
            yield from self._answer(f"{row.block}", row, "")
        for place in self.report.places:
            yield ""
            yield from self._place(place)

    def _head(self) -> Iterator[str]:
        entry = DIRECTIVES.get(self.report.directive)
        version = f"nginx {self.report.version}" if self.report.version else "nginx's version is not known"
        if entry is None:
            yield from self._wrap(f"{self.word} · {version}")
        else:
            contexts = ", ".join(_CONTEXTS[letter] for letter in entry.contexts)
            yield from self._wrap(f"{self.word} · {version} · stands in {contexts}")
            yield link(entry.reference)
        for note in self.report.notes:
            yield from self._wrap(f"note: {note}")

    def _place(self, place: Place) -> Iterator[str]:
        where = f"on {', '.join(place.addresses)}" if place.addresses else "on no address"
        yield from self._wrap(f"{place.server} {where} · {place.file}:{place.line}")
        if place.how:
            yield from self._wrap(place.how, "  ")
        for text in place.unsure:
            yield from self._wrap(f"a regular expression that is not evaluated here: {text}", "  ")
        for row in place.rows:
            called = row.block.removesuffix(f" of {place.server}")
            yield from self._answer("" if called == place.server else called, row, "  ")
        if not place.rows:
            yield "  it may stand in no block of this server"
        if place.inheriting:
            locations = "location" if place.inheriting == 1 else "locations"
            yield f"  {place.inheriting} more {locations} below: the same"

    def _answer(self, called: str, row: Row, indent: str) -> Iterator[str]:
        if called:
            yield from self._wrap(called, indent)
            indent += "  "
        yield from self._wrap(self._words(self.word, row.answer), indent)
        if row.header is not None and row.header.applies and row.header.applies != _second(row.answer):
            yield from self._wrap(self._words("its header is inherited on its own: timeout", row.header), indent)
        for seen in _different(row):
            yield from self._wrap(self._seen(seen), indent)

    def _seen(self, seen: Seen) -> str:
        if seen.answer is None:
            return f"{seen.protocol}: {seen.why}"
        said = self._words(seen.directive, seen.answer._replace(replaced=()))
        return f"{seen.protocol}: {said}; {seen.why} ({seen.block})"

    def _words(self, word: str, answer: Answer) -> str:
        if not answer.applies:
            known = answer.default is not None and not answer.default.startswith("not ")
            return f"{word} {answer.default}" + (" · nginx's default" if known else "")
        said = ", ".join(f"{word} {one.text}" if number == 0 else one.text for number, one in enumerate(answer.applies))
        replaced = f", instead of {_listed(answer.replaced)} at {_places(answer.replaced)}" if answer.replaced else ""
        return f"{said} · {_places(answer.applies)}{replaced}"

    def _wrap(self, text: str, indent: str = "") -> list[str]:
        return wrapped(text, self.width, indent)


def _second(answer: Answer) -> tuple[Said, ...]:
    """What keepalive_timeout's own second argument would be: already said beside the first."""
    return tuple(one._replace(text=one.text.partition(" ")[2]) for one in answer.applies[-1:])


def _different(row: Row) -> list[Seen]:
    """The protocols that get something else than the block has."""
    return [seen for seen in row.seen if seen.answer is None or not _alike(seen.answer, row.answer)]


def _alike(one: Answer, other: Answer) -> bool:
    return (one.applies, one.default) == (other.applies, other.default)


def _listed(said: Iterable[Said]) -> str:
    return ", ".join(one.text for one in said)


def _places(said: tuple[Said, ...]) -> str:
    """``nginx.conf:12-13``: the lines of each file, runs of them together."""
    found: dict[str, list[int]] = {}
    for one in said:
        found.setdefault(one.file, []).append(one.line)
    return ", ".join(f"{file}:{_runs(lines)}" for file, lines in found.items())


def _runs(lines: list[int]) -> str:
    runs: list[tuple[int, int]] = []
    for line in lines:
        if runs and line == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], line)
        else:
            runs.append((line, line))
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)


FORMATS: dict[str, Callable[[Report | SysctlReport, int], str]] = {"text": as_text, "json": as_json}
"""By name: the report and the width in characters."""
