"""What connections are called: one conversation for each row of what can happen to one."""

from __future__ import annotations

import pytest
from support.talk import (
    ACK_,
    ANSWER,
    ASK,
    BEGUN,
    CLIENT,
    CLIENT_CLOSES,
    SERVER_CLOSES,
    SYN_,
    SYN_ACK,
    C,
    P,
    S,
    connections,
    endpoint,
)

from advisor.capture import words
from advisor.capture.connection import NONE, Connection, Note
from advisor.capture.segments import ACK, FIN, PSH, RST, SYN, Endpoints


def told(one: Connection) -> tuple[str, str, str | None, tuple[str | None, str | None], str]:
    return words.opened(one), words.closed(one), words.first(one), words.states(one), words.conn_state(one)


CASES = {
    "the server closes": (
        [*BEGUN, *SERVER_CLOSES],
        ("handshake", "FIN, FIN", "server", ("CLOSED", "TIME_WAIT"), "SF"),
    ),
    "the client closes": (
        [*BEGUN, *CLIENT_CLOSES],
        ("handshake", "FIN, FIN", "client", ("TIME_WAIT", "CLOSED"), "SF"),
    ),
    "only the end was captured": (
        SERVER_CLOSES,
        ("midstream", "FIN, FIN", "server", ("CLOSED", "TIME_WAIT"), "SF"),
    ),
    "never closed": (BEGUN, ("handshake", "open", None, ("ESTABLISHED", "ESTABLISHED"), "S1")),
    "nobody answers": ([SYN_, SYN_, SYN_], ("unanswered", "open", None, ("SYN_SENT", None), "S0")),
    "the handshake is not finished": (
        [SYN_, SYN_ACK, SYN_ACK],
        ("half-open", "open", None, ("SYN_SENT", "SYN_RECV"), "S1"),
    ),
    "refused": ([SYN_, P("<", RST | ACK, -S, 1)], ("refused", "RST", "server", ("CLOSED", "CLOSED"), "REJ")),
    "a RST with a wrong number before the answer": (
        [SYN_, P("<", RST | ACK, 7, 999), SYN_ACK, ACK_],
        ("handshake", "open", None, ("ESTABLISHED", "ESTABLISHED"), "S1"),
    ),
    "the server has closed, the client goes on": (
        [*BEGUN, *SERVER_CLOSES[:2], P(">", ACK, 11, 22, 5)],
        ("handshake", "FIN", "server", ("CLOSE_WAIT", "FIN_WAIT2"), "S3"),
    ),
    "the client has closed, the server has not": (
        [*BEGUN, *CLIENT_CLOSES[:2]],
        ("handshake", "FIN", "client", ("FIN_WAIT2", "CLOSE_WAIT"), "S2"),
    ),
    "the client resets": (
        [*BEGUN, P(">", RST | ACK, 11, 21)],
        ("handshake", "RST", "client", ("CLOSED", "CLOSED"), "RSTO"),
    ),
    "the server resets": (
        [*BEGUN, P("<", RST | ACK, 21, 11)],
        ("handshake", "RST", "server", ("CLOSED", "CLOSED"), "RSTR"),
    ),
    "a FIN answered by a RST": (
        [*BEGUN, *CLIENT_CLOSES[:2], P("<", RST | ACK, 21, 12)],
        ("handshake", "FIN, RST", "client", ("CLOSED", "CLOSED"), "RSTR"),
    ),
    "a RST by who sent the FIN": (
        [*BEGUN, *CLIENT_CLOSES[:2], P(">", RST, 12, 0)],
        ("handshake", "FIN, RST", "client", ("CLOSED", "CLOSED"), "RSTO"),
    ),
    "a RST onto TIME_WAIT": (
        [*BEGUN, *SERVER_CLOSES, P(">", RST, 12, 0)],
        ("handshake", "FIN, RST", "server", ("CLOSED", "CLOSED"), "SF"),
    ),
    "both close at once": (
        [*BEGUN, SERVER_CLOSES[0], P(">", ACK | FIN, 11, 21), P("<", ACK, 22, 12), P(">", ACK, 12, 22)],
        ("handshake", "FIN, FIN", "server", ("TIME_WAIT", "TIME_WAIT"), "SF"),
    ),
    "both open at once": (
        [SYN_, P("<", SYN), P(">", SYN | ACK, 0, 1), P("<", SYN | ACK, 0, 1)],
        ("simultaneous", "open", None, ("ESTABLISHED", "ESTABLISHED"), "S1"),
    ),
    "the client gives up": (
        [SYN_, P(">", RST, 1)],
        ("given up", "RST", "client", ("CLOSED", "CLOSED"), "RSTOS0"),
    ),
    "the client closes and gives up": (
        [SYN_, P(">", FIN, 0), P(">", RST, 1)],
        ("given up", "FIN, RST", "client", ("CLOSED", "CLOSED"), "OTH"),
    ),
    "only answers were captured, and a RST": (
        [SYN_ACK, P("<", RST, 1)],
        ("incomplete", "RST", "server", ("CLOSED", "CLOSED"), "RSTRH"),
    ),
    "only answers were captured, and a FIN": (
        [SYN_ACK, P("<", ACK | FIN, 1, 1)],
        ("incomplete", "FIN", "server", ("CLOSE_WAIT", "FIN_WAIT1"), "SHR"),
    ),
    "a SYN and a FIN, no answer": (
        [SYN_, P(">", ACK | FIN, 1, 1)],
        ("incomplete", "FIN", "client", ("FIN_WAIT1", "CLOSE_WAIT"), "SH"),
    ),
    "midstream": (
        [ASK, ANSWER],
        ("midstream", "open", None, ("ESTABLISHED", "ESTABLISHED"), "OTH"),
    ),
    "midstream, reset": (
        [ASK, ANSWER, P("<", RST | ACK, 21, 11)],
        ("midstream", "RST", "server", ("CLOSED", "CLOSED"), "OTH"),
    ),
    "the answer was not captured": (
        [SYN_, ACK_, ASK],
        ("incomplete", "open", None, ("ESTABLISHED", "ESTABLISHED"), "OTH"),
    ),
}


