"""The vectorised pass says what the readable machine says, whatever is on the wire, in chunks of any size."""

from __future__ import annotations

import os
import random
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.capture import flows as flows_module
from advisor.capture import tracker as tracker_module
from advisor.capture.columns import TYPES, Columns
from advisor.capture.connection import Connection
from advisor.capture.machine import Conversation
from advisor.capture.segments import ACK, FIN, PSH, RST, SYN, Segment, Segments
from advisor.capture.tracker import Tracker

NEAR = (0x0A000001 << 16 | 40000, 0x0A000001 << 16 | 1023)
FAR_ENDS = (0x0A000002 << 16 | 80, 0x0A000002 << 16 | 40001)
WORDS = tuple(
    "open open open data data data data ack ack fin fin close rst again again drop swap probe old raw syn "  # noqa: SIM905
    "reuse wait".split()
)
POLITE = ("data", "data", "data", "ack", "again")
ENDS = (
    [],
    ["close"],
    ["fin"],
    ["fin", "ack"],
    ["fin", "fin", "ack", "ack"],
    ["stop"],
    ["close", "stop"],
    ["fin", "stop", "stop"],
    ["close", "reuse", "data", "close"],
)


EXAMPLES = int(os.environ.get("ADVISOR_EXAMPLES", "60"))
"""As in the tests of the laws: more by the environment variable, where time does not matter."""


class Talk:
    """Two ends that speak TCP, mostly."""

    def __init__(self, chance: random.Random, near: int, far: int) -> None:
        self.chance = chance
        self.ends = (near, far)
        self.sent = [chance.choice([100, 0xFFFFFFF0, chance.getrandbits(32)]) for _ in range(2)]
        self.heard = self.sent[::-1]
        self.out: list[tuple[int, int, int, int, int]] = []

    def say(self, side: int, flags: int, length: int = 0, *, seq: int | None = None, ack: int | None = None) -> None:
        """Send something; without ``seq`` and ``ack`` what is in order."""
        at = self.sent[side] if seq is None else seq
        acked = (self.heard[side] if ack is None else ack) if flags & ACK else 0
        self.out.append((side, at & 0xFFFFFFFF, acked & 0xFFFFFFFF, flags, length))
        if seq is None and not flags & RST:
            self.sent[side] = (at + length + bool(flags & (SYN | FIN))) & 0xFFFFFFFF
            self.heard[1 - side] = self.sent[side]

    def play(self, words: list[str]) -> list[tuple[int, int, int, int, int]]:
        """The packets that a script comes to: side, seq, ack, flags, length."""
        for word in words:
            getattr(self, f"do_{word}")(self.chance.randrange(2))
        return self.out

    def do_open(self, _: int) -> None:
        self.say(0, SYN)
        self.say(1, SYN | ACK)
        self.say(0, ACK)

    def do_data(self, side: int) -> None:
        self.say(side, PSH | ACK, self.chance.choice([1, 2, 100, 65000]))

    def do_ack(self, side: int) -> None:
        self.say(side, ACK)

    def do_fin(self, side: int) -> None:
        self.say(side, FIN | ACK, self.chance.choice([0, 0, 10]))

    def do_close(self, side: int) -> None:
        self.say(side, FIN | ACK)
        self.say(1 - side, ACK)
        self.say(1 - side, FIN | ACK)
        self.say(side, ACK)

    def do_rst(self, side: int) -> None:
        self.say(
            side,
            RST | self.chance.choice([0, ACK]),
            seq=self.sent[side] + self.chance.choice([0, 0, 0, 5, -1, 1 << 20]),
        )

    def do_stop(self, side: int) -> None:
        self.say(side, RST | ACK)

    def do_again(self, _: int) -> None:
        if self.out:
            self.out.append(self.chance.choice(self.out[-4:]))

    def do_drop(self, _: int) -> None:
        if self.out:
            self.out.pop(self.chance.randrange(len(self.out)))

    def do_swap(self, _: int) -> None:
        if len(self.out) > 1:
            at = self.chance.randrange(len(self.out) - 1)
            self.out[at : at + 2] = self.out[at : at + 2][::-1]

    def do_probe(self, side: int) -> None:
        self.say(side, ACK, self.chance.randrange(2), seq=self.sent[side] - 1)
        self.say(1 - side, ACK)

    def do_old(self, side: int) -> None:
        self.say(side, ACK, ack=self.heard[side] - self.chance.choice([1, 10]))

    def do_raw(self, side: int) -> None:
        seq = self.sent[side] + self.chance.choice([0, 0, 1, -1, 50, 1 << 31, (1 << 31) + 1])
        ack = self.heard[side] + self.chance.choice([0, 0, 1, -1, 50, 1 << 31, (1 << 31) - 1])
        self.say(side, self.chance.randrange(64), self.chance.choice([0, 0, 1, 30]), seq=seq, ack=ack)

    def do_syn(self, side: int) -> None:
        flags = self.chance.choice([SYN, SYN, SYN | ACK])
        self.say(
            side, flags, self.chance.choice([0, 0, 0, 20]), seq=self.sent[side] + self.chance.choice([-1, 0, 0, 9])
        )

    def do_reuse(self, _: int) -> None:
        self.sent = [(number + self.chance.randrange(1 << 20)) & 0xFFFFFFFF for number in self.sent]
        self.say(0, SYN)
        if self.chance.randrange(3):
            self.say(self.chance.randrange(2), SYN | ACK)
            self.say(0, ACK)

    def do_wait(self, _: int) -> None:
        self.say(0, SYN)
        self.out.append(self.out[-1])
        if self.chance.randrange(2):
            self.say(1, RST | ACK, seq=0)


