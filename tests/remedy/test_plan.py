"""The plan, its prediction, and the patch folder: what is edited, what is left, and what is said of both."""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any

import pytest
from support.snapshots import ages_of, nginx_of, snapshot_with

from advisor.engine.cases import snapshot_of
from advisor.engine.judge import judge
from advisor.engine.judging import Judging
from advisor.engine.pack import load_rule
from advisor.engine.rule import Rule
from advisor.errors import PlanError
from advisor.facts.derive import Facts
from advisor.formats.nginx import scan
from advisor.jobs import load, patch
from advisor.records import replace
from advisor.remedy.folder import folder
from advisor.remedy.plan import Allowed, Outcome, Plan, make_plan
from advisor.snapshot.model import Destination, Listener, Nginx, Reading, Snapshot, Sockets, SysctlFile, Sysctls

GOLDEN = pathlib.Path(__file__).parent.parent / "golden" / "patch"
RULES_FOLDER = pathlib.Path(__file__).parents[2] / "rules"
CONF = "/etc/nginx/nginx.conf"
KEY = "net.core.somaxconn"
ANY = ".".join("0000")
RULES = load.rules()
FIRST = {rule.id: rule.consequence_of for rule in RULES}


def made(snapshot: Snapshot, *, unsafe: bool = True, rules: list[Rule] = RULES) -> Plan:
    return patch.plan(snapshot, Judging(rules), Allowed(unsafe))


def busy(port: int = 80, **more: Any) -> Listener:
    idle = ages_of({10: 4000, 40: 3600, 200: 31904})
    top = {"192.0.2.1": 40}
    found = Listener(address=ANY, port=port, states={"ESTABLISHED": 39812}, idle=idle, clients=9120, top_clients=top)
    return replace(found, **more)


def host(nginx: bytes | Nginx, *rows: Listener, **more: Any) -> Snapshot:
    config = nginx if isinstance(nginx, Nginx) else nginx_of({CONF: nginx})
    sockets = Sockets(
        method="SOCK_DIAG",
        states={"ESTABLISHED": 40000},
        listeners=list(rows),
        destinations=more.pop("destinations", []),
    )
    return snapshot_with(nginx=config, sockets=sockets, **more)


def outcomes(plan: Plan) -> dict[str, tuple[Outcome, str]]:
    return {one.finding.rule: (one.outcome, one.why) for one in plan.findings}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            b"http { keepalive_timeout 300; server { listen 80; } }",
            b"http { keepalive_timeout 60; server { listen 80; } }",
        ),
        (b"http {\r\n\tkeepalive_timeout\t5m ; # \xe9\r\n}", b"http {\r\n\tkeepalive_timeout\t60s ; # \xe9\r\n}"),
        (b"http { keepalive_timeout 300 300; }", b"http { keepalive_timeout 60 60; }"),
        (b"http { keepalive_timeout 300 20; }", b"http { keepalive_timeout 60 20; }"),
        (b"http { keepalive_timeout 300 2m; }", b"http { keepalive_timeout 60 60; }"),
        (b"http { keepalive_timeout '300' ; }", b"http { keepalive_timeout 60 ; }"),
        (b"http { keepalive_timeout\n300; }", b"http { keepalive_timeout\n60; }"),
    ],
)
def test_an_edit_keeps_every_other_byte(before: bytes, after: bytes) -> None:
    """CRLF, Latin-1, tabs, comments, a missing last newline, and a header that may not promise more than is held."""
    before = before if b"server" in before else before.replace(b"}", b"server { listen 80; } }", 1)
    after = after if b"server" in after else after.replace(b"}", b"server { listen 80; } }", 1)
    assert made(host(before, busy())).prediction.files == {CONF: after}


def test_a_default_becomes_a_line_of_its_own() -> None:
    before = b"http {\n    gzip on;\n    server { listen 80; }\n}\n"
    plan = made(host(before, site={"load_balancer_idle": "600 s"}))
    assert plan.prediction.files[CONF] == before.replace(b"gzip on;\n", b"gzip on;\n    keepalive_timeout 605;\n")
    assert plan.prediction.directives[0].before is None


