"""What a shorter keepalive_timeout is expected to do, beyond what one address shows."""

from __future__ import annotations

from typing import Any

from advisor.engine.cases import snapshot_of
from advisor.engine.judge import judge
from advisor.facts.derive import Facts
from advisor.jobs import load
from advisor.remedy.plan import Allowed, Plan, make_plan

RULES = [rule for rule in load.rules() if rule.id == "keepalive-timeout-long"]


def listener(port: int, **more: Any) -> dict[str, Any]:
    """An address on which 500 come back after more than 60 s, 100 a second."""
    row = {"address": "0.0.0.0", "port": port, "states": {"ESTABLISHED": 900}, "clients": 800, "top_clients": {}}  # noqa: S104 (an address to compare with)
    return {**row, "idle": {"30": 300, "64": 500, "299": 10}, **more}


def plan(http: str, listeners: list[dict[str, Any]]) -> Plan:
    given = {
        "nginx": f"http {{ keepalive_timeout 300; {http} }}",
        "listeners": listeners,
        "states": {"ESTABLISHED": 900 * len(listeners)},
        "counters": {"Tcp.PassiveOpens": [1000, 1200]},
        "sample": 10,
    }
    return make_plan(snapshot_of(given), lambda facts: judge(RULES, facts), {}, Allowed(unsafe=True))


def effects(made: Plan) -> dict[str, tuple[float, float | None]]:
    assert len({one.name for one in made.prediction.effects}) == len(made.prediction.effects)
    return {one.name: (one.before, one.after) for one in made.prediction.effects}


def test_handshakes_of_all_addresses_are_one_number() -> None:
    one = effects(plan("server { listen 80; }", [listener(80)]))
    two = effects(plan("server { listen 80; listen 81; }", [listener(80), listener(81)]))
    assert one["new connections per second"][0] == two["new connections per second"][0] == 20
    more = (one["new connections per second"][1] or 0) - 20
    assert 95 < more < 100
    assert two["new connections per second"][1] == 20 + 2 * more


def test_the_prediction_counts_the_handshakes_too() -> None:
    made = plan("server { listen 80; listen 81; }", [listener(80), listener(81)])
    after = made.prediction.effects[-1].after or 0
    assert Facts(made.prediction.snapshot).counters.value("Tcp.PassiveOpens", "per_second") == round(after * 10) / 10
    assert made.prediction.snapshot.sockets is not None
    assert made.prediction.snapshot.sockets.states == {"ESTABLISHED": 2 * 390}


def test_an_address_that_another_value_governs_too_is_measured_again() -> None:
    servers = "server { listen 80; } server { listen 80; server_name b; keepalive_timeout 5; } server { listen 81; }"
    made = plan(servers, [listener(80), listener(81)])
    assert list(effects(made)) == ["ESTABLISHED on 0.0.0.0:81", "new connections per second"]
    assert set(made.prediction.snapshot.moved) >= {"listener.idle@0.0.0.0:80", "listener.states@0.0.0.0:80"}


def test_no_more_connections_go_than_nginx_calls_waiting() -> None:
    given = {
        "nginx": "http { keepalive_timeout 300; server { listen [::]:80; } }",
        "listeners": [
            {"address": "::", "port": 80, "states": {"ESTABLISHED": 500}, "clients": 400, "idle": {200: 450}}
        ],
    }
    status = {"active": 500, "accepts": 1, "handled": 1, "requests": 1, "reading": 0, "writing": 380, "waiting": 120}
    promised = []
    for more in ({}, {"stub_status": status}):
        made = make_plan(snapshot_of(given | more), lambda facts: judge(RULES, facts), {}, Allowed(unsafe=True))
        promised.append([one.after for one in made.prediction.effects if one.name.startswith("ESTABLISHED")])
    assert promised == [[50], [380]]
