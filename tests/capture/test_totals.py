"""Totals by destination and by port, of connections as the machine leaves them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from advisor.capture import clients, totals
from advisor.capture.columns import Columns
from advisor.capture.connection import NONE, Connection, Note
from advisor.capture.segments import Endpoints
from advisor.capture.totals import FIELDS, Total, Totals
from advisor.catalog.tcp import State

SECOND = 10**9
KNOWN = Endpoints()


def end(address: str, port: int) -> int:
    return KNOWN.number(bytes(map(int, address.split(".")))) + port


def one(client: int, server: int, at: float, until: float, **known: Any) -> Connection:
    """A connection; pairs are given as (client, server), whichever end is the lower; times in seconds."""
    low, high = sorted((client, server))
    made = Connection((low, high), 1, round(at * SECOND))
    made.client = 0 if client == low else 1
    made.last = made.moved_at = round(until * SECOND)
    for name, value in known.items():
        if name in Connection.PAIRS:
            setattr(made, name, list(value if made.client == 0 else reversed(value)))
        elif name in {"closer", "resetter"}:
            setattr(made, name, made.client if value == "client" else 1 - made.client)
        elif name.endswith("_at") or name == "idle":
            setattr(made, name, round(value * SECOND))
        else:
            setattr(made, name, value)
    return made


SERVER, WEB, CLIENT = end("10.0.0.9", 5432), end("10.0.0.1", 80), end("10.0.0.5", 40000)
DONE = {
    "syns": (1, 1),
    "fins": (1, 1),
    "packets": (5, 4),
    "bytes": (100, 2000),
    "state": (State.CLOSE, State.TIME_WAIT),
    "syn_at": 10,
    "open_at": 10.25,
    "closed_at": 12.25,
    "closer": "server",
}


def folded(*connections: Connection) -> Totals:
    made = Totals()
    made.add(Columns.of(list(connections)))
    return made


def only(found: list[Total]) -> Total:
    (total,) = found
    return total


def counts(total: Total) -> dict[str, int]:
    return {name: count for name, count in total.counts.items() if count}


@pytest.mark.parametrize("client", [CLIENT, end("192.168.0.1", 1)])
def test_a_connection_that_the_server_closed_first(client: int) -> None:
    made = folded(one(client, SERVER, 10, 13, **DONE))
    total = only(made.destinations())
    assert (total.port, total.endpoint) == (5432, SERVER)
    assert counts(total) == {
        "connections": 1,
        "attempts": 1,
        "opened": 1,
        "syns": 1,
        "syn_acks": 1,
        "closed_server": 1,
        "packets_client": 5,
        "packets_server": 4,
        "bytes_client": 100,
        "bytes_server": 2000,
        "held_us": 2_000_000,
    }
    assert total.client == {State.CLOSE: 1}
    assert total.server == {State.TIME_WAIT: 1}
    assert (made.first, made.last) == (10 * SECOND, 13 * SECOND)
    shaken = made.handshakes.port(5432)
    assert shaken is not None
    assert made.handshakes.sum_us(5432) == 250_000


def test_how_attempts_fail() -> None:
    made = folded(
        one(CLIENT, WEB, 1, 8, syns=(4, 0), syn_repeats=(3, 0), packets=(4, 0), state=(State.SYN_SENT, NONE)),
        one(CLIENT + 1, WEB, 2, 2, syns=(1, 0), packets=(1, 1), notes=int(Note.REFUSED), closer="server"),
        one(CLIENT + 2, WEB, 3, 6, syns=(1, 3), syn_repeats=(0, 2), packets=(1, 3)),
        one(CLIENT + 3, WEB, 99.5, 99.5, syns=(1, 0), packets=(1, 0)),
        one(CLIENT + 4, WEB, 50, 100, packets=(9, 9), notes=int(Note.MIDSTREAM)),
    )
    found = counts(only(made.ports()))
    wanted = {"unanswered": 1, "pending": 1, "refused": 1, "half_open": 1, "midstream": 1, "never_closed": 1}
    assert found | wanted == found
    assert (found["attempts"], found["syns"], found["syn_repeats"]) == (4, 7, 3)
    assert (found["syn_acks"], found["syn_ack_repeats"]) == (3, 2)
    assert "opened" not in found
    assert "closed_server" not in found


def test_what_never_closed_is_held_to_the_end_of_the_capture_and_its_silence_told() -> None:
    still = {**DONE, "closer": "client", "fins": (0, 0)}
    made = folded(
        one(CLIENT, WEB, 10, 13, **{**still, "moved_at": 12}),
        one(CLIENT + 1, WEB, 10, 40, **{**still, "moved_at": 40, "notes": int(Note.SUPERSEDED)}),
        one(end("10.0.0.7", 3), end("10.0.0.2", 80), 90, 110, **DONE),
    )
    first, asked_again = made.destinations()[0], made.destinations()[0]
    assert first.counts == asked_again.counts
    assert (first.counts["connections"], first.counts["closed_client"]) == (2, 2)
    open_ones = folded(*(unclosed(number) for number in range(3)))
    total = only(open_ones.ports())
    assert total.counts["never_closed"] == 3
    assert total.silent.tolist() == [0, 10 * SECOND, 20 * SECOND]
    assert total.counts["held_us"] == (100 - 10.25 + 20 - 10.25 + 100 - 10.25) * 1e6


def unclosed(number: int) -> Connection:
    """The second is superseded at 20 s; the capture ends at 100 s, and the last packets carry nothing new."""
    made = one(CLIENT + number, WEB, 10, (90, 20, 100)[number], **{**DONE, "fins": (0, 0)})
    made.closer = made.closed_at = NONE
    made.moved_at = (90, 80, 100)[number] * SECOND
    made.notes = int(Note.SUPERSEDED) if number == 1 else 0
    return made


def test_a_race_is_one_that_silence_came_before() -> None:
    lost = {**DONE, "notes": int(Note.RACE | Note.LATE_DATA)}
    made = folded(
        one(CLIENT, WEB, 10, 13, idle=1.5, **lost),
        one(CLIENT + 1, WEB, 10, 13, idle=0.5, **lost),
        one(CLIENT + 2, WEB, 10, 13, idle=1.5, **{**lost, "closer": "client"}),
    )
    assert counts(only(made.ports()))["races"] == 1


def test_resets_that_close_are_told_apart_from_those_behind_a_fin() -> None:
    made = folded(
        one(CLIENT, WEB, 10, 13, **{**DONE, "fins": (0, 0), "closer": "client"}),
        one(CLIENT + 1, WEB, 10, 13, **{**DONE, "fins": (0, 0)}),
        one(CLIENT + 2, WEB, 10, 13, **DONE),
    )
    found = counts(only(made.ports()))
    assert (found["closed_client"], found["reset_client"]) == (1, 1)
    assert (found["closed_server"], found["reset_server"]) == (2, 1)


def test_ports_are_the_sum_of_their_destinations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totals, "DESTINATIONS", 8)
    monkeypatch.setattr(totals, "_BATCH", 16)
    made = Totals()
    for batch in range(10):
        rows = [one(CLIENT, end(f"10.1.{batch}.{host}", 80 + host % 2), 1, 100, **DONE) for host in range(10)]
        made.add(Columns.of([*rows, one(CLIENT, WEB, 1, 100, **DONE), unclosed(0), unclosed(0)]))
    made.add(Columns(0))
    found = made.destinations()
    assert len(found) <= 8 + 2
    assert sum(total.endpoint is None for total in found) == 2
    by_endpoint = {total.endpoint: total for total in found}
    assert by_endpoint[WEB].counts["connections"] == 30
    assert by_endpoint[WEB].silent.tolist() == [10 * SECOND] * 20
    ports = {total.port: total.counts for total in made.ports()}
    assert {port: each["connections"] for port, each in ports.items()} == {80: 50 + 30, 81: 50}
    for name in FIELDS:
        assert sum(each[name] for each in ports.values()) == sum(total.counts[name] for total in found), name


def test_clients_are_counted_by_port_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [one(end(f"10.2.0.{number % 7}", 1000 + number), WEB, 1, 2, **DONE) for number in range(50)]
    made = folded(*rows, one(end("10.2.0.1", 9), SERVER, 1, 2, **DONE))
    assert made.clients.of(80).tolist() == [8, 7, 7, 7, 7, 7, 7]
    assert made.clients.of(5432).tolist() == [1]
    assert made.clients.of(81).tolist() == []
    assert not made.clients.full
    monkeypatch.setattr(clients.Clients, "MOST", 3)
    few = folded(*rows)
    assert few.clients.of(80).tolist() == [8, 7, 7]
    assert few.clients.full


def test_what_waits_for_the_end_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totals, "_WAITING", 2)
    made = folded(*(unclosed(0) for _ in range(5)))
    total = only(made.ports())
    assert total.counts["never_closed"] == 5
    assert len(total.silent) == 2


def test_nothing_gives_nothing() -> None:
    made = Totals()
    assert made.destinations() == made.ports() == []
    assert made.clients.of(80).tolist() == []
    assert np.array_equal(made.handshakes.ports(), [])
