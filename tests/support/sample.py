"""Findings to tell about, made by hand."""

from __future__ import annotations

from advisor import units
from advisor.findings import (
    Change,
    Confidence,
    Evidence,
    Finding,
    Location,
    Missing,
    Place,
    Relation,
    Safety,
    Severity,
    State,
    Step,
)
from advisor.records import replace
from advisor.report.result import Head, Result

CONF = "/etc/nginx/nginx.conf"

KEEPALIVE = Finding(
    rule="keepalive-timeout-long",
    title="keepalive_timeout holds idle connections for minutes",
    item="http#0",
    state=State.FAIL,
    severity=Severity.HIGH,
    confidence=Confidence.OBSERVED,
    doubt=None,
    message="idle connections are held for 300 s",
    why="an idle client keeps its connection, its descriptor and its place\nin every NAT table on the way for 300 s",
    unless="a load balancer in front holds them on purpose",
    location=Location("http#0", CONF, 31, 23, 3, "    keepalive_timeout 300;"),
    evidence=(
        Evidence("item.keepalive_timeout", 300, units.S, f"{CONF}:31", "300 s"),
        Evidence("keepalive.idle", 31904, units.N, "SOCK_DIAG", "31,904"),
        Evidence("keepalive.established", 39812, units.N, "SOCK_DIAG", "39,812"),
    ),
    steps=(
        Step(
            Safety.UNSAFE,
            "ask who holds long polls",
            ("reload",),
            (Change("keepalive_timeout", Relation.AT_MOST, 60.0, Place(CONF, "http#0", "keepalive_timeout")),),
        ),
    ),
    expected=("about 7,900 ESTABLISHED, and 41 more handshakes per second",),
    references=("nginx:http/ngx_http_core_module.html#keepalive_timeout",),
)

BACKLOG = replace(
    KEEPALIVE,
    rule="listen-backlog-capped",
    title="net.core.somaxconn silently caps nginx's listen backlog",
    item="0.0.0.0:443",
    severity=Severity.MEDIUM,
    confidence=Confidence.POTENTIAL,
    doubt="not seen in 1 s",
    message="backlog=4096 on 0.0.0.0:443 is cut to somaxconn=128",
    why="listen(2) takes the smaller of both",
    location=Location("0.0.0.0:443", "/etc/nginx/sites/api.conf", 112, 6, 24, "\tlisten\t443 backlog=4096;\t# 公開"),
    evidence=(
        Evidence("item.backlog", 4096, units.N, "/etc/nginx/sites/api.conf:112", "4,096"),
        Evidence("item.drops", 0, units.N, "SOCK_DIAG", "0"),
        Evidence("counters.TcpExt.ListenOverflows.delta", 0, units.N, "/proc/net/netstat", "0"),
    ),
    steps=(
        Step(Safety.SAFE, "", ("re-listen",), (Change("net.core.somaxconn", Relation.AT_LEAST, 4096),)),
        Step(
            Safety.SAFE,
            "",
            ("reload",),
            (
                Change(
                    "listen.backlog", Relation.AT_MOST, 128, Place("/etc/nginx/sites/api.conf", "server#0", "listen")
                ),
            ),
            skipped="needs 'sockets': permission denied",
        ),
    ),
    expected=(),
)

LEAK = replace(
    KEEPALIVE,
    rule="close-wait-leak",
    item="java 10.0.3.9:3306",
    severity=Severity.MEDIUM,
    confidence=Confidence.CERTAIN,
    message="3,004 CLOSE_WAIT held by java (pid 8121)",
    why="the peer has closed; java never called close(): a leaked pool",
    location=Location("java 10.0.3.9:3306"),
    evidence=tuple(
        Evidence(f"item.value{number}", number + 0.5, units.NONE, "/proc", f"{number}.5") for number in range(9)
    ),
    steps=(Step(Safety.MANUAL, "in the application; no sysctl cures it"),),
    expected=(),
)

HEAD = Head("web-7", "6.1.0", 16, 62 * 1024**3 + 500 * 1024**2, "1.22.1", 4, "host", 1.6, 1.0, root=True)

SCREEN = Result(
    head=HEAD,
    findings=[KEEPALIVE, LEAK, BACKLOG, replace(BACKLOG, rule="ephemeral-ports-few", state=State.SUPPRESSED)],
    unknown=[
        ("port-exhaustion", Missing("sockets", "SOCK_DIAG: permission denied")),
        *((f"needs-counters-{letter}", Missing("counters", "not collected")) for letter in "abcd"),
    ],
    quiet=52,
    problems=[("/etc/sysctl.d/90-web.conf:7", "'net.core.somaxconn' is no setting: write KEY = VALUE")],
    advisor="0.1.0",
)
