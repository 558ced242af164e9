"""nginx's own counts: asked for only when told to, only over loopback, else with the reason why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.command import collect
from support.nginx import running

if TYPE_CHECKING:
    import pathlib

    from support.netns import Netns

STATUS = """
    server { listen 127.0.0.1:8080; location = /status { stub_status; } }
"""
NONE = """
    server { listen 127.0.0.1:8080; return 200; }
"""


@pytest.mark.real("nginx")
def test_stub_status_is_asked_when_told_and_there(netns: Netns, tmp_path: pathlib.Path) -> None:
    with running(netns, tmp_path / "nginx", STATUS):
        untold = collect(netns, tmp_path / "untold.json", "--sample", "0")
        assert untold.stub_status is None
        assert "stub_status" in untold.unread

        first = collect(netns, tmp_path / "first.json", "--sample", "0", "--stub-status")
        second = collect(netns, tmp_path / "second.json", "--sample", "0", "--stub-status")
    assert first.stub_status is not None
    assert second.stub_status is not None
    # The one that asks is the only client, and asks once each time.
    assert (first.stub_status.active, first.stub_status.requests, second.stub_status.requests) == (1, 1, 2)


@pytest.mark.real("nginx")
def test_a_configuration_without_stub_status_says_so(netns: Netns, tmp_path: pathlib.Path) -> None:
    with running(netns, tmp_path / "nginx", NONE):
        snapshot = collect(netns, tmp_path / "kept.json", "--sample", "0", "--stub-status")
    assert snapshot.stub_status is None
    assert snapshot.unread["stub_status"].startswith("the configuration has no location with stub_status")
