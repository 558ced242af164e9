"""The GitHub action: its steps under bash, and inputs that would like to be code."""

from __future__ import annotations

import json
import os
import pathlib
import shlex
import sys

import pytest
from support.ci_action import ACTION, EXPRESSION, STEPS, Runner, files
from support.ci_repository import INSTALLABLE, Repository, environment, propose, sample, tool

pytestmark = pytest.mark.real("git", "bash")
ADVISOR = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m advisor "$@"\n'
TELL = f"""#!{sys.executable}
import json, os, sys
json.dump(sys.argv[1:], open(os.environ["TOLD"], "w"))
sys.exit(1)
"""
HOSTILE = ["; touch x", "$(touch x)", "`touch x`", "a b", "* ?", "'", '"', "\\", "-n", "--fix", "x\ny z\n"]


@pytest.fixture
def runner(tmp_path: pathlib.Path) -> Runner:
    temp = tmp_path / "temp"
    temp.mkdir()
    return Runner(temp, sample(tmp_path / "site").folder, environment(tmp_path))


def test_no_input_is_part_of_a_script() -> None:
    for step in STEPS.values():
        assert "${{" not in step["run"]
        assert step["shell"] == "bash"
        assert all(EXPRESSION.fullmatch(value) for value in step["env"].values())


def test_every_input_is_used_and_described_and_every_output_is_a_step_s() -> None:
    used = {EXPRESSION.fullmatch(value)[1] for step in STEPS.values() for value in step["env"].values()}  # type: ignore[index]
    assert used == set(ACTION["inputs"])
    assert all(one["description"] and "default" in one for one in ACTION["inputs"].values())
    ids = {step["id"] for step in STEPS.values() if "id" in step}
    assert {one["value"].split(".")[1] for one in ACTION["outputs"].values()} <= ids


def asked(runner: Runner, **inputs: str) -> list[str]:
    """What advisor is started with."""
    told = runner.temp / "told.json"
    runner.place(TELL)
    runner.environment["TOLD"] = str(told)
    runner.inputs.update({name.replace("_", "-"): value for name, value in inputs.items()})
    ran = runner.step("Judge")
    assert ran.code == 1, ran.log
    assert ran.outputs["exit-code"] == "1"
    arguments: list[str] = json.loads(told.read_text())
    return arguments


def test_inputs_become_arguments(runner: Runner) -> None:
    arguments = asked(
        runner,
        paths="nginx\nsysctl.d\n",
        fail_on="medium",
        min_confidence="certain",
        baseline="known.json",
        strict="true",
        formats="junit=j.xml\nmarkdown=m.md",
    )
    assert arguments[0] == "gate"
    assert arguments[4:] == [
        "--format=junit=j.xml",
        "--format=markdown=m.md",
        "--fail-on=medium",
        "--min-confidence=certain",
        "--baseline=known.json",
        "--strict",
        "--",
        "nginx",
        "sysctl.d",
    ]


def test_what_is_not_said_is_left_to_the_configuration(runner: Runner) -> None:
    assert asked(runner)[4:] == ["--", "."]


@pytest.mark.parametrize("text", HOSTILE)
def test_an_input_is_a_word_or_a_line_a_word_and_never_code(runner: Runner, text: str) -> None:
    before = files(runner.workspace)
    arguments = asked(runner, paths=text, fail_on=text, min_confidence=text, baseline=text, strict=text, formats=text)
    lines = text.splitlines()
    assert arguments[4:] == [
        *(f"--format={line}" for line in lines),
        f"--fail-on={text}",
        f"--min-confidence={text}",
        f"--baseline={text}",
        "--",
        *lines,
    ]
    assert files(runner.workspace) == before


def test_a_good_repository_is_green(runner: Runner) -> None:
    runner.place(ADVISOR)
    ran = runner.step("Judge")
    assert ran.code == 0, ran.log
    assert ran.outputs["exit-code"] == "0"
    document = json.loads(pathlib.Path(ran.outputs["sarif"]).read_text())
    assert document["version"] == "2.1.0"
    assert document["runs"][0]["results"] == []


