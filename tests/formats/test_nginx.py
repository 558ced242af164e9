"""The scanner against nginx's own rules, its offsets, its errors."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.errors import InputError
from advisor.formats import nginx
from advisor.formats.nginx import Statement, absolute, addresses, column, find, line_text, scan, walk

SPACE = b" \t\r\n"

CONFIG = b"""\
user www-data;
http {
    # a comment; with { marks
    keepalive_timeout 300 "30 s"; # why
    server {
        listen 80 default_server;
        location / { return 200 'a}b;c'; }
        location ~* \\.(jpg|png)$ { expires 1h; }
    }
    server { listen 81; }
}
"""


def words(data: bytes) -> list[list[str]]:
    return [[s.name, *(arg.text for arg in s.args)] for _, s in walk(scan(data, "f"))]


class GiveUpError(Exception):
    """Where nginx refuses the file."""


class Port:
    """ngx_conf_read_token byte by byte, a method for each state it can be in."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.found: list[tuple[bytes, ...]] = []
        self.args: list[bytes] = []
        self.start = self.depth = 0
        self.quote = b""
        self.skip = self.variable = False
        self.state = self.between

    def read(self) -> list[tuple[bytes, ...]]:
        for i in range(len(self.data)):
            if self.skip:
                self.skip = False
            else:
                self.state(i, self.data[i : i + 1])
        if self.args or self.depth or self.state in (self.word, self.quoted):
            raise GiveUpError
        return self.found

    def comment(self, _: int, ch: bytes) -> None:
        if ch == b"\n":
            self.state = self.between

    def after_quote(self, i: int, ch: bytes) -> None:
        if ch not in SPACE + b";{)":
            raise GiveUpError
        self.state = self.between
        self.between(i, ch)

    def between(self, i: int, ch: bytes) -> None:
        self.start = i
        if ch in b";{":
            self.end(ch)
        elif ch == b"}":
            self.depth -= 1
            if self.args or self.depth < 0:
                raise GiveUpError
            self.found.append((ch,))
        elif ch == b"#":
            self.state = self.comment
        elif ch not in SPACE:
            self.quote = ch if ch in b"\"'" else b""
            self.state = self.quoted if self.quote else self.word
            self.skip, self.variable = ch == b"\\", ch == b"$"

    def quoted(self, i: int, ch: bytes) -> None:
        self.skip = ch == b"\\"
        if ch == self.quote:
            self.args.append(self.data[self.start : i + 1])
            self.state = self.after_quote

    def word(self, i: int, ch: bytes) -> None:
        if ch == b"{" and self.variable:
            return
        self.skip, self.variable = ch == b"\\", ch == b"$"
        if ch in SPACE + b";{":
            self.args.append(self.data[self.start : i])
            self.state = self.between
            self.between(i, ch)

    def end(self, ch: bytes) -> None:
        if not self.args:
            raise GiveUpError
        self.found.append((*self.args, ch))
        self.depth += ch == b"{"
        self.args = []


def flat(statements: list[Statement]) -> list[tuple[bytes, ...]]:
    out: list[tuple[bytes, ...]] = []
    for statement in statements:
        end = b";" if statement.block is None else b"{"
        out.append((statement.token.raw, *(arg.raw for arg in statement.args), end))
        if statement.block is not None:
            out += [*flat(statement.block), (b"}",)]
    return out


