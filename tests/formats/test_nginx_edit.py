"""Edits change the planned bytes and no others."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from advisor.errors import InputError
from advisor.formats.diff import unified
from advisor.formats.nginx import addresses, scan
from advisor.formats.nginx_edit import At, Edit, Insert, InsertBlock, Remove, SetArgs, SetParam, apply, quote

if TYPE_CHECKING:
    from pathlib import Path

HTTP = At("http#0", "keepalive_timeout")


@pytest.mark.parametrize(
    ("old", "args", "new"),
    [
        ("http { keepalive_timeout 75; }", ("60",), "http { keepalive_timeout 60; }"),
        (
            "http {\r\n keepalive_timeout  75  9 ; # x\r\n}",
            ("60", "9"),
            "http {\r\n keepalive_timeout  60  9 ; # x\r\n}",
        ),
        ("http { keepalive_timeout 75 '9'; }", ("60", "9"), "http { keepalive_timeout 60 '9'; }"),
        ("http { keepalive_timeout 75; }", ("75", "60"), "http { keepalive_timeout 75 60; }"),
        ("http { keepalive_timeout 75 # x\n; }", ("60", "9"), "http { keepalive_timeout 60 9 # x\n; }"),
        ("http { keepalive_timeout 75 9; }", ("60",), "http { keepalive_timeout 60; }"),
        ("http { keepalive_timeout 75 # x\n 9 ; }", ("60",), "http { keepalive_timeout 60 # x\n ; }"),
        ("http { keepalive_timeout; }", ("60",), "http { keepalive_timeout 60; }"),
        ('http { keepalive_timeout "7 5"; }', ("",), 'http { keepalive_timeout ""; }'),
        ("http { keepalive_timeout 75; }", ("a b",), 'http { keepalive_timeout "a b"; }'),
        ("http { keepalive_timeout 75; }", ("75",), "http { keepalive_timeout 75; }"),
    ],
)
def test_set_args(old: str, args: tuple[str, ...], new: str) -> None:
    assert apply(old.encode(), "f", [SetArgs(HTTP, args)]) == new.encode()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("server { listen 80; }", "server { listen 80 backlog=4096; }"),
        ("server { listen 80 backlog=511 reuseport; }", "server { listen 80 backlog=4096 reuseport; }"),
        ('server { listen 80 "backlog=511" ; }', "server { listen 80 backlog=4096 ; }"),
        ("server { listen 80\n  reuseport; # x\n}", "server { listen 80\n  reuseport backlog=4096; # x\n}"),
        ("server { listen 80 backlog=4096; }", "server { listen 80 backlog=4096; }"),
    ],
)
def test_set_param(old: str, new: str) -> None:
    assert apply(old.encode(), "f", [SetParam(At("server#0", "listen"), "backlog", "4096")]) == new.encode()


@pytest.mark.parametrize(
    ("old", "block", "new"),
    [
        ("http {\n  a 1; # why\n  server {\n  }\n}\n", "http#0", "http {\n  a 1; # why\n  k 60;\n  server {\n  }\n}\n"),
        ("http {\r\n\ta 1;\r\n}\r\n", "http#0", "http {\r\n\ta 1;\r\n\tk 60;\r\n}\r\n"),
        ("http {\n  a 1\n    2;\n}", "http#0", "http {\n  a 1\n    2;\n  k 60;\n}"),
        ("http {\n  a; b {}\n}", "http#0", "http {\n  a; k 60; b {}\n}"),
        ("http {\n  a; b; # x\n}", "http#0", "http {\n  a; b; k 60; # x\n}"),
        ("http { a; }", "http#0", "http { a; k 60; }"),
        ("http {}", "http#0", "http { k 60; }"),
        ("http { }", "http#0", "http { k 60; }"),
        ("http { server {} }", "http#0", "http { k 60; server {} }"),
        ("http { # x\n}\n", "http#0", "http { # x\n    k 60;\n}\n"),
        ("a;\n\tx;\nhttp {\n}\n", "http#0", "a;\n\tx;\nhttp {\n\tk 60;\n}\n"),
        ("http\n{\n  # x\n  server {\n  }\n}\n", "http#0", "http\n{\n  k 60;\n  # x\n  server {\n  }\n}\n"),
        ("http {\n  s {\n    l 80; }\n}\n", "http#0/s#0", "http {\n  s {\n    l 80; k 60; }\n}\n"),
        ("http {\n  s {\n  }\n}\n", "http#0/s#0", "http {\n  s {\n      k 60;\n  }\n}\n"),
        ("a;", "", "a;\nk 60;"),
        ("a;\r\nb;", "", "a;\r\nb;\r\nk 60;"),
        ("a;\nhttp {}\n", "", "a;\nk 60;\nhttp {}\n"),
        ("# x\r\nhttp {}", "", "k 60;\r\n# x\r\nhttp {}"),
        ("\ufeffhttp {}\n", "", "\ufeffk 60;\nhttp {}\n"),
        ("\ufeffa;\n", "", "\ufeffa; k 60;\n"),
        ("# x\r\n", "", "# x\r\nk 60;\r\n"),
        ("# x", "", "# x\nk 60;"),
        ("", "", "k 60;\n"),
    ],
)
def test_insert(old: str, block: str, new: str) -> None:
    assert apply(old.encode(), "f", [Insert(block, "k", ("60",))]) == new.encode()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a;\n  b 1; # x\nc;\n", "a;\nc;\n"),
        ("a;\r\nb\r\n  1;\r\nc;", "a;\r\nc;"),
        ("a;\nb 1;", "a;\n"),
        ("a; b 1; c;", "a; c;"),
        ("a;\n  b 1; c;", "a;\n   c;"),
        ("b 1;", ""),
        ("a;\nb { c; }\nd;", "a;\nd;"),
    ],
)
def test_remove(old: str, new: str) -> None:
    assert apply(old.encode(), "f", [Remove(At("", "b"))]) == new.encode()


def test_several_edits_of_one_file() -> None:
    old = b"user x;\nhttp {\n  keepalive_timeout 75;\n  server { listen 80; listen 81; }\n}\n"
    edits: list[Edit] = [
        Insert("http#0", "keepalive_time", ("1h",)),
        Insert("http#0", "send_timeout", ("9",)),
        SetArgs(At("http#0", "keepalive_timeout"), ("60",)),
        SetParam(At("http#0/server#0", "listen", 1), "backlog", "9"),
        SetParam(At("http#0/server#0", "listen", 1), "fastopen", "3"),
        Remove(At("", "user")),
    ]
    new = (
        b"http {\n  keepalive_timeout 60;\n  keepalive_time 1h;\n  send_timeout 9;\n"
        b"  server { listen 80; listen 81 backlog=9 fastopen=3; }\n}\n"
    )
    assert apply(old, "f", edits) == new
    assert apply(old, "f", []) == old


def test_an_insert_does_not_hold_on_to_what_is_removed() -> None:
    old = b"http {\n  a;\n  b;\n}\n"
    edits: list[Edit] = [Insert("http#0", "c", ("1",)), Remove(At("http#0", "b"))]
    assert apply(old, "f", edits) == b"http {\n  a;\n  c 1;\n}\n"


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ([SetArgs(At("http#0", "x"), ("1",))], "f: no directive http#0/x#0 in this file; read it again"),
        ([Insert("http#1", "x", ())], "no block http#1 in this file; read it again"),
        ([Insert("http#0", "x; y", ())], "f: 'x; y' is no directive's name"),
        (
            [Insert("http#0/init_by_lua_block#0", "x", ())],
            "f:3: init_by_lua_block holds Lua, not directives; edit it by hand",
        ),
        ([Remove(At("http#0", "a")), SetArgs(At("http#0", "a"), ())], "f: two edits want http#0/a#0 at once"),
        ([SetParam(At("http#0", "a"), "b", "1")] * 2, "f: two edits want http#0/a#0 at once"),
        ([Remove(At("", "http")), SetArgs(At("http#0", "a"), ("2",))], "f:2: two edits meet here"),
        ([SetArgs(At("http#0", "a"), ("\0",))], "nginx would not read"),
        ([SetArgs(At("http#0", "a"), ("x" * 5000,))], "a value of 5000 bytes that nginx would not read"),
    ],
)
def test_what_cannot_be_done_is_refused(edits: list[Edit], message: str) -> None:
    with pytest.raises(InputError) as error:
        apply(b"http {\n  a 1;\n  init_by_lua_block { }\n}\n", "f", edits)
    assert message in str(error.value)


def test_an_edit_whose_result_reads_otherwise_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("advisor.formats.nginx_edit.quote", lambda text: text.encode())
    with pytest.raises(InputError, match="f: the edit would change more than was planned"):
        apply(b"a 1;\nb 2;\n", "f", [SetArgs(At("", "a"), ("1; c",))])
    with pytest.raises(InputError, match=r"f:1: unexpected '}'.*the edit was given up"):
        apply(b"a 1;\nb 2;\n", "f", [SetArgs(At("", "a"), ("1; }",))])


@settings(deadline=None)
@given(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
    | st.text("\\\"'tn a${};#", max_size=8)
)
@example('\\t\\"\\\\')
def test_a_quoted_value_reads_back_as_itself(text: str) -> None:
    data = b"a " + quote(text) + b";"
    assert [[token.text for token in s.args] for s in scan(data, "f")] == [[text]]


@pytest.mark.parametrize(
    "text", ["60", "$host", "${host}:80", "unix:/run/x.sock", "~*\\.jpg", "a$", "${", "a#b", "(x)"]
)
def test_values_stay_plain_where_that_is_safe(text: str) -> None:
    assert quote(text).startswith(b'"') == (text in {"~*\\.jpg", "a$", "${", "a#b"})


SAMPLES = [
    (
        "user www;\nworker_processes 4; # all\n\nevents {\n\tworker_connections 768;\n}\n\nhttp {\n\tsendfile on;\n"
        "\tinclude mime.types;\n\n\tserver {\n\t\tlisten 80 default_server;\n\t\tserver_name _;\n\t\tlocation / {\n"
        "\t\t\ttry_files $uri =404;\n\t\t}\n\t}\n}\n"
    ),
    "# é\nhttp { server { listen 80; } server { listen 81; location / { return 200 'é; }'; } } }\n",
    (
        "http\n{\n    log_format main '$remote_addr - '\n                    '\"$request\"';\n    server\n    {\n"
        "        listen 80 # é\n               backlog=511;\n    }\n    # end\n}\n"
    ),
    (
        "upstream a { server 10.0.0.1; keepalive 32; }\nserver {\n  location / {\n    proxy_pass http://a;\n"
        "    access_by_lua_block {\n      local t = { '}' }\n    }\n    if ($a = \"b\") { return 403; }\n  }\n}\n"
    ),
    'map $http_upgrade $connection {\n    default upgrade;\n    \'\' close;\n    "a b" "é";\n}\n\n\n',
]
VARIANTS = {
    "as it is": lambda text: text.encode(),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "Latin-1": lambda text: text.encode("latin-1"),
    "no last line end": lambda text: text.rstrip("\n").encode(),
}


def edits_of(data: bytes) -> list[Edit]:
    """An edit of every directive of a file, and an insert into every block."""
    out: list[Edit] = [Insert("", "keepalive_timeout", ("60",))]
    for block, ordinal, statement in addresses(scan(data, "f")):
        at = At(block, statement.name, ordinal)
        texts = tuple(token.text for token in statement.args)
        if statement.block is None:
            out += [SetArgs(at, (*texts[:-1], "60 s")), SetArgs(at, (*texts, "60")), SetParam(at, "backlog", "4096")]
        elif not statement.opaque:
            out.append(Insert(f"{block}/{statement.name}#{ordinal}".lstrip("/"), "keepalive_timeout", ("60",)))
    return out


def changed(old: bytes, new: bytes) -> tuple[bytes, bytes]:
    """What stood in the one place where two files differ, and what stands there now."""
    start = next((i for i in range(min(len(old), len(new))) if old[i] != new[i]), min(len(old), len(new)))
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return old[start : len(old) - end], new[start : len(new) - end]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("sample", SAMPLES, ids=range(len(SAMPLES)))
def test_every_edit_changes_one_statement_and_no_other_byte(sample: str, variant: str) -> None:
    data: bytes = VARIANTS[variant](sample)
    before = list(addresses(scan(data, "f")))
    for edit in edits_of(data):
        after_data = apply(data, "f", [edit])
        gone, come = changed(data, after_data)
        after = list(addresses(scan(after_data, "f")))
        rows = [[(path, o, s.name, [t.raw for t in s.args]) for path, o, s in side] for side in (before, after)]
        if isinstance(edit, Insert):
            assert gone == b""
            assert len(rows[1]) == len(rows[0]) + 1
            assert [row for row in rows[1] if row not in rows[0]] == [
                (edit.block, 0, "keepalive_timeout", [b"60"]),
            ]
        else:
            assert len(rows[1]) == len(rows[0])
            assert sum(a != b for a, b in zip(*rows, strict=True)) <= 1
            assert b"\n" not in gone
            assert b"\n" not in come


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_patch_and_git_apply_the_edits(tmp_path: Path, data: st.DataObject) -> None:
    old: bytes = VARIANTS[data.draw(st.sampled_from(sorted(VARIANTS)))](data.draw(st.sampled_from(SAMPLES)))
    new = apply(old, "f", [data.draw(st.sampled_from(edits_of(old)))])
    if new == old:
        return
    for command in (["patch", "-p1", "-s"], ["git", "apply", "--whitespace=nowarn", "-"]):
        if shutil.which(command[0]) is None:
            pytest.skip(f"needs the command '{command[0]}'")
        file = tmp_path / "nginx.conf"
        file.write_bytes(old)
        subprocess.run(command, input=unified(old, new, "/nginx.conf"), cwd=tmp_path, check=True, timeout=30)
        assert file.read_bytes() == new


NEW_BLOCK = InsertBlock("http#0", "upstream", ("x",), (("server", "a b"), ("keepalive", "8")))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"http { }", b'http { upstream x { server "a b"; keepalive 8; } }'),
        (b"http {}", b'http { upstream x { server "a b"; keepalive 8; } }'),
        (b"http { a; server { } }", b'http { a; upstream x { server "a b"; keepalive 8; } server { } }'),
        (b"http { upstream y { } b; }", b'http { upstream y { } upstream x { server "a b"; keepalive 8; } b; }'),
        (b"http {\n  a;\n}\n", b'http {\n  a;\n  upstream x { server "a b"; keepalive 8; }\n}\n'),
        (
            b"http {\r\n\ta;\r\n\r\n\tserver {\r\n\t}\r\n}",
            (
                b'http {\r\n\ta;\r\n\r\n\tupstream x {\r\n\t\tserver "a b";\r\n\t\tkeepalive 8;\r\n\t}\r\n\r\n'
                b"\tserver {\r\n\t}\r\n}"
            ),
        ),
        (
            b"http {\n    upstream y {\n    }  # y\n    server {\n    }\n}\n",
            (
                b'http {\n    upstream y {\n    }  # y\n\n    upstream x {\n        server "a b";\n'
                b"        keepalive 8;\n    }\n    server {\n    }\n}\n"
            ),
        ),
        (
            b"http {\n  upstream y {\n  } server { }\n}\n",
            (
                b'http {\n  upstream y {\n  }\n  upstream x {\n      server "a b";\n      keepalive 8;\n'
                b"  } server { }\n}\n"
            ),
        ),
    ],
)
def test_a_block_is_added_behind_those_of_its_name_or_before_the_first(before: bytes, after: bytes) -> None:
    assert apply(before, "/n", [NEW_BLOCK]) == after


def test_blocks_and_directives_are_added_together() -> None:
    other = InsertBlock("http#0", "upstream", ("y",), (("server", "b"),))
    edits: list[Edit] = [
        NEW_BLOCK,
        Insert("http#0/server#0", "c", ()),
        other,
        Insert("http#0", "d", ()),
        Remove(At("http#0", "a")),
    ]
    text = apply(b"http {\n  a;\n  b;\n  server { }\n}\n", "/n", edits).decode()
    assert text.index("d;") < text.index("upstream x") < text.index("upstream y") < text.index("server { c; }")
    assert "a;" not in text.replace('"a b";', "")
