"""The pages say what is so: commands run, paths exist, tables are today's, and lists can be followed.

With ADVISOR_UPDATE_GOLDEN=1 the tables and the screen in README.md are written anew.
"""

from __future__ import annotations

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
import tomllib

import pytest
from support import pages

from advisor import report
from advisor.cli import main
from advisor.engine.cases import _BESIDE, _BUILDERS
from advisor.engine.functions import FUNCTIONS
from advisor.engine.rulefile import keys as keys_of
from advisor.engine.written import Written, WrittenCase, WrittenStep

ROOT = pathlib.Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "keepalive-300"
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "rules/README.md", "examples/keepalive-300/README.md")
UPDATE = os.environ.get("ADVISOR_UPDATE_GOLDEN") == "1"

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\((?!https?://)([^)#]+)\)")
SCREEN = re.compile(r"^```\n(\$ advisor audit --snapshot snapshot.json\n.*?)^```$", re.MULTILINE | re.DOTALL)
WRITTEN = ("patch/", "out/", ".venv")
"""What the commands on the pages make, and no clone holds."""


def text(page: str) -> str:
    return (ROOT / page).read_text()


def block(page: str, language: str) -> str:
    """The page's only block of code in that language."""
    (found,) = [body for _, kind, body in FENCE.findall(text(page)) if kind == language]
    return textwrap.dedent(found)


@pytest.mark.parametrize("page", ["README.md", "rules/README.md"])
def test_the_tables_are_those_of_the_program(page: str) -> None:
    now = pages.filled(text(page))
    if UPDATE:
        (ROOT / page).write_text(now)
    assert now == text(page)


def test_every_generated_part_stands_on_a_page() -> None:
    assert sorted(pages.parts(text("README.md")) + pages.parts(text("rules/README.md"))) == sorted(pages.PARTS)


def test_the_screen_in_the_readme_is_the_example_s() -> None:
    first = (EXAMPLE / "transcript.txt").read_text().partition("\n$ ")[0]
    if UPDATE:
        (ROOT / "README.md").write_text(SCREEN.sub(lambda _: f"```\n{first}```", text("README.md")))
    found = SCREEN.search(text("README.md"))
    assert found is not None
    assert found[1] == first
    assert len(first.splitlines()) > 20


@pytest.mark.parametrize("page", PAGES)
def test_every_path_on_a_page_exists(page: str) -> None:
    home = (ROOT / page).parent
    prose = FENCE.sub("", text(page))
    tops = {path.name for path in ROOT.iterdir()}
    named = [word for word in CODE.findall(prose) if re.fullmatch(r"[\w./-]+", word) and word.split("/")[0] in tops]
    named += LINK.findall(prose)
    missing = [
        path
        for path in named
        if not path.startswith(WRITTEN) and not (home / path).exists() and not (ROOT / path).exists()
    ]
    assert missing == []


def test_the_pages_name_paths_and_commands_at_all() -> None:
    assert len([word for word in CODE.findall(text("CONTRIBUTING.md")) if word.startswith("advisor/")]) > 15
    assert len(commands()) > 12


def commands() -> list[str]:
    """Every ``advisor ...`` of README.md and CONTRIBUTING.md, in blocks and in sentences."""
    found: list[str] = []
    for page in ("README.md", "CONTRIBUTING.md"):
        shell = [body for _, kind, body in FENCE.findall(text(page)) if kind == "sh"]
        found += [line.strip() for body in shell for line in body.splitlines() if line.strip().startswith("advisor ")]
        found += [word for word in CODE.findall(FENCE.sub("", text(page))) if re.match(r"advisor [a-z]", word)]
    return sorted(set(found))


def run(words: list[str], folder: pathlib.Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "advisor", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("command", commands())
def test_every_command_on_a_page_works(command: str, tmp_path: pathlib.Path) -> None:
    """Those that read the host, or hold a placeholder, are only parsed: an option there is none of ends with 2."""
    words = shlex.split(command)[1:]
    placeholder = any(re.fullmatch(r"[A-Z]+", word) for word in words)
    shutil.copy(EXAMPLE / "snapshot.json", tmp_path)
    shutil.copy(EXAMPLE / "nginx.conf", tmp_path)
    shutil.copy(EXAMPLE / "article.conf", tmp_path / "90-web.conf")
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    host = words[0] not in {"rules", "explain"} and not {"--snapshot", "--no-host"} & set(words)
    done = run([*words, "--help"] if host or placeholder else words, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_an_unknown_option_on_a_page_would_be_found(tmp_path: pathlib.Path) -> None:
    assert run(["audit", "--snapshots", "x", "--help"], tmp_path).returncode == 2


def test_every_verb_of_make_on_a_page_is_one() -> None:
    verbs = set(re.findall(r"^([a-z]+):.*##", text("Makefile"), re.MULTILINE))
    named = {verb for page in PAGES for verb in re.findall(r"(?:`|^)make ([a-z]+)", text(page), re.MULTILINE)}
    assert {"audit", "test", "demo", "check", "bench"} <= named <= verbs


def test_every_key_of_a_rule_is_explained() -> None:
    page = text("rules/README.md").partition("## Expressions")[0]
    keys = [key for record in (Written, WrittenStep, WrittenCase) for key in keys_of(record)]
    explained = set(re.findall(r"`(\w+)[`:]", page))
    assert [key for key in [*keys, *_BUILDERS, *_BESIDE] if key not in explained] == []


def test_the_functions_are_those_of_the_language() -> None:
    rows = re.findall(r"^\| `(\w+\([^`]*\))` \|", text("rules/README.md"), re.MULTILINE)
    assert rows == [function.usage for function in FUNCTIONS.values()]


def test_a_rule_can_be_added_as_the_page_says(tmp_path: pathlib.Path) -> None:
    rule = block("CONTRIBUTING.md", "yaml")
    pack = tmp_path / "rules"
    shutil.copytree(ROOT / "rules", pack)
    before = len(list(pack.rglob("*.yaml")))
    (pack / "sysctl" / "syn-retries-few.yaml").write_text(rule)
    done = run(["rules", "test", "rules"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith(f"{before + 1} rules, ")
    (pack / "sysctl" / "syn-retries-few.yaml").write_text(rule.replace('syn_retries: "6"', 'syn_retries: "1"'))
    done = run(["rules", "test", "rules"], tmp_path)
    assert done.returncode == 1
    assert "syn-retries-few" in done.stderr


def test_a_format_can_be_added_as_the_page_says(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lines.py").write_text(block("CONTRIBUTING.md", "python"))
    monkeypatch.setattr(report, "__path__", [*report.__path__, str(tmp_path)])
    name, module = re.search(r'`"(\w+)": _late\("(\w+)"\)`', text("CONTRIBUTING.md")).groups()
    monkeypatch.setitem(report.FORMATS, name, report._late(module))
    try:
        assert main.run(["audit", "--snapshot", str(EXAMPLE / "snapshot.json"), "-f", name]) == 0
    finally:
        sys.modules.pop(f"advisor.report.{module}", None)
    assert capsys.readouterr().out.splitlines() == [
        "high keepalive-timeout-long http",
        "medium sysctl-conf-unapplied /etc/sysctl.conf",
        "info port-range-same-parity -",
        "info time-wait-served -",
    ]


def test_the_help_and_the_readme_name_every_format() -> None:
    words = pages.options()
    assert [name for name in report.FORMATS if not re.search(rf"-f, --format.*\b{name}\b", words)] == []


def test_the_changelog_leads_to_the_version_that_is_built() -> None:
    page = text("CHANGELOG.md")
    version = re.search(r'__version__ = "([^"]+)"', text("advisor/__init__.py"))
    assert version is not None
    assert f"Becomes {version[1]}." in page or f"## [{version[1]}]" in page
    assert tomllib.loads(text("pyproject.toml"))["project"]["dynamic"] == ["version"]
