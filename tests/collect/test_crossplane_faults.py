"""Where crossplane 0.5.8 reads a file otherwise than nginx does: it is said, so that the file is never edited."""

from __future__ import annotations

import os

import pytest

from advisor.collect.crosscheck import difference


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"\xef\xbb\xbfuser x;", "line 1: crossplane reads '\\ufeffuser' 'x', we read 'user' 'x'"),
        (b"a;\nx ${a} ${b} c;", "line 2: crossplane reads 'x' '${a} ${b} c', we read 'x' '${a}' '${b}' 'c'"),
        (b"a b}c;", 'line 1: crossplane failed: unexpected "}"'),
        (b"a { b c}d; }", 'line 1: crossplane failed: unexpected "}"'),
        ("a b\u00a0c;".encode(), "line 1: crossplane reads 'a' 'b' 'c', we read 'a' 'b\\xa0c'"),
        (b"a b\fc;", "line 1: crossplane reads 'a' 'b' 'c', we read 'a' 'b\\x0cc'"),
        (b"a;\rb;", "line 1: crossplane reads 'b' on line 2, we read 'b'"),
        (b"init_by_lua_block { --[[ } ]] }\n", "crossplane failed: without a message"),
        (b"init_by_lua_block { a = [[ } ]] }\n", 'line 1: crossplane failed: unexpected "}"'),
        (
            b"ssl_client_hello_by_lua_block { a = {} }",
            "'ssl_client_hello_by_lua_block' { }, we read 'ssl_client_hello_by_lua_block' { Lua }",
        ),
        (b"server_rewrite_by_lua_block { a = 1; }", "'server_rewrite_by_lua_block' { Lua }"),
        (b"set_by_lua_block $x{ return 1 }", "crossplane failed: expected { to start Lua block"),
    ],
)
def test_crossplanes_faults_are_named(data: bytes, found: str) -> None:
    assert found in (difference(data, "f") or "")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"# a\n",
        b"a 1 # c\n 2 # d\n;\nb;",
        b'a \'b\\\'c\' "d\\"e\\n" "f\'" \\;g;',
        b"a 'b\r\nc' # d\r\n;\r\nb;",
        b"a \xe9\xff 'x\xe9';",
        b'if ($a = "b") { c; } if ( $a ) { } if ($a) { } "if" ($b) {}',
        b"set_by_lua_block $x { return '}' } content_by_lua_block {\n a = {} }\nb;",
        b"map $a $b { '' 1; \"x y\" 2; ~^\\d 3; }",
        b'a "${b} c" ${d};',
        b'"a" {b;}',
        b'a "b")c;',
    ],
)
def test_crossplane_reads_the_rest_alike(data: bytes) -> None:
    assert difference(data, "f") is None


def test_deep_files_are_compared_without_running_out_of_stack() -> None:
    assert difference(b"a {" * 200 + b"}" * 200, "f") is None


def test_whatever_crossplane_raises_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import crossplane  # noqa: PLC0415 (only to break it)

    def fail(*_: object, **__: object) -> None:
        raise IndexError("list index out of range")

    monkeypatch.setattr(crossplane, "parse", fail)
    assert difference(b"a;", "f") == "crossplane failed: IndexError: list index out of range"


def test_nesting_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    import crossplane  # noqa: PLC0415 (only to break it)

    parsed = [{"directive": "a", "line": 1, "args": [], "block": []}, {"directive": "b", "line": 1, "args": []}]
    payload = {"errors": [], "config": [{"parsed": parsed}]}
    monkeypatch.setattr(crossplane, "parse", lambda *_, **__: payload)
    assert difference(b"a { } b;", "f") is None
    assert difference(b"a { b; }", "f") == "line 1: crossplane reads 'b' in 0 blocks, we read 'b' in 1"


def test_reading_leaves_no_descriptor_open() -> None:
    before = os.listdir("/proc/self/fd")
    difference(b"a;", "f")
    difference(b"a }", "f", [])
    assert len(os.listdir("/proc/self/fd")) == len(before)
