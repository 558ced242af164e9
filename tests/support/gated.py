"""What a gate tells, made by hand: a rich one, one with hostile texts, one that is green, one that judged nothing."""

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
    Suppression,
    Waypoint,
)
from advisor.records import replace
from advisor.report.gated import Fault, Gated, Gone, Judged, Replacement, Rule, Target, Unknown
from advisor.report.result import Head
from support.sample import BACKLOG, HEAD, KEEPALIVE, LEAK

CONF = "conf/nginx.conf"
SITE = "conf/sites/größe 1.conf"
DROP_IN = "etc/sysctl.d/60-net.conf"
NGINX_TARGET = "conf/nginx.conf"
SYSCTL_TARGET = "etc/sysctl.d"

LONG = replace(
    KEEPALIVE,
    confidence=Confidence.CERTAIN,
    location=Location("http#0", CONF, 31, 23, 3, "    keepalive_timeout 300;", "keepalive_timeout"),
    evidence=(Evidence("item.keepalive_timeout", 300, units.S, f"{CONF}:31", "300 s"),),
    steps=(
        Step(
            Safety.UNSAFE,
            "ask who holds long polls",
            ("reload",),
            (Change("keepalive_timeout", Relation.AT_MOST, 60.0, Place(CONF, "http#0", "keepalive_timeout")),),
        ),
    ),
)
"""Counts; its fix is one replacement, its flow two steps."""

LATIN = replace(
    LONG,
    rule="send-timeout-long",
    item="server grün.example",
    severity=Severity.CRITICAL,
    message="send_timeout is 1 h on grün.example 公開 🚀",
    location=Location("server#0", SITE, 7, 32, 2, '    set $a "\N{ROCKET}ü\ufffd"; send_timeout 1h;', "send_timeout"),
)
"""Counts; stands in a file whose name needs escaping, behind characters that UTF-16 counts twice."""

LOWERED = replace(
    KEEPALIVE,
    rule="fin-timeout-lowered",
    title="tcp_fin_timeout is lowered, and does not do what is hoped from it",
    item="",
    severity=Severity.MEDIUM,
    confidence=Confidence.CERTAIN,
    message="tcp_fin_timeout is 10",
    why="it bounds FIN_WAIT2 of orphans, not TIME_WAIT",
    unless="somebody measured orphans in FIN_WAIT2",
    location=Location(
        "net.ipv4.tcp_fin_timeout", DROP_IN, 2, 1, 29, "net.ipv4.tcp_fin_timeout = 10", "net.ipv4.tcp_fin_timeout"
    ),
    evidence=(Evidence("sysctl.net.ipv4.tcp_fin_timeout", 10, units.S, f"{DROP_IN}:2", "10 s"),),
    steps=(Step(Safety.SAFE, "", (), (Change("net.ipv4.tcp_fin_timeout", Relation.EXACTLY, 60),)),),
    expected=(),
    references=("kernel:networking/ip-sysctl.rst#tcp_fin_timeout", "man:tcp(7)"),
)
"""Below the bar."""

PREVIEW = replace(LONG, rule="reset-timedout-connection-off", maturity="preview", item="http", steps=())
COMMENTED = replace(
    BACKLOG,
    state=State.SUPPRESSED,
    location=replace(BACKLOG.location, file=SITE),
    suppression=Suppression("comment", "the balancer in front takes the burst", f"{SITE}:111", "2027-01-01"),
)
CONFIGURED = replace(
    LONG,
    rule="worker-connections-few",
    item="events",
    state=State.SUPPRESSED,
    suppression=Suppression("configuration", "this is a test\nbed", "advisor.yaml:14"),
)
KNOWN = replace(
    LOWERED,
    rule="tcp-tw-recycle-gone",
    state=State.SUPPRESSED,
    suppression=Suppression("baseline", "it was there before", ".advisor-baseline.json"),
)
NOTICE = replace(
    LONG,
    rule="ignore-unused",
    title="an ignore that nothing needs",
    item=f"{CONF} ignore[keepalive-requests-few]",
    severity=Severity.LOW,
    message="ignore[keepalive-requests-few] covers no finding",
    why="what nobody needs any more hides the next one",
    location=Location(
        "ignore[keepalive-requests-few]", CONF, 30, 5, 40, "    # advisor: ignore[keepalive-requests-few] x"
    ),
    evidence=(),
    steps=(Step(Safety.MANUAL, "take it out"),),
    expected=(),
    references=(),
)
FILE_ONLY = replace(LONG, rule="files-many", severity=Severity.INFO, item=CONF, location=Location(CONF, CONF))
LIVE = replace(LEAK, severity=Severity.HIGH)
"""Counts; stands in no file."""
OUTSIDE = replace(LONG, item="http#1", location=replace(LONG.location, file="/etc/nginx/nginx.conf"))
"""Counts; stands in a file outside of the repository."""

