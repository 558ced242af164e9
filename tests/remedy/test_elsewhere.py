"""What is for the host, and what a container is made with: in the plan, its prediction and its folder."""

from __future__ import annotations

import json
from typing import Any

import pytest

from advisor.engine.cases import snapshot_of
from advisor.engine.judge import judge
from advisor.engine.judging import Judging
from advisor.engine.pack import load_rule
from advisor.engine.rule import Rule
from advisor.facts.derive import Facts
from advisor.formats.sysctl import parse
from advisor.jobs import audit, load, patch
from advisor.records import replace
from advisor.remedy.folder import folder
from advisor.remedy.lasting import overrides
from advisor.remedy.plan import Allowed, Outcome, Plan
from advisor.remedy.sysctl import DROPIN, FOR_THE_HOST
from advisor.report import text
from advisor.snapshot.model import Snapshot, SysctlFile

VALUES = {
    "net.core.somaxconn": "128",
    "net.netfilter.nf_conntrack_max": "1000",
    "net.ipv4.tcp_keepalive_time": "7200",
    "fs.file-max": "100000",
}
CONTAINER = {"kernel": "6.1.0", "netns": "4026532000", "container": "docker"}
NAMESPACE = {"kernel": "6.1.0", "netns": "4026532000"}


def rule(name: str, wants: dict[str, str], safety: str = "safe") -> Rule:
    when = " or ".join(f"sysctl.{key} < {value}" for key, value in wants.items())
    steps = ", ".join(f"{key}: {{at_least: {value}}}" for key, value in wants.items())
    text = f"""
id: {name}
title: The title of {name}
severity: low
when: {when}
message: it is
why: it is so
unless: it is not
references: [man:sysctl(8)]
remedies: [{{safety: {safety}, sysctl: {{{steps}}}}}]
cases:
  - {{name: a, expect: fail, given: {{}}}}
  - {{name: b, expect: pass, given: {{}}}}
"""
    return load_rule(text.encode(), f"{name}.yaml", Facts)


HERE = rule("here", {"net.core.somaxconn": "4096"})
TABLE = rule("table", {"net.netfilter.nf_conntrack_max": "65536"})
FILES = rule("files", {"fs.file-max": "200000"})
MORE = rule("more", {"fs.file-max": "300000"})
BOTH = rule("both", {"net.core.somaxconn": "8192", "fs.file-max": "250000"})
RISKY = rule("risky", {"fs.file-max": "400000"}, "unsafe")


def snapshot_at(host: dict[str, str], *, read_only: bool = False, files: list[SysctlFile] | None = None) -> Snapshot:
    snapshot = snapshot_of({"sysctl": VALUES, "host": host})
    assert snapshot.sysctls is not None
    return replace(snapshot, sysctls=replace(snapshot.sysctls, read_only=read_only), sysctl_files=files)


def made(snapshot: Snapshot, *rules: Rule, unsafe: bool = False) -> Plan:
    return patch.plan(snapshot, Judging(list(rules)), Allowed(unsafe))


def outcomes(plan: Plan) -> dict[str, Outcome]:
    return {one.finding.rule: one.outcome for one in plan.findings}


@pytest.mark.parametrize("host", [CONTAINER, NAMESPACE])
def test_a_key_of_the_host_is_in_its_own_file_and_not_in_this_one(host: dict[str, str]) -> None:
    plan = made(snapshot_at(host), HERE, TABLE, FILES, MORE)
    files = folder(plan)
    assert outcomes(plan) == {"here": Outcome.CURED, **dict.fromkeys(["table", "files", "more"], Outcome.FOR_THE_HOST)}
    here = {one.key: one.value for one in parse(files[DROPIN.lstrip("/")], "here").settings}
    there = {one.key: one.value for one in parse(files[FOR_THE_HOST], "there").settings}
    assert here == {"net.core.somaxconn": "4096"}
    assert there == {"fs.file-max": "300000", "net.netfilter.nf_conntrack_max": "65536"}
    assert b"# files: The title of files\n# more: The title of more\n# before: 100000\n" in files[FOR_THE_HOST]
    assert plan.prediction.snapshot.sysctls is not None
    assert plan.prediction.snapshot.sysctls.values == {**VALUES, **here}
    document = json.loads(files["plan.json"])
    assert [one["key"] for one in document["sysctl"]] == [*here]
    told = {one["key"]: (one["after"], one["why"]) for one in document["for_the_host"]}
    assert told["fs.file-max"] == ("300000", "fs.file-max is one value for the whole machine")
    page = files["README.md"].decode()
    assert page.count("## For the host") == 1
    assert f"install -m 0644 ./{FOR_THE_HOST} {DROPIN}" in page
    assert "## Left to you" not in page


