"""What ``nginx -T`` prints, taken apart; ``tests/collect/test_nginx_dumps.py`` compares with the real one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.errors import InputError
from advisor.formats import nginx_dump
from advisor.formats.nginx_dump import first_name, is_dump, split

OK = b"nginx: the configuration file /n/nginx.conf syntax is ok\nnginx: configuration file /n/nginx.conf test is ok\n"
MARK = b"# configuration file %b:\n"


def dump(*files: tuple[str, bytes]) -> bytes:
    """What nginx prints of these files."""
    return b"".join(MARK % path.encode() + content + b"\n" for path, content in files)


@pytest.mark.parametrize(
    ("data", "yes"),
    [
        (dump(("/n/nginx.conf", b"a;")), True),
        (OK + dump(("/n/nginx.conf", b"a;")), True),
        (b'2026/01/02 03:04:05 [warn] 1#1: "user"\nnginx: [warn] x\n\n' + dump(("/n/nginx.conf", b"")), True),
        (b"# configuration file /n/nginx.conf:\r\na;\r\n\r\n", True),
        (b"nginx: [emerg] unknown directive\n", True),
        (b"# configuration file ./nginx.conf:\na;\n\n", True),
        (b"", False),
        (b"\n\nuser x;\n", False),
        (b"# configuration file for the shop:\nuser x;\n", False),
        (b"# configuration file /n/nginx.conf\nuser x;\n", False),
        (b"user x;\n# configuration file /n/nginx.conf:\n", False),
    ],
)
def test_a_dump_is_known_by_its_beginning(data: bytes, yes: bool) -> None:  # noqa: FBT001 (the case)
    assert is_dump(data) is yes


def test_its_first_file_can_be_asked_for() -> None:
    assert first_name(OK + dump(("/n/nginx.conf", b"a;"))) == "/n/nginx.conf"
    assert first_name(b"user x;") is None


ENTRY = b"include /n/a;\ninclude b/*;\n"
FILES = st.sampled_from(
    [b"", b"x;", b"x;\n", b"x;\r\n", b"# \xe9", b"\n\n", b"x '\n# configuration file /n/a:\n';", b"#"]
)


@given(FILES, FILES, FILES)
def test_every_byte_is_given_back(one: bytes, two: bytes, three: bytes) -> None:
    files = {"/n/nginx.conf": ENTRY, "/n/a": one, "/n/b/x": two, "/n/b/y": three}
    for before in (b"", OK):
        assert split(before + dump(*files.items()), "d") == files
    through_a_terminal = dump(*files.items()).replace(b"\n", b"\r\n")
    assert split(through_a_terminal, "d") == files


@pytest.mark.parametrize(
    "inside",
    [
        b'x "\n# configuration file /n/a:\n";',
        b"content_by_lua_block {\n# configuration file /n/a:\n}",
        b"b {\n# configuration file /n/a:\n}",
        b"x\n# configuration file /n/a:\n;",
        b"x;\n# configuration file /other:\ny;",
        b"# configuration file /n/b/c/d:\n",
        b"x; # configuration file /n/a:\n",
        b"# configuration file /n/nginx.conf:\nx;\n",
        b"# configuration file for all:\n",
    ],
)
def test_a_line_inside_a_file_that_looks_like_nginxs(inside: bytes) -> None:
    files = {"/n/nginx.conf": inside + b"\n" + ENTRY, "/n/a": b"x;\n", "/n/b/x": inside if b"/n/a" in inside else b""}
    assert split(dump(*files.items()), "d") == files


def test_a_file_that_begins_with_its_own_name() -> None:
    files = {"/n/nginx.conf": b"include a;", "/n/a": b"# configuration file /n/a:\nx;\n"}
    assert split(dump(*files.items()), "d") == files


def test_paths_are_made_plain() -> None:
    data = dump(("/n//nginx.conf", b"include ./a//[x];include /n/./y;"), ("/n/./a//x", b"1 ;"), ("/n/./y", b""))
    assert split(data, "d") == {
        "/n/nginx.conf": b"include ./a//[x];include /n/./y;",
        "/n/a/x": b"1 ;",
        "/n/y": b"",
    }


def test_old_versions_print_a_file_as_often_as_it_is_included() -> None:
    twice = dump(("/n/nginx.conf", b"include a;include a;"), ("/n/a", b"x;"), ("/n/a", b"x;"))
    assert split(twice, "d") == {"/n/nginx.conf": b"include a;include a;", "/n/a": b"x;"}


def test_a_file_at_fault_is_left_to_whoever_reads_it() -> None:
    files = {"/n/nginx.conf": b"include a;", "/n/a": b"x {\n"}
    assert split(dump(*files.items()), "d") == files


def test_a_dump_that_lost_its_last_line_feed() -> None:
    assert split(dump(("/n/nginx.conf", b"a;\n"))[:-1], "d") == {"/n/nginx.conf": b"a;"}
    assert split(MARK % b"/n/nginx.conf", "d") == {"/n/nginx.conf": b""}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b'nginx: [warn] w\nnginx: [emerg] "x" is unknown in /n/nginx.conf:3\nnginx: test failed\n',
            "d: no file is in it, nginx only says 'nginx: [emerg] \"x\" is unknown in /n/nginx.conf:3'; correct that",
        ),
        (
            OK,
            "d: no file is in it, nginx only says 'nginx: the configuration file /n/nginx.conf syntax is ok'; correct",
        ),
        (b"nginx: \x1b[0m" + b"x" * 999, "d: no file is in it, nginx only says 'nginx: ?[0mxxx"),
        (b"# configuration file ./nginx.conf:\na;\n\n", "d: './nginx.conf' is relative; run nginx -T with absolute"),
        (
            dump(("/n/nginx.conf", b"include a;"), ("/n/a", b"x;"), ("/n/a", b"y;")),
            "d: '# configuration file /n/a:' stands in it twice, before different files; which one is a comment",
        ),
    ],
)
def test_what_cannot_be_taken_apart(data: bytes, message: str) -> None:
    with pytest.raises(InputError) as error:
        split(data, "d")
    assert str(error.value).startswith(message)
    assert len(str(error.value)) < 400


def test_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    includes = b"".join(b"include %d*;" % i for i in range(100))
    data = dump(("/n/nginx.conf", includes), *((f"/n/x{i}", b"") for i in range(100)))
    assert len(split(data, "d")) == 1
    monkeypatch.setattr(nginx_dump, "_MOST_TRIED", 9_000)
    with pytest.raises(InputError, match="d: too many files and patterns"):
        split(data, "d")
    monkeypatch.setattr(nginx_dump, "_MOST_MARKS", 100)
    with pytest.raises(InputError, match="d: more than 100 files are in it"):
        split(data, "d")
