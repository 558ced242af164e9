"""For how long a connection in TIME_WAIT keeps its local port from new outgoing connections.

TIME_WAIT itself lasts 60 s, a constant of the kernel (TCP_TIMEWAIT_LEN in include/net/tcp.h) that no sysctl changes.
connect() may take over its port earlier where tcp_tw_reuse says so and both sides sent timestamps (tcp_twsk_unique in
net/ipv4/tcp_ipv4.c). Whether the other side did is not seen: what is told here holds where it does, as most do.
"""

from __future__ import annotations

from advisor.facts.sysctl import Sysctl
from advisor.snapshot.model import Snapshot

LENGTH = 60.0
"""Seconds that a socket stays in TIME_WAIT."""

_DELAY = "net.ipv4.tcp_tw_reuse_delay"
_OLD_DELAY = 1.0
"""Seconds until TIME_WAIT may be taken over where the kernel has no such key."""
_ALWAYS, _LOOPBACK = 1, 2
"""Values of tcp_tw_reuse."""


def holds(snapshot: Snapshot, sysctl: Sysctl, *, loopback: bool) -> float:
    """The seconds for which TIME_WAIT keeps a port from a new connection to the same address and port.

    Raises:
        Unread: when tcp_tw_reuse, or what it then rests on, was not read.
    """
    reuse = sysctl.value("net.ipv4.tcp_tw_reuse")
    if reuse != _ALWAYS and not (reuse == _LOOPBACK and loopback):
        return LENGTH
    if sysctl.value("net.ipv4.tcp_timestamps") == 0:
        return LENGTH
    live = snapshot.sysctls
    if live is not None and _DELAY in live.absent:
        return _OLD_DELAY
    return min(LENGTH, float(sysctl.value(_DELAY)))  # type: ignore[arg-type]  # no vector and no string: a number