def test_a_bad_one_is_red_with_annotations_a_summary_and_sarif(runner: Runner) -> None:
    propose_in(runner)
    runner.place(ADVISOR)
    runner.inputs["formats"] = "junit=advisor.xml"
    ran = runner.step("Judge")
    assert ran.code == 1, ran.log
    assert ran.outputs["exit-code"] == "1"
    results = json.loads(pathlib.Path(ran.outputs["sarif"]).read_text())["runs"][0]["results"]
    assert {one["ruleId"] for one in results} == {"keepalive-below-balancer", "syncookies-off"}
    _, frames, annotations = parts(ran.log)
    assert "15 |     keepalive_timeout 20s;" in frames
    assert "::error file=nginx/nginx.conf,line=15," in annotations
    assert "keepalive-below-balancer" in ran.summary
    assert (runner.workspace / "advisor.xml").exists()


def propose_in(runner: Runner) -> None:
    propose(Repository(runner.workspace, runner.environment))


def parts(log: str) -> tuple[str, str, str]:
    """The log before, within and after the stretch in which the runner takes no commands."""
    begin = log.index("::stop-commands::")
    token = log[begin:].splitlines()[0].removeprefix("::stop-commands::")
    assert len(token) == 32
    before, within, after = log[:begin], *log[begin:].split("\n", 1)[1].split(f"\n::{token}::\n")
    return before, within, after


def test_what_a_file_says_is_no_command_to_the_runner(runner: Runner) -> None:
    evil = runner.workspace / "nginx" / "conf.d" / "evil.conf"
    evil.write_text(
        'server {\n    server_name "##[add-mask]a ::error::b";\n'
        "::add-mask::c keepalive_timeout;keepalive_timeout 5s; # ##[error]d\n}\n"
    )
    runner.place(ADVISOR)
    ran = runner.step("Judge")
    assert ran.code == 1, ran.log
    before, within, after = parts(ran.log)
    assert "##[add-mask]a" in within
    assert "##[error]d" in within
    for line in (before + after).splitlines():
        assert "##[" not in line or line.startswith("::error file=")
        assert not line.startswith(("::add-mask", "::error::"))


def test_a_wrong_option_is_exit_2_with_one_sentence(runner: Runner) -> None:
    runner.place(ADVISOR)
    runner.inputs["fail-on"] = "; touch x"
    ran = runner.step("Judge")
    assert ran.code == 2
    assert ran.outputs["exit-code"] == "2"
    assert "; touch x" in ran.log
    assert "Traceback" not in ran.log


def test_an_old_python_gets_one_sentence(runner: Runner, tmp_path: pathlib.Path) -> None:
    old = tmp_path / "old python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    runner.inputs["python"] = str(old)
    ran = runner.step("Install advisor")
    assert ran.code == 2
    assert ran.log.splitlines() == [
        "::error title=advisor::advisor needs Python 3.11 or newer: put actions/setup-python before it"
    ]


@pytest.mark.slow
def test_the_action_installs_itself_and_judges(runner: Runner, tmp_path: pathlib.Path) -> None:
    tool(tmp_path / "action of a release", INSTALLABLE)
    propose_in(runner)
    del runner.environment["PYTHONPATH"]
    fresh = Runner(
        runner.temp, runner.workspace, runner.environment, tmp_path / "action of a release", {"python": sys.executable}
    )
    installed = fresh.step("Install advisor", timeout=600)
    assert installed.code == 0, installed.log
    assert os.access(runner.temp / "advisor" / "bin" / "advisor", os.X_OK)
    ran = fresh.step("Judge")
    assert ran.code == 1, ran.log
    assert "15 |     keepalive_timeout 20s;" in ran.log
