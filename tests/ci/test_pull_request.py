"""A pull request, played: pre-commit refuses a bad change with its frame, `gate --fix` cures it, it goes through."""

from __future__ import annotations

import pathlib

import pytest
from support.ci_repository import INSTALLABLE, Repository, hooked, propose, sample, tool

pytestmark = pytest.mark.real("git")
HERE: dict[str, object] = {"language": "system"}
"""pre-commit takes the advisor of this environment; how it makes its own is the slow test."""


@pytest.fixture
def repository(tmp_path: pathlib.Path) -> Repository:
    made = sample(tmp_path / "site")
    hooked(made, tmp_path / "tool", tool(tmp_path / "tool"), {"id": "advisor-gate", **HERE})
    assert made.commit("Look at each commit").returncode == 0
    return made


def changed_lines(made: Repository) -> list[str]:
    shown = made.git("diff", "--unified=0", "HEAD").splitlines()
    return [line for line in shown if line[:1] in {"+", "-"} and not line.startswith(("+++", "---"))]


def test_a_bad_change_is_refused_cured_and_committed(repository: Repository) -> None:
    propose(repository)
    bad = changed_lines(repository)

    refused = repository.commit("Free connections sooner")
    assert refused.returncode == 1
    assert "high[keepalive-below-balancer]" in refused.stdout
    assert "--> nginx/nginx.conf:15:23\n" in refused.stdout
    assert "15 |     keepalive_timeout 20s;\n   |                       ^^^\n" in refused.stdout
    assert "high[syncookies-off]" in refused.stdout
    assert "--> sysctl.d/60-web.conf:5:27\n" in refused.stdout

    fixed = repository.run("advisor", "gate", "--fix")
    assert fixed.returncode == 0, fixed.stdout
    assert changed_lines(repository) == [
        line.replace("keepalive_timeout 20s", "keepalive_timeout 65s").replace("syncookies = 0", "syncookies = 1")
        for line in bad
        if line not in {"-net.ipv4.tcp_syncookies = 1", "+net.ipv4.tcp_syncookies = 0"}
    ]

    assert repository.run("advisor", "gate").returncode == 0
    passed = repository.commit("Free connections sooner")
    assert passed.returncode == 0, passed.stdout
    assert "Passed" in passed.stdout
    assert repository.git("status", "--porcelain") == ""
    assert set(repository.git("diff", "--name-only", "HEAD~1").splitlines()) == {
        "nginx/nginx.conf",
        "sysctl.d/60-web.conf",
    }


def test_what_is_not_staged_is_not_judged(repository: Repository) -> None:
    propose(repository)
    repository.git("add", "sysctl.d")
    refused = repository.run("git", "commit", "-q", "-m", "Save CPU")
    assert refused.returncode == 1
    assert "syncookies-off" in refused.stdout
    assert "keepalive-below-balancer" not in refused.stdout
    assert "keepalive_timeout 20s" in (repository.folder / "nginx/nginx.conf").read_text()


def test_a_change_of_other_files_does_not_wake_the_hook(repository: Repository) -> None:
    repository.write("README.md", "web servers\n")
    passed = repository.commit("Say what this is")
    assert passed.returncode == 0, passed.stdout
    assert "Skipped" in passed.stdout


def test_what_was_broken_before_is_told_at_a_change_elsewhere(repository: Repository) -> None:
    propose(repository)
    repository.git("add", "--all")
    repository.git("commit", "-q", "--no-verify", "-m", "Free connections sooner")
    repository.write("nginx/conf.d/status.conf", "server {\n    listen 81;\n}\n")
    refused = repository.commit("Add a status page")
    assert refused.returncode == 1
    assert "--> nginx/nginx.conf:15:23" in refused.stdout


def test_a_file_that_does_not_parse_is_refused(repository: Repository) -> None:
    repository.write("nginx/conf.d/broken.conf", "server {\n    listen 81\n")
    refused = repository.commit("Break it")
    assert refused.returncode == 1
    assert "nginx/conf.d/broken.conf:" in refused.stdout


def test_the_fixing_hook_stops_once_and_then_lets_through(tmp_path: pathlib.Path) -> None:
    made = sample(tmp_path / "site")
    hooked(made, tmp_path / "tool", tool(tmp_path / "tool"), {"id": "advisor-fix", **HERE})
    propose(made)
    stopped = made.commit("Free connections sooner")
    assert stopped.returncode == 1
    assert "files were modified by this hook" in stopped.stdout
    assert "keepalive_timeout 65s;" in (made.folder / "nginx/nginx.conf").read_text()
    assert made.commit("Free connections sooner").returncode == 0


@pytest.mark.slow
def test_pre_commit_installs_the_advisor_by_itself(tmp_path: pathlib.Path) -> None:
    made = sample(tmp_path / "site")
    del made.environment["PYTHONPATH"]
    hooked(made, tmp_path / "tool", tool(tmp_path / "tool", INSTALLABLE), {"id": "advisor-gate"})
    propose(made)
    refused = made.run("git", "commit", "-q", "-a", "-m", "Free connections sooner", timeout=600)
    assert refused.returncode == 1
    assert "--> nginx/nginx.conf:15:23" in refused.stdout
