"""Expressions: only what the whitelist names, bounded, and every refusal with a caret."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from advisor.engine.syntax import Source, parse
from advisor.errors import RuleError

AT = "r.yaml:1:1: when"


def refusal(text: str) -> str:
    with pytest.raises(RuleError) as caught:
        parse(Source(text, AT))
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("1 if a else 2", "'x if y else z' is not allowed in an expression", 0),
        ("a + b[0]", "indexing is not allowed in an expression", 4),
        ("a ** 9", "an operator other than + - * / is not allowed in an expression", 0),
        ("a // 9", "an operator other than + - * / is not allowed in an expression", 0),
        ("1 << 9", "an operator other than + - * / is not allowed in an expression", 0),
        ("+1", "an operator other than 'not' and '-' is not allowed in an expression", 0),
        ("~1", "an operator other than 'not' and '-' is not allowed in an expression", 0),
        ("a.b().c", "an attribute of anything but a name is not allowed in an expression", 0),
        ("a.b(1)", "a call other than FUNCTION(arguments) is not allowed in an expression", 0),
        ("f(x=1)", "a call other than FUNCTION(arguments) is not allowed in an expression", 0),
        ("f(*x)", "'*' is not allowed in an expression", 2),
        ("f(**x)", "a call other than FUNCTION(arguments) is not allowed in an expression", 0),
        ("lambda: 1", "lambda is not allowed in an expression", 0),
        ("[x for x in y]", "this is not allowed in an expression", 0),
        ("(a, 1)", "a list outside of 'in' is not allowed in an expression", 0),
        ("(a := 1)", "':=' is not allowed in an expression", 1),
        ('f"{a}"', "an f-string is not allowed in an expression", 0),
        ("1 + None", "None is not allowed; ask has(NAME)", 4),
        ("1 + b'x'", "only numbers, text, True and False are constants", 4),
        ("1j", "only numbers, text, True and False are constants", 0),
        ("...", "only numbers, text, True and False are constants", 0),
        ("9223372036854775808", "the number is 2^63 or more", 0),
        ("1e999", "the number is 2^63 or more", 0),
        ("a is b", "'is' is not allowed; compare with ==, or ask has(NAME)", 5),
        ("a in b", "'in' needs a list of constants: in (1, 2)", 5),
        ("a in ()", "'in' needs a list of constants: in (1, 2)", 5),
        ("a in (b, 1)", "'in' takes constants, and stands alone", 5),
        ("1 < a in (1, 2)", "'in' takes constants, and stands alone", 9),
        ("é + None", "None is not allowed; ask has(NAME)", 4),
        ("a +", "not an expression: invalid syntax", 3),
        ("60s > a", "not an expression: invalid decimal literal; a number has no unit here", 1),
        ("import os", "not an expression: invalid syntax", 0),
        ("a; b", "not an expression: invalid syntax", 1),
        ("", "not an expression: invalid syntax", 0),
    ],
)
def test_what_is_not_allowed_is_refused_where_it_stands(text: str, message: str, column: int) -> None:
    first, shown, caret = refusal(text).split("\n")
    assert first.startswith(f"{AT}: {message}")
    assert shown == f"    {text}"
    assert caret == " " * (4 + column) + "^"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a" * 2_001, "longer than 2,000 characters"),
        (" or ".join(["a"] * 201), "more than 200 parts"),
        ("a" + "+a" * 150, "nested deeper than 40"),
        ("not " * 60 + "a", "nested deeper than 40"),
        ("-" * 1_999 + "1", "not an expression that can be read|nested deeper"),
        ("(" * 900 + ")" * 900, "too many nested parentheses"),
        ("\x00", "not an expression"),
        ("a\ud800", "not an expression that can be read"),
        ("'\\ud800' == a < None", "None is not allowed"),
        ("'\\d'", "not an expression: invalid escape"),
        ("1" * 1_999, "the number is 2\\^63"),
        ("a\nb", "invalid syntax"),
    ],
)
def test_a_hostile_expression_is_refused_at_once(text: str, message: str) -> None:
    began = time.monotonic()
    assert re.search(message, refusal(text))
    assert time.monotonic() - began < 0.5


def test_a_long_expression_is_shown_around_the_caret() -> None:
    first, shown, caret = refusal("a" * 500 + " ** 2" + "b" * 500).split("\n")
    assert len(shown) <= 104
    assert "**" not in first
    assert len(caret) <= 104


def test_control_characters_never_reach_the_terminal() -> None:
    assert "\x1b" not in refusal("a + '\x1b[31m' + None")


def test_a_key_with_a_dash_is_one_name() -> None:
    parse(Source("2 * sysctl.fs.file-max", AT))
    assert "None" in refusal("'sysctl.fs.file-max' == None")


WORDS = [
    "a",
    "item.b",
    "sysctl.fs.file-max",
    "and",
    "or",
    "not",
    "in",
    "<",
    "==",
    "+",
    "-",
    "*",
    "/",
    "(",
    ")",
    ",",
    "1",
]
WORDS += [
    "0.5",
    "'x'",
    "min(",
    "True",
    "None",
    "lambda",
    ":",
    "if",
    "else",
    "[",
    "]",
    "{",
    "}",
    "\\",
    "\n",
    "é",
    "**",
    "1_0",
]


@given(st.one_of(st.text(max_size=200), st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join)))
@example("'\\N{}'")
@example("#")
@example("\\")
@example("a\\\n+1")
@example("1if 1else 1")
@settings(max_examples=400)
def test_any_text_parses_or_says_why(text: str) -> None:
    try:
        parse(Source(text, AT))
    except RuleError as error:
        message = str(error)
    else:
        return
    assert message.startswith(AT)
    assert message.count("\n") == 2