def wire(chance: random.Random, scripts: list[list[str]]) -> list[Segment]:
    """The packets of some conversations, mixed."""
    talks = []
    for number, words in enumerate(scripts):
        near = NEAR[number % 2] + (number << 20)
        talks.append((near, FAR_ENDS[number // 2 % 2], Talk(chance, 0, 0).play(words)))
    found = []
    time = 1_700_000_000_000_000_000
    while any(out for _, _, out in talks):
        near, far, out = chance.choice([talk for talk in talks if talk[2]])
        side, seq, ack, flags, length = out.pop(0)
        ends = (near, far) if side == 0 else (far, near)
        time += chance.choice([0, 1000, 5_000_000, 3_000_000_000, -1000])
        window = chance.choice([0, 500, 500, 500])
        found.append(Segment(len(found) + 1, time, *ends, seq, ack, flags, window, length))
    return found


def columns(segments: list[Segment]) -> Segments:
    """Rows to columns."""
    kinds: Any = (np.int64, np.int64, np.uint64, np.uint64, np.uint32, np.uint32, np.uint8, np.uint16, np.int64)
    fields = zip(*segments, strict=True) if segments else [()] * len(kinds)
    return Segments(*(np.array(field, kind) for field, kind in zip(fields, kinds, strict=True)))


def fields(one: Connection) -> dict[str, Any]:
    """All that is known of a connection."""
    return {name: getattr(one, name) for name in TYPES}


Told = tuple[list[dict[str, Any]], Counter[tuple[int, int, int]]]


def by_machine(segments: list[Segment]) -> Told:
    """What the readable machine says of each packet in turn."""
    over: list[Connection] = []
    gaps: Counter[tuple[int, int, int]] = Counter()
    talks: dict[tuple[int, int], Conversation] = {}
    for segment in segments:
        ends = min(segment.source, segment.target), max(segment.source, segment.target)
        if ends not in talks:
            talks[ends] = Conversation(ends, over.append, lambda *gap: gaps.update([gap]))
        talks[ends].step(segment)
    for talk in talks.values():
        talk.finish(max(segment.time for segment in segments))
    for number, one in enumerate(sorted(over, key=lambda one: one.frame), start=1):
        one.number = number
    return sorted(map(fields, over), key=lambda one: int(one["number"])), gaps


class Kept:
    """A sink that keeps all."""

    def __init__(self) -> None:
        self.parts: list[Columns] = []
        self.gaps: Counter[tuple[int, int, int]] = Counter()

    def add(self, ports: Any, lengths: Any, ends: Any) -> None:
        self.gaps.update(zip(ports.tolist(), lengths.tolist(), ends.tolist(), strict=True))


def by_tracker(segments: list[Segment], size: int) -> tuple[Told, int]:
    """What the vectorised pass says, and how many packets it looked at one by one."""
    kept = Kept()
    tracker = Tracker(kept.parts.append, kept)
    whole = columns(segments)
    for first in range(0, len(segments), size):
        tracker.feed(whole.part(first, first + size))
        tracker.flush()
    tracker.finish()
    told = sorted(
        (fields(one) for part in kept.parts for one in part.connections()), key=lambda one: int(one["number"])
    )
    assert len(told) == tracker.connections
    return (told, kept.gaps), tracker.odd


POLITELY = st.tuples(
    st.sampled_from([["open"], ["wait"], []]), st.lists(st.sampled_from(POLITE), max_size=12), st.sampled_from(ENDS)
).map(lambda parts: [word for part in parts for word in part])
SCRIPTS = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12) | POLITELY, min_size=1, max_size=6)


@settings(max_examples=EXAMPLES)
@given(scripts=SCRIPTS, seed=st.integers(0, 1 << 32))
def test_it_says_what_the_machine_says(scripts: list[list[str]], seed: int) -> None:
    segments = wire(random.Random(seed), scripts)  # noqa: S311 (a test's dice)
    if not segments:
        return
    expected = by_machine(segments)
    for size in (1, 2, 7, len(segments)):
        told, _ = by_tracker(segments, size)
        for ours, theirs in zip(told[0], expected[0], strict=False):
            assert ours == theirs
        assert told == expected


@pytest.mark.parametrize(
    "words",
    [
        ["open", "data", "ack", "data", "close"],
        ["wait"],
        ["data", "ack", "data"],
        ["open", "data", "ack", "close"],
    ],
)
def test_usual_connections_are_not_looked_at_one_by_one(words: list[str]) -> None:
    segments = wire(random.Random(3), [words])  # noqa: S311 (a test's dice)
    told, odd = by_tracker(segments, len(segments))
    assert told == by_machine(segments)
    assert odd == 0


def later(segments: list[Segment], seconds: int, frames: int, ports: int) -> list[Segment]:
    """The same conversations again, from other ports."""
    found = []
    for one in segments:
        ends = [end + ports * (end & 0xFFFF in (40000, 1023, 40001)) for end in (one.source, one.target)]
        time = one.time + seconds * 1_000_000_000
        found.append(one._replace(frame=one.frame + frames, time=time, source=ends[0], target=ends[1]))
    return found


def test_what_is_over_is_handed_on_early_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracker_module, "MANY", 64)
    monkeypatch.setattr(flows_module, "_FIRST", 64)
    once = wire(random.Random(5), [["open", "data", "close"], ["wait"], ["open", "data"], ["open", "stop"]] * 4)  # noqa: S311 (a test's dice)
    segments = [one for turn in range(40) for one in later(once, 400 * turn, len(once) * turn, turn)]
    expected = by_machine(segments)
    kept = Kept()
    tracker = Tracker(kept.parts.append, kept)
    whole = columns(segments)
    early = 0
    for first in range(0, len(segments), 50):
        tracker.feed(whole.part(first, first + 50))
        tracker.flush()
        early = sum(len(part) for part in kept.parts)
    tracker.finish()
    told = sorted(
        (fields(one) for part in kept.parts for one in part.connections()), key=lambda one: int(one["number"])
    )
    assert (told, kept.gaps) == expected
    assert early > len(told) // 2


