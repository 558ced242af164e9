"""A configuration is read as it is meant; what can't be meant is said where it stands, with the way out."""

from __future__ import annotations

import json
import pathlib

import jsonschema
import pytest
from support import hostile, hostile_configs

from advisor.config.check import checked
from advisor.config.model import Config, Ignore
from advisor.config.read import read, schema_text
from advisor.engine import ruleschema
from advisor.engine.pack import load_rules
from advisor.errors import ConfigError
from advisor.facts.derive import Facts
from advisor.findings import Confidence, Safety, Severity
from advisor.formats import yaml
from advisor.jobs import load

RULES = load.rules()
ROOT = pathlib.Path(__file__).parents[2]
LONG = "keepalive-timeout-long"


def config(text: str) -> Config:
    return checked(read(text.encode(), "advisor.yaml"), RULES, ["ignore-unused"])


def test_what_is_written_is_what_is_meant() -> None:
    found = config(json.dumps(hostile_configs.CONFIG))
    assert (found.fail_on, found.min_confidence, found.strict) == (Severity.MEDIUM, Confidence.CERTAIN, True)
    assert found.severity == {LONG: Severity.CRITICAL}
    assert found.safety == {LONG: Safety.SAFE}
    assert found.ignores == [Ignore(rule=LONG, reason="long polls", until="2027-01-01", path="a/**")]
    assert found.params == {f"{LONG}.few": "7"}


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}", "---\n", "fail_on:\n"])
def test_what_says_nothing_changes_nothing(text: str) -> None:
    assert config(text) == Config()


def test_rules_are_called_by_their_ids() -> None:
    value = {**json.loads(hostile.whole(RULES[0])), "aliases": ["old-name"]}
    rules = load_rules([], Facts, None, [(f"{hostile.ID}.yaml", json.dumps(value).encode())])

    def told(text: str) -> Config:
        return checked(read(text.encode(), "advisor.yaml"), rules, ["ignore-unused"])

    found = told("ignore: [old-name, ignore-unused]\nseverity: {old-name: low}\n")
    assert found.ignore == [hostile.ID, "ignore-unused"]
    assert found.severity == {hostile.ID: Severity.LOW}
    with pytest.raises(ConfigError, match=r"advisor\.yaml:1:\d+: severity\..*stands here by another name, too"):
        told(f"severity: {{old-name: low, {hostile.ID}: high}}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fail_on: hgih", "1:1: fail_on: .*; did you mean 'high'"),
        ("\nfailon: high", "2:1: unknown key 'failon'; did you mean 'fail_on'"),
        ("strict: yes", "1:1: strict: expected true or false"),
        ("site: {load_balancer_idel: 1 s}", "1:8: load_balancer_idel: .*; did you mean 'load_balancer_idle'"),
        ("site: {load_balancer_idle: 60}", "1:8: site.load_balancer_idle: .*expected seconds, for example"),
        (f"params: {{{LONG}.fwe: 7}}", f"1:10: params.{LONG}.fwe: .*; did you mean '{LONG}.few'"),
        ("select: [keepalive-timeout-lnog]", f"1:10: select.0: no rule is called .*; did you mean '{LONG}'"),
        (f"ignores:\n- rule: {LONG}\n  path: a\n", "2:3: 'reason' is missing"),
        (f"ignores:\n- {{rule: {LONG}, reason: x}}", "2:3: ignores.0: name a path, .* into the list 'ignore'"),
        (f"ignores: [{{rule: {LONG}, reason: x, key: a, until: 2027-02-30}}]", "ignores.0.until: there is no day"),
        ("hosts: {web: {paths: [../etc]}}", r"1:23: hosts.web.paths.0: .* no '\.\.'"),
        ("nginx_version: latest", "1:1: nginx_version: write it as nginx -v does"),
    ],
)
def test_a_fault_is_said_where_it_stands(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=rf"^advisor\.yaml:\d+:\d+: .*{said.split(': ', 1)[1]}") as error:
        config(text)
    if said[0].isdigit():
        assert str(error.value).startswith(f"advisor.yaml:{said.split(': ', 1)[0]}: ")


def test_the_schema_that_is_shipped_is_current_and_holds() -> None:
    shipped = ROOT / "advisor/config/advisor-v1.schema.json"
    assert shipped.read_text() == schema_text()
    validator = jsonschema.Draft202012Validator(json.loads(schema_text()))
    validator.validate(hostile_configs.CONFIG)
    for wrong in ({"fail_on": "x"}, {"failon": "high"}, {"ignores": [{"rule": LONG}]}, {"hosts": {"a": {}}}):
        assert not validator.is_valid(wrong)


def test_every_rule_holds_to_the_schema_of_rules() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(ruleschema.schema_text()))
    for path in sorted((ROOT / "rules").rglob("*.yaml")):
        validator.validate(yaml.load(path.read_bytes(), path.name).value)
    step = {"safety": "safe", "sysctl": {"kernel.core_pattern": {"exactly": "1"}}}
    value = json.loads(hostile.whole(RULES[0]))
    assert validator.is_valid(value)
    assert not validator.is_valid({**value, "remedies": [step]})
    assert not validator.is_valid({**value, "severity": "doom"})
