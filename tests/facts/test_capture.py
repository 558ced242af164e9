"""What a capture means for the places that set keepalive_timeout, and for the servers in it."""

from __future__ import annotations

from typing import Any

import pytest

from advisor.engine.cases import snapshot_of
from advisor.engine.judging import Judging
from advisor.errors import Unread
from advisor.facts.capture import CaptureServer
from advisor.facts.capture_timeouts import CapturedTimeout
from advisor.facts.derive import Facts
from advisor.jobs import load, patch
from advisor.records import replace
from advisor.remedy.plan import Allowed, Outcome

WEB = {"address": "10.0.0.1", "port": 80, "local": True, "counts": {"opened": 600, "held_us": 120_000_000_000}}
LENGTHS = {"reused": {4: 3000, 40: 1000}, "server_closed": {300: 200}}
GAPS = {"port": 80, "connections": 600, "clients": 500, "top": 30, **LENGTHS}
CONF = "http { keepalive_timeout 300; server { listen 80; } }"


def facts(conf: str = CONF, servers: list[dict[str, Any]] | None = None, **capture: Any) -> Facts:
    whole = {"seconds": 600, "servers": [WEB] if servers is None else servers, "ports": [GAPS], **capture}
    return Facts(snapshot_of({"nginx": conf, "capture": whole}))


def only(found: list[CapturedTimeout]) -> CapturedTimeout:
    (item,) = found
    return item


def test_the_numbers_follow_the_law() -> None:
    item = only(facts().capture.timeouts)
    assert (item.id, item.timeout, item.periods, item.clients, item.top_share) == ("http", 300, 4200, 500, 0.05)
    rate, idle = 4200 / 600, 3000 * 4 + 1000 * 40 + 200 * 300
    busy = (120_000 - idle) / 600
    assert item.held == pytest.approx(idle / 600 + busy, rel=0.01)
    assert item.best == 45
    assert item.reuse_kept == 1
    assert item.held_then == pytest.approx(rate * (3000 * 4 + 1000 * 40 + 200 * 45) / 4200 + busy, rel=0.01)
    assert item.handshakes == item.handshakes_then == 1
    assert item.reach == 300
    five = item.at(5)
    assert five is not None
    assert (five.kept, five.handshakes) == (pytest.approx(0.75), pytest.approx(1 + 1000 / 600))
    assert "5 s keeps 75%, holds" in item.tradeoff


def test_a_short_capture_recommends_nothing_and_says_how_far_it_reaches() -> None:
    item = only(facts(seconds=30, ports=[{**GAPS, "server_closed": {}, "cut": {20: 3000}}]).capture.timeouts)
    assert item.best is item.held is item.held_then is item.reuse_kept is item.handshakes_then is None
    assert item.reach <= 30


@pytest.mark.parametrize(
    ("conf", "why"),
    [
        ("http { keepalive_timeout 20; server { listen 80; } }", "requests came after up to 40 s"),
        ("http { keepalive_timeout 600; server { listen 80; } }", "the server closed idle connections after 300 s"),
        ("http { keepalive_timeout soon; server { listen 80; } }", "is no time nginx would take"),
    ],
)
def test_another_timeout_than_now_was_captured(conf: str, why: str) -> None:
    item = only(facts(conf).capture.timeouts)
    with pytest.raises(Unread, match=why):
        assert item.best


def test_a_few_gaps_beyond_the_timeout_are_those_of_websockets() -> None:
    ports = [{**GAPS, "reused": {4: 3000, 40: 1000, 500: 40}}]
    assert only(facts(ports=ports).capture.timeouts).best == 45
    many = [{**GAPS, "reused": {4: 3000, 40: 1000, 500: 400}}]
    with pytest.raises(Unread, match="up to 499 s"):
        assert only(facts(ports=many).capture.timeouts).best


def test_gaps_of_several_servers_are_not_one_settings() -> None:
    other = {"address": "10.0.0.9", "port": 80, "local": False, "counts": {"opened": 5}}
    item = only(facts(servers=[WEB, other]).capture.timeouts)
    with pytest.raises(Unread, match="port 80 of another server"):
        assert item.best
    both = facts("http { server { listen 80; } server { listen 80; keepalive_timeout 9; } }").capture.timeouts
    assert len(both) == 2
    for one in both:
        with pytest.raises(Unread, match="more than one keepalive_timeout"):
            assert one.periods


