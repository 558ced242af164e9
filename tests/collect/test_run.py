"""All collectors together: what one of them can't have is said, and the others go on."""

from __future__ import annotations

import pkgutil
import socket
import time

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


def test_the_sample_is_the_time_between_the_counters_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is slow besides, at nice 19 on a busy host, changes no rate."""

    def late(target: str, seconds: float) -> None:
        read = pkgutil.resolve_name(target)

        def slowly(*given: object) -> object:
            time.sleep(seconds)
            return read(*given)

        monkeypatch.setattr(target, slowly)

    late("advisor.collect.sockets.read_drops", 0.3)
    late("advisor.collect.sockets.read_sockets", 0.6)
    late("advisor.collect.sysctl.read_sysctls", 0.6)
    snapshot = collect(Request(sample=0.1))
    assert snapshot.counters is not None
    assert 0.4 <= snapshot.sample < 0.7
    assert snapshot.took is not None
    assert snapshot.took > 1.6


def test_without_counters_it_is_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> dict[str, int]:
        raise PermissionError(1, "refused")

    monkeypatch.setattr("advisor.collect.counters.read_counters", refuse)
    snapshot = collect(Request(sample=0.1))
    assert snapshot.counters is None
    assert 0.1 <= snapshot.sample < 0.3
    assert collect(Request(sample=0)).sample == 0
