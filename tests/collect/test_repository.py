"""How an nginx configuration reaches the files of a repository, and that it reaches no others."""

from __future__ import annotations

import pathlib

import pytest
from support.repository import make

from advisor.collect.nginx import read_nginx
from advisor.collect.nginx_files import MissingError
from advisor.collect.repository import Reach, Repository, inside
from advisor.collect.tops import top_of
from advisor.errors import InputError

ACCOUNTS = "root:x:0:0:root:/root:/bin/sh\n"


def read(
    repository: Repository, entry: pathlib.Path, *, part: bool = False
) -> tuple[list[str], dict[str, list[str]], list[str]]:
    nginx, problems = read_nginx(Reach(repository, str(entry), part=part, limit=1_000_000), str(entry))
    return list(nginx.files), nginx.includes, [why for _, why in problems]


def tree(tmp_path: pathlib.Path, files: dict[str, str | bytes]) -> tuple[pathlib.Path, Repository]:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/passwd").write_text(ACCOUNTS)
    top = make(tmp_path / "repo", files)
    return top, Repository(str(top), [str(top)])


def test_names_begin_where_we_are_and_are_absolute_elsewhere(tmp_path: pathlib.Path) -> None:
    make(tmp_path, {"a/nginx.conf": "include sub/x;\ninclude ../b/y;", "a/sub/x": "a;", "b/y": "b;"})
    repository = Repository(str(tmp_path / "a"), [str(tmp_path)])
    files, includes, problems = read(repository, tmp_path / "a/nginx.conf")
    assert files == ["nginx.conf", "sub/x", f"{tmp_path}/b/y"]
    assert includes == {"sub/x": ["sub/x"], "../b/y": [f"{tmp_path}/b/y"]}
    assert problems == []


def test_absolute_includes_are_those_of_the_tree_that_the_repository_holds(tmp_path: pathlib.Path) -> None:
    text = "http {\n include /etc/nginx/conf.d/*.conf;\n include /opt/x/y;\n include /etc/nginx/mime.types;\n}"
    top, repository = tree(
        tmp_path,
        {"rootfs/etc/nginx/nginx.conf": text, "rootfs/etc/nginx/conf.d/a.conf": "a;", "etc/nginx/conf.d/no.conf": "b;"},
    )
    files, includes, problems = read(repository, top / "rootfs/etc/nginx/nginx.conf")
    assert files == ["rootfs/etc/nginx/nginx.conf", "rootfs/etc/nginx/conf.d/a.conf"]
    assert includes["/etc/nginx/conf.d/*.conf"] == ["rootfs/etc/nginx/conf.d/a.conf"]
    assert problems == [
        "rootfs/etc/nginx/nginx.conf:3: /opt/x/y is not in the repository",
        "rootfs/etc/nginx/nginx.conf:4: rootfs/etc/nginx/mime.types is not in the repository",
    ]


@pytest.mark.parametrize("prefix", ["/etc/nginx", "/usr/local/nginx/conf", "/usr/local/openresty/nginx/conf"])
def test_without_such_a_tree_the_usual_prefixes_are_the_entrys_folder(tmp_path: pathlib.Path, prefix: str) -> None:
    top, repository = tree(
        tmp_path, {"docker/nginx.conf": f"include {prefix}/conf.d/*.conf;", "docker/conf.d/a.conf": "a;"}
    )
    assert read(repository, top / "docker/nginx.conf")[0] == ["docker/nginx.conf", "docker/conf.d/a.conf"]


def test_a_part_includes_from_its_folder_and_then_from_those_around_it(tmp_path: pathlib.Path) -> None:
    text = "include snippets/tls.conf;\ninclude /etc/nginx/own.conf;\ninclude none;"
    files = {"web/conf.d/a.conf": text, "web/snippets/tls.conf": "t;", "web/conf.d/own.conf": "o;", "own.conf": "no;"}
    top, repository = tree(tmp_path, {**files})
    read_files, _, problems = read(repository, top / "web/conf.d/a.conf", part=True)
    assert read_files == ["web/conf.d/a.conf", "web/snippets/tls.conf", "web/conf.d/own.conf"]
    assert problems == ["web/conf.d/a.conf:3: web/conf.d/none is not in the repository"]
    assert read(repository, top / "web/conf.d/a.conf")[0] == ["web/conf.d/a.conf", "web/conf.d/own.conf"]


