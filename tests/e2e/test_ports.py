"""A proxy that runs out of local ports towards one backend: 502s, the finding, the patch, no more 502s."""

from __future__ import annotations

import json
import pathlib
import re
import sys
import time
from collections import Counter

import pytest
from support.command import audit, collect, evidence, found, once, plan, play, predicted
from support.configured import differences
from support.incident_audit import Wanted, audited, numbers
from support.netns import Netns, pair
from support.nginx import DEBIAN, running
from support.port_driver import by_hand, looking

RULE = "ports-exhausting"
RULES = (RULE, "listener-in-port-range")
ONLY = [word for rule in RULES for word in ("--select", rule)]
RANGE, WIDE = "32768 33267", "32768 65535"
PORTS = 498
"""In that range, less the one that is reserved in it and the one that is listened on."""
MANY, FEW = 700, 20
UDP = 33050, 45000
"""Bound by UDP sockets: one in the range, where it may have been picked by the kernel, one in the wider range."""

BACKEND = """
    server { listen 10.9.0.2:8000; return 200; }
    server { listen 10.9.0.2:8001; return 200; }
"""
PROXY = """
    upstream quiet { server 10.9.0.2:8001; }
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    server {
        listen 10.9.0.1:8080;
        listen 127.0.0.1:33100;  # in the range
        listen 10.9.0.1:40000;   # in the wider one
        location / { set $busy 10.9.0.2:8000; proxy_pass http://$busy; }  # a person must make that an upstream
        location /quiet { proxy_pass http://quiet; }
    }
"""


def asked(client: Netns, path: str, count: int) -> dict[str, int]:
    """How the proxy answered: a count by status."""
    answers: dict[str, int] = json.loads(once(client, "client", "ask", "10.9.0.1", "8080", path, str(count)))
    return answers


def local_ports(proxy: Netns) -> Counter[str]:
    """Local ports in use by remote address and port, grouped by hand from what ss prints."""
    rows = (line.split() for line in proxy.run("ss", "-Htan").stdout.splitlines())
    return Counter(remote for state, _, _, _, remote, *_ in rows if state != "LISTEN")


def undoing(readme: pathlib.Path) -> list[str]:
    """The commands that take back live values, as the patch's page gives them."""
    return [line for line in readme.read_text().splitlines() if line.startswith("sysctl -w ")]


@pytest.mark.real("nginx", "ss", "sysctl")
def test_the_used_up_destination_is_named_and_a_wider_range_cures_it(tmp_path: pathlib.Path) -> None:
    with pair() as (proxy, there):
        proxy.sysctl(net__ipv4__ip_local_port_range=RANGE, net__ipv4__ip_local_reserved_ports="15672,33000")
        with running(there, tmp_path / "backend", BACKEND), running(proxy, tmp_path / "proxy", PROXY) as nginx:
            for port in UDP:
                play(proxy, "udp", "datagrams", "10.9.0.1", str(port))
            assert asked(there, "/quiet", FEW) == {"200": FEW}
            assert asked(there, "/", MANY) == {"200": PORTS, "502": MANY - PORTS}
            assert "connect() to 10.9.0.2:8000 failed (99: " in nginx.log.read_text()

            report = audit(proxy, "--sample", "0")
            assert list(found(report, RULE)) == ["10.9.0.1 to 10.9.0.2:8000"], "the quiet one isn't blamed"
            finding = found(report, RULE)["10.9.0.1 to 10.9.0.2:8000"]
            assert (finding["severity"], finding["confidence"]) == ("critical", "observed")
            assert (evidence(finding)["item.ports"], evidence(finding)["ports.usable"]) == (PORTS, PORTS)
            by_hand = local_ports(proxy)
            assert (by_hand["10.9.0.2:8000"], by_hand["10.9.0.2:8001"]) == (PORTS, FEW)

            before = collect(proxy, tmp_path / "before.json", "--sample", "0")
            assert before.sockets is not None
            assert {f"{row.remote}:{row.port}": row.ports for row in before.sockets.destinations} == {
                remote: count for remote, count in by_hand.items() if remote.startswith("10.9.0.2:800")
            }
            made = plan(proxy, tmp_path / "patch", "--unsafe", "--snapshot", str(tmp_path / "before.json"), *ONLY)
            assert {one["key"]: one["after"] for one in made["sysctl"]} == {
                "net.ipv4.ip_local_port_range": WIDE,
                "net.ipv4.ip_local_reserved_ports": "15672,33000,33100,40000,45000",
            }
            proxy.run("sysctl", "-p", str(tmp_path / "patch/etc/sysctl.d/90-advisor.conf"))
            after = collect(proxy, tmp_path / "after.json", "--sample", "0")
            assert differences(after, predicted(before, unsafe=True, only=RULES)) == {}
            assert ("ports", "usable") in differences(after, before)

            assert asked(there, "/", MANY) == {"200": MANY}
            third = plan(proxy, tmp_path / "third", "--unsafe", "--sample", "0", *ONLY)
            assert (third["sysctl"], third["nginx"], third["findings"]) == ([], [], [])

            for command in undoing(tmp_path / "patch/README.md"):
                proxy.run("sh", "-c", command)
            assert differences(collect(proxy, tmp_path / "undone.json", "--sample", "0"), before) == {}


