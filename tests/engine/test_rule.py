"""Rule files: what is wrong is said with file, line, column and key."""

from __future__ import annotations

import re
from typing import Any

import pytest
from engine.toy import Toy
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.engine.pack import load_rule, load_rules
from advisor.engine.rule import Rule, merged
from advisor.errors import RuleError
from advisor.findings import Severity
from advisor.units import Quantity, S

RULE = """\
id: toy-rule
aliases: [old-name]
title: A toy
severity: high
each: things
params: {spare: 5 s}
let:
  twice: item.backlog * 2
when: twice > sysctl.net.core.somaxconn
observed: item.drops > 0
message: "backlog={item.backlog}"
why: it is cut
unless: you like it
references: [man:listen(2)]
remedies:
  - safety: safe
    sysctl: {net.core.somaxconn: {at_least: item.backlog}}
cases:
  - {name: one, expect: fail, given: {sysctl: {a.b: "1", c.d: "2"}, listeners: [1]}}
  - {name: two, expect: pass, like: one, given: {sysctl: {a.b: "3"}, listeners: [2]}}
"""


def load(text: str = RULE) -> Rule:
    return load_rule(text.encode(), "rules/queues/toy-rule.yaml", Toy)


def test_a_rule_is_loaded_whole() -> None:
    rule = load()
    assert (rule.id, rule.aliases, rule.maturity) == ("toy-rule", ("old-name",), "stable")
    assert rule.severity == ((None, Severity.HIGH),)
    assert rule.params == {"spare": Quantity(5, S)}
    assert [name.dotted for name in rule.evidence] == [
        "twice",
        "sysctl.net.core.somaxconn",
        "item.drops",
        "item.backlog",
    ]
    assert rule.remedies[0].needs == ("re-listen",)
    assert rule.cases[1].given == {"sysctl": {"a.b": "3", "c.d": "2"}, "listeners": [2]}


STEP = "sysctl: {net.core.somaxconn: {at_least: item.backlog}}"

