"""Live sysctls of a namespace, and trees of files that set them."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from advisor.catalog.sysctl import KEYS
from advisor.collect.sysctl import read_sysctl_files, read_sysctls
from advisor.errors import InputError
from advisor.system import System


def write(root: pathlib.Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


@pytest.mark.real("sysctl")
def test_the_values_are_those_of_the_readers_namespace(inside: Any) -> None:
    inside.ns.sysctl(net__core__somaxconn="77", net__ipv4__ip_local_port_range="40000 40019")
    read = inside.ask("from advisor.collect.sysctl import read_sysctls\nanswer = read_sysctls(System())")
    assert read["values"]["net.core.somaxconn"] == "77"
    assert read["values"]["net.ipv4.ip_local_port_range"] == "40000\t40019"
    assert "net.ipv4.tcp_mem" in read["absent"]
    assert read["values"].keys() | set(read["absent"]) | read["refused"].keys() == KEYS.keys()


def test_absent_and_refused_are_told_apart(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "proc/sys/net/core/somaxconn", "4096\n")
    write(tmp_path, "proc/sys/net/core/rmem_max/no_file", "")
    (tmp_path / "proc/sys/fs").mkdir()
    (tmp_path / "proc/sys/fs/file-max").write_bytes(b"\xff\n")
    read = read_sysctls(System(str(tmp_path)))
    assert read.values == {"net.core.somaxconn": "4096"}
    assert read.refused == {"net.core.rmem_max": "not a regular file", "fs.file-max": "not text"}
    assert len(read.absent) == len(KEYS) - 3


def test_a_tree_without_proc_sys_says_so(tmp_path: pathlib.Path) -> None:
    with pytest.raises(InputError, match="no /proc/sys in the tree"):
        read_sysctls(System(str(tmp_path)))


def test_files_of_all_folders_and_links_once(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "etc/sysctl.conf", "net.core.somaxconn = 1\n")
    write(tmp_path, "etc/sysctl.d/60-b.conf", "net.core.somaxconn = 2\n")
    write(tmp_path, "etc/sysctl.d/README", "no setting\n")
    write(tmp_path, "usr/lib/sysctl.d/50-default.conf", "net.core.somaxconn = 3\nrubbish\n")
    (tmp_path / "lib").symlink_to("usr/lib")
    (tmp_path / "etc/sysctl.d/99-sysctl.conf").symlink_to("../sysctl.conf")
    (tmp_path / "etc/sysctl.d/50-masked.conf").symlink_to("/dev/null")
    (tmp_path / "etc/sysctl.d/70-gone.conf").symlink_to("nowhere")
    files, problems = read_sysctl_files(System(str(tmp_path)))
    assert [(file.path, file.content, file.link) for file in files] == [
        ("/etc/sysctl.d/50-masked.conf", b"", "/dev/null"),
        ("/etc/sysctl.d/60-b.conf", b"net.core.somaxconn = 2\n", None),
        ("/etc/sysctl.d/70-gone.conf", b"", "nowhere"),
        ("/etc/sysctl.d/99-sysctl.conf", b"net.core.somaxconn = 1\n", "../sysctl.conf"),
        ("/usr/lib/sysctl.d/50-default.conf", b"net.core.somaxconn = 3\nrubbish\n", None),
        ("/etc/sysctl.conf", b"net.core.somaxconn = 1\n", None),
    ]
    assert not any(file.given or file.writer or file.unread for file in files)
    assert problems == [
        (
            "sysctl_files",
            "/etc/sysctl.d/70-gone.conf is a link that leads nowhere: it only hides files of its name",
        ),
        (
            "sysctl_files",
            "/usr/lib/sysctl.d/50-default.conf:2: 'rubbish' sets nothing: write KEY = VALUE",
        ),
    ]


def test_a_file_that_cannot_be_read_still_stands_there(tmp_path: pathlib.Path) -> None:
    (tmp_path / "etc/sysctl.d/60-b.conf").mkdir(parents=True)
    (file,), problems = read_sysctl_files(System(str(tmp_path)))
    assert (file.path, file.content, file.unread) == ("/etc/sysctl.d/60-b.conf", b"", "not a regular file")
    assert problems == [("sysctl_files", "/etc/sysctl.d/60-b.conf can't be read: not a regular file")]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("60-b", True),
        ("60-b.cfg", True),
        ("README.sysctl", False),
        ("60-b.conf.bak", False),
        ("a.conf.dpkg-old", False),
    ],
)
def test_a_name_that_someone_may_take_for_read_is_read(tmp_path: pathlib.Path, name: str, read: bool) -> None:  # noqa: FBT001 (a column)
    write(tmp_path, f"etc/sysctl.d/{name}", "net.core.somaxconn = 2\nrubbish\n")
    write(tmp_path, f"usr/lib/sysctl.d/{name}", "net.core.somaxconn = 2\n")
    files, problems = read_sysctl_files(System(str(tmp_path)))
    assert [file.path for file in files] == ([f"/etc/sysctl.d/{name}"] if read else [])
    assert problems == []


def test_the_size_of_all_files_is_bounded(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("advisor.collect.sysctl._MOST_BYTES", 5)
    for name in "abc":
        write(tmp_path, f"etc/sysctl.d/{name}.conf", "# xx")
    files, problems = read_sysctl_files(System(str(tmp_path)))
    assert [file.path for file in files] == ["/etc/sysctl.d/a.conf", "/etc/sysctl.d/b.conf"]
    assert problems == [("sysctl_files", "more than 0 MiB of files: /etc/sysctl.d/c.conf and later ones were not read")]


def test_more_keys_than_the_catalogue_has(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "proc/sys/net/ipv4/conf/eth0.5/mtu", "7\n")
    read = read_sysctls(System(str(tmp_path)), ["net.ipv4.conf.eth0/5.mtu", "net.nothing"])
    assert read.values == {"net.ipv4.conf.eth0/5.mtu": "7"}
    assert "net.nothing" in read.absent


def test_the_number_of_files_is_bounded(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("advisor.collect.sysctl._MOST_FILES", 2)
    for name in "abc":
        write(tmp_path, f"etc/sysctl.d/{name}.conf", "")
    files, problems = read_sysctl_files(System(str(tmp_path)))
    assert [file.path for file in files] == ["/etc/sysctl.d/a.conf", "/etc/sysctl.d/b.conf"]
    assert problems == [("sysctl_files", "more than 2 files: /etc/sysctl.d/c.conf and later ones were not read")]


def test_given_files_are_of_this_machine_and_last(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    write(tmp_path, "mine.conf", "net.core.somaxconn = 9\n")
    monkeypatch.chdir(tmp_path)
    (file,), problems = read_sysctl_files(System(str(tree)), ["mine.conf"])
    assert (file.path, file.content, file.given) == ("mine.conf", b"net.core.somaxconn = 9\n", True)
    assert problems == []


@pytest.mark.parametrize(("name", "why"), [("gone.conf", "No such file"), (".", "not a regular file")])
def test_a_given_file_that_cannot_be_read_is_one_error(tmp_path: pathlib.Path, name: str, why: str) -> None:
    with pytest.raises(InputError, match=f"can't be read: {why}"):
        read_sysctl_files(System(str(tmp_path)), [str(tmp_path / name)])
