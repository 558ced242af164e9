"""Strict YAML: surprises refused, positions kept, no input that blows up."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.errors import RuleError
from advisor.formats.yaml import MAX_BYTES, load


def value(text: str) -> object:
    return load(text.encode(), "r.yaml").value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("True", "True"),
        ("012", "012"),
        ("1:30", "1:30"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("1e5", "1e5"),
        (".inf", ".inf"),
        ("2024-01-01", "2024-01-01"),
        ("~", "~"),
        ("=", "="),
        ("6.1.0", "6.1.0"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("", None),
        ('""', ""),
        ("'true'", "true"),
        ("0", 0),
        ("-7", -7),
        ("9223372036854775807", 2**63 - 1),
        ("1.5", 1.5),
        ("-1.5e3", -1500.0),
        ("[a, {b: 1}, []]", ["a", {"b": 1}, []]),
        ("{30: 5, true: x}", {"30": 5, "true": "x"}),
        ("a:\nb: ~x", {"a": None, "b": "~x"}),
        ("a: |\n  one\n  two\n", {"a": "one\ntwo\n"}),
    ],
)
def test_a_scalar_is_what_was_written(text: str, expected: object) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "r.yaml:3:1: 'a' stands twice in one mapping; keep one of them"),
        ("a: &x 1\nb: *x", "r.yaml:1:4: anchors (&name) and aliases (*name) are not allowed; write the value out"),
        ("&x a: 1", "r.yaml:1:1: anchors"),
        ("a: *x", "r.yaml:1:4: anchors"),
        ("a: !!python/object:os.system x", "r.yaml:1:4: tags (!name) are not allowed"),
        ("a: !<tag:yaml.org,2002:int> 1", "r.yaml:1:4: tags"),
        ("<<: {a: 1}", "r.yaml:1:1: merge keys (<<) are not allowed"),
        ("[a]: 1", "r.yaml:1:1: a key must be text"),
        ("? {a: 1}\n: 2", "r.yaml:1:3: a key must be text"),
        ("a: 1\n---\nb: 1", "r.yaml:2:1: a second document; write one a file"),
        ("a: 9223372036854775808", "r.yaml:1:4: the number is larger than 2^63"),
        ("a: " + "9" * 5000, "r.yaml:1:4: the number is larger than 2^63"),
        ("a: 1.0e999", "r.yaml:1:4: the number is too large"),
        ("a: [1, 2", "r.yaml:2:1: did not find expected"),
        ("a: b: c", "r.yaml:1:5: mapping values are not allowed"),
        ("a: 1\n\tb: 2", "r.yaml:2:1: found a tab character"),
        ('a: "\\ud800"', "r.yaml:1:"),
        ("a: \x00", "r.yaml:1:1: not YAML"),
    ],
)
def test_a_surprise_is_refused_where_it_stands(text: str, message: str) -> None:
    with pytest.raises(RuleError) as caught:
        value(text)
    assert str(caught.value).startswith(message)


def test_bytes_that_are_not_utf8_name_their_line() -> None:
    with pytest.raises(RuleError, match=r"^r.yaml:2:1: byte 8 is not UTF-8"):
        load(b"a: 1\nb: \xff", "r.yaml")


def test_positions_are_those_of_keys_and_items() -> None:
    document = load(b"a:\n  b:\n    - x\n    - {c: 1}\nd: 2\n", "r.yaml")
    assert document.positions == {
        (): (1, 1),
        ("a",): (1, 1),
        ("a", "b"): (2, 3),
        ("a", "b", 0): (3, 7),
        ("a", "b", 1): (4, 7),
        ("a", "b", 1, "c"): (4, 8),
        ("d",): (5, 1),
    }
    assert document.at(("a", "b", 1, "missing", 3)) == "r.yaml:4:7"
    assert document.at(("nothing",)) == "r.yaml:1:1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 500_000, "nested deeper than 50"),
        ("- " * 400_000, "nested deeper than 50"),
        ("{a: " * 200_000, "nested deeper than 50"),
        ("[" + "1," * 30_000 + "]", "more than 20,000 values"),
        ("x" * (MAX_BYTES + 1), "larger than the 1,048,576 bytes"),
        ("a: &a [x,x]\n" + "".join(f"b{i}: &b{i} [*a,*a]\n" for i in range(50)), "anchors"),
    ],
)
def test_a_bomb_is_refused_at_once(text: str, message: str) -> None:
    began = time.monotonic()
    with pytest.raises(RuleError, match=message):
        value(text)
    assert time.monotonic() - began < 2


YAMLISH = st.text(alphabet="ab:-[]{}#&*!|>'\"%@\\u0 \n\t,?<", max_size=80).map(str.encode)


@given(st.one_of(st.binary(max_size=200), YAMLISH))
def test_any_bytes_load_or_say_why(data: bytes) -> None:
    try:
        load(data, "r.yaml")
    except RuleError as error:
        message = str(error)
    else:
        return
    assert message.startswith("r.yaml:")


def test_the_pure_python_parser_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'a: [1, on, {b: "x\\n"}]\nc: |\n  text\nd:\n'
    fast = load(text.encode(), "r.yaml")
    monkeypatch.setattr("yaml.__with_libyaml__", False)
    assert load(text.encode(), "r.yaml") == fast
    with pytest.raises(RuleError, match="surrogate"):
        value('a: "\\ud800"')