REPLACED: list[tuple[str, str, str]] = [
    ("id: toy-rule", "id: other", "1:1: id: 'other' must equal the file's name, 'toy-rule'"),
    ("id: toy-rule", "id: Toy_Rule", "1:1: id: String should match pattern"),
    ("title: A toy\n", "", "1:1: 'title' is missing"),
    ("why: it is cut\n", "", "1:1: 'why' is missing"),
    ("unless: you like it\n", "", "1:1: 'unless' is missing"),
    ("unless:", "unles:", "13:1: unknown key 'unles'; did you mean 'unless'?|1:1: 'unless' is missing"),
    ("title: A toy", "titel: A toy\ntitle: A toy", "3:1: unknown key 'titel'; did you mean 'title'?"),
    ("references: [man:listen(2)]", "references: []", "14:1: references: List should have at least 1 item"),
    ("man:listen(2)", "see the manual", "14:14: 0: String should match pattern"),
    ("severity: high", "severity: awful", "4:1: severity: expected one of info, low, medium, high, critical"),
    ("severity: high", "severity: [high: item.drops > 0]", "4:12: severity: expected one of"),
    ("severity: high", "severity: [high, low]", "4:12: severity: write a step as 'high: EXPRESSION'"),
    ("severity: high", "severity: [{high: item.drops}, low]", "4:12: severity.0: must be true or false"),
    ("each: things", "each: thigns", "5:1: each: unknown name 'thigns'; did you mean 'things'?"),
    ("each: things", "each: host.memory", "5:1: each: host.memory is bytes, not a list"),
    ("each: things\n", "", "7:3: let.twice: 'item' has a meaning only in a rule with 'each'"),
    ("spare: 5 s", "spare: 5 sekunden", "6:10: params.spare: '5 sekunden': unknown unit 'sekunden'"),
    ("spare: 5 s", "Spare: 5 s", "6:10: Spare: String should match pattern"),
    ("twice: item", "host: item", "8:3: let.host: the name has a meaning already; choose another"),
    ("item.backlog * 2", "item.backlgo * 2", "8:3: let.twice: 'item' has no 'backlgo'; did you mean 'backlog'?"),
    ("item.backlog * 2", "item.timeout * host.rate", "9:1: when: item.timeout may be unset"),
    ("when: twice", "when: twcie", "9:1: when: unknown name 'twcie'; did you mean 'twice'?"),
    ("when: twice > sysctl.net.core.somaxconn", "when: twice", "9:1: when: must be true or false, and this is a count"),
    ("observed: item.drops > 0", "observed: host.memory > host.pages", "10:1: observed: compares bytes with pages"),
    ("{item.backlog}", "{item.backlog", "11:1: message: a single brace"),
    ("net.core.somaxconn: {", "kernel.core_pattern: {", "17:14: remedies.0.sysctl.kernel.core_pattern: 'kernel"),
    ("net.core.somaxconn: {", "net.ipv4.ip_forward: {", "17:14: remedies.0.sysctl.net.ipv4.ip_forward: 'net.ipv4"),
    ("net.core.somaxconn: {", "net.ipv4.tcp_rmem: {", "17:14: remedies.0.sysctl.net.ipv4.tcp_rmem: 'net"),
    ("at_least: item.backlog", "at_least: host.memory", "17:35: remedies.0.sysctl.net.core.somaxconn.at_l"),
    ("at_least: item.backlog", "includes: host.reserved", "17:14: remedies.0.sysctl.net.core.somaxconn: 'in"),
    ("at_least: item.backlog", "at_lest: 1", "17:35: at_lest: Input should be 'at_least'"),
    ("at_least: item.backlog", "at_least: 1, at_most: 2", "17:14: remedies.0.sysctl.net.core.somaxconn: write one of"),
    (STEP, "sysctl: {net.ipv4.ip_local_reserved_ports: {at_least: 1}}", "17:14: remedies.0.sysctl.net.ipv4.ip_local"),
    (STEP, "nginx: {keepalive_timeout: {at_most: item.backlog}}", "17:33: remedies.0.nginx.keepalive_timeout"),
    (STEP, "nginx: {load_module: {exactly: 1}}", "17:13: remedies.0.nginx.load_module: 'load_module' is no"),
    (STEP, "nginx: {keepalive_timeout: {includes: 1}}", "17:13: remedies.0.nginx.keepalive_timeout: 'includes'"),
    (f"    {STEP}\n", "", "16:5: remedies.0.safety: 'safe' does not fit what the step does: name"),
    ("safety: safe", "safety: manual", "16:5: remedies.0.safety: 'manual' does not fit what the step does: advice"),
    ("safety: safe", "safety: safe\n    neds: [reload]", "17:5: unknown key 'neds'; did you mean 'needs'?"),
    ("safety: safe", "safety: safe\n    if: item.timeout > 1", "17:5: remedies.0.if: item.timeout may be unset"),
    ("expect: fail", "expect: pass", "18:1: cases: at least one must expect fail"),
    ("expect: pass", "expect: fail", "18:1: cases: at least one must expect pass or not applicable"),
    ("name: two", "name: one", "20:6: cases: 'one' stands twice"),
    ("like: one", "like: on", "20:31: cases: no earlier case is called 'on'; did you mean 'one'?"),
    ("like: one", "liek: one", "20:31: unknown key 'liek'; did you mean 'like'?"),
    (RULE, "[]", "1:1: the file: expected keys with values, as 'KEY: VALUE'"),
    (RULE, "", "1:1: the file: expected keys with values, as 'KEY: VALUE'"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), REPLACED)
def test_a_fault_is_named_where_it_stands(old: str, new: str, message: str) -> None:
    assert RULE.count(old) >= 1
    with pytest.raises(RuleError) as caught:
        load(RULE.replace(old, new, 1))
    wanted = "|".join(re.escape(one) for one in message.split("|"))
    assert re.match(f"rules/queues/toy-rule.yaml:({wanted})", str(caught.value)), str(caught.value)