FLOW = (
    Waypoint("nginx reads this file first", CONF),
    Waypoint("http begins", CONF, 12, 1, "http {", 4),
    Waypoint("300 s is set here, and applies in http", CONF, 31, 5, "    keepalive_timeout 300;", 21),
)
SYSCTL_FLOW = (
    Waypoint("set to 60, and replaced later", "etc/sysctl.d/10-base.conf", 1, 1, "net.ipv4.tcp_fin_timeout = 60", 29),
    Waypoint("set to 10: the last one wins", DROP_IN, 2, 1, "net.ipv4.tcp_fin_timeout = 10", 29),
    Waypoint("60 is in force now"),
)
FIX = (Replacement(CONF, 640, 643, 31, 23, 31, 26, b"60"),)
LATIN_FIX = (
    Replacement(SITE, 130, 132, 7, 32, 7, 34, b"60s"),
    Replacement(SITE, 140, 140, 8, 1, 8, 1, b'set $b "\xfc";\n'),
    Replacement(CONF, 10, 20, 2, 1, 3, 1, b""),
)
"""Bytes that are no UTF-8, an insertion, and a second file from which a line goes."""


def judged(
    finding: Finding,
    fingerprint: str,
    *,
    target: str = NGINX_TARGET,
    counts: bool = False,
    why_not: str | None = None,
    path: str | None = "",
    flow: tuple[Waypoint, ...] = (),
    fix: tuple[Replacement, ...] = (),
) -> Judged:
    """A finding as the gate sees it; its path is that of its file unless another is given."""
    where = finding.location.file if path == "" else path
    return Judged(finding, target, fingerprint * 32, counts, why_not, where, flow, fix)


FINDINGS = [
    judged(LATIN, "1", counts=True, fix=LATIN_FIX),
    judged(LONG, "2", counts=True, flow=FLOW, fix=FIX),
    judged(OUTSIDE, "3", counts=True, path=None),
    judged(LIVE, "4", target="db-1.json", counts=True),
    judged(PREVIEW, "5", why_not="preview rules do not count without --preview"),
    judged(LOWERED, "6", target=SYSCTL_TARGET, why_not="medium is below high", flow=SYSCTL_FLOW),
    judged(COMMENTED, "7", why_not="ignored: the balancer in front takes the burst"),
    judged(CONFIGURED, "8", why_not="ignored: this is a test bed"),
    judged(KNOWN, "9", target=SYSCTL_TARGET, why_not="in the baseline"),
    judged(NOTICE, "a", why_not="low is below high"),
    judged(FILE_ONLY, "b", why_not="info is below high"),
]
"""Worst first, as the gate orders them."""

_DESCRIBED = {one.rule: one for one in (LATIN, LONG, LIVE, PREVIEW, LOWERED, COMMENTED, CONFIGURED, KNOWN, NOTICE)}


def rule(finding: Finding) -> Rule:
    """The rule of a finding."""
    steps = tuple(f"{step.safety}: {step.text or 'set it'}" for step in finding.steps)
    told = (finding.rule, finding.title, finding.severity, finding.maturity, finding.why, finding.unless)
    return Rule(*told, steps, finding.references)


