"""Every tricky conversation in one capture: its final states, and what tshark makes of the same packets."""

from __future__ import annotations

import pathlib
import subprocess
from collections import Counter, defaultdict
from typing import NamedTuple

import pytest
from support.capture_files import pcap, record
from support.capture_truth import told
from support.talk import (
    ACK_,
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
    frames,
)

from advisor.capture.connection import NONE, Connection
from advisor.capture.segments import ACK, FIN, PSH, RST, SYN, port
from advisor.catalog.tcp import State

FIRST_PORT = 40_000
OPEN = State.ESTABLISHED, State.ESTABLISHED
GONE = State.CLOSE, State.CLOSE
NEXT = (C + 100_000, S + 100_000)
DATA = PSH | ACK
HEARD = [*BEGUN, P(">", ACK, 11, 21)]
ANSWERS = "a SYN,ACK in answer to a SYN is new, though its SYN was sent before without ACK (RFC 9293, figure 7)"
TWO = "two SYNs that meet are one connection (RFC 9293, 3.5), whatever their numbers are"
CHALLENGE = "what acknowledges the old numbers belongs to the old connection: a challenge ACK (RFC 5961, 4.2)"
NOT_TAKEN = "what came with the SYN was not taken, so it is sent for the first time that counts (RFC 7413, 4.2.2)"


class Case(NamedTuple):
    """A conversation, the states of client and server at the end of each connection in it, and why tshark differs."""

    packets: list[P]
    states: list[tuple[int, int]]
    differs: str = ""


