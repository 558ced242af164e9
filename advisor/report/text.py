"""The report for a person at a terminal: each finding with its place, its numbers, its cure and what to expect."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from advisor.catalog.counters import COUNTERS
from advisor.catalog.sysctl import KEYS
from advisor.report.frame import frame
from advisor.report.terminal import Paint, wrap
from advisor.units import B, S, number, show

if TYPE_CHECKING:
    from collections.abc import Iterable

    from advisor.findings import Missing
    from advisor.report.result import Head, Result

_BRIEF = 0.1
"""Seconds; below it nobody waits, and the exact time says nothing."""
_NARROWEST = 40
_NAMED = 3
"""Unknown rules, and what they lack, that are named for each reason; ``-f json`` has all of them."""
_A_NAME = "\0"
"""Stands in a reason where a sysctl or a counter was named."""


def render(result: Result, width: int = 80, *, colour: bool = False) -> str:
    """The report.

    Args:
        result: what to tell.
        width: of the terminal, in cells; taken as 40 when it is less.
        colour: whether to write ANSI colours; the caller decides by the terminal and NO_COLOR.
    """
    width = max(width, _NARROWEST)
    paint = Paint(colour=colour)
    blocks = [_head(result.head, width)]
    blocks += [frame(finding, width, paint) for finding in result.failing]
    blocks.append(gaps(result.unknown, result.problems, width))
    blocks.append(_end(result, width, paint))
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _head(head: Head, width: int) -> list[str]:
    return [*wrap(host_words(head) or "no host was read", width), *wrap(_reading(head), width)]


def host_words(head: Head) -> str:
    """The host in one line: name, kernel, size, nginx, network namespace and profile, as far as they were read."""
    size = [f"{number(head.cpus)} CPU{'s' * (head.cpus != 1)}"] if head.cpus is not None else []
    size += [show(round(head.memory / 1024**3) * 1024**3 or head.memory, B)] if head.memory is not None else []
    nginx = [f"nginx {head.nginx}" if head.nginx else "nginx"] if head.nginx or head.workers is not None else []
    nginx += [f"{number(head.workers)} worker{'s' * (head.workers != 1)}"] if head.workers is not None else []
    parts = [
        head.name,
        f"Linux {head.kernel}" if head.kernel else None,
        ", ".join(size),
        ", ".join(nginx),
        f"network namespace: {head.netns}" if head.netns else None,
        f"profile: {head.profile}" if head.profile else None,
    ]
    return " · ".join(filter(None, parts))


def _reading(head: Head) -> str:
    if head.took is None:
        return "nothing was written"
    sample = f" ({show(head.sample, S)} of it between two counter readings)" if head.sample else ""
    who = "" if head.root is None else ", as root" if head.root else ", not as root"
    cpu = "" if head.cpu is None else f", for {_time(head.cpu)} of CPU"
    share = "" if head.share is None else f", looking at {head.share:.0%} of the sockets"
    return f"read in {_time(head.took)}{sample}{cpu}{share}{who}; nothing was written"


def _time(seconds: float) -> str:
    return show(seconds, S) if seconds >= _BRIEF else f"under {show(_BRIEF, S)}"


def gaps(unknown: Iterable[tuple[str, Missing]], problems: Iterable[tuple[str, str]], width: int) -> list[str]:
    """What could not be judged, each reason once with the rules that lack it, and what was wrong with what was read."""
    lines = []
    for why, rules in reasons(unknown):
        lines += hung(f"unknown: {why} ({_some(rules)})", width)
    for source, why in problems:
        lines += hung(f"problem: {source}: {why}", width)
    return lines


def reasons(unknown: Iterable[tuple[str, Missing]]) -> list[tuple[str, list[str]]]:
    """Why rules could not be judged, each reason once with the rules that give it; those of most rules first."""
    found: dict[tuple[str, str], tuple[dict[str, None], dict[str, None]]] = {}
    for rule, missing in unknown:
        why, name = _but_for_name(missing.why)
        names, rules = found.setdefault((missing.source, why), ({}, {}))
        names[name] = rules[rule] = None
    told = []
    for (source, why), (names, rules) in sorted(found.items(), key=lambda pair: (-len(pair[1][1]), pair[0])):
        need = f"{count(len(rules), 'rule')} need{'s' * (len(rules) == 1)} '{source}'"
        told.append((f"{need}: {why.replace(_A_NAME, _some([*names]))}", [*rules]))
    return told


def _but_for_name(why: str) -> tuple[str, str]:
    """A reason without the sysctl or the counter that it names, and that: those alike are told together."""
    words = (word.rstrip(":;,") for word in why.split())
    name = next((word for word in words if word in KEYS or word in COUNTERS), "")
    return (why.replace(name, _A_NAME, 1) if name else why), name


def hung(text: str, width: int) -> list[str]:
    """The lines of a text; those after the first stand back by two cells."""
    first, *rest = wrap(text, width - 2)
    return [first, *(f"  {line}" for line in rest)]


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join([*names[:_NAMED], *([f"and {more} more"] if more > 0 else [])])


def count(amount: int, word: str) -> str:
    """``1 rule``, ``2,000 rules``."""
    return f"{number(amount)} {word}{'s' * (amount != 1)}"


def _end(result: Result, width: int, paint: Paint) -> list[str]:
    failing = result.failing
    severities = Counter(finding.severity for finding in failing)
    kinds = ", ".join(f"{many} {severity.word}" for severity, many in sorted(severities.items(), reverse=True))
    parts = [f"{count(len(failing), 'finding')} ({kinds})" if failing else "no findings"]
    parts += [f"{suppressed} suppressed"] if (suppressed := len(result.findings) - len(failing)) else []
    parts += [f"{result.unknown_rules} unknown"] if result.unknown else []
    parts.append(f"{count(result.quiet, 'rule')} quiet")
    if not result.judged:
        parts = [f"nothing could be judged: this is no clean bill ({result.unknown_rules} unknown)"]
    return [paint("strong", line) for line in wrap(" · ".join(parts), width)] + _next(result)


def _next(result: Result) -> list[str]:
    if not result.judged:
        return ["next: run it where nginx runs, as root, or name its files: advisor audit --help"]
    steps = [step for finding in result.failing for step in finding.steps if step.changes and not step.skipped]
    patch = "advisor patch -o out/      " if steps else ""
    return [f"next: {patch}in CI: advisor gate --fail-on high"]
