"""Verdicts: the five words, confidence, severity, evidence, places and steps."""

from __future__ import annotations

from typing import Any

import pytest
from engine.toy import Thing, Toy

from advisor.engine.judge import judge, overridden
from advisor.engine.pack import load_rule
from advisor.engine.rule import Rule
from advisor.errors import Unread, UsageError
from advisor.facts.places import Location, Place
from advisor.facts.values import Ports
from advisor.findings import Change, Confidence, Evidence, Finding, Missing, Relation, Safety, Severity, State, Step
from advisor.units import NONE, N, S

RULE = """\
id: toy-rule
aliases: [old-name]
title: A toy
severity: [{critical: host.memory > 1000}, {high: item.drops > 5}, medium]
each: things
params: {spare: 0 sockets, ratio: 50 %}
let: {wanted: item.backlog + params.spare}
applies: item.backlog > 0
when: wanted > sysctl.net.core.somaxconn
observed: item.drops > 0
message: "backlog={item.backlog} is cut to {sysctl.net.core.somaxconn}"
why: it is cut
unless: you like it
references: [man:listen(2)]
remedies:
  - safety: safe
    text: room for {wanted}
    sysctl: {net.core.somaxconn: {at_least: wanted * 1.001}}
  - safety: unsafe
    if: item.drops > 5
    nginx: {keepalive_timeout: {at_most: 59.9}, listen.backlog: {exactly: 128}}
  - {safety: manual, text: think}
expected: ["{wanted} sockets"]
cases:
  - {name: one, expect: fail}
  - {name: two, expect: pass}
"""
SOMAXCONN = {"net.core.somaxconn": 128}
GONE = Unread("sockets", "SOCK_DIAG refused")


def rule(text: str = RULE) -> Rule:
    return load_rule(text.encode(), "toy-rule.yaml", Toy)


def finding(toy: Toy, text: str = RULE, **overrides: str) -> Finding:
    (verdict,) = judge([rule(text)], toy, {f"toy-rule.{name}": value for name, value in overrides.items()})
    assert verdict.finding is not None
    return verdict.finding


def of(text: str, **values: Any) -> Finding:
    """The finding of a rule without each and with other words for when and steps."""
    head, _, tail = RULE.partition("remedies:")
    head = head.replace("each: things\n", "").replace("item.backlog", "511").replace("item.drops", "0")
    return finding(Toy(**values), head + text + "cases:" + tail.partition("cases:")[2])


@pytest.mark.parametrize(
    ("things", "sysctl", "states"),
    [
        ([Thing()], SOMAXCONN, [State.FAIL]),
        ([Thing(backlog=128)], SOMAXCONN, [State.PASS]),
        ([Thing(backlog=0)], SOMAXCONN, [State.NOT_APPLICABLE]),
        ([Thing()], {}, [State.UNKNOWN]),
        ([], SOMAXCONN, [State.NOT_APPLICABLE]),
        (GONE, SOMAXCONN, [State.UNKNOWN]),
        ([Thing("a"), Thing("b", backlog=1)], SOMAXCONN, [State.FAIL, State.PASS]),
    ],
)
def test_one_verdict_an_item(things: Any, sysctl: dict[str, int], states: list[State]) -> None:
    verdicts = judge([rule()], Toy(things, sysctl=sysctl))
    assert [verdict.state for verdict in verdicts] == states
    items = [thing.id for thing in things] if things and things is not GONE else [""]
    assert [verdict.item for verdict in verdicts] == items
    assert all((verdict.finding is not None) is (verdict.state is State.FAIL) for verdict in verdicts)
    assert all(bool(verdict.missing) is (verdict.state is State.UNKNOWN) for verdict in verdicts)


def test_what_is_missing_is_said() -> None:
    assert judge([rule()], Toy(GONE))[0].missing == (Missing("sockets", "SOCK_DIAG refused"),)
    assert judge([rule()], Toy([Thing()]))[0].missing == (Missing("sysctls", "net.core.somaxconn was not read"),)
    unsure = rule(RULE.replace("applies: item.backlog > 0", "applies: item.drops >= 0"))
    assert judge([unsure], Toy([Thing(values={"drops": GONE})], sysctl=SOMAXCONN))[0].state is State.UNKNOWN


