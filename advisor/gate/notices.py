"""What the gate itself has to say: of ignores that nothing needs, that have expired, lack a reason, or are none.

Each is a finding like a rule's, and described like one. Only the configuration can ignore them: a comment that ignored
what is wrong with comments would hide itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.findings import Confidence, Finding, Safety, Severity, State, Step
from advisor.records import dataclass

if TYPE_CHECKING:
    from advisor.facts.places import Location


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told of such findings; the words of a rule."""

    id: str
    title: str
    severity: Severity
    why: str
    unless: str
    steps: tuple[str, ...]
    references: tuple[str, ...] = ()
    maturity: str = "stable"


# None of them harms a host, so that none fails a gate by itself: what they no longer cover does. The ones that somebody
# relies on, and that do nothing, are graver than those that are merely in the way.
UNUSED = Notice(
    "ignore-unused",
    "An ignore covers no finding",
    Severity.LOW,
    "What it was written for is cured, or has moved. Left where it is, it hides the next finding of that rule at this "
    "place, which nobody has looked at.",
    "the finding comes and goes with what is measured",
    ("take the ignore out",),
)
EXPIRED = Notice(
    "ignore-expired",
    "An ignore has expired",
    Severity.LOW,
    "The day is over up to which somebody answered for the finding. It counts again.",
    "the finding is cured within days",
    ("cure what it covers, or take another decision, with its reason and another day",),
)
WITHOUT_REASON = Notice(
    "ignore-without-reason",
    "An ignore lacks a reason",
    Severity.MEDIUM,
    "Nobody can tell later whether it still holds, so it covers nothing.",
    "never",
    ("write the reason behind the rule: # advisor: ignore[RULE] REASON",),
)
MALFORMED = Notice(
    "ignore-malformed",
    "A comment that begins with 'advisor:' can't be understood",
    Severity.MEDIUM,
    "It was meant to cover a finding, and covers nothing: it names an unknown rule or a day that does not exist, a "
    "block that is not closed, or it stands where there are no comments.",
    "the comment is meant for somebody else who is called so",
    ("write # advisor: ignore[RULE] REASON; until 2027-01-31 behind a statement of nginx's, or on a line above",),
    ("man:sysctl.d(5)",),
)
RULES = (UNUSED, EXPIRED, WITHOUT_REASON, MALFORMED)
IDS = frozenset(notice.id for notice in RULES)


def told(notice: Notice, location: Location, about: str, message: str) -> Finding:
    """A finding of the gate's own.

    Args:
        notice: what it is one of.
        location: where the ignore stands.
        about: what is ignored, as ``ignore[RULE]``.
        message: what is wrong with this one.
    """
    return Finding(
        rule=notice.id,
        title=notice.title,
        item=f"{about} in {location.file}",
        state=State.FAIL,
        severity=notice.severity,
        confidence=Confidence.CERTAIN,
        doubt=None,
        message=message,
        why=notice.why,
        unless=notice.unless,
        location=location,
        steps=tuple(Step(Safety.MANUAL, text) for text in notice.steps),
        references=notice.references,
        maturity=notice.maturity,
        lasting=about,
    )