def test_pairs_of_one_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def mixed(low: Any, high: Any) -> Any:
        return (low ^ high) << np.uint64(62)

    scripts = [["open", "data", "again", "close"], ["wait"], ["open", "rst", "data"], ["data", "ack"]] * 3
    segments = wire(random.Random(8), scripts)  # noqa: S311 (a test's dice)
    monkeypatch.setattr(flows_module.Flows, "mixed", staticmethod(mixed))
    for size in (1, 9, len(segments)):
        assert by_tracker(segments, size)[0] == by_machine(segments)


def test_where_there_are_too_many_at_once_the_quietest_are_told_before_their_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracker_module, "MANY", 64)
    monkeypatch.setattr(flows_module, "_FIRST", 64)
    monkeypatch.setattr(flows_module.Flows, "MOST", 256)
    monkeypatch.setattr(tracker_module, "_BESIDE", 3)
    scripts = [["open", "data"], ["open", "data", "reuse"], ["open", "again", "syn"]] * 4
    once = wire(random.Random(7), scripts)  # noqa: S311 (a test's dice)
    segments = [one for turn in range(60) for one in later(once, 9 * turn, len(once) * turn, turn)]
    kept = Kept()
    tracker = Tracker(kept.parts.append, kept)
    whole = columns(segments)
    for first in range(0, len(segments), 50):
        tracker.feed(whole.part(first, first + 50))
        tracker.flush()
    tracker.finish()
    told = [one for part in kept.parts for one in part.connections()]
    assert tracker.forgotten > 100
    assert len(told) == tracker.connections
    assert sorted(one.number for one in told) == list(range(1, len(told) + 1))
    assert sum(sum(one.packets) for one in told) == len(segments)


@pytest.mark.parametrize(("limit", "value"), [("_MOST_AT_ONCE", 3), ("FAR", 100_000)])
def test_what_is_too_much_at_once_is_gone_through_in_halves(
    monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    scripts = [["open", *["data"] * 9, "close"], ["data"] * 9, ["open", "data", "again", "drop", "data"]] * 2
    segments = wire(random.Random(4), scripts)  # noqa: S311 (a test's dice)
    monkeypatch.setattr(tracker_module, limit, value)
    assert by_tracker(segments, len(segments))[0] == by_machine(segments)