@pytest.mark.parametrize(
    ("conf", "row", "served"),
    [
        (CONF, {}, True),
        (CONF, {"local": None}, True),
        (CONF, {"local": False}, False),
        (CONF, {"address": None, "local": None}, True),
        ("http { server { listen 10.0.0.1:80; } }", {"local": None}, True),
        ("http { server { listen 10.0.0.2:80; } }", {}, False),
        ("http { server { listen 80; location / { proxy_pass http://10.0.0.1; } } }", {"local": None}, False),
        ("http { server { listen 80; location / { proxy_pass http://10.0.0.1; } } }", {}, True),
        ("http { server { listen 81; } }", {}, False),
    ],
)
def test_which_servers_are_this_nginx(conf: str, row: dict[str, Any], served: bool) -> None:  # noqa: FBT001 (a parameter)
    assert bool(facts(conf, [{**WEB, **row}]).capture.timeouts) == served


def test_missed_gaps_count_for_the_rate() -> None:
    whole = facts().snapshot
    assert whole.capture is not None
    port = replace(whole.capture.ports[0], missed=4200)
    more = Facts(replace(whole, capture=replace(whole.capture, ports=[port])))
    before, after = only(facts().capture.timeouts).at(5), only(more.capture.timeouts).at(5)
    assert before is not None
    assert after is not None
    assert after.handshakes - 1 == pytest.approx(2 * (before.handshakes - 1))


def test_after_the_patch_it_has_to_be_captured_again() -> None:
    before = facts().snapshot
    rules = [one for one in load.rules() if one.id == "keepalive-timeout-from-capture"]
    made = patch.plan(before, Judging(rules), Allowed(unsafe=True))
    (done,) = made.findings
    assert done.outcome is Outcome.TO_BE_MEASURED
    told = {effect.name: (effect.before, effect.after) for effect in made.prediction.effects}
    item = only(facts().capture.timeouts)
    assert told == {
        "ESTABLISHED on port 80, on average": (item.held, item.held_then),
        "new connections per second on port 80": (item.handshakes, item.handshakes_then),
    }
    with pytest.raises(Unread, match="capture again"):
        assert only(Facts(made.prediction.snapshot).capture.timeouts).best


def test_a_server_says_what_was_counted() -> None:
    counts = {"attempts": 100, "pending": 3, "opened": 60, "unanswered": 7, "syns": 110, "syn_acks": 70}
    more = {"syn_repeats": 10, "syn_ack_repeats": 5, "closed_client": 8, "closed_server": 9, "races": 2}
    row = {**WEB, "counts": {**counts, **more}, "silent": {30: 4}, "server": {"TIME_WAIT": 9}}
    (server,) = facts(servers=[row]).capture.servers
    assert isinstance(server, CaptureServer)
    assert (server.id, server.whose, server.ours) == ("10.0.0.1:80", "this host", True)
    assert (server.attempts, server.syns, server.repeated, server.closed) == (97, 180, 15, 17)
    assert (server.unanswered, server.races, server.waits_at_server, server.waits_at_client) == (7, 2, 9, 0)
    assert server.rate == pytest.approx(0.1)
    assert server.silent.total == 4
    (none,) = facts(servers=[{"port": 80}]).capture.servers
    assert (none.id, none.whose, none.silent.total, none.closed) == ("port 80 of all others", "a host", 0, 0)


def test_upstreams_are_those_that_nginx_calls() -> None:
    conf = "http { upstream app { server 10.0.0.7:9000; } server { listen 80; location / { proxy_pass http://app; } } }"
    rows = [WEB, {"address": "10.0.0.7", "port": 9000}, {"address": "10.0.0.8", "port": 9000}]
    assert [one.id for one in facts(conf, rows).capture.upstreams] == ["10.0.0.7:9000"]


def test_who_closes_first_has_to_be_captured_again_once_connections_are_used_again() -> None:
    conf = "http { server { listen 80; location / { proxy_pass http://10.0.0.7:9000; } } }"
    rows = [{"address": "10.0.0.7", "port": 9000, "counts": {"closed_server": 40}}]
    before = facts(conf, rows)
    (one,) = before.capture.upstreams
    assert (one.closed_by_server, one.closed) == (40, 40)
    moved = {"capture.closes": "capture again"}
    (later,) = Facts(replace(before.snapshot, moved=moved)).capture.upstreams
    with pytest.raises(Unread, match="capture again"):
        assert later.closed_by_server


def test_without_a_capture_all_is_unread() -> None:
    capture = Facts(snapshot_of({"nginx": CONF})).capture
    for name in ("seconds", "servers", "upstreams", "timeouts"):
        with pytest.raises(Unread):
            getattr(capture, name)
