"""Logical places: what of an item stays when files are renamed, blocks moved and values edited."""

from __future__ import annotations

from typing import Any

import pytest

from advisor.engine.cases import snapshot_of
from advisor.engine.judging import Judging
from advisor.facts.derive import Facts
from advisor.jobs import load

RULES = load.rules()
LONG = "server { server_name a; keepalive_timeout 3000; } server { server_name a; keepalive_timeout 3000; }"
PROXY = "http { server { location / { proxy_pass http://10.0.0.1; %s } } }"
IGNORED = {"/etc/sysctl.d/one.txt": "net.core.somaxconn = 4096", "/etc/sysctl.d/two.conf": "net.core.somaxconn 4096"}
MASKED = {"/etc/sysctl.d/a.conf": "fs.file-max = 9", "/usr/lib/sysctl.d/a.conf": "net.core.somaxconn = 4096"}


def places(rule: str, **given: Any) -> list[tuple[str, str]]:
    """Item and place of what a rule finds."""
    judging = Judging([one for one in RULES if one.id == rule])
    found = [verdict.finding for verdict in judging(Facts(snapshot_of(given)))]
    return [(finding.item, finding.place) for finding in found if finding is not None]


@pytest.mark.parametrize(
    ("rule", "given", "expected"),
    [
        ("keepalive-timeout-long", {"nginx": f"http {{ {LONG} }}"}, [("server a", 1), ("server a #2", 1)]),
        ("keepalive-timeout-long", {"nginx": "keepalive_timeout 3000;"}, [("main", "main")]),
        (
            "tls13-off",
            {"nginx": "http { server { listen unix:/s ssl; ssl_protocols TLSv1.2; } }"},
            [("server unix:/s", "server unix:/s")],
        ),
        (
            "upstream-not-reused",
            {"nginx": PROXY % "", "nginx_version": "1.22.1"},
            [("proxy_pass http://10.0.0.1 (upstream, version, header)", "proxy_pass http://10.0.0.1")],
        ),
        (
            "upstream-not-reused",
            {"nginx": PROXY % "proxy_http_version 1.1;", "nginx_version": "1.22.1"},
            [("proxy_pass http://10.0.0.1 (upstream, header)", "proxy_pass http://10.0.0.1")],
        ),
        (
            "dead-key-set",
            {"sysctl_file": {"net.ipv4.conf": "net.ipv4.tcp_fack = 1\nnet.ipv4.tcp_fack = 1"}},
            [
                ("net.ipv4.tcp_fack in net.ipv4.conf", "net.ipv4.tcp_fack"),
                ("net.ipv4.tcp_fack in net.ipv4.conf #2", "net.ipv4.tcp_fack"),
            ],
        ),
        ("sysctl-file-not-conf", {"boot_files": IGNORED}, [("/etc/sysctl.d/one.txt", "file")]),
        ("sysctl-line-ignored", {"boot_files": IGNORED}, [("/etc/sysctl.d/two.conf", "file")]),
        ("sysctl-file-masked", {"boot_files": MASKED}, [("/usr/lib/sysctl.d/a.conf", "file")]),
        ("somaxconn-lowered", {"sysctl": {"net.core.somaxconn": "128"}, "host": {"kernel": "6.1.0"}}, [("", "")]),
    ],
)
def test_a_place_holds_no_file_no_number_and_no_value(
    rule: str, given: dict[str, Any], expected: list[tuple[str, Any]]
) -> None:
    assert places(rule, **given) == [(item, "server a" if place == 1 else place) for item, place in expected]


def test_a_file_that_is_called_as_what_it_holds_is_not_taken_for_it() -> None:
    """The name of a file is left out by who put it in, never searched for in the item."""
    short = "http { server { server_name a.example; keepalive_timeout 3000; } }"
    (found,) = places("keepalive-timeout-long", nginx={"a.example": short})
    assert found == ("server a.example", "server a.example")
