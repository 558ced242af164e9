"""Templates: braces, units, what is not known and what is not set."""

from __future__ import annotations

import pytest
from engine.toy import Balancer, Thing, Toy, scope
from hypothesis import given
from hypothesis import strategies as st

from advisor.engine.code import Env
from advisor.engine.syntax import Source
from advisor.engine.text import compile_text, printed
from advisor.engine.types import Type
from advisor.errors import RuleError, Unread

AT = "r.yaml:1:1: message"


def rendered(text: str, **values: object) -> str:
    return compile_text(Source(text, AT), scope()).render(Env(Toy(**values), Thing(), {"spare": 5}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("{{http}} {{{item.id}}}", "{http} {80}"),
        ("{host.uptime} and {params.spare}", "100 s and 5 s"),
        ("{host.memory}, {host.pages}, {host.rate}, {item.backlog * 100}", "1 GiB, 4 pages, 2 per second, 51,100"),
        ("{host.busy} {not host.busy}", "yes no"),
        ("{host.kernel} {host.reserved} {host.congestion}", "6.1 80,443,40000-40009 cubic"),
        ("{item.ages}", "100, the oldest 30 s"),
        ("{1 + 2} {host.congestion == '}'} { 7 }", "3 no 7"),
        ("{first(item.timeout, 60)}", "60 s"),
    ],
)
def test_values_print_by_their_unit(text: str, expected: str) -> None:
    assert rendered(text) == expected


def test_what_is_not_known_says_so() -> None:
    assert rendered("{host.memory}!", memory=Unread("host", "it refused")) == "(not known: it refused)!"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a { b", "a single brace; write {{ or }} for a brace, {expression} for a value\n    a { b\n      ^"),
        ("é } b", "a single brace; write {{ or }} for a brace, {expression} for a value\n    é } b\n      ^"),
        ("{}", "not an expression"),
        ("{host.memry}", "'host' has no 'memry'; did you mean 'memory'?\n    host.memry\n    ^"),
        ("{item.timeout}", "item.timeout may be unset"),
        ("{item}", "this is an item"),
        ("{host.uptime:>10}", "not an expression"),
        ("x" * 5_001, "longer than 5,000 characters"),
    ],
)
def test_a_template_that_can_not_be_meant_is_refused(text: str, message: str) -> None:
    with pytest.raises(RuleError) as caught:
        rendered(text)
    assert str(caught.value).startswith(f"{AT}: {message}")


@given(st.text(alphabet="{}'\"a1+. ", max_size=60))
def test_any_text_is_a_template_or_says_why(text: str) -> None:
    try:
        compile_text(Source(text, AT), scope())
    except RuleError as error:
        message = str(error)
    else:
        return
    assert message.startswith(AT)


def test_items_and_groups_print_in_evidence() -> None:

    assert printed(Type("item"), Thing()) == "80"
    assert printed(Type("group"), Balancer()) == "set"
    assert printed(Type("number"), None) == "not set"
