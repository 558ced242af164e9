"""What the kernel counts outside of TCP: softirqs, conntrack, neighbours, pressure, open files, scheduling.

Every error is a ValueError that names the line; the caller knows the file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_SOFTNET = {0: "processed", 1: "dropped", 2: "time_squeeze", 10: "flow_limit"}
"""Columns of /proc/net/softnet_stat (net/core/net-procfs.c): 13 of them in Linux 6.1, 15 from 6.12 on."""
_LEAST_COLUMNS = 11
_HEX = re.compile(rb"[0-9a-f]{1,16}")
_NUMBER = re.compile(rb"\d{1,20}")
_PRESSURE = re.compile(rb"(some|full) avg10=[\d.]{1,9} avg60=[\d.]{1,9} avg300=[\d.]{1,9} total=(\d{1,20})")


def softnet(data: bytes) -> dict[str, int]:
    """/proc/net/softnet_stat, added up over its rows, one for each CPU: ``processed``, ``dropped`` ...

    Raises:
        ValueError: naming the row that is none.
    """
    found = dict.fromkeys(_SOFTNET.values(), 0)
    for number, line in enumerate(data.splitlines(), 1):
        words = line.split()
        if len(words) < _LEAST_COLUMNS:
            raise ValueError(f"line {number}: {len(words)} columns, and at least {_LEAST_COLUMNS} are known")
        for column, name in _SOFTNET.items():
            found[name] += _hex(words[column], number)
    return found


def per_cpu(data: bytes, gauges: Sequence[str] = ()) -> dict[str, int]:
    """A file of /proc/net/stat: a line of names, then one of as many numbers for each CPU, added up.

    Args:
        data: the file.
        gauges: names whose number is the same in every row, since it counts the whole.

    Raises:
        ValueError: naming the line that breaks this form.
    """
    head, *rows = data.splitlines() or [b""]
    names = [name.decode("ascii", "replace") for name in head.split()]
    found: dict[str, int] = {}
    for number, line in enumerate(rows, 2):
        words = line.split()
        if len(words) != len(names):
            raise ValueError(f"line {number}: {len(words)} numbers under {len(names)} names")
        for name, word in zip(names, words, strict=True):
            value = _hex(word, number)
            found[name] = value if name in gauges else found.get(name, 0) + value
    return found


def pressure(data: bytes) -> dict[str, int]:
    """A file of /proc/pressure: the microseconds of ``some`` and ``full`` (accounting/psi.rst).

    Raises:
        ValueError: naming the line that breaks this form.
    """
    found: dict[str, int] = {}
    for number, line in enumerate(data.splitlines(), 1):
        match = _PRESSURE.fullmatch(line)
        if match is None:
            raise ValueError(f"line {number}: no pressure")
        found[match[1].decode()] = int(match[2])
    return found


def open_files(data: bytes) -> int:
    """How many file handles are allocated: the first of the three numbers of /proc/sys/fs/file-nr.

    Raises:
        ValueError: when it does not hold three numbers.
    """
    match data.split():
        case [allocated, _, _]:
            return _decimal(allocated, 1)
        case words:
            raise ValueError(f"line 1: {len(words)} numbers, and 3 are meant")


def pairs(data: bytes) -> dict[str, int]:
    """Lines of a name and a number, as in a control group's cpu.stat and memory.events.

    Raises:
        ValueError: naming the line that is no pair.
    """
    found: dict[str, int] = {}
    for number, line in enumerate(data.splitlines(), 1):
        words = line.split()
        if len(words) != 2:  # noqa: PLR2004 (a name and a number)
            raise ValueError(f"line {number}: no name and number")
        found[words[0].decode("ascii", "replace")] = _decimal(words[1], number)
    return found


def devices(data: bytes) -> set[str]:
    """The names of the network devices in /proc/net/dev.

    Raises:
        ValueError: naming the line that names none.
    """
    names = set()
    for number, line in enumerate(data.splitlines(), 1):
        name, colon, _ = line.partition(b":")
        if colon:
            names.add(name.strip().decode("utf-8", "surrogateescape"))
        elif number > 2:  # noqa: PLR2004 (two lines of headings)
            raise ValueError(f"line {number}: '{_shown(line)}' names no device")
    return names


def number(data: bytes) -> dict[str, int]:
    """A file that holds one number, as ``is``.

    Raises:
        ValueError: when it holds something else.
    """
    return {"is": _decimal(data.strip(), 1)}


def schedstat(data: bytes) -> tuple[int, int] | None:
    """Nanoseconds that a task ran, and that it waited for a CPU, since it started (scheduler/sched-stats.rst).

    None where the kernel does not keep them: all three numbers are 0 then.

    Raises:
        ValueError: when there are not three numbers.
    """
    words = data.split()
    if len(words) != 3:  # noqa: PLR2004 (time on a CPU, time in the queue, timeslices)
        raise ValueError(f"line 1: {len(words)} numbers, and 3 are meant")
    ran, waited, slices = (_decimal(word, 1) for word in words)
    return (ran, waited) if slices else None


def uptime(data: bytes) -> float:
    """Seconds since the kernel started: the first number of /proc/uptime.

    Raises:
        ValueError: when it begins with no such number.
    """
    word = (data.split() or [b""])[0]
    if not re.fullmatch(rb"\d{1,12}\.\d\d", word):
        raise ValueError("line 1: no uptime")
    return float(word)


def _hex(word: bytes, line: int) -> int:
    if not _HEX.fullmatch(word):
        raise ValueError(f"line {line}: '{_shown(word)}' is no hexadecimal number")
    return int(word, 16)


def _decimal(word: bytes, line: int) -> int:
    if not _NUMBER.fullmatch(word):
        raise ValueError(f"line {line}: '{_shown(word)}' is no number")
    return int(word)


def _shown(data: bytes) -> str:
    return data[:60].decode("ascii", "backslashreplace")
