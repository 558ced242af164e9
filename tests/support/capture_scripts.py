"""What happens on the connections of a generated capture, step by step (see `support.capture_generator`)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from support.capture_wire import ACK, FIN, PSH, RST, SYN

ESTABLISHED, SYN_SENT, TIME_WAIT, CLOSE, NEVER = 1, 2, 6, 7, -1
"""States as Linux numbers them; NEVER is that of an end which sent nothing."""

NOTHING, REQUEST, MOST, LAST, AGAIN, BEHIND = range(6)
"""Payload: none, a request, a full segment, the last of an answer; all of the step before once more; a probe."""
_SIZES = {REQUEST: (200, 700), MOST: (1448, 1449), LAST: (40, 900)}
"""Bytes at least, and below."""
AT_ONCE, TRIP, THINK, RESEND, PROBE, KEPT, *BACKOFF = range(10)
_WAITS = {RESEND: 0.2, PROBE: 15.0, KEPT: 15.0} | {wait: 2.0**turn for turn, wait in enumerate(BACKOFF)}
"""Seconds before a retransmission, a probe, the server's close of an idle connection, a SYN sent again (1, 2 ...)."""

Script = list[tuple[int, int, int, int]]
"""Steps: who sends (0 the client), flags, what payload, how long after the step before."""


def _exchange(segments: int) -> Script:
    """A request and its answer, every other segment of which is acknowledged."""
    steps = [(0, PSH | ACK, REQUEST, THINK), (1, ACK, NOTHING, AT_ONCE)]
    for number in range(1, segments + 1):
        last = number == segments
        steps.append((1, PSH | ACK if last else ACK, LAST if last else MOST, AT_ONCE))
        if last or number % 2 == 0:
            steps.append((0, ACK, NOTHING, TRIP if last else AT_ONCE))
    return steps


def _again(script: Script, step: int, wait: int) -> Script:
    """The script with one step sent twice."""
    way, flags, _, _ = script[step]
    return [*script[: step + 1], (way, flags, AGAIN, wait), *script[step + 1 :]]


_OPEN: Script = [(0, SYN, NOTHING, AT_ONCE), (1, SYN | ACK, NOTHING, AT_ONCE), (0, ACK, NOTHING, TRIP)]
_CLIENT: Script = [(0, FIN | ACK, NOTHING, THINK), (1, ACK, NOTHING, AT_ONCE)]
_CLIENT += [(1, FIN | ACK, NOTHING, AT_ONCE), (0, ACK, NOTHING, TRIP)]
_SERVER: Script = [(1, FIN | ACK, NOTHING, KEPT), (0, ACK, NOTHING, TRIP)]
_SERVER += [(0, FIN | ACK, NOTHING, AT_ONCE), (1, ACK, NOTHING, AT_ONCE)]
_SERVER_THREE: Script = [_SERVER[0], (0, FIN | ACK, NOTHING, TRIP), _SERVER[3]]
_UNANSWERED: list[Script] = [[_OPEN[0], *((0, SYN, AGAIN, wait) for wait in BACKOFF[:many])] for many in range(5)]

Choice = list[tuple[Script, float]]
_OPENINGS: Choice = [(_OPEN, 0.99), (_again(_OPEN, 0, BACKOFF[0]), 0.006), (_again(_OPEN, 1, BACKOFF[0]), 0.004)]
_TALK: Choice = [(_exchange(1), 0.4), (_exchange(2), 0.24), (_exchange(4), 0.2), (_exchange(8), 0.11)]
_TALK += [(_exchange(16), 0.03), (_again(_exchange(1), 2, RESEND), 0.005), (_again(_exchange(2), 0, RESEND), 0.005)]
_TALK += [([(1, ACK, BEHIND, PROBE), (0, ACK, NOTHING, TRIP)], 0.01)]
"""The last of them is no exchange, and never comes first."""


