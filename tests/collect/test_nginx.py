"""The configuration tree as nginx reads it, and where crossplane reads a file otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from advisor.collect import nginx as collector
from advisor.collect.nginx import read_nginx
from advisor.errors import InputError
from advisor.system import System

if TYPE_CHECKING:
    from pathlib import Path


ENTRY = "/etc/nginx/nginx.conf"


def tree(folder: Path, files: dict[str, str | bytes]) -> System:
    for name, text in files.items():
        file = folder / name.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
    return System(str(folder))


def test_includes_are_read_breadth_first_from_the_entrys_folder(tmp_path: Path) -> None:
    system = tree(
        tmp_path,
        {
            ENTRY: "http {\n include conf.d/*.conf;\n include /srv/x;\n include none/*;\n include '/srv/x';\n}",
            "/etc/nginx/conf.d/b.conf": "server { include snippets/s; }",
            "/etc/nginx/conf.d/a.conf": "server {}",
            "/etc/nginx/conf.d/.hidden.conf": "}",
            "/etc/nginx/snippets/s": "listen 80;",
            "/srv/x": "a;",
        },
    )
    nginx, problems = read_nginx(system, ENTRY)
    assert problems == []
    assert nginx.entry == ENTRY
    assert list(nginx.files) == [
        ENTRY,
        "/etc/nginx/conf.d/a.conf",
        "/etc/nginx/conf.d/b.conf",
        "/srv/x",
        "/etc/nginx/snippets/s",
    ]
    assert nginx.includes == {
        "/etc/nginx/conf.d/*.conf": ["/etc/nginx/conf.d/a.conf", "/etc/nginx/conf.d/b.conf"],
        "/srv/x": ["/srv/x"],
        "/etc/nginx/none/*": [],
        "/etc/nginx/snippets/s": ["/etc/nginx/snippets/s"],
    }
    assert nginx.files["/srv/x"].content == b"a;"
    assert nginx.files["/srv/x"].modified == (tmp_path / "srv/x").stat().st_mtime
    assert nginx.files["/srv/x"].differs is None


def test_files_are_known_by_their_real_path_inside_the_tree(tmp_path: Path) -> None:
    system = tree(tmp_path, {ENTRY: "include sites-enabled/*;", "/etc/nginx/sites-available/s": "a;"})
    (tmp_path / "etc/nginx/sites-enabled").mkdir()
    (tmp_path / "etc/nginx/sites-enabled/s").symlink_to("/etc/nginx/sites-available/s")
    nginx, problems = read_nginx(system, ENTRY)
    assert nginx.includes == {"/etc/nginx/sites-enabled/*": ["/etc/nginx/sites-available/s"]}
    assert nginx.files["/etc/nginx/sites-available/s"].content == b"a;"
    assert problems == []


def test_a_linked_entry_takes_its_includes_from_the_links_folder(tmp_path: Path) -> None:
    system = tree(tmp_path, {"/srv/real.conf": "include x;", "/etc/nginx/x": "a;", "/srv/x": "wrong;"})
    (tmp_path / "etc/nginx/nginx.conf").symlink_to("/srv/real.conf")
    nginx, _ = read_nginx(system, ENTRY)
    assert nginx.entry == "/srv/real.conf"
    assert nginx.includes == {"/srv/x": ["/etc/nginx/x"]}


def test_the_entrys_bytes_may_come_from_elsewhere(tmp_path: Path) -> None:
    system = tree(tmp_path, {"/etc/nginx/x": "a;"})
    nginx, problems = read_nginx(system, ENTRY, (b"include x;", None))
    assert [(path, file.modified is None) for path, file in nginx.files.items()] == [
        (ENTRY, True),
        ("/etc/nginx/x", False),
    ]
    assert problems == []


def test_what_is_wrong_but_readable_is_a_problem(tmp_path: Path) -> None:
    text = (
        "include none.conf;\ninclude none.conf;\ninclude;\ninclude a b;\ninclude x/y;\nname '"
        + "w" * 4095
        + "';\nname '"
        + "w" * 4094
        + "';"
    )
    system = tree(tmp_path, {ENTRY: text, "/etc/nginx/x": "b " + "w" * 4095 + ";"})
    nginx, problems = read_nginx(system, ENTRY)
    assert problems == [
        (
            "nginx",
            f"{ENTRY}:1: can't read /etc/nginx/none.conf: No such file or directory; correct the path, or the file",
        ),
        ("nginx", f"{ENTRY}:3: include takes one path, not 0; nginx refuses"),
        ("nginx", f"{ENTRY}:4: include takes one path, not 2; nginx refuses"),
        ("nginx", f"{ENTRY}:5: can't read /etc/nginx/x/y: Not a directory; correct the path, or the file"),
        ("nginx", f"{ENTRY}:6: a word of more than 4,095 bytes, which nginx refuses; shorten it"),
    ]
    assert list(nginx.files) == [ENTRY]


@pytest.mark.parametrize(
    ("files", "chain"),
    [
        (
            {ENTRY: "include z;\ninclude a;", "a": "include z;\ninclude b;", "b": "include a;"},
            "{0}a:2 -> {0}b:1 -> {0}a",
        ),
        ({ENTRY: "include z;\ninclude nginx.conf;"}, "{0}nginx.conf:2 -> {0}nginx.conf"),
        ({ENTRY: "http {\n include conf.d/*;\n}", "conf.d/x": "include conf.d/*;"}, "{0}conf.d/x:1 -> {0}conf.d/x"),
    ],
)
def test_cycles_are_named_and_end(tmp_path: Path, files: dict[str, str | bytes], chain: str) -> None:
    named = {name if name == ENTRY else f"/etc/nginx/{name}": text for name, text in files.items()}
    system = tree(tmp_path, {"/etc/nginx/z": "events {}", **named})
    with pytest.raises(InputError) as error:
        read_nginx(system, ENTRY)
    way = chain.format("/etc/nginx/")
    closing = way.split(" -> ")[-2]
    assert str(error.value) == f"{closing}: include cycle: {way}; nginx ends on it with a crash: remove one of them"


def test_a_file_included_twice_is_no_cycle(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        ENTRY: "include a;\ninclude b;",
        "/etc/nginx/a": "include b;",
        "/etc/nginx/b": "c;",
    }
    assert read_nginx(tree(tmp_path, files), ENTRY)[1] == []


def test_a_long_cycle_is_named_in_short(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"/etc/nginx/{i}": f"include {(i + 1) % 2000};" for i in range(2000)}
    with pytest.raises(InputError) as error:
        read_nginx(tree(tmp_path, {ENTRY: "include 0;", **files}), ENTRY)
    assert str(error.value).startswith("/etc/nginx/1999:1: include cycle: /etc/nginx/0:1 -> /etc/nginx/1:1 -> ")
    assert "/etc/nginx/7:1 -> ... -> /etc/nginx/0; nginx" in str(error.value)


def test_files_that_double_each_other_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each but the last has two statements; expanded, the tree has 1 + 2 + 4 + 8 + 8."""
    files: dict[str, str | bytes] = {f"/etc/nginx/{i}": f"include {i + 1}; include {i + 1};" for i in range(3)}
    system = tree(tmp_path, {ENTRY: "include 0;", "/etc/nginx/3": "a;", **files})
    monkeypatch.setattr(collector, "_MOST_STATEMENTS", 23)
    assert len(read_nginx(system, ENTRY)[0].files) == 5
    monkeypatch.setattr(collector, "_MOST_STATEMENTS", 22)
    with pytest.raises(InputError, match=r"nginx.conf: with all it includes it has more than 22 statements"):
        read_nginx(system, ENTRY)


