"""The counters of this network namespace, read twice by the caller: at the beginning and at the end of the sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from advisor.catalog.counters import COUNTERS, GAUGES
from advisor.collect.gauges import read_gauges
from advisor.errors import InputError
from advisor.formats import procfs
from advisor.snapshot.model import Reading
from advisor.system import System

_LARGEST = 2**63


def read_counters(system: System, pid: int | None = None) -> dict[str, int]:
    """The counters of `advisor.catalog.counters` that this kernel has, by name.

    Args:
        system: the machine or the tree.
        pid: the process whose control group counts; None: none does.

    Raises:
        OSError: when /proc/net/snmp, netstat or sockstat can't be read; sockstat6 is missing where IPv6 is.
        InputError: when one of them can't be understood.
    """
    found = _read(system, "/proc/net/snmp", procfs.counters) | _read(system, "/proc/net/netstat", procfs.counters)
    found |= _read(system, "/proc/net/sockstat", procfs.sockstat)
    if system.exists("/proc/net/sockstat6"):
        found |= _read(system, "/proc/net/sockstat6", procfs.sockstat)
    found |= read_gauges(system, pid)
    return {name: found[name] for name in COUNTERS if 0 <= found.get(name, -1) < _LARGEST}


def _read(system: System, path: str, parse: Callable[[bytes], dict[str, int]]) -> dict[str, int]:
    try:
        return parse(system.read(path))
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None


def readings(first: Mapping[str, int], last: Mapping[str, int]) -> dict[str, Reading]:
    """Both readings of each counter.

    One that went backwards began anew (another network namespace, or 32 bits that ran over): nothing can be said of
    what it counted in between, so that it has no last reading. Gauges may go down.
    """
    found = {}
    for name, begin in first.items():
        end = last.get(name)
        backwards = end is not None and end < begin and name not in GAUGES
        found[name] = Reading(first=begin, last=None if backwards else end)
    return found
