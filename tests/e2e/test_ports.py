"""A proxy that runs out of local ports towards one backend: 502s, the finding, the patch, no more 502s."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from support.command import audit, collect, evidence, found, once, plan, predicted
from support.configured import differences
from support.netns import Netns, pair
from support.nginx import running

if TYPE_CHECKING:
    import pathlib

RULE = "ports-exhausting"
RULES = (RULE, "listener-in-port-range")
ONLY = [word for rule in RULES for word in ("--select", rule)]
RANGE, WIDE = "32768 33267", "32768 65535"
PORTS = 498
"""In that range, less the one that is reserved in it and the one that is listened on."""
MANY, FEW = 700, 20

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
                "net.ipv4.ip_local_reserved_ports": "15672,33000,33100,40000",
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
