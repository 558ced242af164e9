"""How a connection begins: SYNs, their answers, and what must have been where the capture holds neither."""

from __future__ import annotations

from advisor.capture.connection import NONE, Connection, Note
from advisor.capture.segments import ACK, FIN, RST, SYN, Segment, port
from advisor.capture.serial import above, ahead, behind
from advisor.catalog.tcp import State

EDGES = (1024, 32768)
"""Below these ports listen servers rather than clients ask: privileged ports, and where ip_local_port_range begins."""


def syn(one: Connection, sender: int, segment: Segment) -> bool:
    """Take a SYN, or a SYN,ACK; whether it was anything new."""
    return _answer(one, sender, segment) if segment.flags & ACK else _bare(one, sender, segment)


def _bare(one: Connection, sender: int, segment: Segment) -> bool:
    other = 1 - sender
    if one.state == [NONE, NONE]:
        one.client, one.syn_at, one.early = sender, segment.time, segment.length
        one.isn[sender], one.end[sender] = segment.seq, ahead(segment.seq, 1)
        one.got[other] = one.end[sender]
        one.state[sender], one.state[other] = State.SYN_SENT, State.SYN_RECV
        return True
    if segment.seq == one.isn[sender]:
        if one.syns[sender] > 1:
            one.repeats[sender] += 1
            one.syn_repeats[sender] += 1
            return False
        one.client, one.syn_at = sender, segment.time
        one.notes = one.notes & ~(Note.MIDSTREAM | Note.GUESSED) | Note.REORDERED
        return True
    one.isn[sender], one.end[sender] = segment.seq, ahead(segment.seq, 1)
    one.got[other] = one.end[sender]
    one.state = [State.SYN_RECV, State.SYN_RECV]
    one.notes |= Note.SPLIT
    return True


def _answer(one: Connection, sender: int, segment: Segment) -> bool:
    other = 1 - sender
    if one.state == [NONE, NONE]:
        one.client = other
        one.notes |= Note.MIDSTREAM
        one.isn[other], one.end[other] = behind(segment.ack, 1), segment.ack
        one.state[other] = State.ESTABLISHED
        return _taken(one, sender, segment)
    if one.state[other] == State.SYN_SENT:
        if not acknowledges_syn(one, other, segment.ack):
            one.notes |= Note.IGNORED
            return False
        if segment.ack != one.end[other]:
            one.end[other], one.early = segment.ack, 0
            one.notes |= Note.EARLY_DATA
        one.state[other] = State.ESTABLISHED
        return _taken(one, sender, segment)
    if segment.seq == one.isn[sender]:
        again = one.syns[sender] > 1 and not (Note.SPLIT & one.notes and one.acked[sender] == NONE)
        one.repeats[sender] += again
        one.syn_repeats[sender] += again
        if one.state[other] == State.SYN_RECV and acknowledges_syn(one, other, segment.ack):
            one.state[other] = State.ESTABLISHED
            one.acked[sender] = one.got[sender] = segment.ack
        return not again
    if one.state[sender] == State.SYN_RECV and one.acked[other] == NONE:
        return _taken(one, sender, segment)
    one.notes |= Note.IGNORED
    return False


def _taken(one: Connection, sender: int, segment: Segment) -> bool:
    """A SYN,ACK that the other end takes."""
    one.isn[sender], one.end[sender] = segment.seq, ahead(segment.seq, 1 + segment.length)
    one.got[1 - sender] = one.end[sender]
    one.acked[sender] = one.got[sender] = segment.ack
    one.state[sender] = State.SYN_RECV
    return True


def acknowledges_syn(one: Connection, opener: int, ack: int) -> bool:
    """Whether a number acknowledges that end's SYN, and at most the data that came with it."""
    return above(ack, one.isn[opener]) and not above(ack, ahead(one.end[opener], one.early))


def assume(one: Connection, sender: int, segment: Segment) -> bool:
    """Infer what was not captured before a segment without SYN; False when it belongs elsewhere."""
    other = 1 - sender
    acks = segment.flags & ACK
    carries = segment.length or segment.flags & FIN
    if one.state == [NONE, NONE]:
        begin(one, sender, segment)
    elif one.state[sender] == State.SYN_SENT:
        if acks:
            one.state[sender] = State.ESTABLISHED
            one.notes |= Note.GAP
    elif one.state[other] == State.SYN_SENT:
        if not acks or not acknowledges_syn(one, other, segment.ack):
            one.notes |= Note.CHALLENGED
            return False
        if carries:
            one.state = [State.ESTABLISHED, State.ESTABLISHED]
            one.notes |= Note.GAP
    elif one.state[sender] == State.SYN_RECV and one.client == other and not one.notes & Note.EARLY_DATA:
        further = acks and one.end[other] != NONE and above(segment.ack, one.end[other])
        if carries or further:
            one.state[sender] = State.ESTABLISHED
            one.notes |= Note.GAP
    return True


def begin(one: Connection, sender: int, segment: Segment) -> None:
    """A connection whose beginning was not captured: both ends are taken for ESTABLISHED."""
    ports = port(segment.source), port(segment.target)
    for edge in EDGES:
        if (ports[0] < edge) != (ports[1] < edge):
            one.client = sender if ports[1] < edge else 1 - sender
            break
    else:
        one.client = sender
    one.notes |= Note.MIDSTREAM | Note.GUESSED
    one.state = [State.ESTABLISHED, State.ESTABLISHED]


def splits(one: Connection, sender: int) -> bool:
    """Whether a bare SYN of this end meets the other's, before anything else was said."""
    opener = 1 - sender
    alone = one.syns[opener] > 0 and one.syns[sender] == 0 and one.acked[opener] == NONE
    return alone and one.client == opener and not one.bytes[sender] and State.CLOSE not in one.state


def belongs(attempt: Connection, current: Connection, sender: int, segment: Segment) -> bool:
    """Whether a segment takes up an attempt that stands beside a connection."""
    opener = attempt.client
    if sender == opener:
        return segment.seq == attempt.end[opener] and segment.seq != current.end[opener]
    answers = segment.flags & ACK and segment.flags & (SYN | RST)
    return bool(answers) and acknowledges_syn(attempt, opener, segment.ack)
