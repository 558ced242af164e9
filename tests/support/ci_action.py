"""A composite action's steps, run as a runner does: bash, one file a step, inputs through expressions in `env` alone.

``shell: bash`` is ``bash --noprofile --norc -eo pipefail`` (docs.github.com, "Workflow syntax").
"""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
from dataclasses import dataclass, field
from typing import Any

import yaml

from support.ci_repository import ROOT

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS: dict[str, dict[str, Any]] = {step["name"]: step for step in ACTION["runs"]["steps"]}
EXPRESSION = re.compile(r"\$\{\{ inputs\.([a-z-]+) \}\}")


@dataclass(frozen=True)
class Ran:
    """What a step left behind."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str


@dataclass(frozen=True)
class Runner:
    """A runner's folders, and the environment that a job has."""

    temp: pathlib.Path
    workspace: pathlib.Path
    environment: dict[str, str]
    action: pathlib.Path = ROOT
    inputs: dict[str, str] = field(default_factory=dict)

    def _value(self, text: str) -> str:
        return EXPRESSION.sub(lambda found: self._input(found[1]), text)

    def _input(self, name: str) -> str:
        return self.inputs.get(name, ACTION["inputs"][name]["default"])

    def step(self, name: str, *, timeout: float = 60) -> Ran:
        """Run one."""
        script, output, summary = (self.temp / part for part in ("step.sh", "output", "summary"))
        script.write_text(STEPS[name]["run"])
        output.write_text("")
        summary.write_text("")
        given = {key: self._value(value) for key, value in STEPS[name].get("env", {}).items()}
        github = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(self.action),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temp),
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.workspace,
            env={**self.environment, **github, **given},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
        )
        pairs = (line.partition("=") for line in output.read_text().splitlines())
        return Ran(done.returncode, done.stdout, {key: value for key, _, value in pairs}, summary.read_text())

    def place(self, script: str) -> None:
        """Put a program where the first step installs advisor."""
        path = self.temp / "advisor" / "bin" / "advisor"
        path.parent.mkdir(parents=True)
        path.write_text(script)
        path.chmod(0o755)


def files(folder: pathlib.Path) -> set[str]:
    """All there is below a folder, git's own left out."""
    return {
        os.path.relpath(os.path.join(above, name), folder)
        for above, _, names in os.walk(folder)
        for name in names
        if ".git" not in pathlib.Path(above).parts
    }
