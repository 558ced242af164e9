"""The index of the rules that are shipped: it holds what their files say, and only saves time."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import pytest

from advisor.collect import packs
from advisor.engine import pack, rulefile
from advisor.engine.rule import Rule
from advisor.engine.written import plain, restore
from advisor.errors import RuleError, UsageError
from advisor.facts.derive import Facts
from advisor.formats import yaml
from advisor.jobs import load

PATH = pathlib.Path(packs.builtin_folder()) / packs.INDEX
FILES = packs.read_builtin()
NAME, DATA = next((name, data) for name, data in FILES if name.endswith("/fin-timeout-lowered.yaml"))


def text_of(index: pack.Index) -> str:
    """One rule a line, so that a rule that is added or edited is a difference of one line."""
    rules = ",\n".join(f"{json.dumps(key)}: {json.dumps(index['rules'][key])}" for key in sorted(index["rules"]))
    return f'{{"shape": {json.dumps(index["shape"])},\n"rules": {{\n{rules}\n}}}}\n'


def loaded(files: list[tuple[str, bytes]], index: Any = None) -> list[Rule]:
    return pack.load_rules(files, Facts, index or packs.read_index())


def test_it_holds_what_the_files_say() -> None:
    """Set ADVISOR_UPDATE_GOLDEN=1 to make it anew; until then an edited rule is only slower to load."""
    made = text_of(pack.index_of(FILES, Facts))
    if os.environ.get("ADVISOR_UPDATE_GOLDEN") == "1":
        PATH.write_text(made)
    assert PATH.read_text() == made, "rules/index.json is stale: ADVISOR_UPDATE_GOLDEN=1 pytest tests/rules"


def test_a_rule_is_the_same_from_it() -> None:
    for slow, quick in zip(pack.load_rules(FILES, Facts), loaded(FILES), strict=True):
        assert quick.written == slow.written
        assert quick.whole().evidence[0].dotted == slow.evidence[0].dotted
        assert restore(json.loads(json.dumps(plain(slow.written)))) == slow.written


def test_a_run_with_it_needs_neither_yaml_nor_pydantic(tmp_path: pathlib.Path) -> None:
    conf = tmp_path / "nginx.conf"
    conf.write_text("http { server { listen 80; } }")
    script = (
        "import sys; from advisor.cli.main import run\n"
        f"run(['audit', '--no-host', '--nginx-conf', {str(conf)!r}])\n"
        "print(sorted({'yaml', 'pydantic', 'advisor.engine.rulefile'} & {*sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == "[]\n"


def test_an_edited_rule_is_read_and_checked_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    edited = DATA.replace(b"\ntitle: ", b"\ntitle: Now ")
    (before,), (after,) = loaded([(NAME, DATA)]), loaded([(NAME, edited)])
    assert after.title == f"Now {before.title}"
    with pytest.raises(RuleError, match=r"fin-timeout-lowered\.yaml:\d+:\d+: .whenn?. is missing"):
        loaded([(NAME, DATA.replace(b"when:", b"wenn:"))])
    monkeypatch.setattr(rulefile, "read", lambda _: pytest.fail("read, though the index has it"))
    loaded([(NAME, DATA)])
    with pytest.raises(pytest.fail.Exception):
        loaded([(NAME, edited)])


def test_a_renamed_file_is_another() -> None:
    with pytest.raises(RuleError, match=r"'fin-timeout-lowered' must equal the file's name, 'other'"):
        loaded([("rules/sysctl/other.yaml", DATA)])


def test_an_index_of_another_shape_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    old = {**packs.read_index(), "shape": [["id"], [], []]}
    read: list[str] = []
    monkeypatch.setattr(pack, "load", lambda data, name: read.append(name) or yaml.load(data, name))
    loaded([(NAME, DATA)], old)
    assert read == [NAME]


def test_what_is_wrong_in_a_part_that_is_asked_for_later_is_told_by_its_place() -> None:
    """Facts may have changed since the index was made: the error is as clear as at load."""
    index = json.loads(json.dumps(packs.read_index()))
    key = next(key for key in index["rules"] if key.startswith("fin-timeout-lowered.yaml"))
    index["rules"][key]["message"] = "it is {sysctl.net.ipv4.tcp_fin_timeou}"
    (rule,) = loaded([(NAME, DATA)], index)
    assert rule.when.names
    with pytest.raises(RuleError, match=r"fin-timeout-lowered\.yaml:\d+:\d+: message: unknown sysctl .*did you mean"):
        _ = rule.message


def test_a_folder_of_the_users_own_has_none(tmp_path: pathlib.Path) -> None:
    (tmp_path / "our-fin-timeout.yaml").write_bytes(DATA.replace(b"id: fin-timeout-lowered", b"id: our-fin-timeout"))
    (tmp_path / packs.INDEX).write_text("{")
    found = {rule.id: rule for rule in load.rules([str(tmp_path)])}
    assert [rule.id for rule in found.values() if rule.foreign] == ["our-fin-timeout"]
    assert found["our-fin-timeout"].file == str(tmp_path / "our-fin-timeout.yaml")


def test_an_index_that_is_missing_or_broken(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "builtin_folder", lambda: str(tmp_path))
    assert packs.read_index() is None
    (tmp_path / packs.INDEX).write_text("{")
    with pytest.raises(UsageError, match=r"index\.json can't be read .*install advisor again, or delete the file"):
        packs.read_index()
