"""Which file has the last word at boot, and what each line sets."""

from __future__ import annotations

import pytest
from support.snapshots import snapshot_with

from advisor.errors import Unread
from advisor.facts.boot import Assignment
from advisor.facts.derive import Facts
from advisor.snapshot.model import SysctlFile

KEY = "net.core.somaxconn"
DROPIN = "/etc/sysctl.d/90-advisor.conf"
A, B = "/etc/sysctl.d/10-a.conf", "/etc/sysctl.d/20-b.conf"


def facts(files: dict[str, str]) -> Facts:
    return Facts(
        snapshot_with(sysctl_files=[SysctlFile(path=path, content=text.encode()) for path, text in files.items()])
    )


def after(paths: list[str], path: str = DROPIN) -> list[str]:
    found = facts(dict.fromkeys(paths, f"{KEY} = 1\n")).boot.after(path, KEY)
    return [one.file.path for one in found]


@pytest.mark.parametrize(
    ("path", "wins"),
    [
        ("/etc/sysctl.d/10-a.conf", False),
        ("/etc/sysctl.d/99-a.conf", True),
        ("/etc/sysctl.d/90-advisor.conf", False),
        ("/etc/sysctl.d/90-b.conf", True),
        ("/usr/lib/sysctl.d/99-a.conf", True),
        ("/run/sysctl.d/99-a.conf", True),
        ("/etc/sysctl.conf", True),
        ("/etc/sysctl.d/99-a.conf.bak", False),
        ("/etc/sysctl.d/deeper/99-a.conf", False),
        ("/home/me/99-a.conf", False),
    ],
)
def test_a_later_name_in_any_folder_has_the_last_word(path: str, wins: bool) -> None:  # noqa: FBT001 (a column)
    assert after([path]) == ([path] if wins else [])


def test_the_same_name_in_an_earlier_folder_masks_the_others() -> None:
    folders = ["/lib", "/usr/lib", "/usr/local/lib", "/run", "/etc"]
    assert after([f"{folder}/sysctl.d/99-a.conf" for folder in folders]) == ["/etc/sysctl.d/99-a.conf"]
    assert after([f"{folder}/sysctl.d/99-a.conf" for folder in folders[:4]]) == ["/run/sysctl.d/99-a.conf"]


def test_another_key_is_no_matter() -> None:
    found = facts({"/etc/sysctl.d/99-a.conf": "net.core.somaxconn_ = 1\nnet.core.* = 2\n-net.core.somaxconn\n"})
    assert found.boot.after(DROPIN, KEY) == []


def lines(files: dict[str, str]) -> list[Assignment]:
    return facts(files).boot.assignments


def test_every_line_is_an_item_and_repeated_keys_are_numbered() -> None:
    found = lines({A: f"{KEY}=1\n# no\n{KEY} = 2\n", B: f"{KEY}=3"})
    assert [(one.id, one.value, one.location.line) for one in found] == [
        (f"{KEY} in {A}", "1", 1),
        (f"{KEY} in {A} #2", "2", 3),
        (f"{KEY} in {B}", "3", 1),
    ]
    assert (found[1].location.file, found[1].location.column, found[1].location.excerpt) == (A, 22, f"{KEY} = 2")


def test_the_link_to_sysctl_conf_is_that_file() -> None:
    same = {"/etc/sysctl.d/99-sysctl.conf": f"{KEY}=1", "/etc/sysctl.conf": f"{KEY}=1"}
    assert [one.file.path for one in lines(same)] == ["/etc/sysctl.conf"]
    other = {**same, "/etc/sysctl.d/99-sysctl.conf": f"{KEY}=2"}
    assert len(lines(other)) == 2


def test_a_dead_key_says_since_when_and_what_is_hoped() -> None:
    dead, alive = lines({A: "net/ipv4/tcp_tw_recycle = 1\nnet.ipv4.tcp_tw_reuse = 1\n"})
    assert dead.dead_since == "removed in Linux 4.12"
    assert dead.hope is not None
    assert (alive.dead_since, alive.hope) == (None, None)


def test_files_that_were_not_read_are_unread() -> None:
    with pytest.raises(Unread, match="sysctl_files was left out"):
        assert Facts(snapshot_with()).boot.assignments
