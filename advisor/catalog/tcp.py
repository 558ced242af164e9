"""The states of a TCP socket as Linux numbers them (include/net/tcp_states.h) and RFC 9293, 3.3.2 describes them."""

from __future__ import annotations

from enum import IntEnum


class State(IntEnum):
    """One state; the value is the kernel's number.

    ``NEW_SYN_RECV`` is a half-open request that has no full socket yet and is told as SYN_RECV.
    ``BOUND_INACTIVE`` (Linux 6.8) is a bound port without a connection: no state of RFC 9293.
    """

    ESTABLISHED = 1
    SYN_SENT = 2
    SYN_RECV = 3
    FIN_WAIT1 = 4
    FIN_WAIT2 = 5
    TIME_WAIT = 6
    CLOSE = 7
    CLOSE_WAIT = 8
    LAST_ACK = 9
    LISTEN = 10
    CLOSING = 11
    NEW_SYN_RECV = 12
    BOUND_INACTIVE = 13


CONNECTIONS = tuple(state for state in State if state not in {State.LISTEN, State.BOUND_INACTIVE})
"""The states a connection can be in."""


def name(state: int) -> str:
    """The word for a state number: ``TIME_WAIT``; a number that no kernel we know uses stays a number."""
    if state == State.NEW_SYN_RECV:
        return State.SYN_RECV.name
    try:
        return State(state).name
    except ValueError:
        return f"state {state}"


class Event(IntEnum):
    """What moves one end of a connection from state to state (RFC 9293, 3.10)."""

    SEND_SYN = 0
    GET_SYN = 1
    GET_SYN_ACK = 2
    SYN_ACKED = 3
    SEND_FIN = 4
    GET_FIN = 5
    FIN_ACKED = 6


TRANSITIONS: dict[tuple[int, Event], State] = {
    (State.CLOSE, Event.SEND_SYN): State.SYN_SENT,
    (State.LISTEN, Event.GET_SYN): State.SYN_RECV,
    (State.SYN_SENT, Event.GET_SYN): State.SYN_RECV,
    (State.SYN_SENT, Event.GET_SYN_ACK): State.ESTABLISHED,
    (State.SYN_RECV, Event.SYN_ACKED): State.ESTABLISHED,
    (State.SYN_RECV, Event.SEND_FIN): State.FIN_WAIT1,
    (State.SYN_RECV, Event.GET_FIN): State.CLOSE_WAIT,
    (State.ESTABLISHED, Event.SEND_FIN): State.FIN_WAIT1,
    (State.ESTABLISHED, Event.GET_FIN): State.CLOSE_WAIT,
    (State.FIN_WAIT1, Event.FIN_ACKED): State.FIN_WAIT2,
    (State.FIN_WAIT1, Event.GET_FIN): State.CLOSING,
    (State.FIN_WAIT2, Event.GET_FIN): State.TIME_WAIT,
    (State.CLOSING, Event.FIN_ACKED): State.TIME_WAIT,
    (State.CLOSE_WAIT, Event.SEND_FIN): State.LAST_ACK,
    (State.LAST_ACK, Event.FIN_ACKED): State.CLOSE,
}
"""The state diagram of RFC 9293, figure 5, without what an obeyed RST does: it closes from every state (3.10.7).

Where a segment acknowledges a FIN and carries one, FIN_ACKED comes first. A pair that is missing changes nothing.
"""
