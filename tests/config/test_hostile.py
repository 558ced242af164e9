"""Rule packs and configurations that mean harm: refused with file, line and column, soon, and never by a traceback."""

from __future__ import annotations

import json
import os
import re
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import hostile, hostile_configs

from advisor.cli.main import run
from advisor.config.check import checked
from advisor.config.read import read
from advisor.engine.cases import snapshot_of
from advisor.engine.judging import Judging
from advisor.engine.pack import load_rules
from advisor.errors import ConfigError, RuleError
from advisor.facts.derive import Facts
from advisor.jobs import cases, load

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable

    from advisor.engine.rule import Rule

RULES = load.rules()
BASE = next(rule for rule in RULES if rule.id == "listen-backlog-capped")
LONGEST = 2.0
"""CPU seconds that any one file may take; the slowest seen took 0.15."""


def own(data: bytes) -> list[Rule]:
    return load_rules([], Facts, None, [(f"packs/{hostile.ID}.yaml", data)])


def refused(name: str, error: type[Exception], where: str, use: Callable[[], object]) -> None:
    began = time.process_time()
    with pytest.raises(error) as said:
        use()
    assert time.process_time() - began < LONGEST, name
    assert re.match(rf"{where}:[1-9]\d*:[1-9]\d*: \S", str(said.value)), (name, str(said.value)[:200])


def test_a_rule_with_one_thing_wrong_is_refused_where_it_stands() -> None:
    assert own(hostile.whole(BASE))[0].id == hostile.ID
    made = list(hostile.rules(BASE))
    assert len(made) > 500
    for name, data in made:
        refused(name, RuleError, f"packs/{hostile.ID}\\.yaml", lambda data=data: own(data))


def test_a_configuration_with_one_thing_wrong_is_refused_where_it_stands() -> None:
    whole = checked(read(json.dumps(hostile_configs.CONFIG).encode(), "advisor.yaml"), RULES)
    assert whole.hosts["web"].params == {"keepalive-timeout-long.few": "9"}
    made = list(hostile_configs.configs())
    assert len(made) > 250
    for name, data in made:
        refused(name, ConfigError, "advisor\\.yaml", lambda data=data: checked(read(data, "advisor.yaml"), RULES))


def texts(whole: bytes) -> st.SearchStrategy[bytes]:
    """A file with a few pieces of it taken out, doubled, or replaced by something odd."""
    odd = st.sampled_from(
        [b"", b"\0", b"{", b"]", b": ", b"- ", b"\n", b"#", b"'", b'"', b"\\", b"\xff", b"9" * 30, b"!"]
    )
    edit = st.tuples(st.integers(0, len(whole)), st.integers(0, 40), st.one_of(odd, st.binary(max_size=4)))

    def changed(edits: list[tuple[int, int, bytes]]) -> bytes:
        data = whole
        for start, length, piece in edits:
            data = data[:start] + piece + data[start + length :]
        return data

    return st.lists(edit, min_size=1, max_size=3).map(changed)


@given(texts(hostile.whole(BASE)))
@settings(max_examples=200)
def test_whatever_a_rule_s_file_holds_is_taken_or_refused(data: bytes) -> None:
    try:
        (rule,) = own(data)
        cases.tried(rule)
    except RuleError as error:
        said = str(error)
    else:
        said = "packs/hostile-rule.yaml:1:1: "
    assert re.match(r"packs/hostile-rule\.yaml:\d+:\d+: ", said)


@given(texts(json.dumps(hostile_configs.CONFIG, indent=1).encode()))
@settings(max_examples=300)
def test_whatever_a_configuration_holds_is_taken_or_refused(data: bytes) -> None:
    try:
        checked(read(data, "advisor.yaml"), RULES)
    except ConfigError as error:
        said = str(error)
    else:
        said = "advisor.yaml:1:1: "
    assert re.match(r"advisor\.yaml:\d+:\d+: ", said)


MANY = {"nginx": "http {" + "".join(f"server {{ listen {1 + at}; }}" for at in range(400)) + "}"}


@pytest.mark.parametrize(
    "greedy",
    [
        {"message": "{item.backlog}" * 350, "expected": ["{item.backlog}" * 350] * 100},
        {"severity": [*({"high": "item.backlog < 0"} for _ in range(5000)), "low"]},
    ],
    ids=["texts", "severities"],
)
def test_a_pack_that_asks_for_too_much_is_stopped(greedy: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("advisor.engine.judging.MOST_WORK", 30_000_000)
    value = json.loads(hostile.whole(BASE)) | {"each": "nginx.listens", "when": "True", "let": {}, "params": {}}
    value["severity"] = "low"
    value |= {"message": "x", "why": "x", "observed": None, "applies": None, "remedies": [], "expected": []} | greedy
    judging = Judging(own(json.dumps(value).encode()))
    began = time.process_time()
    with pytest.raises(RuleError, match=r"hostile-rule\.yaml:1:1: .* ask for more than one run evaluates"):
        judging(Facts(snapshot_of(MANY)))
    assert time.process_time() - began < LONGEST


def test_what_one_run_may_cost_is_shared_by_all_it_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = Facts(snapshot_of(MANY))
    judging = Judging(own(hostile.whole(BASE)))
    judging(facts)
    assert judging._work.done > 0
    monkeypatch.setattr("advisor.engine.judging.MOST_WORK", judging._work.done)
    with pytest.raises(RuleError, match="ask for more"):
        judging.with_params({})(facts)
    assert Judging(RULES)(facts)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("bad.yaml", b"id: bad\nwhen: __import__('os')\n", r"bad\.yaml:1:1: 'title' is missing"),
        ("bad.yaml", b"!!python/object/apply:os.system [id]\n", r"bad\.yaml:1:1: tags"),
        ("big.yaml", b"#" * 200_000, r"big\.yaml:1:1: larger than the 131,072 bytes"),
    ],
)
def test_the_command_line_refuses_a_pack(
    name: str, data: bytes, said: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(data)
    (tmp_path / "nginx.conf").write_text("events { }")
    for command in (["rules", "test"], ["audit", "--no-host", "--nginx-conf", str(tmp_path / "nginx.conf"), "--rules"]):
        assert run([*command, str(tmp_path)]) == 2
        assert re.search(said, capsys.readouterr().err)


def test_a_pack_is_bounded_and_holds_no_links(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    def told(*folders: pathlib.Path) -> str:
        assert run(["rules", "test", *map(str, folders)]) == 2
        return capsys.readouterr().err

    link, fifo, deep, many = (tmp_path / name for name in ("link", "fifo", "deep", "many"))
    for folder in (link, fifo, many, deep.joinpath(*"abcdefghijklmnopqr")):
        folder.mkdir(parents=True)
    (link / "a.yaml").symlink_to("/etc/shadow")
    assert "link/a.yaml:1:1: a link, which is not followed here" in told(link)
    os.mkfifo(fifo / "a.yaml")
    assert "fifo/a.yaml:1:1: not a regular file" in told(fifo)
    assert ":1:1: folders of rules lie at most 16 deep" in told(deep)
    for at in range(17):
        (many / f"{at:02}.yaml").write_bytes(b"#" * 130_000)
    assert "many/16.yaml:1:1: with it, packs hold more than" in told(many)
    (tmp_path / "empty").mkdir()
    assert "empty holds no rule" in told(tmp_path / "empty")
    assert "00.yaml is no folder; name the one it lies in: " in told(many / "00.yaml")
    assert "No such file" in told(tmp_path / "none")
