"""Damaged captures: no traceback, bounded memory and time, and both passes say the same of what can still be read."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
MOST_MIB = 128
"""Resident: captures of a few KB need what the interpreter, numpy and a chunk need."""


def mutated(seed: int, count: int) -> float:
    """Have that many examined in a process with little room; its CPU seconds."""
    corpus = os.environ.get("ADVISOR_CORPUS")
    argv = [sys.executable, "-W", "error", "-m", "support.capture_mutations", str(seed), str(count)]
    argv += [f"{corpus}/pcap"] if corpus else []
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    examined, seconds, peak = done.stdout.split()
    assert int(examined) == count
    assert float(peak) < MOST_MIB
    return float(seconds)


def test_damaged_captures_are_read_as_far_as_they_can_be() -> None:
    mutated(seed=1, count=500)


@pytest.mark.slow
def test_ten_thousand_damaged_captures_are_read_as_far_as_they_can_be() -> None:
    count = 10_000
    seconds = mutated(seed=2, count=count)
    sys.stdout.write(f"{count:,} damaged captures, read twice each in {seconds:.0f} CPU s\n")
