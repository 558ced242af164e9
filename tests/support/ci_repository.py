"""The sample repository of examples/ci in a temporary folder, under git, with pre-commit; nothing of the user's git."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
from dataclasses import dataclass

import yaml

ROOT = pathlib.Path(__file__).parents[2]
CI = ROOT / "examples" / "ci"
BIN = pathlib.Path(sys.executable).parent
HOOKS = ".pre-commit-hooks.yaml"
INSTALLABLE = ("advisor", "rules", "pyproject.toml", "README.md", "LICENSE", "requirements.lock", "action.yml", HOOKS)
"""What an installation from a checkout needs."""


def environment(home: pathlib.Path) -> dict[str, str]:
    """An environment with our commands first, git's and pre-commit's files below ``home``, and no hook or CI around."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "GITHUB_", "CI", "PRE_"))}
    name = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.example"}
    committer = {key.replace("AUTHOR", "COMMITTER"): value for key, value in name.items()}
    return {
        **kept,
        **name,
        **committer,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(home),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "PRE_COMMIT_HOME": str(home / "pre-commit"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


@dataclass(frozen=True)
class Repository:
    """A repository under git."""

    folder: pathlib.Path
    environment: dict[str, str]

    def run(self, *command: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """A command inside; what it prints to either end stands in ``stdout``, in order."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
        )

    def git(self, *arguments: str) -> str:
        """What git printed; it must not fail."""
        done = self.run("git", *arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def commit(self, message: str) -> subprocess.CompletedProcess[str]:
        """Everything there is, committed, if the hooks let it through."""
        self.git("add", "--all")
        return self.run("git", "commit", "-q", "-m", message)

    def write(self, name: str, text: str) -> None:
        """A file, and the folders above it."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def begin(folder: pathlib.Path) -> Repository:
    """An empty repository in a new folder."""
    folder.mkdir(mode=0o755)
    made = Repository(folder, environment(folder.parent))
    made.git("init", "-q", "-b", "main")
    return made


def sample(folder: pathlib.Path) -> Repository:
    """The sample repository, committed."""
    made = begin(folder)
    shutil.copytree(CI / "repository", folder, dirs_exist_ok=True)
    shutil.copy(CI / "advisor.yaml", folder)
    assert made.commit("Begin").returncode == 0
    return made


def propose(made: Repository) -> None:
    """The bad change of the story, in the work tree."""
    shutil.copytree(CI / "pull-request", made.folder, dirs_exist_ok=True)


def tool(folder: pathlib.Path, names: tuple[str, ...] = (HOOKS,)) -> str:
    """This checkout as a repository that pre-commit can clone; its one commit."""
    made = begin(folder)
    for name in names:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder)
    assert made.commit("Release").returncode == 0
    return made.git("rev-parse", "HEAD").strip()


def hooked(made: Repository, source: pathlib.Path, revision: str, hook: dict[str, object]) -> None:
    """Let pre-commit look at each commit, by the example's configuration with another source and this hook."""
    config = yaml.safe_load((CI / "pre-commit-config.yaml").read_text())
    config["repos"][0].update(repo=str(source), rev=revision, hooks=[hook])
    made.write(".pre-commit-config.yaml", yaml.safe_dump(config))
    made.git("add", ".pre-commit-config.yaml")
    done = made.run(sys.executable, "-m", "pre_commit", "install")
    assert done.returncode == 0, done.stdout
