"""A pool that is never given back, against a server with patience: no CLOSE_WAIT, only ESTABLISHED nobody uses."""

from __future__ import annotations

import time

import pytest
from support.command import audit, evidence, found, play
from support.netns import pair

RULE = "outbound-established-leak"
UNUSED, USED = 150, 120


@pytest.mark.real
def test_a_pool_never_used_again_is_named_and_a_busy_one_is_not() -> None:
    with pair() as (here, there):
        play(there, "patient", "hold", "10.9.0.2", "6379")
        play(there, "another", "hold", "10.9.0.2", "5432")
        forgetful = play(here, "forgetful", "pool", "10.9.0.2", "6379", str(UNUSED))
        play(here, "busy", "work", "10.9.0.2", "5432", str(USED))
        assert found(audit(here, "--sample", "0"), RULE) == {}, "an hour has not gone by"
        time.sleep(3)  # ages are counted in buckets of a second here: all of them are past the one that ends at 2 s
        report = audit(here, "--sample", "0", "--param", f"{RULE}.age=2 s")

    [(item, leak)] = found(report, RULE).items()
    assert item == "forgetful to 10.9.0.2:6379"
    assert leak["message"].startswith(f"forgetful (pid {forgetful.pid}) holds {UNUSED} connections to 10.9.0.2:6379, ")
    assert (evidence(leak)["item.count"], evidence(leak)["unused"]) == (UNUSED, UNUSED)
    assert leak["confidence"] == "observed"
    assert found(report, "close-wait-leak") == {}, "nobody has closed anything"