def test_a_file_that_is_read_differently_is_never_edited() -> None:
    config = nginx_of({CONF: b"http { keepalive_timeout 300; server { listen 80; } }"})
    file = replace(config.files[CONF], differs="line 1: crossplane reads 'x'")
    plan = made(host(replace(config, files={CONF: file}), busy()))
    assert plan.empty
    document = json.loads(folder(plan)["plan.json"])
    (finding,) = [one for one in document["findings"] if one["rule"] == "keepalive-timeout-long"]
    assert (finding["outcome"], finding["step"]) == ("not addressed", None)
    assert "crossplane reads 'x'" in finding["why"]
    assert "judged, never edited" in " ".join(folder(plan)["README.md"].decode().split())


def test_a_missing_last_newline_stays_missing_in_the_diff() -> None:
    plan = made(host(b"http { server { listen 80; }\nkeepalive_timeout 300; }", busy()))
    assert folder(plan)["nginx.diff"].decode().splitlines() == [
        f"--- a{CONF}",
        f"+++ b{CONF}",
        "@@ -1,2 +1,2 @@",
        " http { server { listen 80; }",
        "-keepalive_timeout 300; }",
        "\\ No newline at end of file",
        "+keepalive_timeout 60; }",
        "\\ No newline at end of file",
    ]


def test_unsafe_steps_wait_to_be_asked_for() -> None:
    plan = made(host(b"http { keepalive_timeout 300; server { listen 80; } }", busy()), unsafe=False)
    assert plan.empty
    assert outcomes(plan)["keepalive-timeout-long"] == (
        Outcome.NOT_ADDRESSED,
        "its step is unsafe; --unsafe takes it",
    )


def test_a_larger_backlog_brings_somaxconn_along() -> None:
    """Two rules, two rounds: the second fails only on what the first wants."""
    row = Listener(address=ANY, port=80, queue=9, limit=8, drops=Reading(first=0, last=764))
    snapshot = host(
        b"http { server { listen 80 backlog=8; } }",
        row,
        sysctls=Sysctls(values={"net.core.somaxconn": "4096"}),
        counters={"Tcp.PassiveOpens": Reading(first=0, last=3000)},
        sample=1.0,
    )
    plan = made(snapshot, unsafe=False)
    assert [(one.key, one.after) for one in plan.prediction.sysctls] == [("net.core.somaxconn", "8192")]
    assert [one.after for one in plan.prediction.directives] == ["listen 80 backlog=8192"]
    assert plan.rounds == 3
    assert outcomes(plan)["accept-queue-overflowing"][0] is Outcome.TO_BE_MEASURED
    assert plan.needs == ("re-listen",)


def test_a_live_limit_is_never_lowered() -> None:
    """A queue that overflowed at a backlog above what is asked for keeps its backlog."""
    row = Listener(address=ANY, port=80, queue=1, limit=65535, drops=Reading(first=0, last=1))
    plan = made(host(b"http { server { listen 80 backlog=65535; } }", row, sample=1.0), unsafe=False)
    assert plan.empty


def rule_file(name: str, when: str, wants: str | None) -> Rule:
    step = "{safety: manual, text: think}" if wants is None else f"{{safety: safe, sysctl: {{{KEY}: {{{wants}}}}}}}"
    text = f"""
id: {name}
title: A rule of this test
severity: low
maturity: stable
when: {when}
message: it is
why: it is so
unless: it is not
references: [man:listen(2)]
remedies:
  - {step}
cases:
  - {{name: a, expect: fail, given: {{}}}}
  - {{name: b, expect: pass, given: {{}}}}
"""
    return load_rule(text.encode(), f"{name}.yaml", Facts)


SMALL = snapshot_with(sysctls=Sysctls(values={"net.core.somaxconn": "128"}))


def planned(*rules: Rule) -> Plan:
    first = {rule.id: rule.consequence_of for rule in rules}
    return make_plan(SMALL, lambda facts: judge(rules, facts), first, Allowed(unsafe=True))