def test_many_lets_are_refused() -> None:
    lets = "".join(f"  x{index}: 1\n" for index in range(12))
    with pytest.raises(RuleError, match="at most 12 items"):
        load(RULE.replace("let:\n", f"let:\n{lets}"))


def test_nginx_needs_items_that_have_a_place() -> None:
    text = RULE.replace("each: things\n", "").replace("item.backlog", "1").replace("item.drops", "1")
    text = text.replace("sysctl: {net.core.somaxconn: {at_least: 1}}", "nginx: {keepalive_timeout: {at_most: 1}}")
    with pytest.raises(RuleError, match="needs 'each' over items that have a place"):
        load(text)


def test_a_let_may_not_need_what_is_unset_on_a_failure() -> None:
    unused = RULE.replace("let:\n", "let:\n  unused: item.timeout * 2\n")
    with pytest.raises(RuleError, match=r"toy-rule.yaml:8:3: let.unused: item.timeout may be unset"):
        load(unused)
    load(unused.replace("when:", "applies: has(item.timeout)\nwhen:"))


def test_what_applies_and_when_guard_is_known_later() -> None:
    text = RULE.replace(
        "when: twice", "applies: has(item.timeout)\nwhen: item.timeout > 1 and has(host.left) and twice"
    )
    load(text.replace("backlog={item.backlog}", "{item.timeout} {host.left}"))
    load(RULE.replace("safety: safe", "safety: safe\n    if: has(item.timeout)\n    text: '{item.timeout}'"))


def test_rules_are_sorted_and_ids_are_their_own() -> None:
    other = RULE.replace("id: toy-rule", "id: a-rule").replace("aliases: [old-name]\n", "")
    files = [("toy-rule.yaml", RULE.encode()), ("a-rule.yaml", other.encode())]
    assert [rule.id for rule in load_rules(files, Toy)] == ["a-rule", "toy-rule"]
    clash = other.replace("title:", "aliases: [old-name]\ntitle:").encode()
    with pytest.raises(RuleError, match=r"^toy-rule.yaml:1:1: 'old-name' is also claimed by a-rule.yaml"):
        load_rules([files[0], ("a-rule.yaml", clash)], Toy)
    lost = RULE.replace("cases:", "consequence_of: [a-rul]\ncases:").encode()
    with pytest.raises(RuleError, match=r"consequence_of: there is no rule 'a-rul'; did you mean 'a-rule'\?"):
        load_rules([("toy-rule.yaml", lost), files[1]], Toy)


def test_mappings_merge_deep_and_lists_are_replaced() -> None:
    base: dict[str, Any] = {"a": {"b": 1, "c": [1]}, "d": 2}
    assert merged(base, {"a": {"c": [2]}, "d": {"e": 1}}) == {"a": {"b": 1, "c": [2]}, "d": {"e": 1}}
    assert base == {"a": {"b": 1, "c": [1]}, "d": 2}


SNIPPETS = [
    "{",
    "}",
    "[",
    "]",
    ": ",
    "\n",
    "  ",
    "&a ",
    "*a",
    "!x ",
    "null",
    "1",
    "-1.5",
    "''",
    "has(",
    "item.",
    "\x07",
]


@given(st.integers(0, len(RULE)), st.integers(0, 30), st.one_of(st.sampled_from(SNIPPETS), st.text(max_size=5)))
@settings(max_examples=300)
def test_a_damaged_rule_loads_or_says_why(start: int, length: int, text: str) -> None:
    data = (RULE[:start] + text + RULE[start + length :]).encode("utf-8", "surrogatepass")
    try:
        load_rule(data, "toy-rule.yaml", Toy)
    except RuleError as error:
        message = str(error)
    else:
        return
    assert re.match(r"toy-rule\.yaml:\d+:\d+: .", message)
