"""Where crossplane 0.5.8 reads a file otherwise than nginx does: it is said, so that the file is never edited."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import crossplane
import pytest
from support.crossplane import CLASSES, fault

from advisor.collect.crosscheck import difference
from advisor.collect.nginx import read_nginx
from advisor.engine.judging import Judging
from advisor.errors import InputError
from advisor.facts.tree import Tree
from advisor.formats.nginx import scan
from advisor.formats.nginx_edit import Insert, apply
from advisor.jobs import load, patch
from advisor.remedy.plan import Allowed
from advisor.snapshot.model import Snapshot
from advisor.system import System

if TYPE_CHECKING:
    from pathlib import Path

RULES = [rule for rule in load.rules() if rule.id == "keepalive-below-balancer"]


LUA = b"ssl_client_hello_by_lua_block { a = {} }"

FAULTS = {
    "a byte order mark stays in the first name": (
        b"\xef\xbb\xbfuser x;",
        "line 1: crossplane reads '\\ufeffuser' 'x', we read 'user' 'x'",
    ),
    "words after ${} are one": (
        b"a;\nx ${a} ${b} c;",
        "line 2: crossplane reads 'x' '${a} ${b} c', we read 'x' '${a}' '${b}' 'c'",
    ),
    "} inside a bare word ends it": (b"a b}c;", 'line 1: crossplane failed: unexpected "}"'),
    "} inside a bare word closes a block": (b"a { b c}d; }", 'line 1: crossplane failed: unexpected "}"'),
    "no-break spaces separate": (
        "a b\u00a0c;".encode(),
        "line 1: crossplane reads 'a' 'b' 'c', we read 'a' 'b\\xa0c'",
    ),
    "other Unicode spaces separate": (
        "a b\u2003c;".encode(),
        "line 1: crossplane reads 'a' 'b' 'c', we read 'a' 'b\\u2003c'",
    ),
    "form feeds separate": (b"a b\fc;", "line 1: crossplane reads 'a' 'b' 'c', we read 'a' 'b\\x0cc'"),
    "a lone CR counts as a line": (b"a;\rb;", "line 1: crossplane reads 'b' on line 2, we read 'b'"),
    "Lua's long comments are not known": (b"init_by_lua_block { --[[ } ]] }\n", "crossplane failed: without a message"),
    "Lua's long strings are not known": (
        b"init_by_lua_block { a = [[ } ]] }\n",
        'line 1: crossplane failed: unexpected "}"',
    ),
    "newer Lua blocks are not known: a tree of what is no nginx": (
        LUA,
        "line 1: crossplane reads 'ssl_client_hello_by_lua_block' { }, we read 'ssl_client_hello_by_lua_block' { Lua }",
    ),
    "newer Lua blocks are not known: statements of what is no nginx": (
        b"server_rewrite_by_lua_block { a = 1; }",
        "'server_rewrite_by_lua_block' { Lua }",
    ),
    "a variable's name takes the brace of a Lua block": (
        b"set_by_lua_block $x{ return 1 }",
        "crossplane failed: expected { to start Lua block",
    ),
}
"""What it does to a file that nginx takes, and what we say of that file, which we judge and never edit."""

REFUSED = {
    "no ; at the end of the file": (b"a;\nb c", "f:2: 'b' has no ';' before the end of the file; add it"),
    "a quote that never ends": (b"a;\nb 'c;", "f:2: the ' that opens here is never closed; close it"),
    "no ; before }, which it nests wrongly and silently": (
        b"a {\nb c }",
        "f:2: unexpected '}': 'b' before it has no ';'; add it",
    ),
    "UTF-16": ("a b;".encode("utf-16"), "f:1: a NUL byte: not text; if it is UTF-16, save it as UTF-8"),
    "2,000 blocks, on which it runs out of stack": (
        b"a{" * 2000 + b"}" * 2000,
        "f:1: blocks nested deeper than 200; flatten them",
    ),
}
"""What it fails on without a line, with another reason, or not at all: we refuse the file, with the line."""


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_said(name: str) -> None:
    data, said = FAULTS[name]
    found = difference(data, "f") or ""
    assert said in found
    assert fault(found)


def test_every_class_of_faults_is_one_that_was_seen() -> None:
    """But the stack: our scanner refuses deep files before they are compared."""
    seen = {fault(difference(data, "f") or "") for data, _ in FAULTS.values()}
    assert seen == CLASSES.keys() - {"it runs out of stack"}
    assert fault(difference(b"a{" * 2000 + b"}" * 2000, "f", []) or "") == "it runs out of stack"


def test_another_difference_is_in_no_class() -> None:
    with pytest.raises(AssertionError, match=r"no known fault .*: line 1: crossplane reads 'a', we read 'b'"):
        fault(difference(b"a;", "f", scan(b"b;", "f")) or "")


@pytest.mark.parametrize("name", FAULTS)
def test_a_file_it_misreads_is_judged_and_never_edited(name: str) -> None:
    """A rule wants a change in the same file; with a file that both read alike the same change is planned."""
    setting = b"\nhttp { server { listen 80; keepalive_timeout 65; } }"
    for data, planned in ((FAULTS[name][0] + setting, 0), (setting, 1)):
        nginx, _ = read_nginx(System(), "/n/nginx.conf", (data, None))
        snapshot = Snapshot(advisor="test", taken="", nginx=nginx, site={"load_balancer_idle": "600 s"})
        plan = patch.plan(snapshot, Judging(RULES), Allowed(unsafe=True))
        assert "keepalive-below-balancer" in {one.finding.rule for one in plan.findings}
        assert len(plan.prediction.files) == planned


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_nginx_refuses_is_refused_with_its_line(name: str) -> None:
    data, said = REFUSED[name]
    with pytest.raises(InputError) as error:
        difference(data, "f")
    assert str(error.value) == said


def test_words_that_are_too_long_for_nginx_are_a_problem() -> None:
    """It takes words of any length, nginx 4,095 bytes (NGX_CONF_BUFFER)."""
    data = b"a " + b"w" * 4096 + b";"
    assert difference(data, "f") is None
    _, problems = read_nginx(System(), "/n/nginx.conf", (data, None))
    assert [why for _, why in problems] == [
        "/n/nginx.conf:1: a word of more than 4,095 bytes, which nginx refuses; shorten it"
    ]


def test_its_checks_which_drop_new_directives_are_off(tmp_path: Path) -> None:
    data = b"http { upstream u { keepalive 32 local; } }"
    path = tmp_path / "nginx.conf"
    path.write_bytes(data)
    dropped = crossplane.parse(str(path))
    assert dropped["config"][0]["parsed"][0]["block"][0]["block"] == []
    assert difference(data, "f") is None


def test_its_wrong_files_and_endless_cycles_are_not_ours(tmp_path: Path) -> None:
    """``combine=True`` gives what follows an include to the included file, and never ends on a cycle."""
    (tmp_path / "nginx.conf").write_text("include a;\nuser x;\n")
    (tmp_path / "a").write_text("pid p;\n")
    entry = str(tmp_path / "nginx.conf")
    wrong = crossplane.parse(entry, combine=True, check_ctx=False, check_args=False)["config"][0]["parsed"]
    assert [one["file"] for one in wrong if one["directive"] == "user"] == [str(tmp_path / "a")]
    nginx, _ = read_nginx(System(), entry)
    [user] = Tree(nginx).named["user"]
    assert (user.file, user.statement.line) == (entry, 2)
    (tmp_path / "a").write_text("include a;\n")
    with pytest.raises(RecursionError):
        crossplane.parse(entry, combine=True, check_ctx=False, check_args=False)
    with pytest.raises(InputError, match=f"include cycle: {tmp_path}/a:1 -> {tmp_path}/a;"):
        read_nginx(System(), entry)


def test_an_include_without_a_path_costs_it_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "nginx.conf"
    path.write_text("include;\nuser x;\n")
    lost = crossplane.parse(str(path), check_ctx=False, check_args=False)["config"][0]
    assert (lost["errors"], lost["parsed"]) == ([{"error": "list index out of range", "line": None}], [])
    nginx, [(_, problem)] = read_nginx(System(), str(path))
    assert problem == f"{path}:1: include takes one path, not 0; nginx refuses"
    assert nginx.files[str(path)].differs is None


def test_bytes_that_are_not_utf_8_stay() -> None:
    """It turns them into U+FFFD, in which all of them are alike; ours are edited around."""
    data = b"a '\xe9'; # \xff\r\nb;"
    nginx, _ = read_nginx(System(), "/n/nginx.conf", (data, None))
    assert nginx.files["/n/nginx.conf"].differs is None
    assert apply(data, "f", [Insert("", "c", ("1",))]).startswith(b"a '\xe9'; # \xff\r\n")


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
        b"include;",
        b"keepalive 32 local;",
        b"a " + b"w" * 100_000 + b";",
        b"a {" * 200 + b"}" * 200,
    ],
)
def test_crossplane_reads_the_rest_alike(data: bytes) -> None:
    assert difference(data, "f") is None


def test_whatever_crossplane_raises_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise IndexError("list index out of range")

    monkeypatch.setattr(crossplane, "parse", fail)
    assert difference(b"a;", "f") == "crossplane failed: IndexError: list index out of range"


def test_nesting_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = [{"directive": "a", "line": 1, "args": [], "block": []}, {"directive": "b", "line": 1, "args": []}]
    monkeypatch.setattr(crossplane, "parse", lambda *_, **__: {"errors": [], "config": [{"parsed": parsed}]})
    assert difference(b"a { } b;", "f") is None
    assert difference(b"a { b; }", "f") == "line 1: crossplane reads 'b' in 0 blocks, we read 'b' in 1"


def test_reading_leaves_no_descriptor_open() -> None:
    before = os.listdir("/proc/self/fd")
    difference(b"a;", "f")
    difference(b"a }", "f", [])
    assert len(os.listdir("/proc/self/fd")) == len(before)