def test_rules_that_contradict_each_other_are_both_named() -> None:
    low = rule_file("at-most", "sysctl.net.core.somaxconn > 100", "at_most: 100")
    high = rule_file("at-least", "sysctl.net.core.somaxconn < 200", "at_least: 200")
    with pytest.raises(PlanError, match="at-most") as caught:
        planned(low, high)
    assert "at-least" in str(caught.value)


def test_rules_that_chase_each_other_are_named_after_eight_rounds() -> None:
    more = rule_file("more-and-more", "sysctl.net.core.somaxconn > 0", "at_least: sysctl.net.core.somaxconn + 1")
    with pytest.raises(PlanError, match="after 8 rounds more-and-more still ask"):
        planned(more)


def test_a_step_that_does_no_good_is_left_out() -> None:
    useless = rule_file("useless", "sysctl.net.core.somaxconn < 200", "at_least: 150")
    plan = planned(useless)
    assert plan.empty
    assert outcomes(plan)["useless"][1] == "its step does not cure it: the rule still fails on what it would write"


def test_a_step_that_makes_another_rule_fail_is_left_out() -> None:
    eager = rule_file("eager", "sysctl.net.core.somaxconn < 200", "at_least: 300")
    wary = rule_file("wary", "sysctl.net.core.somaxconn > 250", None)
    plan = planned(eager, wary)
    assert plan.empty
    assert outcomes(plan)["eager"] == (Outcome.NOT_ADDRESSED, "its step would make wary fail (host)")


def test_only_the_step_that_does_harm_is_left_out() -> None:
    eager = rule_file("eager", "sysctl.net.core.somaxconn < 200", "at_least: 300")
    wary = rule_file("wary", "sysctl.net.core.somaxconn > 250", None)
    later = load_rule(
        (RULES_FOLDER / "sysctl/fin-timeout-lowered.yaml").read_bytes(), "fin-timeout-lowered.yaml", Facts
    )
    values = {"net.core.somaxconn": "128", "net.ipv4.tcp_fin_timeout": "20"}
    plan = made(snapshot_with(sysctls=Sysctls(values=values)), rules=[eager, later, wary])
    assert {rule: outcome for rule, (outcome, _) in outcomes(plan).items()} == {
        "eager": Outcome.NOT_ADDRESSED,
        "fin-timeout-lowered": Outcome.CURED,
    }


def story() -> Snapshot:
    """One host with something of everything: safe, unsafe and manual steps, a measurement to repeat, an override."""
    nginx = b"""\
worker_processes auto;
http {
    keepalive_timeout 300;

    server {
        listen 80 backlog=4096;
        listen 18080;
    }
}
"""
    values = {
        "net.core.somaxconn": "128",
        "net.ipv4.ip_local_port_range": "10240\t65000",
        "net.ipv4.ip_local_reserved_ports": "15672",
        "net.ipv4.ip_unprivileged_port_start": "1024",
        "net.ipv4.tcp_fin_timeout": "20",
        "net.ipv4.tcp_max_tw_buckets": "65536",
        "net.ipv4.tcp_ehash_entries": "131072",
        "net.ipv4.tcp_tw_reuse": "2",
        "net.ipv4.tcp_timestamps": "1",
    }
    files = [
        SysctlFile(path="/etc/sysctl.d/99-old.conf", content=b"# by hand\nnet.core.somaxconn = 128\n"),
        SysctlFile(path="/etc/sysctl.conf", content=b"net.ipv4.tcp_tw_recycle=1\nnet.ipv4.tcp_fin_timeout=20\n"),
    ]
    rows = (busy(), busy(18080, states={}, idle=ages_of({}), clients=0, top_clients={}))
    towards = [Destination(local="10.9.0.1", remote="10.9.0.2", port=8080, ports=54000, states={"TIME_WAIT": 53000})]
    return host(
        nginx,
        *rows,
        sysctls=Sysctls(values=values),
        sysctl_files=files,
        host={"name": "web-7", "kernel": "6.1.0"},
        counters={"Tcp.PassiveOpens": Reading(first=1000, last=1133)},
        destinations=towards,
        claims=[],
        sample=1.0,
    )