class Kind(NamedTuple):
    """What becomes of some connections: their share, how they open and end, who closes, the states at the end."""

    name: str
    share: float
    opening: Choice
    ending: Choice
    closer: int
    states: tuple[int, int]
    talks: bool = True


_UP = (ESTABLISHED, ESTABLISHED)
_WAITS_CLIENT, _WAITS_SERVER, _GONE = (TIME_WAIT, CLOSE), (CLOSE, TIME_WAIT), (CLOSE, CLOSE)
_MISSED: Choice = [([], 1)]
KINDS = (
    Kind("client closes", 0.40, _OPENINGS, [(_CLIENT, 0.99), (_again(_CLIENT, 0, RESEND), 0.01)], 0, _WAITS_CLIENT),
    Kind("server closes", 0.25, _OPENINGS, [(_SERVER, 1)], 1, _WAITS_SERVER),
    Kind("server closes with three", 0.10, _OPENINGS, [(_SERVER_THREE, 1)], 1, _WAITS_SERVER),
    Kind("client resets", 0.04, _OPENINGS, [([(0, RST | ACK, NOTHING, THINK)], 1)], 0, _GONE),
    Kind("server resets", 0.04, _OPENINGS, [([(1, RST | ACK, NOTHING, KEPT)], 1)], 1, _GONE),
    Kind("stays open", 0.08, _OPENINGS, _MISSED, -1, _UP),
    Kind("unanswered", 0.04, _MISSED, [(one, 0.2) for one in _UNANSWERED], -1, (SYN_SENT, NEVER), talks=False),
    Kind("refused", 0.02, _MISSED, [([_OPEN[0], (1, RST | ACK, NOTHING, AT_ONCE)], 1)], 1, _GONE, talks=False),
    Kind("midstream, stays open", 0.015, _MISSED, _MISSED, -1, _UP),
    Kind("midstream, client closes", 0.0075, _MISSED, [(_CLIENT, 1)], 0, _WAITS_CLIENT),
    Kind("midstream, server closes", 0.0075, _MISSED, [(_SERVER, 1)], 1, _WAITS_SERVER),
)
REFUSED = next(number for number, kind in enumerate(KINDS) if kind.name == "refused")
BEGUN = [not kind.name.startswith("midstream") for kind in KINDS]
OVER = [kind.states in (_WAITS_CLIENT, _WAITS_SERVER, _GONE) for kind in KINDS]


class _Picks(NamedTuple):
    """Numbers of scripts, and the shares up to and with each of them."""

    numbers: NDArray[np.int64]
    shares: NDArray[np.float64]

    def draw(self, random: np.random.Generator, many: int, share: float = 1.0) -> NDArray[np.int64]:
        """So many of them; of the first ones, that are ``share`` of all, alone."""
        return self.numbers[np.searchsorted(self.shares, random.random(many) * share, side="right")]


class _Scripts:
    """The steps of all scripts in columns."""

    def __init__(self) -> None:
        known: list[Script] = []
        self.openings = [_picks(known, kind.opening) for kind in KINDS]
        self.endings = [_picks(known, kind.ending) for kind in KINDS]
        self.talk = _picks(known, _TALK)
        self.count = np.array([len(script) for script in known])
        self.start = np.cumsum(self.count) - self.count
        self.way, self.flags, self.payload, self.wait = np.array([step for script in known for step in script]).T


def _picks(known: list[Script], choice: Choice) -> _Picks:
    known.extend(script for script, _ in choice if script not in known)
    numbers = np.array([known.index(script) for script, _ in choice])
    return _Picks(numbers, np.cumsum([share for _, share in choice]))


SCRIPTS = _Scripts()
LOW, ABOVE = (np.array([_SIZES.get(payload, (0, 1))[end] for payload in range(BEHIND + 1)]) for end in (0, 1))
FIXED = np.array([_WAITS.get(wait, 0.0) for wait in range(BACKOFF[-1] + 1)])
