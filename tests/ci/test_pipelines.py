"""What examples/ci hands out: each file is read as its program reads it, and its commands are run."""

from __future__ import annotations

import json
import os
import pathlib
import re
import stat
import sys
import textwrap
import xml.etree.ElementTree as ET
from typing import Any

import pytest
import yaml
from pre_commit.clientlib import load_config, load_manifest
from support.ci_action import ACTION
from support.ci_repository import CI, HOOKS, INSTALLABLE, ROOT, Repository, propose, sample, tool

GITLAB: dict[str, Any] = yaml.safe_load((CI / "gitlab-ci.yml").read_text())
JOB: dict[str, Any] = GITLAB["advisor-gate"]
INSTALLED = "/tmp/advisor/"  # noqa: S108 (in a job's own container)


@pytest.fixture
def repository(tmp_path: pathlib.Path) -> Repository:
    return sample(tmp_path / "site")


# pre-commit


def test_pre_commit_knows_the_hooks_that_its_example_names() -> None:
    hooks = {one["id"]: one for one in load_manifest(str(ROOT / HOOKS))}
    assert set(hooks) == {"advisor-gate", "advisor-fix"}
    for repo in load_config(str(CI / "pre-commit-config.yaml"))["repos"]:
        assert {one["id"] for one in repo["hooks"]} <= set(hooks)


@pytest.mark.parametrize(
    ("path", "wakes"),
    [
        ("nginx.conf", True),
        ("deploy/etc/nginx/sites-enabled/shop", True),
        ("conf.d/shop", True),
        ("roles/web/files/shop.vhost", True),
        ("etc/sysctl.d/60-web.conf", True),
        ("advisor.yaml", True),
        ("advisor-baseline.json", True),
        ("README.md", False),
        ("package.json", False),
        ("src/confused.py", False),
        ("nginx_exporter.go", False),
    ],
)
def test_a_hook_wakes_up_for_what_the_gate_judges(path: str, wakes: bool) -> None:  # noqa: FBT001 (a parameter)
    for hook in load_manifest(str(ROOT / HOOKS)):
        assert bool(re.search(hook["files"], path)) is wakes
        assert hook["types"] == []
        assert hook["pass_filenames"] is False


# GitLab


def job(repository: Repository, *steps: str) -> tuple[int, str]:
    """Lines of a job, as a runner joins them."""
    script = repository.folder.parent / "job.sh"
    script.write_text("\n".join(line for step in steps for line in JOB[step]))
    done = repository.run("bash", "-eo", "pipefail", str(script), timeout=600)
    return done.returncode, done.stdout


