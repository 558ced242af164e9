"""Evidence names where a value was really read."""

from __future__ import annotations

from advisor.engine.cases import snapshot_of
from advisor.engine.judge import judge
from advisor.facts.derive import Facts
from advisor.jobs.load import rules
from advisor.records import replace
from advisor.snapshot.model import Sockets

GIVEN = {
    "nginx": "http { keepalive_timeout 300; server { listen [::]:80; } }",
    "listeners": [{"address": "::", "port": 80, "states": {"ESTABLISHED": 5}, "clients": 5, "idle": {10: 5}}],
}


def sources(sockets: Sockets) -> set[str]:
    snapshot = replace(snapshot_of(GIVEN), sockets=sockets)
    (found,) = [one.finding for one in judge(rules(), Facts(snapshot)) if one.rule == "keepalive-timeout-long"]
    assert found is not None
    return {item.source for item in found.evidence if item.name == "item.established"}


def test_sockets_are_named_by_the_way_they_were_read() -> None:
    rows = snapshot_of(GIVEN).sockets
    assert rows is not None
    assert sources(rows) == {"SOCK_DIAG"}
    assert sources(replace(rows, method="/proc/net/tcp")) == {"/proc/net/tcp"}