def test_the_host_itself_takes_all_of_it_here() -> None:
    plan = made(snapshot_at({"kernel": "6.1.0"}), HERE, TABLE, FILES)
    assert {one.key for one in plan.prediction.sysctls} == {*VALUES} - {"net.ipv4.tcp_keepalive_time"}
    assert plan.host == ()
    assert FOR_THE_HOST not in folder(plan)


def test_a_step_waits_as_a_whole() -> None:
    """Half a step might cure nothing; once the host has its part, the next patch brings the rest."""
    plan = made(snapshot_at(CONTAINER), BOTH)
    assert (plan.empty, [(one.key, one.after) for one in plan.host]) == (True, [("fs.file-max", "250000")])
    page = folder(plan)["README.md"].decode()
    assert "Nothing is to be changed here; the host has to." in page
    assert "for the host: fs.file-max = 250000" in patch.summary(plan, [], 100)
    assert "nothing is to be changed" not in patch.summary(plan, [], 100)


def test_the_host_is_asked_for_nothing_unsafe_unasked() -> None:
    plan = made(snapshot_at(CONTAINER), RISKY)
    assert (plan.host, outcomes(plan)) == ((), {"risky": Outcome.NOT_ADDRESSED})
    assert [one.after for one in made(snapshot_at(CONTAINER), RISKY, unsafe=True).host] == ["400000"]


def test_a_container_that_cannot_set_is_made_with_options() -> None:
    earlier = SysctlFile(path=DROPIN, content=b"net.ipv4.tcp_keepalive_time = 600\n")
    plan = made(snapshot_at(CONTAINER, read_only=True, files=[earlier]), HERE)
    files = folder(plan)
    assert {*files} == {"README.md", "plan.json"}
    assert json.loads(files["plan.json"])["sysctl_form"] == "container options"
    assert [(one.key, one.after) for one in plan.prediction.sysctls] == [("net.core.somaxconn", "4096")]
    assert outcomes(plan) == {"here": Outcome.CURED}
    assert not judge([HERE], Facts(plan.prediction.snapshot))[0].finding
    page = files["README.md"].decode()
    assert "docker run --sysctl 'net.core.somaxconn=4096' ..." in page
    assert '\nsysctls:\n  net.core.somaxconn: "4096"\n' in page
    assert '\nsecurityContext:\n  sysctls:\n    - name: net.core.somaxconn\n      value: "4096"\n' in page
    assert "--allowed-unsafe-sysctls=net.core.somaxconn" in " ".join(page.split())
    assert "sysctl -p" not in page


def test_what_kubernetes_allows_everybody_is_said_with_its_version() -> None:
    probes = rule("probes", {"net.ipv4.tcp_keepalive_probes": "9"})
    snapshot = snapshot_of({"sysctl": {"net.ipv4.tcp_keepalive_probes": "3"}, "host": CONTAINER})
    assert snapshot.sysctls is not None
    plan = made(replace(snapshot, sysctls=replace(snapshot.sysctls, read_only=True)), probes)
    page = " ".join(folder(plan)["README.md"].decode().split())
    assert "Kubernetes lets every pod set `net.ipv4.tcp_keepalive_probes` since 1.29." in page
    assert "--allowed-unsafe" not in page


def test_another_namespace_is_not_set_up_at_boot() -> None:
    page = " ".join(folder(made(snapshot_at(NAMESPACE), HERE))["README.md"].decode().split())
    assert "run `sysctl -p` inside of it" in page
    contained = " ".join(folder(made(snapshot_at(CONTAINER), HERE))["README.md"].decode().split())
    assert "this lasts until it is made anew" in contained
    assert "inside of it" not in folder(made(snapshot_at({"kernel": "6.1.0"}), HERE))["README.md"].decode()


