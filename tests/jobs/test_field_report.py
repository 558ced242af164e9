"""The settings of the field report and of the article it links, given as files: each is judged for what it does.

The report's hopes are its own; what each setting really does is measured elsewhere (tests/e2e) or written in the
kernel's documentation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from advisor.collect.run import Request
from advisor.engine.judging import Judging
from advisor.findings import Confidence, Finding, Relation, Safety, Severity
from advisor.jobs import audit, load, patch
from advisor.remedy.plan import Allowed

if TYPE_CHECKING:
    import pathlib

SYSCTL = """\
# advice from the net
net.ipv4.ip_local_port_range=10240 65000
net.ipv4.tcp_fin_timeout=20
net.ipv4.tcp_max_tw_buckets=19400
net.ipv4.tcp_tw_recycle=1
"""
NGINX = """\
events {}
http {
    keepalive_timeout 300;
    server {
        listen 80;
        listen 18080;
    }
}
"""


@pytest.fixture
def request_(tmp_path: pathlib.Path) -> Request:
    (tmp_path / "90-web.conf").write_text(SYSCTL)
    (tmp_path / "nginx.conf").write_text(NGINX)
    files = (str(tmp_path / "90-web.conf"),)
    return Request(host=False, nginx_conf=str(tmp_path / "nginx.conf"), sysctl_files=files)


@pytest.fixture
def found(request_: Request) -> dict[str, Finding]:
    result = audit.audit(load.snapshot(request_, None, lambda _: None), Judging(load.rules()))
    return {finding.rule: finding for finding in result.findings}


def test_exactly_these_are_found(found: dict[str, Finding]) -> None:
    assert {rule: (one.severity.word, one.confidence.word) for rule, one in found.items()} == {
        "keepalive-timeout-long": ("medium", "potential"),
        "time-wait-buckets-lowered": ("medium", "certain"),
        "dead-key-set": ("low", "certain"),
        "fin-timeout-lowered": ("low", "certain"),
        "port-range-same-parity": ("info", "certain"),
    }


@pytest.mark.parametrize(
    ("rule", "line", "column"),
    [
        ("port-range-same-parity", 2, 30),
        ("fin-timeout-lowered", 3, 26),
        ("time-wait-buckets-lowered", 4, 29),
        ("dead-key-set", 5, 25),
    ],
)
def test_each_points_at_its_line(found: dict[str, Finding], rule: str, line: int, column: int) -> None:
    location = found[rule].location
    assert location.file is not None
    assert location.file.endswith("/90-web.conf")
    assert (location.line, location.column) == (line, column)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("port-range-same-parity", "prefer different parity for start/end values"),
        ("fin-timeout-lowered", "TIME_WAIT lasts 60 s whatever this says"),
        ("time-wait-buckets-lowered", "TCPTimeWaitOverflow"),
        ("dead-key-set", "What is hoped from it: fewer TIME_WAIT sockets"),
    ],
)
def test_each_says_what_is_wrongly_hoped(found: dict[str, Finding], rule: str, said: str) -> None:
    assert said in " ".join(found[rule].why.split())


def test_the_messages_name_the_values(found: dict[str, Finding]) -> None:
    assert found["fin-timeout-lowered"].message == "tcp_fin_timeout is 20 s; it does not shorten TIME_WAIT"
    assert "tcp_max_tw_buckets is 19,400" in found["time-wait-buckets-lowered"].message
    assert found["dead-key-set"].message == "net.ipv4.tcp_tw_recycle = 1 does nothing: removed in Linux 4.12"
    assert "10240 65000" in found["port-range-same-parity"].message


def test_no_number_is_proposed_for_the_timeout_without_evidence(found: dict[str, Finding]) -> None:
    """With no connections read nobody knows who comes back when, nor whether a balancer stands in front."""
    finding = found["keepalive-timeout-long"]
    assert finding.confidence is Confidence.POTENTIAL
    assert finding.doubt is not None
    assert finding.doubt.startswith("not measured: ")
    assert finding.expected == ()
    assert all(step.changes == () for step in finding.steps)
    assert all(step.skipped for step in finding.steps if step.safety is not Safety.MANUAL)


def test_the_listener_inside_the_range_is_named_once_the_reserved_ports_are_known(request_: Request) -> None:
    """From files alone it is unknown: what is reserved stands in no file here."""
    path = request_.sysctl_files[0]
    result = audit.audit(load.snapshot(request_, None, lambda _: None), Judging(load.rules()))
    assert "listener-in-port-range" in {rule for rule, _ in result.unknown}
    with open(path, "a", encoding="ascii") as file:
        file.write("net.ipv4.ip_local_reserved_ports=\n")
    result = audit.audit(load.snapshot(request_, None, lambda _: None), Judging(load.rules()))
    (finding,) = [one for one in result.findings if one.rule == "listener-in-port-range"]
    assert finding.severity is Severity.MEDIUM
    assert "18080" in finding.message
    (step,) = finding.steps
    assert [(one.relation, one.value) for one in step.changes] == [(Relation.INCLUDES, "18080")]


def test_the_patch_undoes_what_does_harm(request_: Request) -> None:
    plan = patch.plan(load.snapshot(request_, None, lambda _: None), Judging(load.rules()), Allowed(unsafe=True))
    assert {one.key: one.after for one in plan.prediction.sysctls} == {
        "net.ipv4.ip_local_port_range": "10240 65001",
        "net.ipv4.tcp_fin_timeout": "60",
        "net.ipv4.tcp_max_tw_buckets": "65536",
    }
    assert plan.prediction.directives == []