def relocate(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Let a job install below the test's folder, where several can run at once."""
    place = repository.folder.parent / "advisor"
    for step in ("before_script", "script"):
        assert any(INSTALLED.rstrip("/") in line for line in JOB[step])
        monkeypatch.setitem(JOB, step, [line.replace(INSTALLED.rstrip("/"), str(place)) for line in JOB[step]])
    return place


@pytest.mark.real("git", "bash")
def test_gitlab_gets_code_quality_and_tests_of_a_red_job(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = relocate(repository, monkeypatch)
    (place / "bin").mkdir(parents=True)
    (place / "bin" / "advisor").symlink_to(pathlib.Path(sys.executable).with_name("advisor"))
    propose(repository)
    code, log = job(repository, "script")
    assert code == 1, log
    assert "15 |     keepalive_timeout 20s;" in log
    reports = JOB["artifacts"]["reports"]
    found = json.loads((repository.folder / reports["codequality"]).read_text())
    assert [(one["check_name"], one["location"]["path"], one["location"]["lines"]["begin"]) for one in found] == [
        ("keepalive-below-balancer", "nginx/nginx.conf", 15),
        ("syncookies-off", "sysctl.d/60-web.conf", 5),
    ]
    assert len(ET.parse(repository.folder / reports["junit"]).findall(".//failure")) == 2  # noqa: S314 (our own)


def test_gitlab_keeps_the_reports_of_a_red_job() -> None:
    artifacts = JOB["artifacts"]
    assert artifacts["when"] == "always"
    assert set(artifacts["reports"].values()) == set(artifacts["paths"])
    assert all(f"={path}" in JOB["script"][0] for path in artifacts["paths"])


@pytest.mark.real("git", "bash")
def test_a_checkout_that_anybody_may_write_is_closed_first(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = repository.folder / "advisor.yaml"
    repository.folder.chmod(0o777)
    config.chmod(0o666)
    monkeypatch.setitem(JOB, "before_script", [JOB["before_script"][-1]])
    assert job(repository, "before_script") == (0, "")
    for path in (repository.folder, config):
        assert stat.S_IMODE(path.stat().st_mode) & 0o022 == 0
    assert repository.git("status", "--porcelain") == ""


@pytest.mark.slow
@pytest.mark.real("git", "bash")
def test_the_gitlab_job_installs_and_judges(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    relocate(repository, monkeypatch)
    tool(repository.folder.parent / "tool", INSTALLABLE)
    del repository.environment["PYTHONPATH"]
    repository.environment["ADVISOR_FROM"] = str(repository.folder.parent / "tool")
    repository.folder.chmod(0o777)
    (repository.folder / "advisor.yaml").chmod(0o666)
    propose(repository)
    code, log = job(repository, "before_script", "script")
    assert code == 1, log
    assert "15 |     keepalive_timeout 20s;" in log


# GitHub


def test_the_workflow_gives_the_action_what_it_takes_and_takes_what_it_gives() -> None:
    text = (CI / "github-workflow.yml").read_text()
    steps = yaml.safe_load(text)["jobs"]["gate"]["steps"]
    gate = next(step for step in steps if step.get("id") == "gate")
    assert set(gate["with"]) <= set(ACTION["inputs"])
    assert set(re.findall(r"steps\.gate\.outputs\.([a-z-]+)", text)) <= set(ACTION["outputs"])
    assert "always()" in steps[steps.index(gate) + 1]["if"]


# make


def make(repository: Repository, *arguments: str) -> tuple[int, str]:
    done = repository.run("make", "--no-print-directory", "-f", str(CI / "gate.mk"), *arguments, timeout=600)
    return done.returncode, done.stdout


@pytest.mark.real("git", "make")
def test_make_gate_is_red_gate_fix_cures_and_gate_is_green(repository: Repository) -> None:
    propose(repository)
    code, said = make(repository, "gate", "ADVISOR=advisor")
    assert code == 2
    assert "15 |     keepalive_timeout 20s;" in said
    assert make(repository, "gate-fix", "ADVISOR=advisor")[0] == 0
    assert make(repository, "gate", "ADVISOR=advisor")[0] == 0
    assert not (repository.folder / ".advisor").exists()


@pytest.mark.real("git", "make")
def test_make_gate_passes_options_on(repository: Repository) -> None:
    propose(repository)
    code, said = make(repository, "gate", "ADVISOR=advisor", "GATE=--exit-zero -f concise sysctl.d")
    assert code == 0, said
    assert "syncookies-off" in said
    assert "keepalive-below-balancer" not in said


@pytest.mark.real("git", "make")
def test_a_baseline_made_by_make_keeps_what_is_known_quiet(repository: Repository) -> None:
    propose(repository)
    code, said = make(repository, "gate-baseline", "ADVISOR=advisor")
    assert code == 0, said
    assert make(repository, "gate", "ADVISOR=advisor", "GATE=--baseline advisor-baseline.json")[0] == 0


@pytest.mark.slow
@pytest.mark.real("git", "make")
def test_make_installs_once(repository: Repository) -> None:
    tool(repository.folder.parent / "tool", INSTALLABLE)
    del repository.environment["PYTHONPATH"]
    repository.environment["ADVISOR_FROM"] = str(repository.folder.parent / "tool")
    code, said = make(repository, "gate")
    assert code == 0, said
    assert os.access(repository.folder / ".advisor/bin/advisor", os.X_OK)
    del repository.environment["ADVISOR_FROM"]
    assert make(repository, "gate")[0] == 0


# advisor.yaml


def taken_in() -> str:
    """The sample with all its examples: lines that begin with # right away, or with # and an indentation."""
    return re.sub(r"(?m)^#(?=[a-z]|  )", "", (CI / "advisor.yaml").read_text())


def test_the_sample_names_every_key_that_advisor_knows() -> None:
    schema = json.loads((ROOT / "advisor/config/advisor-v1.schema.json").read_text())
    assert set(yaml.safe_load(taken_in())) == set(schema["properties"])


@pytest.mark.real("git")
def test_the_sample_is_a_configuration_with_all_its_examples_too(repository: Repository) -> None:
    rule = re.search(r"```yaml\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
    assert rule is not None
    repository.write("rules/syn-retries-few.yaml", textwrap.dedent(rule[1]))
    repository.write("advisor.yaml", taken_in())
    wrote = repository.run("advisor", "gate", "--write-baseline", "advisor-baseline.json")
    assert wrote.returncode == 0, wrote.stdout
    judged = repository.run("advisor", "gate", "-f", "json=gate.json")
    assert judged.returncode == 0, judged.stdout
    report = json.loads((repository.folder / "gate.json").read_text())
    assert report["verdict"]["policy"] == "high or graver, observed or surer, preview rules, too, strict"
    assert report["baseline"] == "advisor-baseline.json"
    assert report["quiet"] == ["keepalive-below-balancer", "syncookies-off"]