def with_table(modules: dict[str, Any] | None, **host: str) -> Snapshot:
    given = {"sysctl": {"net.netfilter.nf_conntrack_max": "1000"}, "host": {"kernel": "6.1.0", **host}}
    return snapshot_of(given if modules is None else {**given, "modules": modules})


@pytest.mark.parametrize(
    ("modules", "expected"),
    [
        ({"loaded": ["nf_conntrack"]}, b"nf_conntrack"),
        (
            {"loaded": ["nf_conntrack"], "at_boot": {"/etc/modules-load.d/90-advisor.conf": ["br_netfilter"]}},
            b"br_netfilter\nnf_conntrack",
        ),
        ({"loaded": ["nf_conntrack"], "at_boot": {"/etc/modules": ["nf_conntrack"]}}, None),
        ({"loaded": []}, None),
        (None, None),
    ],
)
def test_a_module_is_listed_with_its_key(modules: dict[str, Any] | None, expected: bytes | None) -> None:
    """Where it is known that the module comes too late at boot, the line of the drop-in would be lost."""
    rules = [TABLE, *(one for one in load.rules() if one.id == "module-key-lost-at-boot")]
    plan = made(replace(with_table(modules), sysctl_files=[]), *rules)
    files = folder(plan)
    assert outcomes(plan)["table"] is Outcome.CURED
    content = files.get("etc/modules-load.d/90-advisor.conf")
    assert (None if content is None else content.split(b"\n", 1)[1].rstrip()) == expected
    page = files["README.md"].decode()
    assert ("install -m 0644 ./etc/modules-load.d/90-advisor.conf" in page) is (expected is not None)
    late = [one for one in judge(rules, Facts(plan.prediction.snapshot)) if one.finding]
    assert late == []


def test_the_host_is_told_of_the_module() -> None:
    plan = made(with_table({"loaded": []}, netns="4026532000"), TABLE)
    page = " ".join(folder(plan)["README.md"].decode().split())
    assert "only where nf_conntrack is built in or listed in /etc/modules-load.d" in page
    assert plan.prediction.modules == []


@pytest.mark.parametrize(
    ("snapshot", "needs"),
    [
        (snapshot_at({"kernel": "6.1.0"}), {"here": ("re-listen",), "table": ()}),
        (snapshot_at(NAMESPACE), {"here": ("re-listen",), "table": ("host",)}),
        (snapshot_at(CONTAINER, read_only=True), {"here": ("re-listen", "container"), "table": ("host",)}),
    ],
)
def test_an_audit_says_where_a_step_is_to_be_taken(snapshot: Snapshot, needs: dict[str, tuple[str, ...]]) -> None:
    found = audit.audit(snapshot, Judging([HERE, TABLE]))
    assert {one.rule: one.steps[0].needs for one in found.findings} == needs
    said = text.render(found, width=200)
    assert ("on the host: it can't be set here" in said) is ("host" in needs["table"])
    assert ("by who makes the container" in said) is ("container" in needs["here"])


@pytest.mark.parametrize(
    ("netns", "way"), [("web-1", "ip netns exec web-1"), ("of pid 77", "nsenter --net -t 77"), ("web;reboot", None)]
)
def test_a_namespace_seen_from_outside_is_set_inside_and_the_host_is_left_alone(netns: str, way: str | None) -> None:
    files = [SysctlFile(path="/etc/sysctl.d/99-late.conf", content=b"net.core.somaxconn = 5\n")]
    plan = made(snapshot_at({"kernel": "6.1.0", "netns": netns}, files=files), HERE)
    page = folder(plan)["README.md"].decode()
    assert page.count("sysctl -p") == 1 + (way is None)
    if way is not None:
        assert f"\n{way} sysctl -p ./etc/sysctl.d/90-advisor.conf\n{way} sysctl net.core.somaxconn " in page
        assert f"\n{way} sysctl -w net.core.somaxconn='" in page
        assert "install " not in page
        assert "rm /etc" not in page
    assert (overrides(plan) == []) is (way is not None)
    assert "exec web;" not in page
