"""The ladder of one connection: both ends in columns, an arrow a packet, states as in RFC 9293, figure 6."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.capture import words
from advisor.capture.connection import NONE, Connection, Note
from advisor.capture.ladder import DATA, HANDSHAKE, TEARDOWN, Ladder, Step
from advisor.capture.segments import ACK, CWR, ECE, FIN, PSH, RST, SYN, URG, Endpoints
from advisor.report.amounts import count, span
from advisor.report.terminal import Paint, clip, wrap
from advisor.units import B, show

_FLAGS = {"SYN": SYN, "FIN": FIN, "RST": RST, "PSH": PSH, "ACK": ACK, "URG": URG, "ECE": ECE, "CWR": CWR}
_TIME, _STATE, _WIDEST = 10, 12, 60
"""Cells of a time, of a state, and the most that an arrow takes."""
_SIDES = _TIME + 2 * _STATE + 3
_NARROWEST = 30

ASSUMED = (
    "Delivery is taken to be immediate: a segment moves its sender and its receiver when it passes the capture. "
    "So the place of capture decides what 'crossed' means, and what stands before what."
)


def ladder(one: Ladder, number: int, endpoints: Endpoints, width: int, paint: Paint) -> list[str]:
    """The lines of a connection's ladder, at most ``width`` cells each from 67 on."""
    found = one.connection
    if found is None:
        return []
    drawn = _Drawn(found, max(_NARROWEST, min(_WIDEST, width - _SIDES)), paint)
    lines = [*_head(found, number, endpoints, width, paint), "", *drawn.begin()]
    first, last = one.steps
    for step in first:
        lines += drawn.step(step)
    if one.left_out:
        lines.append(f"{'':{_TIME}} ... {count(one.left_out, 'line')} left out here; --limit 0 prints them all")
    for step in last:
        lines += drawn.step(step)
    return [*lines, *_end(found, width)]


def _head(one: Connection, number: int, endpoints: Endpoints, width: int, paint: Paint) -> list[str]:
    client, server = (words.place(endpoints, one.ends[end]) for end in (one.client, 1 - one.client))
    closed = words.closed(one)
    first = words.first(one)
    how = f"closed: {closed}, first by the {first}" if first else closed
    parts = [f"opened: {words.opened(one)}", how, f"Zeek: {words.conn_state(one)}"]
    noted = [f"{word}: {meaning}" for word, meaning in words.noted(one)]
    return [
        *(paint("strong", line) for line in wrap(f"connection {number}: {client} -> {server}", width)),
        *wrap(" · ".join(parts), width),
        *(line for text in noted for line in wrap(text, width)),
    ]


def _end(one: Connection, width: int) -> list[str]:
    states = [
        f"{state or 'not seen'}{' (assumed)' * assumed}"
        for state, assumed in zip(words.states(one), words.inferred(one), strict=True)
    ]
    last = f"left in: client {states[0]}, server {states[1]}"
    return wrap(f"{last}; {count(sum(one.packets), 'packet')}, {show(sum(one.bytes), B)} in all", width)


class _Drawn:
    """Draws step by step; the client stands on the left."""

    def __init__(self, one: Connection, room: int, paint: Paint) -> None:
        self._one = one
        self._room = room
        self._paint = paint
        self._phase = ""

    def begin(self) -> Iterator[str]:
        """The heads of the columns, and the states before the first packet."""
        yield self._row("time", "client", " " * self._room, "server", role="strong")
        yield self._row("", *self._before())

    def _before(self) -> tuple[str, str, str]:
        one, middle = self._one, " " * self._room
        if one.notes & Note.MIDSTREAM:
            opening = any(one.syns)
            return ("SYN_SENT?", middle, "SYN_RECV?") if opening else ("ESTABLISHED?", middle, "ESTABLISHED?")
        return "CLOSED", middle, "CLOSED" if one.notes & Note.REFUSED else "LISTEN"

    def step(self, step: Step) -> Iterator[str]:
        """The line of a step, that of a new phase before it, and its marks below it."""
        if step.phase != self._phase:
            self._phase = step.phase
            yield f"{self._paint('strong', step.phase)}{self._about(step.phase)}"
        time = f"{(step.time - self._one.first) / 1e9:.6f}"[:_TIME].rstrip(".")
        left, right = (self._state(step, end) for end in (self._one.client, 1 - self._one.client))
        yield self._row(time, left, self._arrow(step), right)
        for mark in step.marks:
            for line in wrap(mark, self._room):
                yield f"{'':{_TIME + 1 + _STATE + 1}}{self._paint('medium', line)}"

    def _state(self, step: Step, end: int) -> str:
        """The state of an end, with ``?`` where it sent nothing; nobody listens where a SYN is refused."""
        if self._one.notes & Note.REFUSED and end != self._one.client:
            return "CLOSED"
        state = words.state(step.states[end])
        return "-" if state is None else state if self._one.packets[end] else f"{state}?"

    def _row(self, time: str, left: str, middle: str, right: str, role: str | None = None) -> str:
        line = f"{time:>{_TIME}} {left:<{_STATE}} {middle} {right}".rstrip()
        return self._paint(role, line) if role else line

    def _arrow(self, step: Step) -> str:
        label, room = _label(step), self._room
        if len(label) > room - 6:
            label = clip(_label(step, brief=True), room - 4)
        inside = f" {label} ".center(room - 1, "-")
        return f"{inside}>" if step.sender == self._one.client else f"<{inside}"

    def _about(self, phase: str) -> str:
        one = self._one
        if phase == HANDSHAKE and NONE not in (one.syn_at, one.open_at):
            return f": {span(one.open_at - one.syn_at)}"
        if phase == DATA:
            client = one.client
            return f": {show(one.bytes[client], B)} to the server, {show(one.bytes[1 - client], B)} back"
        first = words.first(one)
        if phase == TEARDOWN and first:
            since = f", {span(one.closed_at - one.turn_at)} after the last data" if one.turn_at != NONE else ""
            return f" by the {first}{since}"
        return ""


def _label(step: Step, *, brief: bool = False) -> str:
    """What stands on an arrow: flags, numbers, length; of a run how many packets and bytes."""
    if step.packets > 1:
        what = count(step.packets, "packet") if step.length else count(step.packets, "ACK")
        parts = [what, f"{step.length:,} bytes"] if step.length else [what, f"ack {step.ack}"]
        return ", ".join([*parts, *([f"{count(step.acks, 'ACK')} back"] if step.acks and not brief else [])])
    numbers = [f"seq {step.seq}"] if not brief else []
    numbers += [f"ack {step.ack}"] if step.ack is not None and not brief else []
    return " ".join([",".join(flags(step)) or "no flags", *numbers, f"len {step.length}"])


def flags(step: Step) -> list[str]:
    """The flags that a step's segments carry, in the order in which they are usually told."""
    return [name for name, bit in _FLAGS.items() if step.flags & bit]
