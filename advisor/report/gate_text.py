"""The gate's report for a person: faults first, a frame for each finding that counts, the verdict last."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from advisor.findings import State
from advisor.report.frame import frame
from advisor.report.gate_words import fault_words, gone_words, judged, spot, verdict
from advisor.report.terminal import Paint, cells, clip, visible, wrap
from advisor.report.text import count, gaps, host_words, hung

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from advisor.report.gated import Gated, Judged, Target, Unknown

_NARROWEST = 40
_HOSTS = 3
"""Hosts and snapshots that the head describes one by one."""
_LINES = 10
"""Findings that do not count, and findings that are gone, which are named; ``-f json`` has all of them."""
_NO_HOST = ("only files are judged", "no host was read")
"""How the reasons begin for which a source was not read because nobody asked for this host."""
_NO_CAPTURE = "no capture of packets was given"
_KINDS = {
    "nginx": ("nginx configuration", ""),
    "sysctl": ("set", " of sysctl files"),
    "nginx and sysctl": ("nginx configuration", " with sysctl files"),
    "snapshot": ("snapshot", ""),
    "host": ("host", ""),
}


def render(gated: Gated, *, width: int = 80, colour: bool = False) -> str:
    """The report.

    Args:
        gated: what to tell.
        width: of the terminal, in cells; taken as 40 when it is less.
        colour: whether to write ANSI colours; the caller decides by the terminal and NO_COLOR.
    """
    width = max(width, _NARROWEST)
    paint = Paint(colour=colour)
    blocks = [[*_head(gated, width), *_passed(gated, width)], _faults(gated, width, paint)]
    blocks += [frame(one.finding, width, paint) for one in gated.counting]
    blocks.append(_uncounted(gated, width))
    blocks.append([*_answered(gated, width), *_baseline(gated, width)])
    blocks.append(_gaps(gated, width))
    role = "strong" if judged(gated) and not gated.failed else "critical"
    blocks.append([paint(role, line) for line in wrap(verdict(gated), width)])
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _head(gated: Gated, width: int) -> list[str]:
    """What was judged: how many of each kind, and the first hosts."""
    hosts = [target for target in gated.targets if target.kind in {"snapshot", "host"}]
    lines = [_host(target) for target in hosts[:_HOSTS]]
    if len(hosts) < len(gated.targets) or len(hosts) > _HOSTS:
        lines.insert(0, _sizes(gated.targets))
    return [part for line in lines or ["nothing was judged"] for part in hung(line, width)]


def _passed(gated: Gated, width: int) -> list[str]:
    """What a search passed over, so that nobody takes it for judged."""
    told = ", ".join(f"{why} ({number:,})" for why, number in sorted(gated.passed.items()))
    return hung(f"looked at {count(gated.looked, 'file')}, and passed over: {told}", width) if told else []


def _host(target: Target) -> str:
    said = host_words(target.head) or "no host was read"
    return said if target.kind == "host" else f"{target.name}: {said}"


def _sizes(targets: Sequence[Target]) -> str:
    parts = []
    for kind, (word, rest) in _KINDS.items():
        those = [target for target in targets if target.kind == kind]
        files = len({file for target in those for file in target.files})
        size = f" ({count(files, 'file')})" if kind not in {"snapshot", "host"} else ""
        parts += [f"{count(len(those), word)}{rest}{size}"] if those else []
    return ", ".join(parts[:-1]) + " and " * (len(parts) > 1) + parts[-1]


def _faults(gated: Gated, width: int, paint: Paint) -> list[str]:
    lines = []
    for fault in gated.faults:
        first, *rest = hung(f"error: {fault_words(fault)}", width)
        lines += [paint("critical", "error:") + paint("strong", first.removeprefix("error:"))]
        lines += [paint("strong", line) for line in rest]
    return lines


def _uncounted(gated: Gated, width: int) -> list[str]:
    """The findings that nobody answered for and that do not count, one line each, by why that is so."""
    groups: dict[str, list[Judged]] = {}
    for one in gated.findings:
        if not one.counts and one.finding.state is not State.SUPPRESSED:
            groups.setdefault(_why(one), []).append(one)
    lines, left = [], _LINES
    for why, those in groups.items():
        lines += hung(f"{count(len(those), 'finding')} not counted: {why}", width)
        lines += [_line(one, width) for one in those[:left]]
        left -= min(left, len(those))
    more = sum(map(len, groups.values())) - _LINES
    return [*lines, *([f"  and {more} more in -f json"] if more > 0 else [])]


def _why(one: Judged) -> str:
    """The reason without the finding's own grade, so that ``low is below high`` and ``info is below high`` are one."""
    why = one.why_not or "nobody asked for them"
    for grade in (one.finding.severity.word, one.finding.confidence.word):
        why = why.removeprefix(f"{grade} is ")
    return why


def _line(one: Judged, width: int) -> str:
    finding = one.finding
    text = visible(f"  {spot(finding)}: {finding.severity.word}[{finding.rule}] {finding.message}")
    return text if cells(text) <= width else f"{clip(text, width - 1)}…"


def _answered(gated: Gated, width: int) -> list[str]:
    """How many findings a comment or the configuration answers for; the baseline has a line of its own."""
    kinds: Counter[str] = Counter(one.finding.suppression.kind for one in gated.suppressed if one.finding.suppression)
    words = {"comment": "by comments", "configuration": "by the configuration"}
    told = [f"{kinds[kind]} {word}" for kind, word in words.items() if kinds[kind]]
    return hung(f"ignored, with a reason: {', '.join(told)}", width) if told else []


def _baseline(gated: Gated, width: int) -> list[str]:
    if gated.baseline is None:
        return []
    known = sum(one.finding.suppression.kind == "baseline" for one in gated.suppressed if one.finding.suppression)
    fixed = sum(gone.count for gone in gated.fixed)
    names = [gone_words(gone) for gone in gated.fixed[:_LINES]]
    more = len(gated.fixed) - len(names)
    said = f"baseline {gated.baseline}: {known} known, {len(gated.findings) - len(gated.suppressed)} new, {fixed} fixed"
    named = ", ".join([*names, *([f"and {more} more in -f json"] if more > 0 else [])])
    return hung(f"{said}: {named}" if named else said, width)


def _gaps(gated: Gated, width: int) -> list[str]:
    """What could not be judged: what no file shows in one line, every other reason with its rules."""
    reasons = _no_file_shows(gated.unknown)
    unseen = {one.rule for one in gated.unknown if one.missing.why.startswith(reasons)}
    lines = []
    if unseen:
        need = "needs" if len(unseen) == 1 else "need"
        said = f"{count(len(unseen), 'rule')} {need} what no file shows (a live host)"
        lines = hung(f"unknown: {said}: advisor gate --host, or advisor audit there", width)
    rest = [(one.rule, one.missing) for one in gated.unknown if not one.missing.why.startswith(reasons)]
    return [*lines, *gaps(rest, gated.problems, width)]


def _no_file_shows(unknown: Iterable[Unknown]) -> tuple[str, ...]:
    """How the reasons begin that a live host would take away; who judges files alone has no capture either."""
    live = any(one.missing.why.startswith(_NO_HOST) for one in unknown)
    return (*_NO_HOST, _NO_CAPTURE) if live else ()
