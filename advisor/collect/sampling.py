"""Looking at a part of the sockets: those that have a port, local or remote, in a stripe of the ports.

One end of nearly every connection has a port that was chosen for it alone, so that a stripe of ports takes a like part
of the connections of each listener and destination, and all of those few whose own port is in a stripe. The kernel's
table is no help: since Linux 6.15 it keeps neighbouring local ports towards a destination side by side, and a dump that
is left early has seen all of some destinations and nothing of others (inet_ehashfn of net/ipv4/inet_hashtables.c).
"""

from __future__ import annotations

from collections.abc import Mapping

from advisor.catalog.tcp import State
from advisor.formats import procfs, sockdiag
from advisor.system import System

WALK_S, FULL_S, AGED_S = 0.3e-6, 2e-6, 4e-6
"""CPU seconds for each socket in the table, for each that is counted, and for each whose age is."""
_NARROWEST = 16
"""Ports: a part of 256."""


def population(system: System) -> int:
    """The TCP sockets of this network namespace, as the kernel counts them; 0 where it can't be read."""
    found: dict[str, int] = {}
    try:
        for name in ("sockstat", "sockstat6"):
            if system.exists(f"/proc/net/{name}"):
                found |= procfs.sockstat(system.read(f"/proc/net/{name}"))
    except (OSError, ValueError):
        return 0
    return sum(found.get(f"sockstat.{name}", 0) for name in ("TCP.inuse", "TCP.tw", "TCP6.inuse"))


def stripe(sockets: int, each: float, budget: float | None, walked: int) -> int | None:
    """How wide the stripes must be, in ports, for a dump to keep to a budget; None: all can be looked at.

    Args:
        sockets: those that would be looked at.
        each: what one of them costs, in seconds.
        budget: CPU time in seconds; None: no bound.
        walked: all in the table.
    """
    if budget is None or sockets * each + walked * WALK_S <= budget:
        return None
    part = (budget - walked * WALK_S) / (sockets * each)
    return max(_NARROWEST, int(part * sockdiag.STRIPE) & ~1)


class Part:
    """The part of the connections that was counted, as a whole and of the rows of each port.

    Args:
        whole: all sockets by state.
        width: of the stripes.
    """

    def __init__(self, whole: Mapping[int, int], width: int) -> None:
        self.whole = whole
        self._width = width
        self._connections = sum(count for state, count in whole.items() if state != State.LISTEN)
        self._others = 1.0
        self.share = 1.0

    def seen(self, ports: Mapping[int, int], total: int) -> None:
        """Learn what the rows of each port hold, listeners' and destinations', and what all have in all."""
        fully = sum(count for port, count in ports.items() if sockdiag.in_stripes(port, self._width))
        left = self._connections - fully
        self._others = min(1.0, (total - fully) / left) if left > 0 and total > fully else 1.0
        self.share = min(1.0, total / self._connections) if self._connections else 1.0

    def of(self, port: int) -> float:
        """The share of a listener's, or a destination's, connections that was counted."""
        return 1.0 if sockdiag.in_stripes(port, self._width) else self._others