PIECES = [
    b"a",
    b"b c",
    b" ",
    b"\t",
    b"\r\n",
    b"\n",
    b";",
    b"; ",
    b"{",
    b"}",
    b" }",
    b'"',
    b"'",
    b"\\",
    b"$",
    b"${",
    b"#",
]
PIECES += [b"x y;", b"x {", b")", b"\xc2\xa0", b"\xff", b"\f", b'"q r"', b"'s;'", b"$v ", b"\\;", b"\\\n"]


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map(b"".join))
def test_it_reads_words_as_nginx_does(data: bytes) -> None:
    try:
        expected = Port(data).read()
    except GiveUpError:
        with pytest.raises(InputError, match=r"^f:\d+: "):
            scan(data, "f")
    else:
        assert flat(scan(data, "f")) == expected


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_with_file_and_line(data: bytes) -> None:
    try:
        statements = scan(data, "f")
    except InputError as error:
        assert str(error).startswith("f:")  # noqa: PT017 (either outcome is right; this is what one must say)
        return
    for _, statement in walk(statements):
        for token in (statement.token, *statement.args):
            assert data[token.start : token.end] == token.raw
            assert token.line == data.count(b"\n", 0, token.start) + 1
        assert data[statement.end : statement.end + 1] == (b";" if statement.block is None else b"{")
        if statement.block is not None:
            assert data[statement.close : statement.close + 1] == b"}"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a ${b} ${c} d;", [["a", "${b}", "${c}", "d"]]),
        (b"a b}c;", [["a", "b}c"]]),
        ("a b\u00a0c;".encode(), [["a", "b\u00a0c"]]),
        (b"a b\fc;", [["a", "b\fc"]]),
        (b"a b#c;", [["a", "b#c"]]),
        (b'a b"c d"e;', [["a", 'b"c', 'd"e']]),
        (b'if ($a = "b") { c; }', [["if", "($a", "=", "b", ")"], ["c"]]),
        (b'a "b\\"c" \'d\\\'e\' f\\;g "h\\ti\\nj\\rk\\\\l\\m";', [["a", 'b"c', "d'e", "f\\;g", "h\ti\nj\rk\\l\\m"]]),
        (b'"a" "";', [["a", ""]]),
        (b"a b # c;\n d;", [["a", "b", "d"]]),
        (b"\xef\xbb\xbfuser x;", [["user", "x"]]),
        (b"a \xe9;", [["a", "\udce9"]]),
        (b"", []),
        (b"# only a comment", []),
        (b"a '{{ b }}' \"<% %%C%% %>\" %d %%; # {% d %}", [["a", "{{ b }}", "<% %%C%% %>", "%d", "%%"]]),
        (b"map $a $b { {{x}} y; }".replace(b"{{x}}", b"%%x%%"), [["map", "$a", "$b"], ["%%x%%", "y"]]),
        (b"types { x { } %%a%% b; }", [["types"], ["x"], ["%%a%%", "b"]]),
        (b"geo $a { <% y; }", [["geo", "$a"], ["<%", "y"]]),
        (
            b"types { text/html html htm; x { %%a%% b; } }",
            [["types"], ["text/html", "html", "htm"], ["x"], ["%%a%%", "b"]],
        ),
    ],
)
def test_words(data: bytes, expected: list[list[str]]) -> None:
    assert words(data) == expected


def test_a_word_longer_than_nginx_reads_is_taken() -> None:
    assert len(scan(b"a " + b"b" * 5000 + b";", "f")[0].args[0].raw) == 5000


def test_offsets_lines_and_blocks() -> None:
    top = scan(CONFIG, "f")
    http = top[1]
    assert (http.name, http.line, CONFIG[http.end : http.end + 1], http.close) == ("http", 2, b"{", len(CONFIG) - 2)
    timeout = (http.block or [])[0]
    assert [(token.line, token.quoted) for token in timeout.args] == [(4, False), (4, True)]
    assert CONFIG[timeout.end : timeout.end + 7] == b"; # why"
    assert timeout.block is None
    assert timeout.close == -1
    assert column(CONFIG, timeout.args[0].start) == 23
    assert line_text(CONFIG, timeout.args[0].start) == '    keepalive_timeout 300 "30 s"; # why'


def test_columns_count_characters_and_no_byte_order_mark() -> None:
    data = "\ufeff é x;\r\nb".encode() + b"\xff c;"
    assert column(data, data.index(b"x")) == 4
    assert line_text(data, data.index(b"x")) == " é x;"
    assert column(data, data.index(b" c")) == 3
    assert line_text(data, len(data) - 1) == "b\ufffd c;"


def test_walk_gives_the_blocks_around() -> None:
    around = {s.name: [block.name for block in blocks] for blocks, s in walk(scan(CONFIG, "f"))}
    assert around["expires"] == ["http", "server", "location"]
    assert around["user"] == []


def test_addresses_find_their_block_again() -> None:
    top = scan(CONFIG, "f")
    listens = [(path, ordinal) for path, ordinal, s in addresses(top) if s.name == "listen"]
    assert listens == [("http#0/server#0", 0), ("http#0/server#1", 0)]
    location = find(top, "http#0/server#0/location#1")
    assert isinstance(location, Statement)
    assert location.line == 8
    assert find(top, "") is top
    with pytest.raises(InputError, match="no block http#0/server#2 in this file"):
        find(top, "http#0/server#2")


