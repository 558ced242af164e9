"""Targets, judged: what was said of a snapshot is said again, not worked out again."""

from __future__ import annotations

from support.fixing import SHIPPED, target

from advisor.facts.derive import Facts
from advisor.findings import Verdict
from advisor.jobs.fix import fix
from advisor.jobs.seen import Remembering, Seen
from advisor.records import replace
from advisor.remedy.plan import Allowed
from advisor.snapshot.model import Snapshot

SMALL = b"http { server { listen 80 backlog=8; } }"


class Counting:
    """The shipped rules, and the snapshots that they judged."""

    def __init__(self) -> None:
        self.judged: list[Snapshot] = []

    def __call__(self, facts: Facts) -> list[Verdict]:
        self.judged.append(facts.snapshot)
        return SHIPPED(facts)


def test_a_target_is_judged_once_before_its_cure_and_once_after() -> None:
    judge = Counting()
    seen = Seen("web", target({"/nginx.conf": SMALL}), judge)
    fixed = fix([seen.snapshot], [seen.judge], SHIPPED.causes, Allowed(unsafe=True))
    assert fixed.files["/nginx.conf"][1] == SMALL.replace(b"=8", b"=511")
    assert len(judge.judged) == 2


def test_only_the_first_and_the_last_snapshot_are_remembered() -> None:
    judge = Counting()
    remembering = Remembering(judge)
    first = target({"/nginx.conf": SMALL})
    second, third = replace(first, sample=1.0), replace(first, sample=2.0)
    for one in (first, second, second, first, third, third, first, second):
        assert remembering(Facts(one)) == SHIPPED(Facts(one))
    assert [one.sample for one in judge.judged] == [0.0, 1.0, 2.0, 1.0]
