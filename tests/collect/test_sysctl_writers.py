"""Other programs that set sysctls, found by their files."""

from __future__ import annotations

import pathlib

import pytest

from advisor.collect.sysctl_writers import Problems, read_writers
from advisor.system import System


def found(root: pathlib.Path, files: dict[str, str]) -> tuple[list[tuple[str | None, str, str]], Problems]:
    """What is read of a tree that holds these files."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    problems: Problems = []
    read = read_writers(System(str(root)), problems)
    return [(file.writer, file.path, file.content.decode()) for file in read], problems


UFW = {
    "etc/ufw/ufw.conf": "# on\nENABLED=yes\nLOGLEVEL=low\n",
    "etc/default/ufw": 'IPV6=yes\nIPT_SYSCTL="/etc/ufw/sysctl.conf"\n',
    "etc/ufw/sysctl.conf": "net/ipv4/tcp_sack=1\n",
}


def test_ufw(tmp_path: pathlib.Path) -> None:
    assert found(tmp_path, UFW) == ([("ufw", "/etc/ufw/sysctl.conf", "net/ipv4/tcp_sack=1\n")], [])


@pytest.mark.parametrize(
    "change",
    [
        {"etc/ufw/ufw.conf": "ENABLED=no\n"},
        {"etc/default/ufw": "IPT_SYSCTL=\n"},
        {"etc/default/ufw": "#IPT_SYSCTL=/etc/ufw/sysctl.conf\n"},
        {"etc/default/ufw": "IPT_SYSCTL=/gone\n"},
    ],
)
def test_ufw_that_sets_nothing(tmp_path: pathlib.Path, change: dict[str, str]) -> None:
    assert found(tmp_path, UFW | change) == ([], [])


TUNED = {
    "etc/tuned/active_profile": "mine\n",
    "etc/tuned/mine/tuned.conf": "[main]\nsummary = x\ninclude=throughput-performance\n\n"
    "[sysctl]\n# why\nnet.core.somaxconn=>2048\n[vm]\ntransparent_hugepages=never\n",
    "usr/lib/tuned/throughput-performance/tuned.conf": "[sysctl]\nvm.swappiness=10\n",
    "usr/lib/tuned/mine/tuned.conf": "[sysctl]\nnet.core.somaxconn=1\n",
}


def test_tuned_with_what_a_profile_includes(tmp_path: pathlib.Path) -> None:
    files, problems = found(tmp_path, TUNED)
    assert files == [
        ("TuneD", "/usr/lib/tuned/throughput-performance/tuned.conf", "\nvm.swappiness=10\n"),
        ("TuneD", "/etc/tuned/mine/tuned.conf", "\n" * 5 + "# why\nnet.core.somaxconn=>2048\n\n\n"),
    ]
    assert problems == []


def test_tuned_that_has_the_last_word(tmp_path: pathlib.Path) -> None:
    files, _ = found(tmp_path, {**TUNED, "etc/tuned/tuned-main.conf": "daemon = 1\nreapply_sysctl = 0\n"})
    assert {writer for writer, _, _ in files} == {"TuneD with reapply_sysctl = 0"}


@pytest.mark.parametrize("include", ["mine", "${f:virt_check:a:b}", "../../etc", "gone"])
def test_an_include_that_leads_nowhere_ends_there(tmp_path: pathlib.Path, include: str) -> None:
    text = f"[main]\ninclude={include}\n[sysctl]\nnet.core.somaxconn=9\n"
    files, problems = found(tmp_path, {**TUNED, "etc/tuned/mine/tuned.conf": text})
    assert [path for _, path, _ in files] == ["/etc/tuned/mine/tuned.conf"]
    assert problems == []


@pytest.mark.parametrize(
    ("path", "writer"),
    [
        ("usr/bin/dockerd", "Docker"),
        ("var/lib/kube-proxy/config.conf", "kube-proxy"),
        ("var/lib/kubelet/config.yaml", "kubelet"),
        ("usr/lib/systemd/systemd-sysctl", "systemd-sysctl"),
    ],
)
def test_programs_that_are_there(tmp_path: pathlib.Path, path: str, writer: str) -> None:
    assert found(tmp_path, {path: "secret"}) == ([(writer, f"/{path}", "")], [])


def test_what_cannot_be_read_is_said(tmp_path: pathlib.Path) -> None:
    (tmp_path / "etc/tuned/active_profile").mkdir(parents=True)
    assert found(tmp_path, {}) == (
        [],
        [("sysctl_files", "/etc/tuned/active_profile can't be read: not a regular file")],
    )
