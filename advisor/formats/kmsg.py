"""The kernel's own log as /dev/kmsg gives it: what ran full or was killed, and when.

A record is ``PRIORITY,SEQUENCE,MICROSECONDS,FLAGS;TEXT`` and perhaps lines of properties that begin with a blank
(Documentation/ABI/testing/dev-kmsg). Only the kernel itself writes with facility 0, so that no process can make one up.
The texts are those of net/netfilter/nf_conntrack_core.c, net/ipv4/{tcp,tcp_input}.c, net/core/neighbour.c,
mm/oom_kill.c, fs/file_table.c and lib/ratelimit.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_MOST_SUBJECTS = 200
"""Different things told apart of one log; those after them are counted together."""
_RECORD = re.compile(rb"^(\d{1,9}),\d{1,20},(\d{1,16}),[^;\n]{1,60};([^\n]{1,2048})", re.MULTILINE)
_FACILITY = 3
"""A priority is the facility shifted by that many bits, and the level."""


def _kind(name: str, text: str) -> str:
    return f"(?P<{name}>{text})"


_KINDS = re.compile(
    "|".join(
        (
            _kind("conntrack_full", r"\A(?:nf_conntrack: ){1,2}table full(?: in netns (?P<netns>\d{1,20}))?, dropping"),
            _kind("syn_flooding", r"\A(?:TCP: )?\w{1,40}: Possible SYN flooding on port (?P<port>\S{1,60})\. "),
            _kind(
                "out_of_memory", r"\A(?:Memory cgroup o|O)ut of memory: Killed process \d{1,10} \((?P<task>.{1,16}?)\)"
            ),
            _kind("tcp_memory", r"\ATCP: out of memory -- consider tuning tcp_mem"),
            _kind("orphans", r"\ATCP: too many orphaned sockets"),
            _kind("neighbours_full", r"\A(?:neighbour: )?(?P<table>\w{1,40}): neighbor table overflow!"),
            _kind("file_max", r"\AVFS: file-max limit \d{1,20} reached"),
            _kind("crashed", r"\A(?:traps: )?(?P<program>nginx)\[\d{1,10}\]:? (?:segfault at|general protection)"),
            _kind("suppressed", r"\Anet_ratelimit: (?P<times>\d{1,12}) callbacks suppressed"),
        )
    ).encode()
)
_NAMES = ("netns", "port", "task", "table", "program")
_OWN = (*_NAMES, "times")
KINDS = tuple(name for name in _KINDS.groupindex if name not in _OWN)
"""What is told apart. ``suppressed`` counts messages about the network that the kernel kept back, of whatever kind."""

Found = dict[tuple[str, str | None], list[tuple[float, int]]]


def parse(parts: Iterable[bytes]) -> Found:
    """Read records, or files of them; what is no record of the kernel, or of no kind we know, is passed over.

    Returns:
        by kind and what a message names (an address and port, a program ...; None where it names nothing), when it was
        written, in seconds since the kernel started, and for how many messages it stands.
    """
    found: Found = {}
    for part in parts:
        for priority, micros, text in _RECORD.findall(part):
            match = _KINDS.search(text) if int(priority) >> _FACILITY == 0 else None
            if match is None:
                continue
            kind = next(name for name in KINDS if match[name] is not None)
            named = next((match[name] for name in _NAMES if match[name] is not None), None)
            subject = None if named is None else named.decode("ascii", "backslashreplace")
            if (kind, subject) not in found and len(found) >= _MOST_SUBJECTS:
                subject = None
            found.setdefault((kind, subject), []).append((int(micros) / 1e6, int(match["times"] or 1)))
    return found
