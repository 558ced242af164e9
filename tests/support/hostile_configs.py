"""Configurations that mean harm, or nothing: one that says all that can be said, each with one thing wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from support.hostile import documents

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG: dict[str, Any] = {
    "fail_on": "medium",
    "min_confidence": "certain",
    "strict": True,
    "preview": False,
    "exclude": ["vendor/**"],
    "baseline": "advisor-baseline.json",
    "rules": [],
    "profile": "proxy",
    "nginx_version": "1.22.1",
    "site": {"load_balancer_idle": "60 s", "backend_capacity": "50 connections"},
    "params": {"keepalive-timeout-long.few": 7},
    "select": ["keepalive-timeout-long", "listen-backlog-capped"],
    "ignore": ["tcp-nopush-inert"],
    "severity": {"keepalive-timeout-long": "critical"},
    "safety": {"keepalive-timeout-long": "safe"},
    "ignores": [{"rule": "keepalive-timeout-long", "reason": "long polls", "until": "2027-01-01", "path": "a/**"}],
    "hosts": {"web": {"paths": ["web/**"], "profile": "static", "params": {"keepalive-timeout-long.few": 9}}},
}
"""A configuration that says all that one can say."""

_ODD = [-1, 2**62, 1.5, {"a": {"b": 1}}, [["x"]], "", "\u202e", "a\tb\x00", "x" * 2000, "__class__", "${HOME}", "$(id)"]
_TYPES: dict[str, list[object]] = {
    "fail_on": [*_ODD, True, ["high"], "hgih"],
    "min_confidence": [*_ODD, True, "sure"],
    "strict": [*_ODD, "yes", "true", 1],
    "preview": [*_ODD, "on", 0],
    "exclude": [*_ODD, "x", ["../x"], ["a/../../b"], [""], ["x" * 501], [1], ["x"] * 501, ["a\x00b"]],
    "baseline": [-1, 1.5, {"a": 1}, ["x"], "", "a\x00b", "x" * 1001],
    "rules": ["x", [""], [1], ["x\x00"], ["x"] * 501, {"a": 1}],
    "profile": [*_ODD, True, "proxi"],
    "nginx_version": ["", "one", "1.2.3.4.5", "-1", "1." * 30, {"a": 1}, ["1"], "1.x", "x" * 41],
    "site": [*_ODD, {"load_balancer_idel": "60 s"}, {"load_balancer_idle": "60"}, {"load_balancer_idle": "-1 s"}]
    + [{"load_balancer_idle": text} for text in ("sixty s", "1e9 s", "60 parsecs", "9" * 99 + " s", None, ["60 s"])],
    "params": [*_ODD, {"keepalive-timeout-long": "1"}, {"no-such.few": 1}, {"keepalive-timeout-long.many": 1}]
    + [{"keepalive-timeout-long.few": text} for text in ("7 s", "seven", "", [7], {"a": 1})]
    + [{"__class__.x": 1}, {"keepalive-timeout-long.__class__": 1}],
    "select": [*_ODD, "keepalive-timeout-long", ["no-such-rule"], [1], ["__class__"], ["x" * 81]],
    "ignore": [*_ODD, ["keepalive-timeout-lnog"], [None]],
    "severity": [*_ODD, {"keepalive-timeout-long": "grave"}, {"no-such": "high"}, {"keepalive-timeout-long": 3}],
    "safety": [*_ODD, {"keepalive-timeout-long": "manual"}, {"no-such": "safe"}, {"keepalive-timeout-long": True}],
    "ignores": [*_ODD, [1], ["x"], [{}], [{"rule": "keepalive-timeout-long"}]],
    "hosts": [*_ODD, {"a": 1}, {"a": {}}, {"a": {"paths": []}}, {"a b": {"paths": ["x"]}}, {"": {"paths": ["x"]}}],
}
_HOST: list[dict[str, object]] = [
    {"paths": ["../x"]},
    {"paths": ["x"], "root": "/"},
    {"paths": ["x"], "profile": "x"},
    {"paths": ["x"], "site": {"x": "1 s"}},
    {"paths": ["x"], "params": {"x.y": 1}},
    {"paths": ["x"], "nginx_version": "x"},
]

IGNORE = {"rule": "keepalive-timeout-long", "reason": "x", "path": "a"}
IGNORES: list[dict[str, object]] = [
    {"reason": ""},
    {"reason": "  "},
    {"reason": None},
    {"reason": 7},
    {"reason": "x" * 1001},
    {"rule": "no-such-rule"},
    {"rule": "*"},
    {"rule": ["keepalive-timeout-long"]},
    {"until": "2027-02-30"},
    {"until": "2027-13-01"},
    {"until": "0000-00-00"},
    {"until": "tomorrow"},
    {"until": "2027-1-1"},
    {"until": "2027-W01-1"},
    {"until": "20270101"},
    {"until": 20270101},
    {"until": "2027-01-01T00:00:00Z"},
    {"until": "\u0662\u0660\u0662\u0667-01-01"},
    {"path": ""},
    {"path": "../../etc"},
    {"path": 7},
    {"path": None},
    {"path": "a\nb"},
    {"path": "*" * 501},
    {"server": ""},
    {"server": "a b"},
    {"server": ["a"]},
    {"server": "x" * 256},
    {"key": ""},
    {"key": "a\x00"},
    {"key": 1.5},
    {"line": 7},
    {"__class__": "x"},
]


def configs() -> Iterator[tuple[str, bytes]]:
    """Configurations with one thing wrong."""
    yield from documents(CONFIG)
    for key, values in _TYPES.items():
        for wrong in values:
            yield f"{key} = {str(wrong)[:40]!r}", json.dumps({**CONFIG, key: wrong}, indent=1).encode()
    for wrong in IGNORES:
        yield f"ignores {str(wrong)[:40]!r}", json.dumps({**CONFIG, "ignores": [{**IGNORE, **wrong}]}).encode()
    for host in _HOST:
        yield f"hosts {str(host)[:40]!r}", json.dumps({**CONFIG, "hosts": {"a": host}}, indent=1).encode()
    for key, value in CONFIG.items():
        yield f"misspelt {key}", json.dumps({f"{key[:-1]}_": value}).encode()