@pytest.mark.parametrize(("packets", "expected"), CASES.values(), ids=CASES)
def test_what_a_connection_is_called(packets: list[P], expected: tuple[object, ...]) -> None:
    (one,) = connections(packets)
    assert told(one) == expected


def test_it_is_called_the_same_whichever_end_has_the_lower_number() -> None:
    for packets, expected in CASES.values():
        (one,) = connections(packets, client=("198.51.100.1", 40000), server=("192.0.2.1", 80))
        assert told(one) == expected


def noted(packets: list[P]) -> set[str]:
    return {word for one in connections(packets) for word, _ in words.noted(one)}


@pytest.mark.parametrize(
    ("packets", "expected"),
    [
        ([*BEGUN, *SERVER_CLOSES], set()),
        ([ASK, ANSWER], {"midstream", "client guessed"}),
        ([ASK, P(">", ACK | PSH, 11, 21, 10)], {"midstream", "client guessed", "one way", "capture gap"}),
        ([SYN_ACK, ACK_], {"midstream"}),
        ([SYN_, ACK_, ASK], {"capture gap", "one way"}),
        ([SYN_ACK, SYN_, ACK_], {"reordered"}),
        (CASES["a RST onto TIME_WAIT"][0], {"cut short"}),
        (CASES["both close at once"][0], {"crossed"}),
        (CASES["both open at once"][0], {"simultaneous"}),
        (CASES["a RST with a wrong number before the answer"][0], {"ignored"}),
        ([*BEGUN, P("<", RST, 100)], {"challenged"}),
        ([P(">", SYN, length=10), P("<", SYN | ACK, 0, 11), P(">", ACK, 11, 1)], {"early data"}),
        ([*BEGUN, SERVER_CLOSES[0], P(">", ACK | PSH, 11, 21, 5), P("<", RST, 22)], {"late data", "race"}),
        ([*BEGUN, *SERVER_CLOSES, P(">", SYN, base=(C + 10**6, S))], {"reused"}),
    ],
)
def test_what_is_noted(packets: list[P], expected: set[str]) -> None:
    assert noted(packets) == expected


def test_every_note_has_words_but_the_one_that_the_opening_tells() -> None:
    notes = {value for name, value in vars(Note).items() if name.isupper()}
    assert set(words.NOTES) == notes - {Note.REFUSED}


@pytest.mark.parametrize(
    ("packets", "expected"),
    [
        (BEGUN, (False, False)),
        ([ASK, ANSWER], (True, True)),
        (SERVER_CLOSES, (False, False)),
        ([SYN_, ACK_, ASK], (False, True)),
        ([SYN_, SYN_], (False, False)),
    ],
)
def test_what_is_assumed(packets: list[P], expected: tuple[bool, bool]) -> None:
    (one,) = connections(packets)
    assert words.inferred(one) == expected


def test_places() -> None:
    ends = Endpoints()
    six = ends.number(bytes.fromhex("20010db8000000000000000000000001")) | 443
    assert words.place(ends, endpoint(ends, CLIENT)) == "192.0.2.1:40000"
    assert words.place(ends, six) == "[2001:db8::1]:443"
    assert words.state(NONE) is None
