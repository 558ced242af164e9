"""Packs of rules on the command line: tried, refused, described for editors."""

from __future__ import annotations

import json
import pathlib
import re

import jsonschema
import pytest

from advisor.cli.main import run
from advisor.jobs import cases

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def failed(capsys: Captured, code: int, *arguments: str) -> str:
    """Run a command line that must fail; its one message."""
    assert run([*arguments]) == code
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    assert said.err.strip()
    return said.err


def test_rules_are_listed_and_tested(tmp_path: pathlib.Path, capsys: Captured) -> None:
    assert run(["rules"]) == 0
    said = capsys.readouterr().out
    assert "ports-exhausting" in said
    assert max(map(len, said.splitlines())) <= 80
    assert run(["rules", "test"]) == 0
    assert ", 0 failed" in capsys.readouterr().out
    (tmp_path / "bad-rule.yaml").write_text("id: bad-rule\n")
    assert "bad-rule.yaml:1:1: " in failed(capsys, 2, "rules", "test", str(tmp_path))


def own_rule(folder: pathlib.Path, **replaced: str) -> pathlib.Path:
    """A pack of one rule, ``our-parity``, made of one of ours with some words replaced."""
    text = (pathlib.Path(__file__).parents[2] / "rules/ports/port-range-same-parity.yaml").read_text()
    for old, new in {"id: port-range-same-parity": "id: our-parity", **replaced}.items():
        text = text.replace(old, new)
    (folder / "our-parity.yaml").write_text(text)
    return folder


def test_a_case_that_fails_fails_the_command(tmp_path: pathlib.Path, capsys: Captured) -> None:
    own_rule(tmp_path, **{"expect: unknown": "expect: pass"})
    said = failed(capsys, 1, "rules", "test", str(tmp_path))
    assert "our-parity.yaml: not read: " in said


def test_a_pack_is_tried_and_told(tmp_path: pathlib.Path, capsys: Captured) -> None:
    assert run(["rules", "test", str(own_rule(tmp_path))]) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith("our-parity: fires in 2 cases, quiet in 1, unknown in 1, ")
    assert first.endswith("its step cures it")
    assert last == "1 rule, 4 cases, 0 failed"


def test_a_pack_may_not_claim_a_rule_that_is_there(tmp_path: pathlib.Path, capsys: Captured) -> None:
    own_rule(tmp_path, **{"id: our-parity": "id: our-parity\naliases: [port-range-same-parity]"})
    said = failed(capsys, 2, "rules", "test", str(tmp_path))
    assert "our-parity.yaml:1:1: 'port-range-same-parity' is also claimed by rules/ports/port-range-same-parity" in said


@pytest.mark.parametrize("of", ["rule", "config"])
def test_a_schema_is_printed(of: str, capsys: Captured) -> None:
    assert run(["rules", "schema", "--for", of]) == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(capsys.readouterr().out))
    assert "did you mean 'config'" in failed(capsys, 2, "rules", "schema", "--for", "confi")


QUIET = """\
id: our-quiet
title: It passes on what it did not read
severity: low
when: first(sysctl.net.core.somaxconn, 4096) < 1000
message: x
why: x
unless: x
references: [man:listen(2)]
cases:
  - {name: small, expect: fail, given: {sysctl: {net.core.somaxconn: "128"}}}
  - {name: large, expect: pass, given: {sysctl: {net.core.somaxconn: "4096"}}}
"""


def test_a_rule_that_falls_quiet_where_something_is_not_read_is_told(
    tmp_path: pathlib.Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only by ``first`` can a rule say so, and those that ask it are let be."""
    (tmp_path / "our-quiet.yaml").write_text(QUIET)
    assert run(["rules", "test", str(tmp_path)]) == 0
    assert "judges on less (first), advice only" in " ".join(capsys.readouterr().out.split())
    monkeypatch.setattr(cases, "_FIRST", re.compile("(?!)"))
    assert "our-quiet.yaml: small: it falls quiet where sysctls is not read" in failed(
        capsys, 1, "rules", "test", str(tmp_path)
    )
