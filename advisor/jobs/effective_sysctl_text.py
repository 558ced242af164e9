"""What applies of a sysctl, as lines of text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from advisor.formats.sysctl import SYSTEMD
from advisor.jobs.effective_sysctl import Applied, Later, Said, SysctlReport

_SCOPES = {
    "netns": "each network namespace has its own",
    "global": "one for the whole host",
    "read-only in child": "set in the host's network namespace, seen in all",
}
_NEEDS = {
    "re-listen": "takes effect when a socket listens anew: a restart of nginx, or a changed backlog= and a reload",
    "new network device": "takes effect for devices that are made afterwards",
}
_WHEN = {SYSTEMD: "at boot"}
_SHOWN = 300
"""Characters of a value: lists of ports have no bound."""


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Lines of at most ``width`` characters where words allow it, continued four columns in."""
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def sysctl_lines(report: SysctlReport, width: int) -> Iterator[str]:
    """The report for people."""
    for indent, text in _texts(report):
        yield from wrapped(text, width, indent)


def _texts(report: SysctlReport) -> Iterator[tuple[str, str]]:
    """Lines with their indents, not yet wrapped."""
    name = report.key if report.part is None else f"{report.key} ({report.part})"
    yield "", " · ".join(filter(None, (name, report.unit, _SCOPES.get(report.scope or ""))))
    yield from (("", f"note: {note}") for note in report.notes)
    live = _value(report.live) if report.live is not None else f"not known: {report.why_not}"
    yield "  ", f"in force: {live}"
    if report.given is not None:
        yield "  ", f"given: {_said(report.given)}; judged as if it were applied"
    for one in report.readers:
        yield from _applied(one)
    for other in report.later:
        yield "  ", _later(other)
    if report.default is not None:
        yield "  ", f"the kernel's default: {_value(report.default)}"
    for need in report.needs:
        yield "  ", f"a change {_NEEDS.get(need, f'needs: {need}')}"


def _applied(one: Applied) -> Iterator[tuple[str, str]]:
    when = _WHEN.get(one.reader, "by hand")
    if one.unknown is not None:
        yield "  ", f"{when} ({one.reader}): not known: {one.unknown}"
        return
    if one.value is None:
        nothing = "what is written is refused, and the kernel's own value stays" if one.refused else "no file sets it"
        yield "  ", f"{when} ({one.reader}): {nothing}"
    else:
        wins = f" · {_place(one.wins)}" if one.wins is not None else ""
        yield "  ", f"{when} ({one.reader}): {_value(one.value)}{wins}"
    if one.beaten:
        yield "    ", f"instead of {_listed(one.beaten)}"
    for said in one.refused:
        yield "    ", f"refused: {_said(said)}: {said.why}"


def _later(one: Later) -> str:
    place = one.file if one.line is None else f"{one.file}:{one.line}"
    value = "a value of its own" if one.value is None else _value(one.value)
    after = ", and then what files in /etc and /run say" if one.yields else ""
    return f"later: {one.writer} sets {value}{after} · {place}"


def _listed(said: Iterable[Said]) -> str:
    return ", ".join(map(_said, said))


def _said(one: Said) -> str:
    return f"{_value(one.text)} at {_place(one)}"


def _place(one: Said) -> str:
    return f"{one.file}:{one.line}"


def _value(text: str) -> str:
    plain = "".join(char if char.isprintable() else "?" for char in text)
    return (plain if len(plain) <= _SHOWN else f"{plain[:_SHOWN]}...") or "(empty)"