def test_of_many_problems_some_are_told(tmp_path: Path) -> None:
    system = tree(tmp_path, {ENTRY: "".join(f"include gone{i};" for i in range(203))})
    problems = read_nginx(system, ENTRY)[1]
    assert len(problems) == 201
    assert problems[-1] == ("nginx", "and 3 more things like these are wrong with it")


def test_comments_that_are_too_long_for_nginx(tmp_path: Path) -> None:
    """It takes 4,095 bytes with the ``#`` (measured on 1.22.1); a ``#`` inside of words and Lua begins no comment."""
    fine, long = "#" + "x" * 4094, "#" + "x" * 4095
    text = f"{fine}\na b{long[:4000]} c; {long}\nd; e {long}\n; f '{long[:4000]}' g;"
    text += f" l_by_lua_block {{ x = 1 -- {long}\n }} g;"
    problems = read_nginx(tree(tmp_path, {ENTRY: text}), ENTRY)[1]
    what = "a comment of more than 4,095 bytes, which nginx refuses; shorten it"
    assert problems == [("nginx", f"{ENTRY}:2: {what}"), ("nginx", f"{ENTRY}:3: {what}")]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            FileNotFoundError(2, "No such file or directory"),
            "/etc/nginx/a: No such file or directory; correct the path",
        ),
        (OSError(16, "it changed while it was read"), "/etc/nginx/a: it changed while it was read; run again"),
    ],
)
def test_a_file_that_vanishes_or_changes_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, message: str
) -> None:
    system = tree(tmp_path, {ENTRY: "b;\ninclude *a;", "/etc/nginx/a": ""})
    real = system.read_settled

    def fail(path: str) -> tuple[bytes, float]:
        if path == ENTRY:
            return real(path)
        raise error

    monkeypatch.setattr(system, "read_settled", fail)
    with pytest.raises(InputError) as said:
        read_nginx(system, ENTRY)
    assert str(said.value).startswith(f"{ENTRY}:2: can't read {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a;\ninclude bad;", "/etc/nginx/bad:2: unexpected '}': no block is open here"),
        ("a;\ninclude *d;", "/etc/nginx/bad:2: unexpected '}': no block is open here"),
        ("a;\ninclude fifo;", "/etc/nginx/nginx.conf:2: can't read /etc/nginx/fifo: not a regular file; correct"),
        ("a;\ninclude folder;", "/etc/nginx/nginx.conf:2: can't read /etc/nginx/folder: not a regular file; correct"),
        ("a;\ninclude fo*;", "/etc/nginx/nginx.conf:2: can't read /etc/nginx/folder: not a regular file; correct"),
        ("a;\ninclude loop;", "/etc/nginx/nginx.conf:2: can't read /etc/nginx/loop: Too many levels of symbolic links"),
        ("a;\ninclude big;", "/etc/nginx/nginx.conf:2: can't read /etc/nginx/big: larger than the 16777216 bytes"),
        ("a;\ninclude " + "x" * 300 + ";", "File name too long; correct the path"),
        ("a {\n", "/etc/nginx/nginx.conf:1: the block 'a' that opens here is never closed"),
        (
            b"include \xff/x;\na;\ninclude \xff/*;",
            "/etc/nginx/nginx.conf:1: /etc/nginx/\\xff/x is a path that is not UTF-8",
        ),
    ],
)
def test_nothing_is_half_read(tmp_path: Path, text: str | bytes, message: str) -> None:
    system = tree(tmp_path, {ENTRY: text, "/etc/nginx/bad": "a;\n}", "/etc/nginx/big": ""})
    folder = tmp_path / "etc/nginx"
    os.truncate(folder / "big", 16 * 1024 * 1024 + 1)
    os.mkfifo(folder / "fifo")
    (folder / "folder").mkdir()
    (folder / "loop").symlink_to("loop")
    odd = os.fsencode(folder) + b"/\xff"
    os.mkdir(odd)
    with open(odd + b"/x", "wb") as file:
        file.write(b"a;")
    with pytest.raises(InputError) as error:
        read_nginx(system, ENTRY)
    assert message in str(error.value)