CASES = {
    "closed by the server": Case([*BEGUN, *SERVER_CLOSES], [(State.CLOSE, State.TIME_WAIT)]),
    "closed by the client": Case([*BEGUN, *CLIENT_CLOSES], [(State.TIME_WAIT, State.CLOSE)]),
    "closed with three": Case(
        [*BEGUN, P("<", FIN | ACK, 21, 11), P(">", FIN | ACK, 11, 22), P("<", ACK, 22, 12)],
        [(State.CLOSE, State.TIME_WAIT)],
    ),
    "SYN again": Case([SYN_, SYN_._replace(after=1000), *HANDSHAKE[1:]], [OPEN]),
    "SYN,ACK again": Case([SYN_, SYN_ACK, SYN_ACK._replace(after=1000), ACK_], [OPEN]),
    "SYN unanswered": Case([SYN_, SYN_._replace(after=1000), SYN_._replace(after=2000)], [(State.SYN_SENT, NONE)]),
    "refused": Case([SYN_, P("<", RST | ACK, 0, 1, base=(C, 0))], [GONE]),
    "reset with a wrong ack": Case([SYN_, P("<", RST | ACK, 0, 77), *HANDSHAKE[1:]], [OPEN]),
    "half open": Case([SYN_, SYN_ACK], [(State.SYN_SENT, State.SYN_RECV)]),
    "ports taken again": Case(
        [*BEGUN, *SERVER_CLOSES, *(one._replace(base=NEXT) for one in HANDSHAKE)],
        [(State.CLOSE, State.TIME_WAIT), OPEN],
    ),
    "SYN while open, challenged": Case(
        [*BEGUN, SYN_._replace(base=NEXT), P("<", ACK, 21, 11)], [OPEN, (State.SYN_SENT, NONE)], CHALLENGE
    ),
    "SYN while open, taken": Case([*BEGUN, *(one._replace(base=NEXT) for one in HANDSHAKE)], [OPEN, OPEN]),
    "SYN,ACK before SYN": Case([SYN_ACK, SYN_, ACK_], [OPEN]),
    "both open": Case([SYN_, P("<", SYN), P(">", SYN | ACK, 0, 1), P("<", SYN | ACK, 0, 1)], [OPEN], ANSWERS),
    "split handshake": Case(
        [SYN_, P("<", ACK, 0, 1), P("<", SYN), P(">", SYN | ACK, 0, 1), P("<", ACK, 1, 1)], [OPEN], TWO
    ),
    "fast open": Case([SYN_._replace(length=10), P("<", SYN | ACK, 0, 11), P(">", ACK, 11, 1)], [OPEN]),
    "fast open refused": Case([SYN_._replace(length=10), SYN_ACK, P(">", DATA, 1, 1, 10)], [OPEN], NOT_TAKEN),
    "reset beyond the window": Case([*BEGUN, P("<", RST, 21 - 100_000)], [OPEN]),
    "reset within the window": Case([*BEGUN, P("<", RST, 26), P(">", ACK, 11, 21)], [OPEN]),
    "reset": Case([*BEGUN, P("<", RST, 21)], [GONE]),
    "midstream": Case([*BEGUN[3:], *CLIENT_CLOSES], [(State.TIME_WAIT, State.CLOSE)]),
    "no SYN": Case([SYN_ACK, ACK_, *BEGUN[3:]], [OPEN]),
    "no SYN,ACK": Case([SYN_, ACK_, *BEGUN[3:]], [OPEN]),
    "one way": Case(
        [SYN_, ACK_, BEGUN[3], P(">", ACK, 11, 21), P(">", FIN | ACK, 11, 21)], [(State.FIN_WAIT1, State.CLOSE_WAIT)]
    ),
    "both close": Case(
        [*BEGUN, P(">", FIN | ACK, 11, 21), P("<", FIN | ACK, 21, 11), P(">", ACK, 12, 22), P("<", ACK, 22, 12)],
        [(State.TIME_WAIT, State.TIME_WAIT)],
    ),
    "reset by the passive end": Case([*BEGUN, *SERVER_CLOSES[:2], P(">", RST | ACK, 11, 22)], [GONE]),
    "reset by the active end": Case([*BEGUN, *SERVER_CLOSES[:2], P("<", RST, 22)], [GONE]),
    "reset of TIME_WAIT": Case([*BEGUN, *SERVER_CLOSES, P(">", RST, 12)], [GONE]),
    "FIN again": Case(
        [*BEGUN, SERVER_CLOSES[0], SERVER_CLOSES[0]._replace(after=300), *SERVER_CLOSES[1:]],
        [(State.CLOSE, State.TIME_WAIT)],
    ),
    "FIN ahead of a hole": Case([*BEGUN, P("<", FIN | ACK, 31, 11)], [(State.ESTABLISHED, State.FIN_WAIT1)]),
    "FIN ahead of a hole that is filled": Case(
        [*BEGUN, P("<", FIN | ACK, 31, 11), P("<", DATA, 21, 11, 10)], [(State.CLOSE_WAIT, State.FIN_WAIT1)]
    ),
    "FIN acknowledged beyond a gap": Case(
        [*BEGUN, P("<", FIN | ACK, 31, 11), P(">", ACK, 11, 32)], [(State.CLOSE_WAIT, State.FIN_WAIT2)]
    ),
    "FIN with data, without ACK": Case(
        [*BEGUN, P("<", FIN, 21, 0, 7), P(">", ACK, 11, 29)], [(State.CLOSE_WAIT, State.FIN_WAIT2)]
    ),
    "half closed": Case(
        [*BEGUN, *CLIENT_CLOSES[:2], P("<", DATA, 21, 12, 100), P(">", ACK, 12, 121), P("<", DATA, 121, 12, 9)],
        [(State.FIN_WAIT2, State.CLOSE_WAIT)],
    ),
    "data for who has closed": Case([*BEGUN, *SERVER_CLOSES[:2], P(">", DATA, 11, 22, 10), P("<", RST, 22)], [GONE]),
    "keep-alive probe": Case([*HEARD, P("<", ACK, 20, 11, after=15_000), HEARD[-1]], [OPEN]),
    "keep-alive probe of one byte": Case([*HEARD, P("<", ACK, 20, 11, 1, after=15_000), HEARD[-1]], [OPEN]),
    "zero-window probe": Case(
        [*BEGUN, P(">", ACK, 11, 21, window=0), P("<", ACK, 20, 11, after=300), P(">", ACK, 11, 21, window=0)], [OPEN]
    ),
    "data again": Case([*BEGUN, P("<", DATA, 1, 11, 20, after=300), P(">", ACK, 11, 21)], [OPEN]),
    "data again after long": Case([*BEGUN, P("<", DATA, 1, 11, 20, after=300_000), *SERVER_CLOSES], [(7, 6)]),
    "sequence numbers that wrap": Case(
        [one._replace(base=(2**32 - 1, 2**32 - 5)) for one in (*BEGUN, *SERVER_CLOSES)],
        [(State.CLOSE, State.TIME_WAIT)],
    ),
}


