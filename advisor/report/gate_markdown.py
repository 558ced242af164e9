"""The gate's verdict for a comment on a pull request: the verdict, a table worst first, and the rest folded away.

Nothing of a file or a rule is markup: see `escape`. A comment holds 65,536 characters, which is what GitHub's API says
in its refusal of a longer one ("Body is too long"); what does not fit is left out row by row, and counted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from advisor.report.frame import notes
from advisor.report.gate_words import fault_words, gone_words, spot, verdict
from advisor.report.terminal import visible
from advisor.report.text import count
from advisor.report.words import link

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from advisor.findings import Finding
    from advisor.report.gated import Fault, Gated, Gone, Judged

_Item = TypeVar("_Item")

_COMMENT = 65_536
"""Taken as bytes, so that it holds however characters are counted."""
_ENDS = 2_048
"""Bytes kept free for the ends of tables, and for saying what was left out."""
_LONGEST = 300
"""Characters of one text in a table."""

_ENTITIES = str.maketrans({char: f"&#{ord(char)};" for char in "\\`*_[]<>|~&"}) | {
    # A zero-width space parts the sign from the name or number that GitHub and GitLab would link, and tell.
    ord("@"): "&#64;&#8203;",
    ord("#"): "&#35;&#8203;",
    # GitHub Docs, "Writing mathematical expressions": how a dollar sign stays one.
    ord("$"): "<span>&#36;</span>",
}
_PLAIN = re.compile(r"[\w./:=-](?:[\w./:= -]*[\w./:=-])?", re.ASCII)
"""What stands between backticks as it is."""
_ADDRESS = re.compile(r"https://[\w.~/#%?=&+-]+", re.ASCII)

_TABLE = "| severity | rule | place | message |\n| --- | --- | --- | --- |\n"
_REASONS = "| severity | rule | place | message | it does not count |\n| --- | --- | --- | --- | --- |\n"


def render(gated: Gated, **_look: object) -> str:
    """The comment, at most 65,536 bytes."""
    return compose(gated, _COMMENT)


def compose(gated: Gated, limit: int) -> str:
    """The page, in at most ``limit`` bytes (8,192 or more): faults, what counts, what does not, what is cured, why."""
    page = _Page(limit)
    heading, _, said = verdict(gated).removeprefix("gate: ").partition(": ")
    page.add(f"### advisor gate: {escape(heading)}\n\n{escape(said, _LONGEST * 2)}\n\n")
    rest = [one for one in gated.findings if not one.counts]
    page.block(("", "\n"), gated.faults, _fault)
    page.block((_TABLE, "\n"), gated.counting, _row)
    page.block(_folded(count(len(rest), "finding") + " not counted", _REASONS), rest, _row)
    page.block(_folded(f"{sum(gone.count for gone in gated.fixed)} fixed", ""), gated.fixed, _gone)
    page.add(_gaps(gated))
    page.block(("", ""), gated.counting, _details)
    return "".join(page.parts).rstrip("\n") + "\n"


def escape(text: str, most: int = 2_000) -> str:
    """Text that is neither Markdown nor HTML, mentions nobody and links nowhere, on one line of at most ``most``.

    Character references work alike in Markdown (CommonMark 0.31, 2.5: they never are markup), in cells and in HTML.
    """
    shown = visible(text)
    cut = shown if len(shown) <= most else f"{shown[: most - 1]}…"
    # Bare addresses become links (GitHub Flavored Markdown, 6.9), unless they are interrupted.
    return cut.translate(_ENTITIES).replace("://", "&#58;//").replace("www.", "www&#46;")


class _Page:
    """Text that grows up to a limit of bytes; what stands in rows is cut between them."""

    def __init__(self, limit: int) -> None:
        self.room = limit - _ENDS
        self.parts: list[str] = []

    def add(self, text: str) -> None:
        self.parts.append(text)
        self.room -= len(text.encode())

    def block(self, ends: tuple[str, str], items: Sequence[_Item], row: Callable[[_Item], str]) -> None:
        """What stands before and after, and as many rows as fit into half of what is left: others want to be told."""
        if not items:
            return
        self.add(ends[0])
        least = self.room // 2
        shown = 0
        for line in map(row, items):
            if self.room - len(line.encode()) < least:
                break
            self.add(line)
            shown += 1
        self.add(ends[1])
        if left := len(items) - shown:
            self.add(f"{left:,} more did not fit here: `-f json` has all of them.\n\n")


def _folded(title: str, head: str) -> tuple[str, str]:
    """What stands before and after rows that are shown when somebody asks for them."""
    return f"<details><summary>{title}</summary>\n\n{head}", "\n</details>\n\n"


def _fault(fault: Fault) -> str:
    return f"- **error** {escape(fault_words(fault), _LONGEST)}\n"


def _row(one: Judged) -> str:
    finding = one.finding
    severity = f"**{finding.severity.word}**" if one.counts else finding.severity.word
    cells = [severity, _rule(finding), _code(_place(one)), escape(finding.message, _LONGEST)]
    if not one.counts:
        cells.append(escape(one.why_not or "nobody asked for it", _LONGEST))
    return f"| {' | '.join(cells)} |\n"


def _rule(finding: Finding) -> str:
    """The rule, linked to the first of its sources that has an address."""
    addresses = (_ADDRESS.match(link(reference)) for reference in finding.references)
    address = next((found.group() for found in addresses if found), None)
    return f"[{_code(finding.rule)}]({address})" if address else _code(finding.rule)


def _place(one: Judged) -> str:
    """The file from the top of the repository with its line, else the place as the run names it."""
    line = one.finding.location.line
    return spot(one.finding) if one.path is None else f"{one.path}:{line}" if line else one.path


def _code(text: str) -> str:
    """The text as code: between backticks where that is safe, else as HTML."""
    plain = len(text) <= _LONGEST and _PLAIN.fullmatch(text)
    return f"`{text}`" if plain else f"<code>{escape(text, _LONGEST)}</code>"


def _details(one: Judged) -> str:
    finding = one.finding
    title = f"{finding.severity.word}: <code>{escape(finding.rule, _LONGEST)}</code> at "
    lines = [f"- **{label}** {escape(' '.join(text.split()))}\n" for label, text in notes(finding)]
    before, after = _folded(f"{title}<code>{escape(_place(one), _LONGEST)}</code>", "")
    unless = [f"- **unless** {escape(' '.join(finding.unless.split()))}\n"] if finding.unless else []
    return "".join([before, *lines, *unless, after])


def _gone(gone: Gone) -> str:
    return f"- **fixed** {escape(gone_words(gone), _LONGEST)}\n"


def _gaps(gated: Gated) -> str:
    """How much was not judged; a comment is no place for all the reasons."""
    lacking, wrong = len({one.rule for one in gated.unknown}), len(gated.problems)
    parts = [f"{count(lacking, 'rule')} could not be judged everywhere"] if lacking else []
    parts += [f"{count(wrong, 'problem')} with what was read"] if wrong else []
    return f"{'; '.join(parts)}: `-f text` says why.\n\n" if parts else ""