def test_an_entry_that_is_not_there_or_not_absolute(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"can't read /etc/nginx/nginx.conf: No such file"):
        read_nginx(System(str(tmp_path)), ENTRY)
    with pytest.raises(InputError, match=r"nginx.conf: not an absolute path"):
        read_nginx(System(str(tmp_path)), "nginx.conf")


def test_a_file_that_may_not_be_read_names_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = tree(tmp_path, {ENTRY: "a;"})

    def refuse(*_: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(system, "read_settled", refuse)
    with pytest.raises(InputError, match=r"can't read /etc/nginx/nginx.conf: Permission denied; run as root"):
        read_nginx(system, ENTRY)


@pytest.mark.parametrize(
    ("limit", "value", "message"),
    [
        ("_MOST_FILES", 2, "nginx.conf:1: the includes name more than 2 files"),
        ("_MOST_LINKS", 3, "nginx.conf:1: the includes name more than"),
        ("_MOST_BYTES", 20, "the configuration is larger than"),
    ],
)
def test_size_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, message: str) -> None:
    files: dict[str, str | bytes] = {f"/etc/nginx/x/{i}": "abcd;" for i in range(5)}
    system = tree(tmp_path, {ENTRY: "include x/*;include x/*;", **files})
    assert len(read_nginx(system, ENTRY)[0].files) == 6
    monkeypatch.setattr(collector, limit, value)
    with pytest.raises(InputError, match=message):
        read_nginx(system, ENTRY)


def test_data_files_are_read_but_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = tree(tmp_path, {ENTRY: "include data;", "/etc/nginx/data": "a b c;" * 9, "/etc/nginx/y": "a;"})
    monkeypatch.setattr(collector, "COMPARED", 40)
    files = read_nginx(system, ENTRY)[0].files
    assert files[ENTRY].differs is None
    assert files["/etc/nginx/data"].differs == "not compared with crossplane: 54 bytes are too many"


def test_a_files_difference_stands_in_the_snapshot(tmp_path: Path) -> None:
    system = tree(tmp_path, {ENTRY: "include x;", "/etc/nginx/x": "a ${b} ${c} d;"})
    files = read_nginx(system, ENTRY)[0].files
    assert files[ENTRY].differs is None
    assert "${b} ${c} d" in (files["/etc/nginx/x"].differs or "")


def test_crossplane_is_imported_only_when_it_reads() -> None:
    code = "import sys, advisor.collect.nginx; sys.exit('crossplane' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_a_link_that_leads_nowhere_is_said_and_does_not_hide_the_rest(tmp_path: Path) -> None:
    (tmp_path / "etc/nginx/sites").mkdir(parents=True)
    (tmp_path / "etc/nginx/nginx.conf").write_text("events {}\nhttp { include sites/*; }\n")
    (tmp_path / "etc/nginx/sites/a").symlink_to("../gone")
    (tmp_path / "etc/nginx/sites/b").write_text("server { listen 80; }\n")
    found, problems = read_nginx(System(str(tmp_path)), "/etc/nginx/nginx.conf")
    assert list(found.files) == ["/etc/nginx/nginx.conf", "/etc/nginx/sites/b"]
    assert [why for _, why in problems if "nginx.conf:2" in why and "sites/a" in why]
