"""When a RST is obeyed (RFC 9293, 3.5.2 and 3.10.7; RFC 5961, 3.2)."""

from __future__ import annotations

from advisor.capture import handshake
from advisor.capture.connection import NONE, Connection, Note
from advisor.capture.segments import ACK, Segment
from advisor.capture.serial import ahead, distance
from advisor.catalog.tcp import State

_WIDEST = 1 << 30
"""Bytes of the widest window (RFC 7323, 2.3): how the window is scaled was perhaps not captured."""

_HAS_FIN = (State.CLOSE_WAIT, State.LAST_ACK, State.CLOSING)


def obeyed(one: Connection, sender: int, segment: Segment) -> bool:
    """Whether the other end obeys; what it does instead is noted."""
    other = 1 - sender
    if one.state == [NONE, NONE]:
        handshake.begin(one, sender, segment)
        return True
    if one.state == [State.CLOSE, State.CLOSE]:
        return False
    if one.state[other] == State.SYN_SENT:
        refused = bool(segment.flags & ACK) and handshake.acknowledges_syn(one, other, segment.ack)
        one.notes |= Note.REFUSED if refused else Note.IGNORED
        return refused
    if _in_place(one, sender, segment.seq):
        return True
    one.notes |= Note.CHALLENGED if 0 < distance(segment.seq, one.got[other]) < _WIDEST else Note.IGNORED
    return False


def _in_place(one: Connection, sender: int, seq: int) -> bool:
    """At the next number that the other end expects; Linux also takes a FIN's own number (tcp_reset_check)."""
    other = 1 - sender
    expected = one.got[other]
    if expected == NONE or seq in (expected, one.end[sender]):
        return True
    return one.state[other] in _HAS_FIN and ahead(seq, 1) == expected


def reset(one: Connection, sender: int) -> None:
    """Close both ends."""
    if one.state[1 - sender] == State.TIME_WAIT:
        one.notes |= Note.CUT_SHORT
    if one.notes & Note.LATE_DATA and one.fin[sender] != NONE and one.closer == sender:
        one.notes |= Note.RACE
    one.resetter = sender
    one.state = [State.CLOSE, State.CLOSE]
