"""What comments of nginx and sysctl files say, and the lines for which they hold."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.snapshots import nginx_of, snapshot_with

from advisor.errors import InputError
from advisor.formats.nginx import scan
from advisor.gate.comments import comments, in_nginx, in_sysctl
from advisor.gate.spans import Found, Ignore, Wrong
from advisor.snapshot.model import SysctlFile

NONE = (1, 0)


def nginx(text: str) -> list[Found]:
    data = text.encode()
    return in_nginx(data, "f", scan(data, "f"))


def told(found: list[Found]) -> list[object]:
    """Of each comment the line it stands on, and the rules with their lines; or what is wrong."""
    return [
        (one.location.line, {hold.rule: (hold.first, hold.last) for hold in one.holds})
        if isinstance(one, Ignore)
        else (one.location.line, one.what)
        for one in found
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a 1; # advisor: ignore[x] r", [(1, {"x": (1, 1)})]),
        ("a 1; b 2; # advisor: ignore[x, y] r\nc;", [(1, {"x": (1, 1), "y": (1, 1)})]),
        ("a\n 1\n 2; # advisor: ignore[x] r", [(3, {"x": (1, 3)})]),
        ("a\n 1 # advisor: ignore[x] r\n 2;", [(2, {"x": (1, 3)})]),
        ("a\n # advisor: ignore[x] r\n 2;", [(2, {"x": (1, 3)})]),
        ("# advisor: ignore[x] r\na\n 1;\nb;", [(1, {"x": (2, 3)})]),
        ("# advisor: ignore[x] r\n# advisor: ignore[y] r\n\n# prose\na;", [(1, {"x": (5, 5)}), (2, {"y": (5, 5)})]),
        ("# advisor: ignore[x] r\nserver {\n a;\n}", [(1, {"x": (2, 2)})]),
        ("server { # advisor: ignore[x] r\n a;\n}", [(1, {"x": (1, 1)})]),
        ("server {\n a;\n # advisor: ignore[x] r\n}\nb;", [(3, {"x": NONE})]),
        ("# advisor: ignore[x] r\n", [(1, {"x": NONE})]),
        ("server {\n} # advisor: ignore[x] r\nb;", [(2, {"x": (2, 2)})]),
        ("##\tadvisor:ignore[x]r", [(1, {"x": NONE})]),
    ],
)
def test_a_comment_holds_for_the_statement_it_stands_at(text: str, expected: list[object]) -> None:
    assert told(nginx(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a '# advisor: ignore[x] r';",
        'a "\n# advisor: ignore[x] r\n";',
        "a b# advisor: 1;",
        "a 1; # prose # advisor: ignore[x] r",
        "a 1 # prose ## advisor: ignore[x] r\n;",
        "content_by_lua_block {\n# advisor: ignore[x] r\n}",
        "# my advisor: ignore[x] r",
    ],
)
def test_what_only_looks_like_a_comment_is_none(text: str) -> None:
    assert nginx(text) == []


def test_a_comment_behind_what_only_looks_like_one_is_found() -> None:
    text = 'a b#advisor: "#advisor: ignore[x] r"; # advisor: ignore[y] r # advisor: ignore[z] r'
    assert told(nginx(text)) == [(1, {"y": (1, 1)})]
    assert told(nginx("rewrite_by_lua_block { } # advisor: ignore[y] r")) == [(1, {"y": (1, 1)})]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# advisor: ignore-begin[x] r\na;\n# advisor: ignore-end[x]\nb;", [(1, {"x": (1, 3)})]),
        ("# advisor: ignore-begin[x, y] r\n# advisor: ignore-end[y]\na;\n# advisor: ignore-end",
         [(1, {"x": (1, 4), "y": (1, 2)})]),
        (
            "# advisor: ignore-begin[x] r\n# advisor: ignore-begin[x] s\n# advisor: ignore-end\n# advisor: ignore-end",
            [(1, {"x": (1, 4)}), (2, {"x": (2, 3)})],
        ),
        (
            "# advisor: ignore-begin[x] r\n#advisor:ignore-begin[y] r\n# advisor: ignore-end[x]\n# advisor: ignore-end",
            [(1, {"x": (1, 3)}), (2, {"y": (2, 4)})],
        ),
    ],
)  # fmt: skip  # (rows of one line each read better)
def test_a_block_holds_from_its_beginning_to_its_end(text: str, expected: list[object]) -> None:
    assert told(nginx(text)) == expected
    assert told(in_sysctl(text.replace(";", " = 1").encode(), "f")) == expected


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("ignroe[x] r", "'ignroe' is nothing a comment can ask for; did you mean 'ignore'?; write ignore[RULE] reason"),
        ("", "'' is nothing a comment can ask for; write"),
        ("ignore", "it names no rule"),
        ("ignore[]", "'' is no rule's id"),
        ("ignore[x", "it names no rule"),
        ("ignore[x,] r", "'' is no rule's id"),
        ("ignore[x y] r", "'x y' is no rule's id"),
        ("ignore[x] r; until 2027-02-30", "until '2027-02-30' names no day; write it as in: until 2027-01-31"),
        ("ignore[x] r; until 20270101", "until '20270101' names no day"),
        ("ignore[x] r; until the end of it", "until 'the end of it' names no day"),
        ("ignore-begin[x, y] r", "the block of x, y never ends; close it by a comment 'advisor: ignore-end'"),
        ("ignore-end", "no block is open here; begin one by ignore-begin[RULE] reason"),
    ],
)
def test_what_is_wrong_is_said_with_the_way_out(said: str, what: str) -> None:
    (found,) = nginx(f"a;\n  # advisor: {said}\nb;")
    assert isinstance(found, Wrong)
    assert (found.location.line, found.location.column) == (2, 3)
    assert found.what.startswith(what)


def test_the_end_of_another_block_is_wrong_and_closes_none() -> None:
    found = nginx("# advisor: ignore-begin[x] r\n# advisor: ignore-end[y]\n# advisor: ignore-end[x]")
    assert told(found) == [
        (1, {"x": (1, 3)}),
        (2, "no block of y is open here; begin one, or correct the rule"),
    ]


def test_reason_and_day_are_told_apart() -> None:
    found = nginx("# advisor: ignore[x]  long polls; they wait ;until 2027-01-31 \r\na;")
    assert isinstance(found[0], Ignore)
    assert (found[0].reason, found[0].until) == ("long polls; they wait", "2027-01-31")
    assert found[0].location.excerpt == "# advisor: ignore[x]  long polls; they wait ;until 2027-01-31 "


def test_in_sysctl_files_a_comment_has_a_line_of_its_own() -> None:
    text = "# advisor: ignore[x] r\n; advisor: ignore[y] r\n\n#\nå = 1 # advisor: ignore[z] r\r\n ;advisor:ignore[z] r"
    assert told(in_sysctl(text.encode(), "f")) == [
        (1, {"x": (5, 5)}),
        (2, {"y": (5, 5)}),
        (5, "behind a value it is part of the value, and no comment; put it on a line of its own above"),
        (6, {"z": NONE}),
    ]
    assert in_sysctl(text.encode(), "f")[2].location.column == 7


def test_files_without_such_comments_are_left_out() -> None:
    said = "a; # advisor: ignore[x] r"
    files = {"/n": said, "/o": "a '# advisor: ignore[x] r';", "/p": "a; # advice"}
    drop_ins = [SysctlFile(path="/s", content=b"#advisor: ignore[x] r"), SysctlFile(path="/t", content=b"a = 1")]
    nginx_files = nginx_of({name: text.encode() for name, text in files.items()})
    assert {*comments(snapshot_with(nginx=nginx_files, sysctl_files=drop_ins))} == {"/n", "/s"}
    assert comments(snapshot_with()) == {}


BEGIN, END = "\n# advisor: ignore-begin[y] r\n", "\n# advisor: ignore-end\n"
PIECES = [
    "a 1;",
    "\n",
    " ",
    "b {",
    "}",
    "# advisor: ignore[x] r",
    "'# advisor: ignore[z] r'",
    "c\n 'é'\n;",
    "#",
    BEGIN,
    END,
]


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_comments_change_nothing_and_every_one_is_accounted_for(pieces: list[str]) -> None:
    """What is taken for a comment goes up to the end of its line, and stands where nginx's words do not."""
    text = "".join(pieces) + "\n"
    try:
        statements = scan(text.encode(), "f")
    except InputError:
        return
    found = in_nginx(text.encode(), "f", statements)
    lines = text.split("\n")
    for one in found:
        line, column = one.location.line or 0, one.location.column or 0
        assert lines[line - 1][column - 1] == "#"
        lines[line - 1] = lines[line - 1][: column - 1]
        for hold in one.holds if isinstance(one, Ignore) else ():
            assert (hold.first, hold.last) == NONE or 1 <= hold.first <= hold.last <= len(lines)
    without = "\n".join(lines)
    assert [(one.name, one.line, one.texts) for one in scan(without.encode(), "f")] == [
        (one.name, one.line, one.texts) for one in statements
    ]
    left = in_nginx(without.encode(), "f", scan(without.encode(), "f"))
    assert all("ignore-end" in (one.location.excerpt or "") for one in left), "an end that closed a block is no more"


@pytest.mark.parametrize(
    "text",
    [
        "#" * 300_000,
        "# " * 200_000,
        "# advisor: " * 30_000,
        "# advisor: x\n" * 20_000,
        "# advisor: ignore-begin[x] r\n" * 10_000 + "# advisor: ignore-end[x]\n" * 10_000,
        "# advisor: ignore-begin[" + ",".join(f"r{number}" for number in range(5_000)) + "] r\n"
        + "".join(f"# advisor: ignore-end[r{number}]\n" for number in range(5_000)),
        "a " + "b#advisor: " * 20_000 + "'#advisor:';",
        "a '" + "# advisor: " * 30_000 + "';",
    ],
    ids=range(8),
)  # fmt: skip  # (rows of one line each read better)
def test_hostile_files_take_bounded_time(text: str) -> None:
    data = text.encode()
    statements = scan(data, "f")
    begun = time.process_time()
    in_nginx(data, "f", statements)
    in_sysctl(data, "f")
    assert time.process_time() - begun < 3