@pytest.mark.parametrize("name", ["README.md", "plan.json", "nginx.diff", "etc/sysctl.d/90-advisor.conf"])
def test_the_folder_of_one_host(name: str) -> None:
    """Set ADVISOR_UPDATE_GOLDEN=1 to write the files anew, and read what changed."""
    content = folder(made(story()))[name]
    path = GOLDEN / os.path.basename(name)
    if os.environ.get("ADVISOR_UPDATE_GOLDEN") == "1":
        path.write_bytes(content)
    assert content.decode() == path.read_bytes().decode()


def test_what_other_files_bring_back_at_boot_is_said() -> None:
    files = folder(made(story()))
    assert json.loads(files["plan.json"])["overridden_at_boot"] == [
        {
            "key": "net.core.somaxconn",
            "by": "systemd-sysctl",
            "file": "/etc/sysctl.d/99-old.conf",
            "line": 2,
            "value": "128",
            "do": "change or delete the line",
        },
        {
            "key": "net.ipv4.tcp_fin_timeout",
            "by": "sysctl --system",
            "file": "/etc/sysctl.conf",
            "line": 2,
            "value": "20",
            "do": "move what is wanted of the file into /etc/sysctl.d, and delete the line",
        },
    ]
    page = files["README.md"].decode()
    assert "/etc/sysctl.d/99-old.conf:2" in page
    assert "/etc/sysctl.conf:2" in page


def test_a_line_that_says_the_same_is_no_override() -> None:
    snapshot = replace(
        story(), sysctl_files=[SysctlFile(path="/etc/sysctl.d/99-b.conf", content=b"net.core.somaxconn=4096\n")]
    )
    assert json.loads(folder(made(snapshot))["plan.json"])["overridden_at_boot"] == []


def test_nothing_to_change_is_said_and_no_file_is_made_for_it() -> None:
    files = folder(made(snapshot_with(sysctls=Sysctls(values={"net.ipv4.tcp_fin_timeout": "60"}))))
    assert set(files) == {"README.md", "plan.json"}
    assert "Nothing is to be changed." in files["README.md"].decode()


def test_the_edited_file_still_scans() -> None:
    for path, content in made(story()).prediction.files.items():
        assert scan(content, path)


def test_a_file_included_twice_is_one_place_and_one_finding() -> None:
    snapshot = snapshot_of(
        {
            "nginx": {
                "/etc/nginx/nginx.conf": "http { include a; server { listen [::]:81; include k; } }",
                "/etc/nginx/a": "server { listen [::]:80; include k; }",
                "/etc/nginx/k": "keepalive_timeout 300;",
            },
            "listeners": [
                {"address": "::", "port": 80, "states": {"ESTABLISHED": 10}, "clients": 1, "idle": {1: 10}},
                {"address": "::", "port": 81, "states": {"ESTABLISHED": 90}, "clients": 90, "idle": {70: 90}},
            ],
        }
    )
    changes = made(snapshot).prediction.directives
    assert [change.after for change in changes] == ["keepalive_timeout 75"]
    findings = [one for one in made(snapshot).findings if one.finding.rule == "keepalive-timeout-long"]
    assert len(findings) == 1


def test_the_consequence_waits_until_its_cause_is_cured() -> None:
    snapshot = snapshot_of(
        {
            "nginx": "http { server { listen 80 backlog=4096; } }",
            "sysctl": {"net.core.somaxconn": "128", "net.ipv4.ip_local_port_range": "10240 65000"},
        }
    )
    names = {"listen-backlog-capped", "port-range-same-parity"}
    rules = [rule for rule in RULES if rule.id in names]
    plans = [
        make_plan(snapshot, lambda facts: judge(rules, facts), first, Allowed())
        for first in ({}, {"listen-backlog-capped": ("port-range-same-parity",)})
    ]
    assert [plan.rounds for plan in plans] == [2, 3], "the last round asks for nothing"
    for plan in plans:
        assert {one.finding.rule for one in plan.findings if one.outcome is Outcome.CURED} == names
