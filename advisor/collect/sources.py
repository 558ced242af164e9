"""Every source of a snapshot: what it touches, what that costs, and what reads it.

The collector runs down this table, and ``--plan`` prints it: nothing is read that does not stand here. What reads
stands in `advisor.collect.readers`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from advisor.collect import readers
from advisor.collect.budget import CPU_S

if TYPE_CHECKING:
    from advisor.collect.run import Request, Run

Reader = Callable[["Run"], Any]


class Cost(NamedTuple):
    """CPU seconds: ``fixed``, and ``each`` for one of what the field ``of`` of the sizes counts; at most ``most``.

    The sizes are those of `advisor.collect.forecast`. Measured on Linux 6.18 with Python 3.11 on one core of an AMD
    EPYC, and rounded up; `tests/collect/test_forecast.py` holds them against what they stand for.
    """

    fixed: float = 0.001
    each: float = 0.0
    of: str = ""
    most: float = math.inf


class Source(NamedTuple):
    """One source.

    ``name`` is its field of the snapshot; ``touches`` says what is opened or asked. ``before`` reads it before the
    sample's wait, ``after`` behind it: with both, what ``before`` gave stands in `Run.found` until ``after`` replaces
    it. ``instead`` is what a request has touched in place of that. ``wanted`` says whether a request asks for it,
    ``named`` whether the user named it: then it must be there. ``live``: a tree has none. ``costly``: left out once the
    budget is spent. ``root``: what root sees beyond the rest.
    """

    name: str
    touches: tuple[str, ...]
    before: Reader | None = None
    after: Reader | None = None
    cost: Cost = Cost()
    wanted: Callable[[Request], object] = lambda request: request.host and not request.nginx_only
    named: Callable[[Request], object] = lambda _: False
    instead: Callable[[Request], tuple[str, ...]] = lambda _: ()
    live: bool = False
    costly: bool = False
    root: str | None = None


def _named_files(request: Request) -> tuple[str, ...]:
    conf = request.nginx_conf
    return () if conf is None else ("standard input" if conf == "-" else conf, "all that it includes")


_SYSCTL_FILES = (
    "/etc/sysctl.d, /run/sysctl.d, /usr/local/lib/sysctl.d, /usr/lib/sysctl.d, /lib/sysctl.d",
    "/etc/sysctl.conf",
    "the files from which ufw and TuneD set sysctls, where they are there",
)

_ADDRESSES = ("/proc/net/fib_trie and if_inet6, for this host's own addresses",)

TABLE = (
    Source(
        "processes",
        (
            "/proc/PID/comm of every process",
            "stat, cmdline, limits, status, cgroup, exe and fd of nginx's",
            "the files of its systemd unit, for the limits in them",
        ),
        before=readers.processes,
        cost=Cost(0.04, 30e-6, "processes"),
        wanted=lambda request: request.host,
        live=True,
        root="open descriptors, and whether the binary was replaced",
    ),
    Source(
        "nginx",
        ("the main file that the running nginx names, else /etc/nginx/nginx.conf", "all that it includes"),
        before=readers.nginx,
        cost=Cost(0.05),
        wanted=lambda request: request.host or request.nginx_conf is not None,
        named=lambda request: request.nginx_conf is not None,
        instead=_named_files,
        root="files that only root may read",
    ),
    Source(
        "sysctl_files",
        _SYSCTL_FILES,
        before=readers.sysctl_files,
        wanted=lambda request: not request.nginx_only and (request.host or request.sysctl_files),
        named=lambda request: request.sysctl_files,
        instead=lambda request: (*(_SYSCTL_FILES if request.host else ()), *request.sysctl_files),
    ),
    Source(
        "host",
        ("/proc/sys/kernel, /proc/stat, /proc/meminfo, /proc/self/ns", "/proc/PID/cgroup and its limits"),
        before=readers.host,
    ),
    Source("modules", ("/proc/modules, modules.builtin, modules-load.d, /etc/modules",), before=readers.modules),
    Source(
        "claims",
        (
            "/proc/net/udp and udp6",
            "systemd's socket units that are enabled",
            "whether there is a /var/lib/kubelet, and the API server's manifest",
        ),
        before=readers.claims,
        cost=Cost(0.005),
    ),
    Source("sysctls", ("/proc/sys/net and /proc/sys/fs, by key",), before=readers.sysctls, cost=Cost(0.003)),
    Source(
        "counters",
        (
            "/proc/net/snmp, netstat, sockstat, sockstat6 and softnet_stat, twice",
            "/proc/net/stat, /proc/pressure and /proc/sys/fs/file-nr, twice",
            "cpu.stat and memory.events of nginx's control group, and schedstat of its workers, twice",
            "the statistics of network cards in /sys/class/net, twice",
        ),
        before=readers.first_counters,
        after=readers.counters,
        cost=Cost(0.008),
    ),
    Source(
        "sockets",
        ("NETLINK_SOCK_DIAG: TCP listeners, twice, and connections; the kernel may load its module tcp_diag for it",),
        before=readers.drops,
        after=readers.sockets,
        instead=lambda request: ("/proc/net/tcp and tcp6",) if request.root != "/" else (),
        cost=Cost(0.015, 3e-6, "sockets"),
    ),
    Source(
        "held",
        ("NETLINK_SOCK_DIAG: CLOSE_WAIT, and busy destinations", "/proc/PID/fd of the processes that hold them"),
        after=readers.held,
        cost=Cost(0.002, 6e-6, "descriptors", most=CPU_S),
        live=True,
        costly=True,
        root="sockets of other users' processes",
    ),
    Source(
        "stub_status",
        ("one request over loopback to nginx's stub_status page",),
        after=readers.status,
        cost=Cost(0.04),
        wanted=lambda request: request.host and request.stub_status and not request.nginx_only,
    ),
    Source(
        "error_log",
        ("the last 1 MiB of each error log that the configuration names, at most 8",),
        after=readers.error_logs,
        cost=Cost(0.02),
        costly=True,
        root="logs that only root may read",
    ),
    Source(
        "kernel_log",
        ("/dev/kmsg, as dmesg: at most 16 MiB of it, without waiting",),
        after=readers.kernel_log,
        cost=Cost(0.02),
        costly=True,
        root="all of it, where kernel.dmesg_restrict is set",
    ),
    Source(
        "capture",
        ("the packets of a capture that is named, headers only",),
        after=readers.capture,
        cost=Cost(0.3, 4e-9, "captured"),
        wanted=lambda request: request.capture is not None,
        named=lambda request: request.capture is not None,
        instead=lambda request: () if request.capture is None else (request.capture, *_ADDRESSES[not request.host :]),
    ),
)
"""In the order in which they are read: before the sample's wait, and again, down the table, behind it."""
