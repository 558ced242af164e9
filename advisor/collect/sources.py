"""Every source of a snapshot: what it touches, what that costs, and what reads it.

The collector runs down this table, and ``--plan`` prints it: nothing is read that does not stand here. The modules that
read are imported when it is their turn, so that a run pays only for its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from advisor.errors import InputError

if TYPE_CHECKING:
    from advisor.collect.run import Request, Run

Reader = Callable[["Run"], Any]


class Cost(NamedTuple):
    """CPU time in seconds: ``fixed``, and ``each`` for one of what the field ``of`` of the sizes counts.

    The sizes are those of `advisor.collect.forecast`. Measured on Linux 6.18 with Python 3.11 on one core of an AMD
    EPYC, and rounded up; `tests/collect/test_forecast.py` holds them against what they stand for.
    """

    fixed: float = 0.001
    each: float = 0.0
    of: str = ""


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


def _processes(run: Run) -> object:
    from advisor.collect.processes import read_processes  # noqa: PLC0415 (when it is its turn)

    found, problems = read_processes(run.system)
    run.problems += problems
    return found


def _nginx(run: Run) -> object:
    from advisor.collect.nginx_find import Asked, read_configuration  # noqa: PLC0415 (when it is its turn)

    request = run.request
    asked = Asked(request.nginx_conf, request.nginx_prefix, request.nginx_version)
    config, problems = read_configuration(run.system, asked, run.master)
    run.problems += problems
    return config


def _named_files(request: Request) -> tuple[str, ...]:
    conf = request.nginx_conf
    return () if conf is None else ("standard input" if conf == "-" else conf, "all that it includes")


def _sysctl_files(run: Run) -> object:
    from advisor.collect.sysctl import read_sysctl_files  # noqa: PLC0415 (when it is its turn)

    request = run.request
    files, problems = read_sysctl_files(run.system if request.host else None, request.sysctl_files)
    run.problems += problems
    return files


def _host(run: Run) -> object:
    from advisor.collect.host import read_host  # noqa: PLC0415 (when it is its turn)

    return read_host(run.system, run.master)


def _sysctls(run: Run) -> object:
    from advisor.collect.sysctl import read_sysctls  # noqa: PLC0415 (when it is its turn)

    return read_sysctls(run.system)


def _first_counters(run: Run) -> object:
    from advisor.collect.counters import read_counters  # noqa: PLC0415 (when it is its turn)
    from advisor.collect.workers import read_clocks  # noqa: PLC0415 (when it is its turn)

    return read_clocks(run.system, run.found.get("processes")), read_counters(run.system, run.master)


def _counters(run: Run) -> object:
    from advisor.collect.counters import read_counters, readings  # noqa: PLC0415 (when it is its turn)
    from advisor.collect.workers import read_clocks, timed  # noqa: PLC0415 (when it is its turn)

    clocks, first = run.found["counters"]
    processes = run.found.get("processes")
    if processes is not None:
        run.found["processes"] = timed(processes, clocks, read_clocks(run.system, processes) if run.twice else {})
    return readings(first, read_counters(run.system, run.master) if run.twice else {})


def _drops(run: Run) -> object:
    from advisor.collect.sockets import read_drops  # noqa: PLC0415 (when it is its turn)

    return read_drops(run.system)


def _sockets(run: Run) -> object:
    from advisor.collect.sockets import read_sockets  # noqa: PLC0415 (when it is its turn)

    found = read_sockets(run.system, run.ports, run.found["sockets"] if run.twice else None)
    if run.system.live and found.method != "SOCK_DIAG":
        why = f"SOCK_DIAG was refused: read from {found.method}, which shows no queue limits, drops or idle times"
        run.problems.append(("sockets", why))
    return found


def _held(run: Run) -> object:
    from advisor.collect.owners import read_held  # noqa: PLC0415 (when it is its turn)

    return read_held(run.system, run.found.get("sockets"))


def _status(run: Run) -> object:
    from advisor.collect.stub_status import read_stub_status  # noqa: PLC0415 (urllib, which few runs need)

    url = run.config.status_url() if run.config is not None else None
    if url is None:
        raise InputError("the configuration has no location with stub_status that loopback reaches")
    return read_stub_status(url)


def _error_logs(run: Run) -> object:
    from advisor.collect.errorlog import read_error_logs  # noqa: PLC0415 (when it is its turn)

    if run.config is None:
        raise InputError("no configuration was read that would name it")
    return read_error_logs(run.system, run.config.config, run.master)


def _kernel_log(run: Run) -> object:
    from advisor.collect.kmsg import read_kernel_log  # noqa: PLC0415 (when it is its turn)

    return read_kernel_log(run.system)


def _modules(run: Run) -> object:
    from advisor.collect.modules import read_modules  # noqa: PLC0415 (when it is its turn)

    found, problems = read_modules(run.system)
    run.problems += problems
    return found


def _claims(run: Run) -> object:
    from advisor.collect.claims import read_claims  # noqa: PLC0415 (when it is its turn)

    found, problems = read_claims(run.system)
    run.problems += problems
    return found


TABLE = (
    Source(
        "processes",
        (
            "/proc/PID/stat of every process",
            "cmdline, limits, status, cgroup, exe and fd of nginx's",
            "the files of its systemd unit, for the limits in them",
        ),
        before=_processes,
        cost=Cost(0.04, 60e-6, "processes"),
        wanted=lambda request: request.host,
        live=True,
        root="open descriptors, and whether the binary was replaced",
    ),
    Source(
        "nginx",
        ("the main file that the running nginx names, else /etc/nginx/nginx.conf", "all that it includes"),
        before=_nginx,
        cost=Cost(0.05),
        wanted=lambda request: request.host or request.nginx_conf is not None,
        named=lambda request: request.nginx_conf is not None,
        instead=_named_files,
        root="files that only root may read",
    ),
    Source(
        "sysctl_files",
        ("/etc/sysctl.d, /run/sysctl.d, /usr/local/lib/sysctl.d, /usr/lib/sysctl.d, /lib/sysctl.d", "/etc/sysctl.conf"),
        before=_sysctl_files,
        wanted=lambda request: not request.nginx_only and (request.host or request.sysctl_files),
        named=lambda request: request.sysctl_files,
        instead=lambda request: request.sysctl_files if not request.host else (),
    ),
    Source(
        "host",
        ("/proc/sys/kernel, /proc/stat, /proc/meminfo, /proc/self/ns", "/proc/PID/cgroup and its limits"),
        before=_host,
    ),
    Source("modules", ("/proc/modules, modules.builtin, modules-load.d, /etc/modules",), before=_modules),
    Source(
        "claims",
        (
            "/proc/net/udp and udp6",
            "systemd's socket units that are enabled",
            "whether there is a /var/lib/kubelet, and the API server's manifest",
        ),
        before=_claims,
        cost=Cost(0.005),
    ),
    Source("sysctls", ("/proc/sys/net and /proc/sys/fs, by key",), before=_sysctls, cost=Cost(0.003)),
    Source(
        "counters",
        (
            "/proc/net/snmp, netstat, sockstat, sockstat6 and softnet_stat, twice",
            "/proc/net/stat, /proc/pressure and /proc/sys/fs/file-nr, twice",
            "cpu.stat and memory.events of nginx's control group, and schedstat of its workers, twice",
            "the statistics of network cards in /sys/class/net, twice",
        ),
        before=_first_counters,
        after=_counters,
        cost=Cost(0.008),
        root="what conntrack dropped",
    ),
    Source(
        "sockets",
        ("NETLINK_SOCK_DIAG: TCP listeners, twice, and connections; the kernel may load its module tcp_diag for it",),
        before=_drops,
        after=_sockets,
        instead=lambda request: ("/proc/net/tcp and tcp6",) if request.root != "/" else (),
        cost=Cost(0.015, 3e-6, "sockets"),
    ),
    Source(
        "held",
        ("NETLINK_SOCK_DIAG: CLOSE_WAIT, and busy destinations", "/proc/PID/fd of the processes that hold them"),
        after=_held,
        cost=Cost(0.002, 6e-6, "descriptors"),
        live=True,
        costly=True,
        root="sockets of other users' processes",
    ),
    Source(
        "stub_status",
        ("one request over loopback to nginx's stub_status page",),
        after=_status,
        cost=Cost(0.04),
        wanted=lambda request: request.host and request.stub_status and not request.nginx_only,
    ),
    Source(
        "error_log",
        ("the last 1 MiB of each error log that the configuration names, at most 8",),
        after=_error_logs,
        cost=Cost(0.02),
        costly=True,
        root="logs that only root may read",
    ),
    Source(
        "kernel_log",
        ("/dev/kmsg, as dmesg: at most 16 MiB of it, without waiting",),
        after=_kernel_log,
        cost=Cost(0.02),
        costly=True,
        root="all of it, where kernel.dmesg_restrict is set",
    ),
)
"""In the order in which they are read: before the sample's wait, and again, down the table, behind it."""
