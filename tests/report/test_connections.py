"""The table of connections: two lines a row at 80 columns, and what its amounts look like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.talk import ASK, BEGUN, CLIENT, HANDSHAKE, SERVER, SERVER_CLOSES, SYN_, P, connections, endpoint

from advisor.capture.connection import Connection
from advisor.capture.segments import Endpoints
from advisor.report.amounts import count, few, size, span
from advisor.report.connections import legend, table
from advisor.report.terminal import Paint

ENDS = Endpoints()
for _end in (CLIENT, SERVER):
    endpoint(ENDS, _end)
PLAIN = Paint(colour=False)


def rows(*packets: list[P]) -> list[Connection]:
    found = [one for some in packets for one in connections(some)]
    for number, one in enumerate(found, 1):
        one.number = number
    return found


def test_two_lines_a_connection() -> None:
    closed = [*BEGUN, SERVER_CLOSES[0]._replace(after=65_000), *SERVER_CLOSES[1:]]
    assert table(rows(closed, [SYN_, SYN_], BEGUN), ENDS, 80, PLAIN) == [
        "#  client           server           opened      closed    first",
        "   left in                  pkts  bytes  lasted  handshake  resent  idle  Zeek",
        "1  192.0.2.1:40000  198.51.100.1:80  handshake   FIN, FIN  server",
        "   CLOSED/TIME_WAIT            9     30    65 s       2 ms       0  65 s  SF",
        "2  192.0.2.1:40000  198.51.100.1:80  unanswered  open      -",
        "   SYN_SENT/-                  2      0    1 ms          -       1   0 s  S0",
        "3  192.0.2.1:40000  198.51.100.1:80  handshake   open      -",
        "   ESTABLISHED/ESTABLISHED     5     30    4 ms       2 ms       0  2 ms  S1",
    ]


def test_one_line_where_there_is_room() -> None:
    assert len(table(rows(BEGUN), ENDS, 160, PLAIN)) == 2


def test_what_is_out_of_the_ordinary_stands_below_and_is_explained_once() -> None:
    odd = rows([ASK], [ASK], HANDSHAKE)
    lines = table(odd, ENDS, 80, PLAIN)
    assert lines[3].startswith("   ESTABLISHED?/ESTABLISHED? ")
    assert lines.count("   midstream, client guessed, one way") == 2
    explained = [line.partition(":")[0] for line in legend(odd, 80) if not line.startswith(" ")]
    assert explained == ["midstream", "client guessed", "one way"]
    assert legend(rows(HANDSHAKE), 80) == []


def test_nothing_for_no_connection() -> None:
    assert table([], ENDS, 80, PLAIN) == []


@given(st.integers(40, 200), st.integers(0, 2**128 - 1), st.integers(0, 10**18))
def test_the_table_fits(width: int, address: int, amount: int) -> None:
    ends = Endpoints()
    (one,) = connections(BEGUN)
    one.ends = [ends.number(address.to_bytes(16)) | 65535, ends.number((1 << 127 | address).to_bytes(16)) | 1]
    one.number, one.bytes, one.packets, one.idle = 1_234_567, [amount, 0], [amount, amount], amount
    lines = table([one], ends, width, PLAIN)
    longest = max(len(word) for line in lines for word in line.split())
    assert max(map(len, lines)) <= max(width, longest + 3)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0 s"),
        (15, "15 ns"),
        (87_000, "87 us"),
        (1_234_567, "1.23 ms"),
        (999_960_000, "1000 ms"),
        (12_345_000_000, "12.3 s"),
        (300_000_000_000, "300 s"),
        (5_400_000_000_000, "90 min"),
        (95_400_000_000_000, "26.5 h"),
        (864_000_000_000_000, "10 d"),
        (-1_000_000, "-1 ms"),
    ],
)
def test_times(nanoseconds: int, text: str) -> None:
    assert span(nanoseconds) == text


def test_counts_and_sizes() -> None:
    assert [few(n) for n in (0, 99_999, 100_000, 1_234_567)] == ["0", "99,999", "100k", "1.23M"]
    assert [size(n) for n in (1023, 1536, 2**21, 10**18)] == ["1023", "1.5K", "2M", "888P"]
    assert [count(n, "reply", "replies") for n in (1, 2)] == ["1 reply", "2 replies"]


@given(st.integers(0, 10**18))
def test_amounts_are_short(number: int) -> None:
    assert max(len(few(number)), len(size(number))) <= 6
    assert len(span(number)) <= 8
