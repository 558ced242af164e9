"""All collectors together: what one of them can't have is said, and the others go on."""

from __future__ import annotations

import socket

import pytest

from advisor.collect.run import Request, collect


def test_where_netlink_is_refused_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    said = [source for source, _ in collect(Request(sample=0)).problems]
    assert "sockets" not in said

    def refuse(*_: object) -> socket.socket:
        raise PermissionError(1, "refused")

    monkeypatch.setattr("advisor.collect.netlink.socket", refuse)
    snapshot = collect(Request(sample=0))
    assert snapshot.sockets is not None
    assert snapshot.sockets.method == "/proc/net/tcp"
    [why] = [why for source, why in snapshot.problems if source == "sockets"]
    assert why.startswith("SOCK_DIAG was refused: read from /proc/net/tcp")
    assert snapshot.counters is not None
    assert snapshot.held is None
    assert "refused" in snapshot.unread["held"]
