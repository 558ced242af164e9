"""How many TCP sockets are in each state, from what the kernel counts by itself and one short dump.

ESTABLISHED and TIME_WAIT, nearly all sockets of a busy host, are not asked for: /proc/net/snmp counts ESTABLISHED with
CLOSE_WAIT (CurrEstab), and /proc/net/sockstat TIME_WAIT with FIN_WAIT2 that no process holds any more (tw). The kernel
still walks its table: the cost grows with the sockets, at a tenth of what listing them costs, 0.15 us each. The
readings are taken one after the other, and differ by what changed in between.

This module imports little: a summary of a small host costs less than most modules take to import.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain

from advisor.collect.netlink import answers, damaged
from advisor.errors import InputError
from advisor.formats.sockdiag import STATE as AT
from advisor.formats.sockdiag import TIMER, messages, stride
from advisor.system import System

_ESTABLISHED, _FIN_WAIT2, _TIME_WAIT, _CLOSE_WAIT, _LISTEN = 1, 5, 6, 8, 10
"""As in `advisor.catalog.tcp.State`."""
_ASKED = ([_LISTEN], [state for state in range(1, 13) if state not in {_ESTABLISHED, _TIME_WAIT, _LISTEN}])
"""Listeners have longer messages, and are in a table of their own: asked for apart they are no second walk."""
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
    for data in chain.from_iterable(map(answers, _ASKED)):
        try:
            found, timers = _columns(data)
        except ValueError as error:
            raise damaged(error) from None
        for state in set(found):
            states[state] += found.count(state)
        if _FIN_WAIT2 in found:
            small += list(zip(found, timers, strict=True)).count((_FIN_WAIT2, _TIMER_OF_TIME_WAIT))
    states[_ESTABLISHED] = max(0, _gauge(system, "/proc/net/snmp", "CurrEstab") - states[_CLOSE_WAIT])
    states[_TIME_WAIT] = max(0, _gauge(system, "/proc/net/sockstat", "tw") - small)
    return +states


def _columns(data: bytes) -> tuple[bytes, bytes]:
    """The state and the timer of each socket."""
    if step := stride(data):
        end = len(data) - len(data) % step
        return data[AT:end:step], data[TIMER:end:step]
    spans, _ = messages(data)
    return bytes(data[start + AT] for start, _ in spans), bytes(data[start + TIMER] for start, _ in spans)


def _gauge(system: System, path: str, name: str) -> int:
    """A number of the group TCP: after its name in the same line (sockstat), or in the line below it (snmp)."""
    lines = [line.split() for line in system.read(path).decode("ascii", "replace").splitlines()]
    rows = [words for words in lines if words and words[0].upper() == "TCP:"]
    try:
        place = rows[0].index(name)
        return int(rows[1][place] if len(rows) > 1 else rows[0][place + 1])
    except (ValueError, IndexError):
        raise InputError(f"{path}: {name} of TCP can't be found in it") from None
