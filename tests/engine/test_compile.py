"""What expressions give, and that no combination of unset and unread values goes wrong."""

from __future__ import annotations

from typing import Any

import pytest
from engine.toy import Balancer, Thing, Toy, compiled, value
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.engine.code import Env
from advisor.engine.known import BY_ZERO, TOO_LARGE, Unknown, unknown
from advisor.errors import RuleError, Unread
from advisor.facts.values import Ports, Version

GONE = Unread("x", "was not read")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3 - 4 / 2", 5.0),
        ("-host.uptime", -100.0),
        ("1 < 2 <= 2 != 3", True),
        ("1 < 3 < 2", False),
        ("3 in (1, 3)", True),
        ("3 not in [1, 3]", False),
        ("host.congestion in ('bbr', 'cubic')", True),
        ("host.congestion == 'bbr'", False),
        ("host.kernel >= version('6.1')", True),
        ("host.kernel < version('6.10')", True),
        ("host.busy == True", True),
        ("not host.busy", False),
        ("host.reserved == host.reserved", True),
        ("min(3, 1, 2)", 1),
        ("max(3, host.cpus)", 4),
        ("ceil(10 / 4)", 3),
        ("pow2(1000)", 1024),
        ("pow2(1024)", 1024),
        ("pow2(1025)", 2048),
        ("pow2(0)", 1),
        ("pow2(-7)", 1),
        ("pow2(1.5)", 2),
        ("size(host.reserved)", 12),
        ("within(host.reserved, 443, 40001)", Ports.parse("443,40000-40001")),
        ("within(host.reserved, -9, 99999)", Ports.parse("80,443,40000-40009")),
        ("within(host.reserved, 9, 1)", Ports()),
        ("above(item.ages, 25)", 50.0),
        ("quantile(item.ages, 0.5)", 25.0),
        ("version('1.27.4')", Version((1, 27, 4))),
        ("has(item.timeout)", False),
        ("has(host.uptime)", True),
        ("first(item.timeout, 60)", 60),
        ("counters.Tcp.PassiveOpens.delta + 1", 11),
        ("params.spare + 1", 6),
        ("item.id == '80'", True),
    ],
)
def test_expressions_give(text: str, expected: object) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


def test_a_sysctl_is_read_by_key_and_part() -> None:
    sysctl = {"net.core.somaxconn": 128, "net.ipv4.ip_local_port_range.low": 32768, "fs.file-max": 9}
    assert value("sysctl.net.core.somaxconn < item.backlog", sysctl=sysctl) is True
    assert value("sysctl.net.ipv4.ip_local_port_range.low", sysctl=sysctl) == 32768
    assert value("2 * sysctl.fs.file-max", sysctl=sysctl) == 18
    assert value("sysctl.net.ipv4.tcp_sack == 1") == unknown("sysctls", "net.ipv4.tcp_sack was not read")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("host.cpus / 0", BY_ZERO),
        ("0 / 0 > 1", BY_ZERO),
        ("1000000000000000000 * 1000000000000000000 * 1000000000000000000 > 1", True),
        ("*".join(["1000000000000000000"] * 17), TOO_LARGE),
        ("1.5 * " + "*".join(["1000000000000000000"] * 17), TOO_LARGE),
        ("quantile(item.ages, 2)", unknown("arithmetic", "the share of a quantile lies outside of 0 to 1")),
    ],
)
def test_what_has_no_value_is_unknown(text: str, expected: object) -> None:
    assert value(text) == expected


@pytest.mark.parametrize("number", [float("inf"), float("nan"), -1e305])
def test_infinity_does_not_spread(number: float) -> None:
    assert value("host.rate + 1 > 0", rate=number) == TOO_LARGE