@pytest.mark.parametrize(
    "text",
    [
        "include ../../outside/passwd;",
        "include ../../outside/pass*;",
        "include ../../*;",
        "include ../../outside/*/x;",
        "include link;",
        "include lin*;",
        "include folder/passwd;",
        "include folder/*;",
        "include fold*/passwd;",
        "include absolute;",
        "include up/../../../outside/passwd;",
    ],
)
def test_nothing_outside_is_read_or_listed(tmp_path: pathlib.Path, text: str) -> None:
    top, repository = tree(
        tmp_path,
        {
            "web/nginx.conf": text,
            "web/up/x": "",
            "web/link": "->../../outside/passwd",
            "web/folder": "->../../outside",
            "web/absolute": f"->{tmp_path}/outside/passwd",
        },
    )
    for part in (True, False):
        files, _, problems = read(repository, top / "web/nginx.conf", part=part)
        assert files == ["web/nginx.conf"]
        assert len(problems) == ("fold*" not in text)
        assert all("leads outside of" in one for one in problems)


def test_a_file_of_this_host_is_never_read_for_an_absolute_include(tmp_path: pathlib.Path) -> None:
    top, repository = tree(tmp_path, {"nginx.conf": "include /etc/passwd;\ninclude /etc/*;"})
    files, _, problems = read(repository, top / "nginx.conf")
    assert files == ["nginx.conf"]
    assert problems == [
        "nginx.conf:1: /etc/passwd is not in the repository",
        "nginx.conf:2: /etc is not in the repository",
    ]


def test_absolute_links_of_an_image_lead_into_it(tmp_path: pathlib.Path) -> None:
    top, repository = tree(
        tmp_path,
        {
            "img/etc/nginx/nginx.conf": "include sites-enabled/*;",
            "img/etc/nginx/sites-available/a": "a;",
            "img/etc/nginx/sites-enabled/a": "->/etc/nginx/sites-available/a",
            "img/etc/nginx/sites-enabled/b": "->/etc/nginx/sites-available/b",
        },
    )
    files, _, problems = read(repository, top / "img/etc/nginx/nginx.conf")
    assert files == ["img/etc/nginx/nginx.conf", "img/etc/nginx/sites-available/a"]
    assert problems == ["img/etc/nginx/nginx.conf:1: img/etc/nginx/sites-enabled/b is not in the repository"]


def test_links_that_turn_round_end(tmp_path: pathlib.Path) -> None:
    top, repository = tree(tmp_path, {"a": "->b", "b": "->a"})
    with pytest.raises(OSError, match="symbolic links"):
        repository.real(f"{top}/a")


def test_what_is_outside_is_not_even_asked_for(tmp_path: pathlib.Path) -> None:
    top, repository = tree(tmp_path, {"x": ""})
    for name in ("passwd", "not-there"):
        with pytest.raises(MissingError, match="leads outside of"):
            repository.real(f"{top}/../outside/{name}")


def test_the_longest_and_nearest_tree_counts() -> None:
    assert inside("/r/etc/nginx", "/etc/nginx/conf.d/a") == "/r/etc/nginx/conf.d/a"
    assert inside("/r/etc/nginx/conf.d", "/etc/nginx/conf.d/a") == "/r/etc/nginx/conf.d/a"
    assert inside("/etc/nginx/x/etc/nginx", "/etc/nginx/a") == "/etc/nginx/x/etc/nginx/a"
    assert inside("/r/etc/app", "/etc/nginx/a") == "/r/etc/nginx/a"
    assert inside("/r/nginx", "/etc/nginx/a") is None
    assert inside("/r/x", "/a") is None


def test_the_top_is_where_git_is(tmp_path: pathlib.Path) -> None:
    make(tmp_path, {"a/.git": "gitdir: /elsewhere", "a/b/c/x": ""})
    assert top_of(str(tmp_path / "a/b/c")) == str(tmp_path / "a")
    assert top_of(str(tmp_path / "a")) == str(tmp_path / "a")


def test_patterns_of_all_configurations_together_are_bounded(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top, repository = tree(tmp_path, {"nginx.conf": "include d/*;\n" * 9, **{f"d/{one}": "" for one in range(9)}})
    read(repository, top / "nginx.conf")
    monkeypatch.setattr("advisor.collect.repository._MOST_LISTED", 15)
    with pytest.raises(InputError, match="more than 15 names"):
        read(repository, top / "nginx.conf")
