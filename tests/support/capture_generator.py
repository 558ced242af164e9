"""Captures of a busy server that never was, with the truth of each connection in them.

In this folder's parent: ``python -m support.capture_generator FILE|- [--connections N] [--scale N] [--seed N] [--full]
[--v6] [--vlan] [--pcapng] [--truth FILE]``

By default 130,000 connections within ten minutes: 40 % are closed by the client, 35 % by the server (25 % with four
segments, 10 % with three), 8 % by a reset, 8 % stay open, 4 % are SYNs that nobody answers, 2 % are refused, of 3 % no
SYN was captured. Most carry several requests with time to think between them; few segments are sent again, and some
idle connections are probed. Thousands are open at any time. ``--scale 10`` is ten times as many in ten times the time.
What is kept in memory does not grow with that.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from support.capture_scripts import (
    ABOVE,
    AGAIN,
    AT_ONCE,
    BEGUN,
    BEHIND,
    FIXED,
    KINDS,
    LOW,
    OVER,
    REFUSED,
    SCRIPTS,
    THINK,
    TRIP,
)
from support.capture_wire import ACK, FIN, ROW, RST, SERVERS, SYN, Form

CONNECTIONS, RATE = 130_000, 650 / 3
BEGIN = 1_750_000_000_000_000
"""Microseconds since the epoch; a boundary of 256 s is within the first ten minutes."""
LONGEST = 300
"""Seconds: every connection is over within them, so that its ports may be used again."""
BATCH = 2_000

TRUTH = np.dtype(
    [
        ("first", "<i8"),  # microseconds since the epoch
        ("last", "<i8"),
        ("host", "<u4"),
        ("port", "<u2"),
        ("server", "u1"),
        ("kind", "u1"),  # see `capture_scripts.KINDS`
        ("closer", "i1"),  # 0 the client, 1 the server, -1 nobody
        ("state", "i1", (2,)),  # of the client, of the server; so are all that follow
        ("packets", "<i4", (2,)),
        ("bytes", "<i4", (2,)),
        ("syns", "<i4", (2,)),
        ("fins", "<i4", (2,)),
        ("rsts", "<i4", (2,)),
        ("repeats", "<i4", (2,)),
        ("syn_repeats", "<i4", (2,)),
        ("probes", "<i4", (2,)),
    ]
)
"""What is known of one connection."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """How many connections begin, how many each second, and what the random numbers start from."""

    connections: int = CONNECTIONS
    rate: float = RATE
    seed: int = 5

    def stream(self) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        """Segments (`ROW`) in order of time, and the truth (`TRUTH`) of the connections whose first is among them."""
        waiting = np.zeros(0, ROW)
        for batch in range(-(-self.connections // BATCH)):
            rows, truth = self._batch(batch)
            waiting = np.concatenate([waiting, rows])
            waiting = waiting[np.argsort(waiting["time"], kind="stable")]
            ready = np.searchsorted(waiting["time"], self._begin(np.array([(batch + 1) * BATCH]))[0])
            yield waiting[:ready], truth
            waiting = waiting[ready:]
        yield waiting, truth[:0]

    def _begin(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        return BEGIN + (numbers * (1e6 / self.rate)).astype(np.int64)

    def _kinds(self, batch: int) -> NDArray[np.int64]:
        shares = np.cumsum([kind.share for kind in KINDS])
        many = max(0, min(BATCH, self.connections - batch * BATCH))
        drawn = np.random.default_rng([self.seed, batch, 0]).random(many) * shares[-1]
        return np.asarray(np.searchsorted(shares, drawn, "right"))

    def _batch(self, batch: int) -> tuple[NDArray[Any], NDArray[Any]]:
        random = np.random.default_rng([self.seed, batch, 1])
        kinds = self._kinds(batch)
        talks = np.where([kind.talks for kind in KINDS], 1, 0)[kinds] * random.geometric(0.343, len(kinds)).clip(1, 12)
        owner, step, first = _steps(random, kinds, talks)
        rows = np.zeros(len(owner), ROW)
        rows["way"], rows["flags"] = SCRIPTS.way[step], SCRIPTS.flags[step]
        numbers = batch * BATCH + np.arange(len(kinds))
        start = self._begin(numbers) + (random.random(len(kinds)) * 1e6 / self.rate).astype(np.int64)
        rows["time"] = start[owner] + _since(_gaps(random, owner, np.where(first, AT_ONCE, SCRIPTS.wait[step])), owner)
        _number(random, rows, owner, SCRIPTS.payload[step], kinds == REFUSED)
        names = self._names(random, batch, numbers)
        for name, values in names.items():
            rows[name] = values[owner]
        rows["window"] = 502
        return rows, _truth(rows, owner, kinds, names, SCRIPTS.payload[step])

    def _names(
        self, random: np.random.Generator, batch: int, numbers: NDArray[np.int64]
    ) -> dict[str, NDArray[np.int64]]:
        """Client, port and server of each; a few take the ports of one that is over for long."""
        back = int(np.ceil(self.rate * LONGEST / BATCH))
        if batch >= back:
            again = np.array(OVER)[self._kinds(batch - back)[: len(numbers)]] & np.array(BEGUN)[self._kinds(batch)]
            again &= random.random(len(numbers)) < 0.02
            numbers = numbers - again * back * BATCH
        turn, host = np.divmod(numbers, 60_000)
        port = 32_768 + (turn * 7_919 + host * 31) % 28_000
        return {"host": host + 1, "port": port, "server": numbers * 40_503 // 64 % len(SERVERS)}


def _steps(
    random: np.random.Generator, kinds: NDArray[np.int64], talks: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Of each row its connection and its step, and whether it begins the first exchange."""
    per = talks + 2
    begins = np.cumsum(per) - per
    scripts = SCRIPTS.talk.draw(random, int(per.sum()))
    scripts[begins + 1] = SCRIPTS.talk.draw(random, len(kinds), SCRIPTS.talk.shares[-2])
    for number in range(len(KINDS)):
        some = np.flatnonzero(kinds == number)
        scripts[begins[some]] = SCRIPTS.openings[number].draw(random, len(some))
        scripts[(begins + per - 1)[some]] = SCRIPTS.endings[number].draw(random, len(some))
    count = SCRIPTS.count[scripts]
    slot = np.repeat(np.arange(len(scripts)), count)
    place = np.arange(len(slot)) - (np.cumsum(count) - count)[slot]
    owner = np.repeat(np.arange(len(kinds)), per)[slot]
    return owner, SCRIPTS.start[scripts][slot] + place, (place == 0) & (slot == begins[owner] + 1)