@pytest.mark.parametrize(
    ("drops", "sample", "confidence", "doubt"),
    [
        (3, 1.0, Confidence.OBSERVED, None),
        (0, 1.0, Confidence.POTENTIAL, "not seen in 1.0 s"),
        (0, 0.0, Confidence.POTENTIAL, "not seen"),
        (GONE, 1.0, Confidence.POTENTIAL, "not measured: SOCK_DIAG refused"),
    ],
)
def test_confidence_is_how_we_know(drops: Any, sample: float, confidence: Confidence, doubt: str | None) -> None:
    found = finding(Toy([Thing(values={"drops": drops})], sample, SOMAXCONN))
    assert (found.confidence, found.doubt) == (confidence, doubt)


def test_without_observed_it_is_certain() -> None:
    found = finding(Toy([Thing()], sysctl=SOMAXCONN), RULE.replace("observed: item.drops > 0\n", ""))
    assert (found.confidence, found.doubt) == (Confidence.CERTAIN, None)


@pytest.mark.parametrize(
    ("memory", "drops", "severity"),
    [
        (2000, 9, Severity.CRITICAL),
        (1, 9, Severity.HIGH),
        (1, 0, Severity.MEDIUM),
        (GONE, 9, Severity.HIGH),
        (GONE, GONE, Severity.MEDIUM),
    ],
)
def test_severity_is_the_first_step_known_to_hold(memory: Any, drops: Any, severity: Severity) -> None:
    toy = Toy([Thing(values={"drops": drops})], sysctl=SOMAXCONN, memory=memory)
    assert finding(toy).severity is severity


def test_evidence_is_every_name_with_its_source() -> None:
    where = Location("80", file="/etc/nginx/nginx.conf", line=7)
    found = finding(Toy([Thing(location=where, values={"drops": GONE})], sysctl=SOMAXCONN))
    assert found.evidence == (
        Evidence("item.backlog", 511, N, "/etc/nginx/nginx.conf:7", "511"),
        Evidence("wanted", 511, N, "item.backlog + params.spare", "511"),
        Evidence("sysctl.net.core.somaxconn", 128, N, "/proc/sys/net/core/somaxconn", "128"),
        Evidence("item.drops", None, N, "sockets", "(not known: SOCK_DIAG refused)"),
        Evidence("params.spare", 0, N, "parameter", "0"),
    )
    assert found.message == "backlog=511 is cut to 128"
    assert found.expected == ("511 sockets",)
    assert found.location == where


def test_evidence_of_an_item_without_a_place_names_its_list() -> None:
    found = finding(Toy([Thing()], sysctl=SOMAXCONN))
    assert found.evidence[0].source == "things"
    assert found.evidence[3].source == "SOCK_DIAG"
    assert found.location == Location("80")


def test_steps_are_evaluated_in_order() -> None:
    found = finding(Toy([Thing(values={"drops": 9})], sysctl=SOMAXCONN), spare="100 sockets")
    conf = "/etc/nginx/nginx.conf"
    assert found.steps == (
        Step(
            Safety.SAFE,
            "room for 611",
            ("re-listen",),
            (Change("net.core.somaxconn", Relation.AT_LEAST, 612),),
        ),
        Step(
            Safety.UNSAFE,
            "",
            ("reload", "re-listen"),
            (
                Change("keepalive_timeout", Relation.AT_MOST, 59, Place(conf, "http#0", "keepalive_timeout")),
                Change("listen.backlog", Relation.EXACTLY, 128, Place(conf, "http#0", "listen.backlog")),
            ),
        ),
        Step(Safety.MANUAL, "think"),
    )
    assert all(isinstance(change.value, int) for step in found.steps for change in step.changes)


def test_a_step_whose_condition_is_false_is_left_out() -> None:
    found = finding(Toy([Thing()], sysctl=SOMAXCONN))
    assert [step.safety for step in found.steps] == [Safety.SAFE, Safety.MANUAL]


@pytest.mark.parametrize(
    ("values", "skipped"),
    [
        ({"drops": GONE}, "needs sockets: SOCK_DIAG refused"),
        (
            {"drops": 9, "place": Unread("nginx", "crossplane reads it otherwise")},
            "needs nginx: crossplane reads it otherwise",
        ),
    ],
)
def test_a_step_that_can_not_be_known_says_what_it_needs(values: dict[str, Any], skipped: str) -> None:
    step = finding(Toy([Thing(values=values)], sysctl=SOMAXCONN)).steps[1]
    assert (step.skipped, step.changes) == (skipped, ())


