"""A CLOSE_WAIT leak on either end of connections: who holds it, towards whom, how many and for how long."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.command import audit, evidence, found, once, play
from support.netns import pair

if TYPE_CHECKING:
    from support.netns import Netns

RULE = "close-wait-leak"
SERVED, LATER, POOLED = 160, 7, 150
OLD = 62
"""Seconds: past the minute from which on CLOSE_WAIT is a leak."""
PRINTED = 0.1
"""Seconds: what the message rounds to."""


def said(leak: dict[str, Any]) -> tuple[int, int, float]:
    """Count, pid and the oldest age, as a person reads them."""
    words = re.fullmatch(
        r"([\d,]+) CLOSE_WAIT to .* held by .* \(pid (\d+)\), the oldest for ([\d.]+) s", leak["message"]
    )
    assert words is not None, leak["message"]
    return int(words[1].replace(",", "")), int(words[2]), float(words[3])


def settle(ns: Netns, pid: int, accepted: int, left: int) -> None:
    """Wait until a process has accepted so many connections, and so many peers' FINs have arrived.

    Those still queued belong to nobody, and a FIN is on its way for as long as the kernel has no time for it.
    """
    end = time.monotonic() + 60
    while time.monotonic() < end:
        links = (os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd"))
        held = sum(link.startswith("socket:") for link in links) - 1  # the one it listens on
        waiting = len(ns.run("ss", "-Htn", "state", "close-wait").stdout.splitlines())
        if (held, waiting) == (accepted, left):
            return
        time.sleep(0.05)
    pytest.fail(f"pid {pid} holds {held} connections, and {waiting} are in CLOSE_WAIT: not {accepted} and {left}")


@pytest.mark.real("ss")
def test_both_ends_of_a_leak_are_named_with_count_and_age() -> None:
    with pair() as (here, there):
        leaky = play(here, "leaky", "hold", "10.9.0.1", "8080")
        play(there, "database", "hang-up", "10.9.0.2", "3306")
        begun = time.monotonic()
        once(there, "visitor", "visit", "10.9.0.1", "8080", str(SERVED))
        pooled = play(here, "pooled", "pool", "10.9.0.2", "3306", str(POOLED))
        settle(here, leaky.pid, SERVED, SERVED + POOLED)
        over = time.monotonic()
        assert found(audit(here, "--sample", "0"), RULE) == {}, "young ones may be on their way out"

        time.sleep(OLD - (time.monotonic() - over))
        # A port that an earlier visitor had would meet the CLOSE_WAIT left of it, and reset that (RFC 5961).
        there.run("sysctl", "-qw", "net.ipv4.ip_local_port_range=61001 65000")
        once(there, "visitor", "visit", "10.9.0.1", "8080", str(LATER))
        settle(here, leaky.pid, SERVED + LATER, SERVED + LATER + POOLED)
        before = time.monotonic()
        leaks = found(audit(here, "--sample", "0"), RULE)
        after = time.monotonic()

    assert set(leaks) == {"leaky to clients of port 8080", "pooled to 10.9.0.2:3306"}
    server, client = leaks["leaky to clients of port 8080"], leaks["pooled to 10.9.0.2:3306"]
    assert said(server)[:2] == (SERVED + LATER, leaky.pid)
    assert said(client)[:2] == (POOLED, pooled.pid)
    assert (evidence(server)["old"], evidence(client)["old"]) == (SERVED, POOLED)
    assert (server["severity"], client["severity"]) == ("high", "medium"), "one still grows, one stands still"
    for leak in (server, client):
        # The peers closed between ``begun`` and ``over``, and sockets were read between ``before`` and ``after``.
        assert before - over - PRINTED <= said(leak)[2] <= after - begun + PRINTED
        assert after - begun - (before - over) < 4, "the machine was too slow for this test to say anything of ages"
        assert leak["confidence"] == "observed"
        assert {step["safety"] for step in leak["steps"]} == {"manual"}, "no setting cures it"
