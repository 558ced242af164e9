"""Ladders: the states as RFC 9293 draws them, what each packet was, and nothing wider than the terminal."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.talk import (
    ANSWER,
    ASK,
    BEGUN,
    CLIENT,
    CLIENT_CLOSES,
    HANDSHAKE,
    SERVER,
    SERVER_CLOSES,
    SYN_,
    SYN_ACK,
    C,
    P,
    S,
    endpoint,
    ladder,
)

from advisor.capture.ladder import DATA, TEARDOWN, Ladder, Step
from advisor.capture.ladder import HANDSHAKE as OPENING
from advisor.capture.segments import ACK, FIN, PSH, RST, SYN, Endpoints
from advisor.catalog.tcp import State
from advisor.report import ladder as report
from advisor.report.terminal import Paint

ENDS = Endpoints()
for _end in (CLIENT, SERVER):
    endpoint(ENDS, _end)
SGR = re.compile(r"\x1b\[[0-9;]*m")


def drawn(packets: list[P], width: int = 80, *, colour: bool = False, most: int | None = None) -> list[str]:
    return report.ladder(ladder(packets, most), 7, ENDS, width, Paint(colour=colour))


def steps(packets: list[P]) -> list[Step]:
    return ladder(packets).steps[0]


def marks(packets: list[P]) -> tuple[str, ...]:
    """Of the last packet."""
    return steps(packets)[-1].marks


def test_a_connection_that_the_server_closes() -> None:
    packets = [*BEGUN, SERVER_CLOSES[0]._replace(after=65_000), *SERVER_CLOSES[1:]]
    assert drawn(packets) == [
        "connection 7: 192.0.2.1:40000 -> 198.51.100.1:80",
        "opened: handshake · closed: FIN, FIN, first by the server · Zeek: SF",
        "",
        "      time client                                                   server",
        "           CLOSED                                                   LISTEN",
        "handshake: 2 ms",
        "  0.000000 SYN_SENT     ------------ SYN seq 0 len 0 -------------> SYN_RECV",
        "  0.001000 ESTABLISHED  <------- SYN,ACK seq 0 ack 1 len 0 -------- SYN_RECV",
        "  0.002000 ESTABLISHED  --------- ACK seq 1 ack 1 len 0 ----------> ESTABLISHED",
        "data: 10 B to the server, 20 B back",
        "  0.003000 ESTABLISHED  ------- PSH,ACK seq 1 ack 1 len 10 -------> ESTABLISHED",
        "  0.004000 ESTABLISHED  <------ PSH,ACK seq 1 ack 11 len 20 ------- ESTABLISHED",
        "teardown by the server, 65 s after the last data",
        " 65.004000 CLOSE_WAIT   <------ FIN,ACK seq 21 ack 11 len 0 ------- FIN_WAIT1",
        " 65.005000 CLOSE_WAIT   -------- ACK seq 11 ack 22 len 0 ---------> FIN_WAIT2",
        " 65.006000 LAST_ACK     ------ FIN,ACK seq 11 ack 22 len 0 -------> TIME_WAIT",
        " 65.007000 CLOSED       <-------- ACK seq 22 ack 12 len 0 --------- TIME_WAIT",
        "left in: client CLOSED, server TIME_WAIT; 9 packets, 30 B in all",
    ]


def test_what_is_assumed_is_said() -> None:
    lines = drawn([ASK, ANSWER])
    assert ["ESTABLISHED?", "ESTABLISHED?"] in map(str.split, lines)
    assert ["CLOSED", "CLOSED"] in map(str.split, drawn([SYN_, P("<", RST | ACK, -S, 1)]))
    assert drawn([SYN_, SYN_])[6].endswith(" SYN_RECV?")
    assert lines[-2].startswith("left in: client ESTABLISHED (assumed), server ESTABLISHED (assumed);")
    assert any(line.startswith("midstream: ") for line in lines)


def test_the_client_stands_on_the_left_whatever_its_number() -> None:
    packets = [*BEGUN, *SERVER_CLOSES]
    lower = report.ladder(ladder(packets, server=("10.0.0.1", 80)), 7, ENDS, 80, Paint(colour=False))
    assert lower[1:] == drawn(packets)[1:]


MORE = P(">", ACK | PSH, 11, 21, 10)
FINS = [*BEGUN, SERVER_CLOSES[0]]
DATA_RUN = [P("<", ACK, 21 + 100 * i, 11, 100) for i in range(4)]


@pytest.mark.parametrize(
    ("packets", "expected"),
    [
        (HANDSHAKE, ()),
        (BEGUN, ()),
        ([SYN_, SYN_], ("SYN sent again",)),
        ([SYN_, SYN_ACK, SYN_ACK], ("SYN,ACK sent again",)),
        ([*FINS, SERVER_CLOSES[0]], ("FIN sent again",)),
        ([*BEGUN, ANSWER], ("retransmission",)),
        ([*BEGUN, P(">", ACK, 11, 21), P(">", ACK, 10, 21)], ("keep-alive probe",)),
        ([*BEGUN, P(">", ACK, 11, 21), P(">", ACK, 10, 21), P("<", ACK, 21, 11)], ("answers the probe",)),
        ([*BEGUN, P(">", ACK, 11, 21, window=0)], ("window 0: nothing more may be sent to it",)),
        ([*BEGUN, P(">", ACK, 11, 21, window=0), P("<", ACK, 20, 11)], ("zero-window probe",)),
        (
            [*BEGUN, P(">", ACK, 11, 21, window=0), P(">", ACK, 11, 21)],
            ("the window is open again",),
        ),
        ([*BEGUN, *DATA_RUN[:1], P(">", ACK, 11, 21), P(">", ACK, 11, 21)], ("duplicate ACK",)),
        ([*BEGUN, DATA_RUN[1]], ("100 bytes before it are missing",)),
        ([*BEGUN, DATA_RUN[1], DATA_RUN[0]], ("late: it fills a hole",)),
        ([*BEGUN, P(">", RST | ACK, 11, 21)], ("reset: both ends are closed at once",)),
        ([*BEGUN, P("<", RST, 100)], ("not obeyed: inside the window, but not the next number (RFC 5961)",)),
        ([*BEGUN, P(">", RST, -1000000)], ("not obeyed: a wrong number",)),
        (
            [*BEGUN, P(">", RST | ACK, 11, 21), P(">", RST | ACK, 11, 21)],
            ("not obeyed: both ends are closed",),
        ),
        ([SYN_, P("<", RST | ACK, -S, 1)], ("reset: both ends are closed at once",)),
        ([SYN_, P("<", SYN | ACK, 0, 77)], ("dropped: a wrong number",)),
        ([SYN_, P("<", ACK, 0, 77)], ("challenge ACK: the SYN is not taken (RFC 5961)",)),
        ([*FINS, P(">", ACK | FIN, 11, 21)], ("crosses the other's FIN",)),
        ([*FINS, MORE], ("new data for an end that has closed",)),
        (
            [*FINS, MORE, P("<", RST, 22)],
            ("answers late data: that request is lost", "reset: both ends are closed at once"),
        ),
        (
            [*BEGUN, *SERVER_CLOSES, P(">", RST, 12)],
            ("ends TIME_WAIT early, where tcp_rfc1337 is 0", "reset: both ends are closed at once"),
        ),
        ([P(">", SYN, length=9), P("<", SYN | ACK, 0, 10)], ("takes the SYN's data",)),
        ([SYN_ACK, SYN_], ("stands behind its answer in the capture",)),
    ],
)
def test_what_a_packet_was(packets: list[P], expected: tuple[str, ...]) -> None:
    assert marks(packets) == expected


def test_the_phases_follow_each_other() -> None:
    phases = [step.phase for step in steps([*BEGUN, *CLIENT_CLOSES])]
    assert phases == [OPENING] * 3 + [DATA] * 2 + [TEARDOWN] * 4
    assert [step.phase for step in steps([SYN_, P("<", RST | ACK, -S, 1)])] == [OPENING] * 2
    assert [step.phase for step in steps([ASK, ANSWER])] == [DATA] * 2
    assert [step.phase for step in steps([SYN_ACK, ASK, SYN_])] == [OPENING, DATA, DATA]


def test_data_in_one_direction_is_one_line_with_the_acknowledgements_in_between() -> None:
    run = [one for i, data in enumerate(DATA_RUN) for one in (data, P(">", ACK, 11, 121 + 100 * i))]
    folded = steps([*BEGUN, *run])[4:]
    assert [(step.packets, step.length, step.acks, step.end) for step in folded] == [(5, 420, 3, 421), (1, 0, 0, 11)]
    assert any("5 packets, 420 bytes, 3 ACKs back" in line for line in drawn([*BEGUN, *run]))


def test_what_is_out_of_the_ordinary_is_never_folded() -> None:
    again = [*BEGUN, DATA_RUN[0], DATA_RUN[1], DATA_RUN[1], DATA_RUN[2], DATA_RUN[3]]
    assert [step.packets for step in steps(again)[4:]] == [3, 1, 2]


def test_a_long_ladder_keeps_its_beginning_and_its_end() -> None:
    talk = [
        one
        for i in range(500)
        for one in (P(">", ACK, 1 + 10 * i, 1 + 20 * i, 10), P("<", ACK, 1 + 20 * i, 11 + 10 * i, 20))
    ]
    found = ladder([*HANDSHAKE, *talk], most=20)
    first, last = found.steps
    assert (len(first), len(last), found.left_out) == (10, 10, 983)
    assert first[0].flags == SYN
    assert last[-1].seq == 1 + 20 * 499
    assert any("983 lines left out here" in line for line in drawn([*HANDSHAKE, *talk], most=20))


def test_nothing_of_a_ladder_without_packets() -> None:
    assert report.ladder(Ladder(), 1, ENDS, 80, Paint(colour=False)) == []


def test_colour_changes_no_letter() -> None:
    coloured = drawn([*BEGUN, ANSWER], colour=True)
    assert coloured != drawn([*BEGUN, ANSWER])
    assert [SGR.sub("", line) for line in coloured] == drawn([*BEGUN, ANSWER])


PACKETS = st.builds(
    P,
    st.sampled_from("<>"),
    st.sampled_from([SYN, SYN | ACK, ACK, ACK | PSH, ACK | FIN, FIN, RST, RST | ACK, 0, 255]),
    st.sampled_from([0, 1, 11, 21, -1, 2**31, 2**32 - 1]),
    st.sampled_from([0, 1, 11, 21, 2**31]),
    st.sampled_from([0, 1, 10, 65483]),
    base=st.just((C, S)),
    window=st.sampled_from([0, 65535]),
    after=st.sampled_from([1, 10**9]),
)


@given(st.lists(PACKETS, min_size=1, max_size=12), st.integers(67, 200))
def test_whatever_was_said_is_drawn_within_the_width(packets: list[P], width: int) -> None:
    lines = drawn(packets, width)
    assert max(map(len, lines)) <= width
    assert {state for step in steps(packets) for state in step.states} <= {-1, *State}
