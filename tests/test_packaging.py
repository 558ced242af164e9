"""How the project is built: what is shipped, what is pinned, and that nothing points at one machine."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from advisor import __version__
from advisor.collect.packs import builtin_folder, read_builtin

ROOT = pathlib.Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ("requirements.lock", "tests/requirements.lock")
PIN = re.compile(
    r"^([a-z0-9.-]+)==([^ ]+)(?: ; [^\\]+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)
# put together here, so that this file does not name them itself
HOSTS = ["py" + "pi.org", "python" + "hosted.org", "registry." + "npmjs", "proxy." + "golang", "crates" + ".io"]
FOLDERS = ["/wo" + "rk/", "/ro" + "ot/"]


def pins(lock: str) -> dict[str, str]:
    return {found[1]: found[2] for found in PIN.finditer((ROOT / lock).read_text())}


def make(*arguments: str, folder: pathlib.Path) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=30)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


@pytest.fixture(scope="module")
def tracked() -> list[pathlib.Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_file_names_a_registry_or_one_machine_s_folders(tracked: list[pathlib.Path]) -> None:
    assert len(tracked) > 50
    banned = re.compile("|".join(map(re.escape, HOSTS + FOLDERS)).encode())
    assert [(str(path), found[0]) for path in tracked if (found := banned.search(path.read_bytes()))] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_a_pin_with_hashes_or_a_comment(lock: str) -> None:
    rest = PIN.sub("", (ROOT / lock).read_text())
    assert len(pins(lock)) > 10
    assert [line for line in rest.splitlines() if not line.strip().startswith("#")] == []


def test_the_locks_pin_what_the_project_asks_for() -> None:
    groups = PROJECT["dependency-groups"]
    for lock, wanted in zip(LOCKS, (PROJECT["project"]["dependencies"], groups["test"] + groups["check"]), strict=True):
        pinned = pins(lock)
        for requirement in map(Requirement, wanted):
            version = pinned[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version), f"{lock}: {requirement} is {version}: make lock"


def test_the_locks_agree() -> None:
    ours, tests = map(pins, LOCKS)
    assert {name: tests[name] for name in ours.keys() & tests.keys()} == {
        name: ours[name] for name in ours.keys() & tests.keys()
    }


def test_the_rules_are_found_in_a_checkout() -> None:
    assert pathlib.Path(builtin_folder()) == ROOT / "rules"


def test_the_wheel_holds_the_program_its_rules_and_its_schema(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert f"sysctl_nginx_advisor-{__version__}" in pathlib.Path(wheel.filename or "").name
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"advisor"}
    assert "advisor/report/findings-v1.schema.json" in names
    for rule in (ROOT / "rules").rglob("*.yaml"):
        assert wheel.read(f"advisor/_rules/{rule.relative_to(ROOT / 'rules')}") == rule.read_bytes()
    assert wheel.read("advisor/_rules/index.json") == (ROOT / "rules/index.json").read_bytes()


def test_the_rules_are_found_in_a_wheel(wheel: zipfile.ZipFile, tmp_path: pathlib.Path) -> None:
    wheel.extractall(tmp_path)
    script = "from advisor.collect import packs; print(packs.builtin_folder(), len(packs.read_builtin()))"
    command = [sys.executable, "-c", script]
    told = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, check=True, capture_output=True, text=True
    )
    assert told.stdout == f"{tmp_path}/advisor/_rules {len(read_builtin())}\n"


def test_make_alone_lists_the_verbs() -> None:
    told = make(folder=ROOT)
    verbs = [line.split()[1] for line in told.stdout.splitlines()]
    assert {"audit", "demo", "test", "check", "bench", "clean"} <= set(verbs)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exit 1", "advisor needs Python 3.11 or newer"),
        (
            'case "$*" in *"-m pip"*|*"-m venv .venv") exit 1 ;; *-c*) exit 0 ;; esac',
            "has none: apt-get install python3-pip",
        ),
    ],
    ids=["old Python", "no pip"],
)
def test_an_unfit_python_gets_one_clear_sentence(tmp_path: pathlib.Path, script: str, words: str) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.lock").touch()
    (tmp_path / "pyproject.toml").touch()
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    told = make("audit", f"PYTHON={python}", folder=tmp_path)
    said = [line for line in told.stderr.splitlines() if not line.startswith("make")]
    assert len(said) == 1
    assert words in said[0]
    assert told.returncode != 0
    assert not (tmp_path / ".venv").exists()


def test_missing_commands_are_named_when_they_cannot_be_installed(tmp_path: pathlib.Path) -> None:
    for command in ("cat", "dirname", "id", "curl", "patch"):
        found = shutil.which(command)
        assert found is not None
        (tmp_path / command).symlink_to(found)
    shell = shutil.which("sh")
    assert shell is not None
    for script in ("apt.sh", "apt.txt"):
        shutil.copy(ROOT / "tests" / script, tmp_path)
    (tmp_path / "id").unlink()
    (tmp_path / "id").write_text(f"#!{shell}\necho 1000\n")
    (tmp_path / "id").chmod(0o755)
    listing = (tmp_path / "apt.txt").read_text() + "no-such-command\n"
    (tmp_path / "apt.txt").write_text(listing)
    told = subprocess.run(
        [shell, str(tmp_path / "apt.sh")], env={"PATH": str(tmp_path)}, check=True, capture_output=True, text=True
    )
    assert told.stdout.startswith("missing:")
    assert " no-such-command;" in told.stdout
    assert " curl" not in told.stdout


def test_scripts_can_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert os.access(ROOT / "tests" / "apt.sh", os.X_OK)
