"""The command ``advisor`` as a user runs it, inside a network namespace; and peers that give it something to see."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from typing import Any

from support.netns import Netns

ADVISOR = [sys.executable, "-m", "advisor"]
PEERS = str(pathlib.Path(__file__).with_name("peers.py"))
ROOT = pathlib.Path(__file__).parents[2]


def advisor(ns: Netns, *arguments: str) -> str:
    """Run it inside; what it printed."""
    return ns.run(*ADVISOR, *arguments, cwd=ROOT).stdout


def audit(ns: Netns, *arguments: str) -> dict[str, Any]:
    """Audit the namespace; the report."""
    report: dict[str, Any] = json.loads(advisor(ns, "audit", "-f", "json", *arguments))
    return report


def found(report: dict[str, Any], rule: str) -> dict[str, dict[str, Any]]:
    """The findings of one rule, by item."""
    return {one["item"]: one for one in report["findings"] if one["rule"] == rule}


def evidence(finding: dict[str, Any]) -> dict[str, Any]:
    """The values a finding rests on, by name."""
    return {one["name"]: one["value"] for one in finding["evidence"]}


def play(ns: Netns, name: str, role: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a peer that stays, and wait until it stands."""
    process = ns.start(sys.executable, PEERS, name, role, *arguments, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "ready\n"
    return process


def once(ns: Netns, name: str, role: str, *arguments: str) -> str:
    """Run a peer that ends; what it printed."""
    return ns.run(sys.executable, PEERS, name, role, *arguments).stdout