PER_REQUEST = """
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    upstream app { server 10.9.0.2:8000;%s }
    server { listen 10.9.0.1:8080; keepalive_requests 1000000; location / { proxy_pass http://app; } }
"""
COUNTING = pathlib.Path(__file__).parents[1] / "support/counting.py"
SAME = {RULE, "ports-exhausted-logged", "upstream-pool-too-small", "upstream-not-reused"}
"""What may be high: one incident, told by the ports, by nginx's log, and by what it is configured to do."""


def answered(said: str) -> tuple[int, int]:
    """What wrk tells: answers other than 2xx, and the rest."""
    requests, refused = (re.search(text, said) for text in (r"(\d+) requests in", r"Non-2xx or 3xx responses: (\d+)"))
    assert requests is not None, said
    assert refused is not None, said
    return int(refused[1]), int(requests[1]) - int(refused[1])


@pytest.mark.real("nginx", "ss", "sysctl", "wrk")
@pytest.mark.parametrize(("keepalive", "reuse"), [("", "0"), ("", "2"), ("", "1"), (" keepalive 16;", "2")], ids=str)
def test_a_proxy_without_reuse_or_with_a_small_pool_uses_its_ports_up(
    tmp_path: pathlib.Path, keepalive: str, reuse: str
) -> None:
    """500 ports over a veth. tcp_tw_reuse 0 and 2 are the same there; 1 gives 500 new connections each second."""
    with pair() as (proxy, there):
        proxy.sysctl(net__ipv4__ip_local_port_range="40000 40499", net__ipv4__tcp_tw_reuse=reuse)
        backend = "    server { listen 10.9.0.2:8000; keepalive_requests 1000000; return 200; }\n"
        with (
            running(there, tmp_path / "b", backend, workers=2) as _,
            running(proxy, tmp_path / "p", PER_REQUEST % keepalive),
        ):
            begun = time.monotonic()
            said = there.run("wrk", "-t1", "-c50", f"-d{2 if reuse == '1' else 1}s", "http://10.9.0.1:8080/").stdout
            seconds = time.monotonic() - begun
            report = audit(proxy, "--sample", "0")
            states = by_hand(proxy)["10.9.0.2:8000"]
        refused, taken = answered(said)
        (finding,) = found(report, RULE).values()
        seen = evidence(finding)
        assert refused > 500
        assert finding["confidence"] == "observed"
        assert (seen["ports.usable"], seen["item.ports"]) == (500, states.total())
        if reuse == "1":
            assert 500 <= taken <= 500 * (seconds + 1), "500 each second"
            assert f"{seen['item.ports'] - seen['item.held']:,} of them reusable now" in finding["message"]
        else:
            assert f"{states['TIME-WAIT']:,} in TIME_WAIT, 0 of them reusable now" in finding["message"]
            assert (finding["severity"], seen["item.held"]) == ("critical", states.total())
            assert taken == 500 or keepalive
        assert {one["rule"] for one in report["findings"] if one["severity"] in {"high", "critical"}} <= SAME


def diagnosed(proxy: Netns, there: Netns, *, at_the_upstream: bool) -> None:
    """What audits of both ends make of it: nothing to cure at the upstream, connections to reuse at the proxy."""
    server = audited(there, "--sample", "0", "--param", f"time-wait-served.many={MANY // 2} sockets")
    client = audited(proxy, "--sample", "0")
    if at_the_upstream:
        finding = server.only("time-wait-served", "")
        server.equal(numbers(finding, "sockets.time_wait_served")[0], Wanted("TIME-WAIT", "10.9.0.2:8000"))
        assert (finding["severity"], [step for step in finding["steps"] if step["changes"]]) == ("info", [])
    else:
        finding = client.only("upstream-not-reused", "proxy_pass http://10.9.0.2:8000 (upstream)")
        client.equal(numbers(finding, "item.time_wait")[0], Wanted("TIME-WAIT", remote="10.9.0.2:8000"))
    assert server.serious() == client.serious() == set()


@pytest.mark.real("nginx", "ss")
@pytest.mark.parametrize("binary", ["Debian's", "newer"], indirect=True)
def test_who_closes_first_holds_time_wait(tmp_path: pathlib.Path, binary: str) -> None:
    """Older ones ask by HTTP/1.0: the upstream closes. From 1.29.7 on HTTP/1.1 would keep connections, and a bare
    address has no pool to keep them in: the proxy closes."""
    http = "    server { listen 10.9.0.1:8080; location / { proxy_pass http://10.9.0.2:8000; } }\n"
    with pair() as (proxy, there), looking(proxy) as look, looking(there) as look_there:
        backend = "    server { listen 10.9.0.2:8000; return 200; }\n"
        with running(there, tmp_path / "b", backend), running(proxy, tmp_path / "p", http, binary=binary):
            asked = ["ask", str(MANY), "5", "10.9.0.1:8080"]
            answers = json.loads(there.run(sys.executable, str(COUNTING), *asked).stdout)
            assert answers == {"10.9.0.1:8080 200": MANY}
            here, away = look(), look_there()
            towards = [one for one in here.sockets.destinations if one.remote == "10.9.0.2:8000"]
            served = sum(one.row.states.get("TIME_WAIT", 0) for one in away.sockets.listeners)
            held = sum(one.time_wait for one in towards)
            mostly = MANY * 9 // 10
            assert (served >= mostly, held >= mostly) == (binary == DEBIAN, binary != DEBIAN), "some close at once"
            assert held + served >= MANY
            assert by_hand(proxy).get("10.9.0.2:8000", Counter())["TIME-WAIT"] == held
            assert away.sockets.time_wait_served == served
            diagnosed(proxy, there, at_the_upstream=binary == DEBIAN)