@pytest.mark.parametrize(
    ("want", "outcome"),
    [
        ("net.core.somaxconn: {at_least: 1.2}", 2),
        ("net.core.somaxconn: {at_most: 1.8}", 1),
        ("net.core.somaxconn: {exactly: 1.5}", "net.core.somaxconn takes whole numbers, and 1.5 is none"),
        ("net.core.somaxconn: {at_least: 65536}", "net.core.somaxconn goes up to 65,535, and 65,536 are wanted"),
        ("net.core.somaxconn: {at_most: 0}", "net.core.somaxconn goes down to 1, and 0 are wanted"),
        ("net.core.somaxconn: {at_least: 5 / 0}", "needs division: a division by zero has no value"),
        ("net.ipv4.ip_local_reserved_ports: {includes: host.reserved}", "80,443,40000-40009"),
        ("net.core.default_qdisc: {exactly: \"'fq'\"}", "fq"),
        ("net.ipv4.ip_local_port_range.low: {at_most: 1024}", 1024),
    ],
)
def test_a_value_is_whole_and_in_range_or_not_planned(want: str, outcome: object) -> None:
    (step,) = of(f"remedies: [{{safety: safe, sysctl: {{{want}}}}}]\n", sysctl=SOMAXCONN).steps
    assert step.skipped == outcome if not step.changes else step.changes[0].value == outcome


def test_a_rule_without_each_points_at_its_first_sysctl() -> None:
    found = of("", sysctl=SOMAXCONN)
    assert found.location == Location("net.core.somaxconn", key="net.core.somaxconn")
    assert found.item == ""
    text = RULE.replace("each: things\n", "").replace("item.backlog", "511").replace("item.drops", "0")
    text = text.replace("wanted > sysctl.net.core.somaxconn", "wanted > 0").replace(
        "listen.backlog: {exactly: 128}", ""
    )
    text = text.replace("nginx: {keepalive_timeout: {at_most: 59.9}, }", "sysctl: {net.core.somaxconn: {at_least: 1}}")
    assert finding(Toy(sysctl=SOMAXCONN), text).location == Location("net.core.somaxconn", key="net.core.somaxconn")
    silent = text.replace("{sysctl.net.core.somaxconn}", "the limit")
    assert finding(Toy(sysctl=SOMAXCONN), silent).location == Location("toy-rule")


def test_what_needs_was_given_replaces_the_catalogue() -> None:
    step = of("remedies: [{safety: safe, needs: [], sysctl: {net.core.somaxconn: {at_least: 1}}}]\n", sysctl=SOMAXCONN)
    assert step.steps[0].needs == ()


def test_parameters_are_overridden_by_rule_or_alias() -> None:
    assert overridden([rule()], {}) == {"toy-rule": {"spare": 0, "ratio": 0.5}}
    assert overridden([rule()], {"old-name.spare": "7 ports", "toy-rule.ratio": "10 %"}) == {
        "toy-rule": {"spare": 7, "ratio": 0.1}
    }


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "toy-rule.spar",
            "1 socket",
            "--param toy-rule.spar: no rule has such a parameter; did you mean 'toy-rule.spare'?",
        ),
        ("spare", "1 socket", "--param spare: no rule has such a parameter"),
        ("toy-rule.spare", "60 s", "--param toy-rule.spare=60 s: expected a count (n)"),
        ("toy-rule.ratio", "60 s", "--param toy-rule.ratio=60 s: expected a plain number"),
        ("toy-rule.spare", "much", "'much' is not a quantity"),
    ],
)
def test_an_override_that_can_not_be_meant_is_refused(name: str, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        overridden([rule()], {name: text})
    assert str(caught.value).startswith(message)


def test_values_of_every_kind_stand_in_evidence() -> None:
    when = "host.busy and size(host.reserved) > 0 and not has(host.left) and host.kernel > version('1') and 511"
    found = finding(
        Toy([Thing()], sysctl=SOMAXCONN, reserved=Ports.parse("80")),
        RULE.replace("when: wanted", f"when: {when}"),
    )
    values = {one.name: (one.value, one.text, one.unit) for one in found.evidence}
    assert values["host.busy"] == (True, "yes", NONE)
    assert values["host.reserved"] == ("80", "80", NONE)
    assert values["host.left"] == (None, "not set", S)
    assert values["host.kernel"] == ("6.1", "6.1", NONE)
