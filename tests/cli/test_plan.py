"""``audit --plan``, and the options that say for what and how much is read."""

from __future__ import annotations

import json
import pathlib

import pytest
from support.snapshots import snapshot_with

from advisor.cli.main import run
from advisor.jobs import keep
from advisor.snapshot.model import SOURCES

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def kept(tmp_path: pathlib.Path) -> str:
    path = tmp_path / "snapshot.json"
    path.write_text(keep.to_json(snapshot_with(sysctl_files=[]), with_config=True))
    return str(path)


def test_a_plan_for_people(capsys: Captured) -> None:
    assert run(["audit", "--plan", "--sample", "7"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("nothing was read yet; this would be, for about ")
    assert "7 s of waiting between two readings" in " ".join(said.split())
    assert max(map(len, said.splitlines())) <= 80
    for source in SOURCES:
        assert f"\n{source}: " in said or f" {source}: not asked for" in said
    assert "the kernel loads its module tcp_diag" in " ".join(said.split())


def test_a_plan_for_programs(capsys: Captured, tmp_path: pathlib.Path) -> None:
    out = tmp_path / "plan.json"
    assert (
        run(["audit", "--plan", "--no-host", "--nginx-conf", "/nowhere.conf", "-f", "text", "-f", f"json={out}"]) == 0
    )
    found = json.loads(out.read_text())
    assert found["schema"] == "advisor.forecast/v1"
    assert [one["source"] for one in found["planned"] if one["skipped"] is None] == ["nginx"]
    assert found["seconds"] == sum(one["seconds"] for one in found["planned"])
    assert "/nowhere.conf" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--plan", "-f", "yaml"], "no such format; known: text, json"),
        (["--plan", "--snapshot", "KEPT"], "--plan says what would be read, and a snapshot was"),
        (["--plan", "--no-host"], "--no-host leaves nothing to judge"),
        (["--snapshot", "KEPT", "--netns", "web"], "--snapshot holds all that is judged"),
        (["--netns", "web", "--no-host", "--nginx-conf", "x"], "--netns names a network namespace of this host"),
        (["--profile", "prxy", "--snapshot", "KEPT"], "--profile prxy: no such workload; did you mean 'proxy'"),
        (["--profile", "mail", "--snapshot", "KEPT"], "--profile mail: no such workload; known: proxy, static, api"),
        (["--budget", "0"], "--budget"),
    ],
)
def test_what_cannot_be_meant(capsys: Captured, kept: str, arguments: list[str], said: str) -> None:
    assert run(["audit", *(kept if one == "KEPT" else one for one in arguments)]) == 2
    assert said in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_a_profile_is_judged_with_a_snapshot_and_said(capsys: Captured, kept: str) -> None:
    for arguments, profile in ((["--profile", "static"], "static"), ([], None)):
        assert run(["audit", "--snapshot", kept, "-f", "json", *arguments]) == 0
        assert json.loads(capsys.readouterr().out)["host"]["profile"] == profile
    assert run(["audit", "--snapshot", kept, "--profile", "static"]) == 0
    assert "profile: static" in capsys.readouterr().out


def test_reading_says_what_it_cost(capsys: Captured) -> None:
    assert run(["audit", "--sample", "0"]) == 0
    assert " of CPU, " in " ".join(capsys.readouterr().out.split())
    assert run(["audit", "--sample", "0", "-f", "json"]) == 0
    host = json.loads(capsys.readouterr().out)["host"]
    assert 0 < host["cpu"] < 2
    assert host["share"] is None


def test_a_plan_says_when_the_budget_is_too_small(capsys: Captured) -> None:
    assert run(["audit", "--plan", "--budget", "0.1"]) == 0
    assert " of CPU, cut to the 0.1 s it may take, and 1 s of waiting" in " ".join(capsys.readouterr().out.split())
