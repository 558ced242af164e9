"""How many TCP sockets are in each state, from what the kernel counts by itself and one short dump.

ESTABLISHED and TIME_WAIT, nearly all sockets of a busy host, are not asked for: /proc/net/snmp counts ESTABLISHED with
CLOSE_WAIT (CurrEstab), and /proc/net/sockstat TIME_WAIT with FIN_WAIT2 that no process holds any more (tw). The kernel
still walks its table: the cost grows with the sockets, at a tenth of what listing them costs. The readings are taken
one after the other, and differ by what changed in between.
"""

from __future__ import annotations

from collections import Counter

from advisor.catalog.tcp import State
from advisor.collect.netlink import dump
from advisor.errors import InputError
from advisor.formats import procfs
from advisor.formats.sockdiag_blocks import STATE, TIMER
from advisor.system import System

_ASKED = [state for state in State if state not in {State.ESTABLISHED, State.TIME_WAIT, State.BOUND_INACTIVE}]
_TIMER_OF_TIME_WAIT = 3
"""idiag_timer of the small sockets that stand for a connection which no process holds (sock_diag(7))."""


def read_states(system: System) -> Counter[int]:
    """The sockets of this network namespace by the number of their state, LISTEN among them.

    Raises:
        OSError: when SOCK_DIAG is refused, or /proc/net can't be read.
        InputError: when an answer can't be understood.
    """
    states: Counter[int] = Counter()
    small = 0
    for blocks in dump(_ASKED):
        for block in blocks:
            found = block.column(STATE)
            for state in set(found):
                states[state] += found.count(state)
            if State.FIN_WAIT2 in found:
                pairs = zip(found, block.column(TIMER), strict=True)
                small += sum(pair == (State.FIN_WAIT2, _TIMER_OF_TIME_WAIT) for pair in pairs)
    try:
        current = procfs.counters(system.read("/proc/net/snmp"))["Tcp.CurrEstab"]
        waiting = procfs.sockstat(system.read("/proc/net/sockstat"))["sockstat.TCP.tw"]
    except (ValueError, KeyError) as error:
        raise InputError(f"/proc/net: no CurrEstab or tw can be read: {error}") from None
    states[State.ESTABLISHED] = max(0, current - states[State.CLOSE_WAIT])
    states[State.TIME_WAIT] = max(0, waiting - small)
    return +states