def test_reasons_add_up_without_repetition() -> None:
    found = value("host.memory + host.memory > 2 * host.memory", memory=GONE)
    assert found == unknown("x", "was not read")
    assert len(found.missing) == 1
    both = value("host.memory / host.cpus", memory=GONE, cpus=Unread("y", "neither"))
    assert [one.source for one in both.missing] == ["x", "y"]


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [(5, 6, 5), (None, 6, 6), (GONE, 6, 6), (None, None, 60), (GONE, None, 60), (0, 6, 0)],
)
def test_first_is_the_first_that_is_read_and_set(left: Any, right: Any, expected: int) -> None:
    assert value("first(host.left, host.right, 60)", left=left, right=right) == expected


def test_first_without_any_is_unknown() -> None:
    assert value("first(host.left * 2, host.uptime)", left=None, uptime=GONE) == unknown("x", "was not read")
    assert value("first(host.left * 2, host.uptime)", left=4) == 8


def test_has_is_unknown_when_it_was_not_read() -> None:
    assert value("has(host.left)", left=GONE) == unknown("x", "was not read")
    assert value("has(item.balancer.idle)", item=Thing(values={"balancer": Balancer(None)})) is False
    assert value("has(item.balancer.idle)", item=Thing(values={"balancer": None})) is False
    assert value("has(item.balancer.idle)", item=Thing(values={"balancer": Balancer()})) is True


NUMBERS = ["host.left", "host.right", "host.uptime", "params.spare", "60"]
NUMBER = st.recursive(
    st.sampled_from(NUMBERS),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+-"), inner),
        st.builds("{}({}, {})".format, st.sampled_from(["min", "max", "first"]), inner, inner),
        st.builds("({} / {} * {})".format, inner, inner, inner),
    ),
    max_leaves=3,
)
ATOM = st.one_of(
    st.builds("{} {} {}".format, NUMBER, st.sampled_from(["<", ">=", "=="]), NUMBER),
    st.builds("has({})".format, st.sampled_from(NUMBERS[:3])),
    st.sampled_from(["host.busy", "True", "False", "host.lazy", "has(host.lazy)"]),
)
GUARD = "({0}has({1}) {2} {3} > {1})"
LOGIC = st.recursive(
    st.one_of(
        ATOM,
        st.builds(GUARD.format, st.just(""), st.sampled_from(NUMBERS[:2]), st.just("and"), NUMBER),
        st.builds(GUARD.format, st.just("not "), st.sampled_from(NUMBERS[:2]), st.just("or"), NUMBER),
    ),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner),
        st.builds("(not {})".format, inner),
    ),
    max_leaves=6,
)
STATE = st.sampled_from([None, GONE, 0.0, 5.0, 70.0])
FACTS = st.fixed_dictionaries(
    {
        "left": STATE,
        "right": STATE,
        "lazy": st.sampled_from([None, GONE, True, False]),
        "busy": st.sampled_from([GONE, True, False]),
        "uptime": st.sampled_from([GONE, 0.0, 60.0]),
    }
)


@given(LOGIC, FACTS)
@settings(max_examples=1_000)
def test_what_compiles_never_meets_what_is_not_set(text: str, facts: dict[str, Any]) -> None:
    try:
        code = compiled(text)
    except RuleError:
        return
    assert code.run(Env(Toy(**facts), Thing(), {"spare": 5})) in (True, False) or isinstance(
        code.run(Env(Toy(**facts), Thing(), {"spare": 5})), Unknown
    )


@given(
    LOGIC.filter(lambda text: "first" not in text), FACTS, st.sampled_from(["left", "right", "lazy", "busy", "uptime"])
)
@settings(max_examples=1_000)
def test_a_source_knocked_out_never_turns_the_answer(text: str, facts: dict[str, Any], source: str) -> None:
    try:
        code = compiled(text)
    except RuleError:
        return
    whole = code.run(Env(Toy(**facts), Thing(), {"spare": 5}))
    less = code.run(Env(Toy(**(facts | {source: GONE})), Thing(), {"spare": 5}))
    assert isinstance(less, Unknown) or less == whole
