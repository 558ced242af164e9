"""What a search of a repository comes to: candidates, faults, and what was passed over."""

from __future__ import annotations

import os
import pathlib

import pytest
from support.repository import make

from advisor.collect import discover, recognise
from advisor.collect.discover import Search, Seen
from advisor.collect.repository import Repository

SERVER = "server { listen 80; }\n"


def search(top: pathlib.Path, *named: str, exclude: tuple[str, ...] = ()) -> Seen:
    one = Search(Repository(str(top), [str(top)]), lambda path: path.endswith(exclude) if exclude else False, _quiet)
    for name in named or (".",):
        one.named(str(top / name))
    return one.found


def _quiet(_: str) -> None:
    pass


def kinds(seen: Seen) -> dict[str, str]:
    return {one.name: one.kind for one in seen.files}


def faults(seen: Seen) -> list[str]:
    return [str(error) for error in seen.faults]


def test_a_walk_takes_what_is_nginx_sysctl_or_a_snapshot(tmp_path: pathlib.Path) -> None:
    seen = search(
        make(
            tmp_path,
            {
                "app/site.conf": SERVER,
                "nginx/sites-available/www.example.com": SERVER,
                "sysctl.d/10.conf": "",
                "deploy/host-sysctl.conf": "net.core.somaxconn = 1\n",
                "kept/web.json": '{\n "schema": "advisor.snapshot/v1"}',
                "kept/other.json": "{}",
                "redis.conf": "port 6379\n",
                "supervisor/conf.d/nginx.conf": "[program:nginx]\ncommand=nginx\n",
                "templates/nginx.conf.j2": "{{ x }}",
                "node_modules/a/nginx.conf": SERVER,
                ".git/nginx.conf": SERVER,
                "conf.d/.hidden.conf": SERVER,
                "README.md": SERVER,
                "conf.d/gone.conf": "->nowhere",
                "loop": "->.",
            },
        )
    )
    assert kinds(seen) == {
        "app/site.conf": "nginx",
        "deploy/host-sysctl.conf": "sysctl",
        "kept/web.json": "snapshot",
        "nginx/sites-available/www.example.com": "nginx",
        "sysctl.d/10.conf": "sysctl",
    }
    assert faults(seen) == []
    assert dict(seen.passed) == {
        "folders of tools": 1,
        "files of other programs": 3,
        "templates": 1,
        "links that lead nowhere, or outside": 1,
    }


def test_what_is_plainly_meant_for_nginx_and_broken_is_a_fault(tmp_path: pathlib.Path) -> None:
    seen = search(
        make(tmp_path, {"conf.d/a.conf": "server {\n  listen 80;\n  proxy_buffering {{ x }};\n  server_name a;\n}"})
    )
    assert seen.files == []
    assert faults(seen) == ["conf.d/a.conf:3: '{{' looks like an unrendered template; render it first"]
    assert seen.faults[0].column == 19


def test_a_sysctl_file_that_was_not_rendered_is_a_fault(tmp_path: pathlib.Path) -> None:
    seen = search(make(tmp_path, {"sysctl.d/a.conf": "a.b = 1\nnet.core.somaxconn = {{ x }}\n"}))
    assert faults(seen) == ["sysctl.d/a.conf:2: it looks like an unrendered template; render it first"]


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("x", SERVER, "nginx"),
        ("x.txt", "allow 10.0.0.0/8;", "nginx"),
        ("nginx.conf", "", "nginx"),
        ("sysctl-a.out", "net.core.somaxconn = 4096\nfs.file-max = 1\n", "sysctl"),
        ("tuning.conf", "net.core.somaxconn = 4096\n", "sysctl"),
        ("web.snapshot", '{"schema": "advisor.snapshot/v1"}', "snapshot"),
    ],
)
def test_a_file_that_is_named_is_known_by_its_content(tmp_path: pathlib.Path, name: str, text: str, kind: str) -> None:
    assert kinds(search(make(tmp_path, {name: text}), name)) == {name: kind}


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("x.conf", "port 6379\n", "x.conf: it is neither nginx's configuration"),
        ("x.json", "{}", "x.json: it is neither nginx's configuration"),
        ("nginx.conf.j2", SERVER, "nginx.conf.j2: it is a template"),
        ("nginx.conf", "events {}\nhttp {\n  sendfile on\n}", "nginx.conf:4: unexpected '}'"),
    ],
)
def test_a_file_that_is_named_and_can_not_be_judged_is_a_fault(
    tmp_path: pathlib.Path, name: str, text: str, why: str
) -> None:
    seen = search(make(tmp_path, {name: text}), name)
    assert seen.files == []
    assert faults(seen)[0].startswith(why)


def test_a_pipe_is_not_opened(tmp_path: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "nginx.conf")
    assert faults(search(tmp_path, "nginx.conf")) == ["nginx.conf: it is no regular file; name another"]
    assert search(tmp_path).files == []


def test_what_can_not_be_read_is_a_fault_and_the_rest_is_found(tmp_path: pathlib.Path) -> None:
    seen = search(
        make(tmp_path, {"a.conf": b"server { listen 80; }" + b" " * (17 << 20), "nginx/b.conf": SERVER}), "a.conf", "."
    )
    assert kinds(seen) == {"nginx/b.conf": "nginx"}
    assert "larger than the 16777216 bytes" in faults(seen)[0]


def test_a_name_that_is_not_utf8_is_a_fault(tmp_path: pathlib.Path) -> None:
    (tmp_path / os.fsdecode(b"\xff.conf")).write_text(SERVER)
    assert faults(search(tmp_path)) == ["\\xff.conf is a path that is not UTF-8; rename it"]


def test_what_the_user_excludes_is_passed_over(tmp_path: pathlib.Path) -> None:
    seen = search(
        make(tmp_path, {"a/nginx.conf": SERVER, "b.conf": SERVER, "c.conf": SERVER}), exclude=("/a", "b.conf")
    )
    assert kinds(seen) == {"c.conf": "nginx"}
    assert dict(seen.passed) == {"excluded": 2}


def test_a_file_that_is_named_twice_or_linked_to_is_found_once(tmp_path: pathlib.Path) -> None:
    make(tmp_path, {"sites-available/a": SERVER, "sites-enabled/a": "->../sites-available/a"})
    assert kinds(search(tmp_path, ".", "sites-available/a")) == {"sites-available/a": "nginx"}


def test_too_much_is_a_fault_and_never_silent(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, {f"{name}.conf": SERVER for name in "abcd"} | {"x/y/z/nginx.conf": SERVER})
    for module, bound, most, why in [
        (discover, "_MOST_ENTRIES", 2, "more than 2 files and folders"),
        (discover, "_MOST_FOUND", 2, "more than 2 files to judge"),
        (discover, "_DEEPEST", 1, "nested deeper than 1"),
        (recognise, "_MOST_BYTES", 50, "MiB in all"),
    ]:
        with monkeypatch.context() as patch:
            patch.setattr(module, bound, most)
            seen = search(tmp_path)
        assert why in faults(seen)[-1]
        assert len(seen.faults) == 1
    assert search(tmp_path).faults == []
