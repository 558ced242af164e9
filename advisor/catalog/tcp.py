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