def counts(one: Connection) -> dict[str, int]:
    client, server = one.client, 1 - one.client
    return {
        "SYN": sum(one.syns),
        "FIN client": one.fins[client],
        "FIN server": one.fins[server],
        "RST client": one.rsts[client],
        "RST server": one.rsts[server],
        "SYN again": sum(one.syn_repeats),
        "again": sum(one.repeats),
        "probes": sum(one.probes),
        "packets": sum(one.packets),
    }


def by_tshark(file: pathlib.Path) -> dict[int, list[dict[str, int]]]:
    """The same counts of each of tshark's streams, in order, by the port of the client."""
    names = ("tcp.stream", "tcp.srcport", "tcp.dstport", "tcp.flags")
    again = ("retransmission", "spurious_retransmission", "fast_retransmission")
    names += ("tcp.analysis.keep_alive", *(f"tcp.analysis.{name}" for name in again))
    fields = [word for name in names for word in ("-e", name)]
    argv = ["tshark", "-n", "-r", str(file), "-T", "fields", *fields]
    lines = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()
    streams: dict[int, Counter[str]] = defaultdict(Counter)
    ports = {}
    for line in lines:
        stream, source, target, bits, probe, *repeats = line.split("\t")
        flags, end = int(bits, 16), "server" if source == str(SERVER[1]) else "client"
        ports[int(stream)] = int(target if end == "server" else source)
        repeated = any(repeats) and not probe
        streams[int(stream)] += Counter(
            {
                "packets": 1,
                "SYN": flags >> 1 & 1,
                f"FIN {end}": flags & 1,
                f"RST {end}": flags >> 2 & 1,
                "again": repeated,
                "SYN again": repeated and flags >> 1 & 1,
                "probes": bool(probe),
            }
        )
    found: dict[int, list[dict[str, int]]] = defaultdict(list)
    for stream, counted in sorted(streams.items()):
        found[ports[stream]].append(dict(counted))
    return found


@pytest.mark.real("tshark")
def test_final_states_and_what_tshark_says(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "cases.pcap"
    data, begin = pcap(), 1_700_000_000_000_000_000
    for number, case in enumerate(CASES.values()):
        for time, frame in frames(case.packets, (CLIENT[0], FIRST_PORT + number), begin=begin):
            data += record(*divmod(time // 1000, 1_000_000), frame)
            begin = time + 1_000_000
    file.write_bytes(data)
    with file.open("rb") as source:
        columns, _ = told(source)
    ours: dict[int, list[Connection]] = defaultdict(list)
    for one in sorted(columns.connections(), key=lambda one: one.number):
        ours[port(one.ends[one.client])].append(one)
    theirs = by_tshark(file)
    for number, (name, case) in enumerate(CASES.items()):
        found = ours[FIRST_PORT + number]
        assert [(one.state[one.client], one.state[1 - one.client]) for one in found] == case.states, name
        told_by = [{key: one[key] for key in one if one[key]} for one in map(counts, found)]
        differs = told_by != theirs[FIRST_PORT + number]
        assert differs == bool(case.differs), f"{name}: {told_by}, tshark {theirs[FIRST_PORT + number]}"
