"""Which sysctl files belong to one host, and the order in which they are taken."""

from __future__ import annotations

import pytest

from advisor.collect.hosts import base_of, nearest, taken
from advisor.collect.recognise import Candidate


@pytest.mark.parametrize(
    ("path", "base"),
    [
        ("/r/etc/sysctl.d/a.conf", "/r"),
        ("/r/etc/sysctl.conf", "/r"),
        ("/r/usr/lib/sysctl.d/a.conf", "/r"),
        ("/r/usr/local/lib/sysctl.d/a.conf", "/r"),
        ("/r/run/sysctl.d/a.conf", "/r"),
        ("/etc/sysctl.d/a.conf", "/"),
        ("/r/sysctl.d/a.conf", "/r"),
        ("/r/files/sysctl.conf", "/r/files"),
        ("/r/etc/web-sysctl.conf", "/r/etc"),
    ],
)
def test_a_sysctl_file_is_its_trees(path: str, base: str) -> None:
    assert base_of(path) == base


def test_the_innermost_folder_around_a_file_counts() -> None:
    bases = ["/", "/r", "/r/web", "/r/other"]
    assert nearest("/r/web/etc/nginx/nginx.conf", bases) == "/r/web"
    assert nearest("/r/nginx.conf", bases) == "/r"
    assert nearest("/x/nginx.conf", bases) == "/"
    assert nearest("/x/nginx.conf", bases[1:]) is None


def files(*paths: str) -> list[Candidate]:
    return [Candidate(path, path, "sysctl", named=False) for path in paths]


def test_files_come_as_sysctl_system_takes_them() -> None:
    order, hidden = taken(
        files(
            "/r/etc/sysctl.conf",
            "/r/usr/lib/sysctl.d/10-a.conf",
            "/r/etc/sysctl.d/20-b.conf",
            "/r/run/sysctl.d/15-c.conf",
            "/r/usr/lib/sysctl.d/20-b.conf",
        )
    )
    assert [one.name for one in order] == [
        "/r/usr/lib/sysctl.d/10-a.conf",
        "/r/run/sysctl.d/15-c.conf",
        "/r/etc/sysctl.d/20-b.conf",
        "/r/etc/sysctl.conf",
    ]
    assert [one.name for one in hidden] == ["/r/usr/lib/sysctl.d/20-b.conf"]


def test_folders_of_which_none_comes_first_hide_nothing() -> None:
    order, hidden = taken(files("/r/web/sysctl.d/a.conf", "/r/all/sysctl.d/a.conf"))
    assert [one.name for one in order] == ["/r/all/sysctl.d/a.conf", "/r/web/sysctl.d/a.conf"]
    assert hidden == []