GATED = Gated(
    targets=[
        Target(NGINX_TARGET, "nginx", (CONF, SITE), Head(took=0.2)),
        Target(SYSCTL_TARGET, "sysctl", ("etc/sysctl.d/10-base.conf", DROP_IN), Head(took=0.1)),
        Target("db-1.json", "snapshot", ("db-1.json",), HEAD),
    ],
    findings=FINDINGS,
    faults=[Fault("unexpected end of file, expecting '}'", "target", "conf/broken.conf", 3, 14)],
    unknown=[
        *(
            Unknown(f"needs-sockets-{letter}", Missing("sockets", "only files are judged (--no-host)"), 2)
            for letter in "abcd"
        ),
        Unknown("needs-version", Missing("nginx", "its version is not known: --nginx-version 1.22.1 would say it"), 1),
    ],
    problems=[
        ("nginx", f"{CONF}:40: include mime.types: no such file in the repository"),
        (f"{DROP_IN}:7", "'net.core.somaxconn' is no setting: write KEY = VALUE"),
    ],
    rules=sorted(
        [*map(rule, _DESCRIBED.values()), rule(FILE_ONLY), rule(replace(LONG, rule="quiet-one"))],
        key=lambda one: one.id,
    ),
    quiet=("quiet-one",),
    policy="high or graver, observed or surer",
    exit_code=3,
    fixed=[Gone("listen-reuseport-missing", "0.0.0.0:80", CONF, 1), Gone("files-many", "", None, 2)],
    baseline=".advisor-baseline.json",
    advisor="0.1.0",
)
"""All that a report can hold, and a file that could not be read."""

FAILED = replace(GATED, faults=[], exit_code=1)
"""The same, all read: findings count."""

GREEN = replace(
    GATED,
    findings=[one for one in FINDINGS if not one.counts],
    faults=[],
    problems=[],
    fixed=[],
    baseline=None,
    exit_code=0,
)
"""Nothing counts."""

REFUSED = Gated(
    targets=[],
    findings=[],
    faults=[
        Fault(
            "advisor.yaml:3:7: fail_on: 'hihg' is no severity; did you mean 'high'?",
            "configuration",
            "advisor.yaml",
            3,
            7,
        ),
        Fault("packs/own.yaml:9:1: 'whenn' is no key of a rule", "rule", "packs/own.yaml", 9, 1),
        Fault("no such file", "configuration"),
    ],
    unknown=[],
    problems=[],
    rules=[],
    quiet=(),
    policy="high or graver, observed or surer",
    exit_code=2,
    advisor="0.1.0",
)
"""Nothing was judged: the configuration and a rule pack are wrong."""

BAD = "\x1b]0;owned\x07 \u202edrow\r\n\udcff\x00\u2028 &<>\"'`|[x](y) %0A::error ]]> @team \ufffe"
"""What a terminal, a page, XML, a workflow command or a browser might take for more than text."""


def hostile(bad: str = BAD) -> Gated:
    """A report in which every text is the same bad one."""
    finding = replace(
        LONG,
        rule=f"rule{bad}",
        title=bad,
        item=bad,
        doubt=bad,
        message=f"said {bad}",
        why=bad,
        unless=bad,
        location=Location(bad, f"dir/{bad}", 3, 9, 2, f"{bad}; listen {bad}", bad),
        evidence=(Evidence(f"item.{bad}", bad, units.NONE, bad, f"{bad}7"),),
        steps=(Step(Safety.UNSAFE, bad, (bad,), (Change(bad, Relation.EXACTLY, bad),), skipped=bad),),
        expected=(bad,),
        references=(bad,),
        maturity=bad,
    )
    marked = replace(finding, state=State.SUPPRESSED, suppression=Suppression("comment", bad, bad, bad))
    flow = (Waypoint(bad, f"dir/{bad}", 1, 1, bad), Waypoint(bad))
    fix = (Replacement(f"dir/{bad}", 0, 1, 1, 1, 1, 2, bad.encode("utf-8", "surrogatepass")),)
    return Gated(
        targets=[Target(bad, "nginx", (bad,), Head(name=bad, kernel=bad, nginx=bad, netns=bad, profile=bad))],
        findings=[
            judged(finding, "1", target=bad, counts=True, flow=flow, fix=fix),
            judged(marked, "2", target=bad, why_not=bad),
            judged(finding, "3", target=bad, counts=True, path=None),
        ],
        faults=[Fault(bad, "target", bad, 1, 1), Fault(bad, "configuration"), Fault(bad, "rule", bad, 2)],
        unknown=[Unknown(bad, Missing(bad, bad), 1)],
        problems=[(bad, bad)],
        rules=[rule(finding)],
        quiet=(bad,),
        policy=bad,
        exit_code=3,
        fixed=[Gone(bad, bad, bad, 1)],
        baseline=bad,
        advisor="0.1.0",
    )
