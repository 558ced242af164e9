"""The command ``advisor`` as a user runs it, inside a network namespace; and peers that give it something to see."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import pty
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from advisor.engine.judging import Judging
from advisor.jobs import load, patch
from advisor.remedy.plan import Allowed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.snapshot.model import Snapshot
    from support.netns import Netns

ADVISOR = [sys.executable, "-m", "advisor"]
PEERS = [sys.executable, str(pathlib.Path(__file__).with_name("peers.py"))]
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


def collect(ns: Netns, path: pathlib.Path, *arguments: str) -> Snapshot:
    """Keep a snapshot of the namespace in a file, configuration and all."""
    advisor(ns, "collect", "--with-config", "-o", str(path), *arguments)
    return kept(path)


def kept(path: pathlib.Path) -> Snapshot:
    """The snapshot in a file."""
    return load.parse(path.read_bytes(), str(path))


@contextlib.contextmanager
def sampling(ns: Netns, path: pathlib.Path, seconds: int) -> Iterator[None]:
    """The same, with the block run between its two readings, however long that takes: ``seconds`` are the least.

    It says on a terminal when the first is done, and stands still until the block has ended.
    """
    screen, its_end = pty.openpty()
    try:
        arguments = ["collect", "--with-config", "-o", str(path), "--sample", str(seconds)]
        collector = ns.start(*ADVISOR, *arguments, cwd=ROOT, stderr=its_end)
        os.close(its_end)
        said = b""
        while b"between two readings" not in said:
            said += os.read(screen, 1024)
        collector.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            collector.send_signal(signal.SIGCONT)
        assert collector.wait(60) == 0
    finally:
        os.close(screen)


def plan(ns: Netns, out: pathlib.Path, *arguments: str) -> dict[str, Any]:
    """Write the patch folder ``out``; its plan."""
    advisor(ns, "patch", "-o", str(out), *arguments)
    made: dict[str, Any] = json.loads((out / "plan.json").read_bytes())
    return made


def predicted(snapshot: Snapshot, *, unsafe: bool, only: tuple[str, ...] = ()) -> Snapshot:
    """What the patch promises; ``only`` names the rules that are asked, none all."""
    rules = [rule for rule in load.rules() if not only or rule.id in only]
    return patch.plan(snapshot, Judging(rules), Allowed(unsafe)).prediction.snapshot


def play(ns: Netns, name: str, role: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a peer that stays, and wait until it stands."""
    process = ns.start(*PEERS, name, role, *arguments, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "ready\n"
    return process


def once(ns: Netns, name: str, role: str, *arguments: str) -> str:
    """Run a peer that ends; what it printed."""
    return ns.run(*PEERS, name, role, *arguments).stdout