def _gaps(random: np.random.Generator, owner: NDArray[np.int64], waits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Microseconds before each row."""
    trips = np.exp(random.uniform(np.log(1_000), np.log(80_000), owner[-1] + 1))
    thinking = random.exponential(2.5e6, len(waits)).clip(5_000, 15_000_000)
    gaps = np.where(waits == TRIP, trips[owner], np.where(waits == THINK, thinking, FIXED[waits] * 1e6))
    return (gaps + random.uniform(10, 300, len(waits))).astype(np.int64)


def _since(values: NDArray[np.int64], owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """The sum of the values from the connection's beginning to each row."""
    sums = np.cumsum(values)
    starts = np.searchsorted(owner, np.arange(owner[-1] + 1))
    return sums - (sums - values)[starts][owner]


def _number(
    random: np.random.Generator,
    rows: NDArray[Any],
    owner: NDArray[np.int64],
    payload: NDArray[np.int64],
    refused: NDArray[np.bool_],
) -> None:
    """Lengths, sequence and acknowledgement numbers, as if each segment arrived at once."""
    again = payload == AGAIN
    source = np.maximum.accumulate(np.where(again, 0, np.arange(len(rows))))
    length = (LOW[payload] + random.random(len(rows)) * (ABOVE - LOW)[payload]).astype(np.int64)[source]
    takes = length + (rows["flags"] & SYN > 0) + (rows["flags"] & FIN > 0)
    news = np.where(again, 0, takes)
    isn = random.integers(0, 1 << 32, (2, len(refused)))
    isn[1, refused] = 0
    sent = np.array([isn[way][owner] + _since(np.where(rows["way"] == way, news, 0), owner) for way in (0, 1)])
    back = rows["way"].astype(bool)
    own, other = np.where(back, sent[1], sent[0]), np.where(back, sent[0], sent[1])
    rows["length"] = length
    rows["seq"] = own - takes - (payload == BEHIND) & 0xFFFFFFFF
    rows["ack"] = np.where(rows["flags"] & ACK, other, 0) & 0xFFFFFFFF


def _truth(
    rows: NDArray[Any],
    owner: NDArray[np.int64],
    kinds: NDArray[np.int64],
    names: dict[str, NDArray[np.int64]],
    payload: NDArray[np.int64],
) -> NDArray[Any]:
    known = np.zeros(len(kinds), TRUTH)
    for name, values in names.items():
        known[name] = values
    known["kind"] = kinds
    known["closer"] = np.array([kind.closer for kind in KINDS])[kinds]
    known["state"] = np.array([kind.states for kind in KINDS])[kinds]
    known["first"] = rows["time"][np.searchsorted(owner, np.arange(len(kinds)))]
    known["last"] = rows["time"][np.searchsorted(owner, np.arange(len(kinds)), "right") - 1]
    again, flags = payload == AGAIN, rows["flags"]
    counted = {"packets": flags > 0, "bytes": rows["length"], "repeats": again, "probes": payload == BEHIND}
    counted |= {"syns": flags & SYN > 0, "fins": flags & FIN > 0, "rsts": flags & RST > 0}
    counted["syn_repeats"] = again & (flags & SYN > 0)
    for name, values in counted.items():
        known[name] = np.bincount(owner * 2 + rows["way"], values, 2 * len(kinds)).reshape(-1, 2)
    return known


def capture(plan: Plan, form: Form, truth: list[NDArray[Any]] | None = None) -> Iterator[bytes | memoryview]:
    """A capture file piece by piece; the truth is added to the list as it goes."""
    yield form.head()
    for rows, known in plan.stream():
        if truth is not None:
            truth.append(known)
        if len(rows):
            yield form.write(rows)


def main() -> None:
    """Write one, and where asked for the truth, as numpy does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    parser.add_argument("--scale", type=int, default=1)
    parser.add_argument("--seed", type=int, default=5)
    for switch in ("--full", "--v6", "--vlan", "--pcapng"):
        parser.add_argument(switch, action="store_true")
    parser.add_argument("--truth")
    given = parser.parse_args()
    truth: list[NDArray[Any]] | None = [] if given.truth else None
    form = Form(65_535 if given.full else 96 + 20 * given.v6 + 4 * given.vlan, given.v6, given.vlan, given.pcapng)
    with open(1 if given.file == "-" else given.file, "wb") as out:
        out.writelines(capture(Plan(given.connections * given.scale, seed=given.seed), form, truth))
    if truth:
        np.save(given.truth, np.concatenate(truth))


if __name__ == "__main__":
    main()
