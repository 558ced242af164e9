"""Data, acknowledgements and FINs: what the two ends exchange once a connection stands."""

from __future__ import annotations

from collections.abc import Callable

from advisor.capture.connection import NONE, Connection, Note
from advisor.capture.idle import CLIENT_CLOSED, CUT, GOODBYE, LAST_WORD, REUSED, SERVER_CLOSED
from advisor.capture.segments import ACK, FIN, Segment, port
from advisor.capture.serial import above, ahead, behind
from advisor.catalog.tcp import TRANSITIONS, Event, State

__all__ = [
    "CLIENT_CLOSED",
    "CUT",
    "GOODBYE",
    "LAST_WORD",
    "REUSED",
    "SERVER_CLOSED",
    "Gap",
    "closes",
    "exchange",
    "moves",
]

Gap = Callable[[int, int, int], None]
"""Takes an idle gap: the server's port, its length in nanoseconds, and how it ended."""


def moves(one: Connection, time: int) -> None:
    """Something new was sent."""
    one.idle = max(one.idle, time - one.moved_at)
    one.moved_at = time


def exchange(one: Connection, sender: int, segment: Segment, gap: Gap) -> None:
    """Anything but a SYN or a RST: acknowledgement first, then what it carries."""
    other = 1 - sender
    if segment.flags & ACK:
        _acknowledge(one, sender, segment.ack)
    if one.end[sender] == NONE:
        one.end[sender] = segment.seq
        if one.isn[sender] == NONE:
            one.isn[sender] = behind(segment.seq, 1)
    if one.got[other] == NONE:
        one.got[other] = segment.seq
    carries = segment.length + (1 if segment.flags & FIN else 0)
    below = one.end[sender] == ahead(segment.seq, 1) and one.acked[other] == one.end[sender]
    if below and segment.length <= 1 and not segment.flags & FIN and one.fin[sender] == NONE:
        one.probes[sender] += 1
    elif carries:
        _carry(one, sender, segment, ahead(segment.seq, carries), gap)
    elif above(segment.seq, one.end[sender]):
        one.notes |= Note.GAP
        one.end[sender] = segment.seq
    _settle(one)


def _carry(one: Connection, sender: int, segment: Segment, end: int, gap: Gap) -> None:
    """Payload, a FIN, or both, up to the number ``end``."""
    other = 1 - sender
    fresh = above(end, one.end[sender])
    if fresh:
        one.end[sender] = end
        moves(one, segment.time)
        if segment.length:
            _turn(one, sender, segment.time, gap)
    elif not above(end, one.got[other]):
        one.repeats[sender] += 1
    if not above(segment.seq, one.got[other]) and above(end, one.got[other]):
        one.got[other] = end
    if segment.flags & FIN:
        one.fins[sender] += 1
        if one.fin[sender] == NONE:
            one.fin[sender] = end
            closes(one, sender, segment.time, gap)
            _send_fin(one, sender, segment)


def _turn(one: Connection, sender: int, time: int, gap: Gap) -> None:
    """New payload: it may end an idle gap, and the server's may begin one."""
    if one.fin[1 - sender] != NONE:
        one.notes |= Note.LATE_DATA
    if one.closer != NONE:
        return
    if sender == one.client and one.turn == 1 - sender:
        gap(port(one.ends[one.turn]), max(0, time - one.turn_at), REUSED)
        one.before = one.turn_at
    elif sender != one.turn:
        one.before = NONE
    elif sender != one.client and time - one.turn_at >= LAST_WORD:
        one.before = one.turn_at
    one.turn = sender
    one.turn_at = time


def closes(one: Connection, sender: int, time: int, gap: Gap) -> None:
    """The first FIN, or the RST without one, ends an idle gap."""
    if one.closer != NONE:
        return
    one.closer = sender
    one.closed_at = time
    server = 1 - one.client
    said = one.before != NONE and time - one.turn_at < LAST_WORD
    if one.turn == server:
        begun = one.before if said else one.turn_at
        gap(port(one.ends[server]), max(0, time - begun), SERVER_CLOSED if said or sender == server else CLIENT_CLOSED)
    elif said:
        gap(port(one.ends[server]), max(0, one.turn_at - one.before), GOODBYE)


def _send_fin(one: Connection, sender: int, segment: Segment) -> None:
    """The sender's state; a FIN that does not acknowledge the other's was on its way at the same time."""
    other = 1 - sender
    unseen = segment.flags & ACK and one.fin[other] != NONE and above(one.fin[other], segment.ack)
    if unseen:
        one.notes |= Note.CROSSED
    if unseen and one.state[sender] == State.CLOSE_WAIT:
        one.state[sender] = State.CLOSING
    else:
        _event(one, sender, Event.SEND_FIN)


def _acknowledge(one: Connection, sender: int, ack: int) -> None:
    """What an acknowledgement says: it is all that the sender's end has received, seen by us or not."""
    other = 1 - sender
    if (
        one.state[other] == State.SYN_RECV
        and one.acked[sender] == NONE
        and one.syns[other] > 1
        and ack != one.end[other]
    ):
        one.isn[other], one.end[other], one.got[sender] = behind(ack, 1), ack, ack
    if one.acked[sender] == NONE or above(ack, one.acked[sender]):
        one.acked[sender] = ack
    if one.end[other] == NONE:
        one.end[other] = ack
        one.isn[other] = behind(ack, 1)
    elif above(ack, one.end[other]):
        one.notes |= Note.GAP
        one.end[other] = ack
    if one.got[sender] == NONE or above(ack, one.got[sender]):
        one.got[sender] = ack
    if above(ack, one.isn[other]):
        _event(one, other, Event.SYN_ACKED)
    _settle(one)


def _settle(one: Connection) -> None:
    """FINs that are acknowledged by now, and then FINs that have arrived by now."""
    for end in (0, 1):
        if one.fin[end] != NONE and one.acked[1 - end] != NONE and not above(one.fin[end], one.acked[1 - end]):
            _event(one, end, Event.FIN_ACKED)
    for end in (0, 1):
        fin, got = one.fin[1 - end], one.got[end]
        if fin != NONE and got == behind(fin, 1):
            one.got[end] = got = fin  # the FIN came before what was missing
        if NONE not in (fin, got) and not above(fin, got):
            _event(one, end, Event.GET_FIN)


def _event(one: Connection, end: int, event: Event) -> None:
    one.state[end] = TRANSITIONS.get((one.state[end], event), one.state[end])