def test_ordinals_count_blocks_and_directives_apart() -> None:
    top = scan(b"a; a {} b; a; a {}", "f")
    assert [(s.name, ordinal) for _, ordinal, s in addresses(top)] == [("a", 0), ("a", 0), ("b", 0), ("a", 1), ("a", 1)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a;\n}", "f:2: unexpected '}': no block is open here; remove it, or open the block it closes"),
        (b"a {\n b c\n}", "f:3: unexpected '}': 'b' before it has no ';'; add it"),
        (b"a;\n;", "f:2: unexpected ';': no directive stands before it; remove it, or write the directive's name"),
        (b"\n\n{ }", "f:3: unexpected '{': no directive stands before it; remove it, or write the directive's name"),
        (b"a;\nb 'c\n\n", "f:2: the ' that opens here is never closed; close it"),
        (b'a;\nb "c\nd"e;', "f:3: unexpected 'e' after a closing quote; put a space between them"),
        (b"a;\nb\nc", "f:2: 'b' has no ';' before the end of the file; add it"),
        (b"a {\n b {\n c; }", "f:1: the block 'a' that opens here is never closed; add its '}'"),
        (b"a;\nb\0", "f:2: a NUL byte: not text; if it is UTF-16, save it as UTF-8"),
        ("a;".encode("utf-16"), "f:1: a NUL byte: not text; if it is UTF-16, save it as UTF-8"),
        (b"a;\nb \\", "f:2: the file ends in a backslash; remove it and end the directive with ';'"),
        (b"a;\n\\", "f:2: the file ends in a backslash; remove it and end the directive with ';'"),
        (b"a;\n" + b"b {\n" * 201 + b"}" * 201, "f:202: blocks nested deeper than 200; flatten them"),
        (b"a;\nlisten {{ port }};", "f:2: '{{' looks like an unrendered template; render it first"),
        (b"{% if x %}\na;", "f:1: '{%' looks like an unrendered template; render it first"),
        (b"a;\n<% if x -%>\nb;", "f:2: '<%' looks like an unrendered template; render it first"),
        (b"a;\n%%NAME%% b;", "f:2: '%%NAME%%' looks like an unrendered template; render it first"),
        (
            b"a;\nlisten %%HOST%%:%%PORT%%;",
            "f:2: '%%HOST%%:%%PORT%%' looks like an unrendered template; render it first",
        ),
        (b"a;\nlisten <%= @port %>;", "f:2: '<%=' looks like an unrendered template; render it first"),
        (b"a {\n b;\n{#- c #}\n}", "f:3: '{#-' looks like an unrendered template; render it first"),
        (b"x_by_lua_block {\n '}' ", "f:1: the block 'x_by_lua_block' that opens here is never closed; add its '}'"),
        (b"x\x1b[31m\xff {", "f:1: the block 'x?[31m\ufffd' that opens here is never closed; add its '}'"),
    ],
)
def test_what_cannot_be_read_is_named(data: bytes, message: str) -> None:
    with pytest.raises(InputError) as error:
        scan(data, "f")
    assert str(error.value) == message


def test_two_hundred_blocks_deep_is_read() -> None:
    assert len(words(b"b { " * 200 + b"}" * 200)) == 200


@pytest.mark.parametrize(
    "body",
    [
        b"local t = { a = { 1 } }",
        b'local s = "}" .. \'}\' .. "\\"}"',
        b"local s = [[ } ]] .. [==[ ]] } ]==]",
        b"-- it's }\n --[[ } ]] --[=[ ]] } ]=] x()",
        b"t[a[1]] = 2",
        b"",
    ],
)
@pytest.mark.parametrize("name", [b"content_by_lua_block", b"set_by_lua_block $x", b"ssl_client_hello_by_lua_block"])
def test_lua_is_passed_over(name: bytes, body: bytes) -> None:
    data = b"a {\n" + name + b" {" + body + b"}\n b c; }"
    inside = scan(data, "f")[0].block or []
    lua = inside[0]
    assert (lua.opaque, lua.block, data[lua.end + 1 : lua.close]) == (True, [], body)
    assert [s.name for s in inside[1:]] == ["b"]
    assert inside[1].line == 3 + body.count(b"\n")


@pytest.mark.parametrize(
    ("head", "repeated"),
    [
        (b"x_by_lua_block {", b'"\\'),
        (b"x_by_lua_block {", b"[["),
        (b"x_by_lua_block {", b"[="),
        (b"a ", b'"\\'),
        (b"a ", b"'a"),
        (b"a ", b"${"),
        (b"a ", b"\\a"),
        (b"", b"#"),
        (b"", b"%%"),
        (b"a ", b"{{"),
    ],
)
def test_hostile_megabytes_take_no_time(head: bytes, repeated: bytes) -> None:
    start = time.process_time()
    with contextlib.suppress(InputError):
        scan(head + repeated * 500_000, "f")
    assert time.process_time() - start < 2


def test_more_words_than_memory_should_hold_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nginx, "MOST_WORDS", 8)
    assert len(words(b"a b; c d;")) == 2
    with pytest.raises(InputError, match="f:2: more than 8 words in one file; split it"):
        scan(b"a b; c d;\ne f; g h;", "f")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("/x/*.conf", "/x/*.conf"), ("conf.d/*.conf", "/etc/nginx/conf.d/*.conf"), ("../x", "/etc/nginx/../x")],
)
def test_includes_are_taken_from_the_entrys_folder(pattern: str, expected: str) -> None:
    assert absolute("/etc/nginx/nginx.conf", pattern) == expected
