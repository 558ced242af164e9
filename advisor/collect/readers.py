"""What reads each source of `advisor.collect.sources`; each imports its collector when it is its turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.errors import InputError
from advisor.records import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from advisor.collect.run import Run
    from advisor.collect.workers import Clocks


def processes(run: Run) -> object:
    """The running nginx."""
    from advisor.collect.processes import read_processes

    found, problems = read_processes(run.system, run.budget)
    run.problems += problems
    return found


def nginx(run: Run) -> object:
    """The configuration of nginx."""
    from advisor.collect.nginx_find import Asked, read_configuration

    request = run.request
    asked = Asked(request.nginx_conf, request.nginx_prefix, request.nginx_version)
    config, problems = read_configuration(run.system, asked, run.master, run.budget)
    run.problems += problems
    return config


def sysctl_files(run: Run) -> object:
    """The files that set sysctls."""
    from advisor.collect.sysctl import read_sysctl_files

    request = run.request
    files, problems = read_sysctl_files(run.system if request.host else None, request.sysctl_files)
    run.problems += problems
    return files


def host(run: Run) -> object:
    """The machine."""
    from advisor.collect.host import read_host

    found, asked = read_host(run.system, run.master), run.request.netns
    if asked is None:
        return found
    from advisor.collect.netns import called

    return replace(found, netns=called(asked))


def sysctls(run: Run) -> object:
    """Live sysctls."""
    from advisor.collect.sysctl import read_sysctls

    return read_sysctls(run.system, run.request.sysctl_keys)


def first_counters(run: Run) -> tuple[Clocks, float, Mapping[str, int]]:
    """The workers' clocks and the counters as they stand now, and when the counters were read."""
    from advisor.collect.counters import read_counters
    from advisor.collect.workers import read_clocks

    clocks = read_clocks(run.system, run.found.get("processes"))
    return clocks, run.system.tick(), read_counters(run.system, run.master)


def counters(run: Run) -> object:
    """Both readings of the counters; the processes get those of their clocks, the run the time between them."""
    from advisor.collect.counters import readings
    from advisor.collect.workers import timed

    clocks, begun, first = run.found["counters"]
    later, ended, last = first_counters(run) if run.twice else (None, begun, {})
    run.sample = ended - begun
    if "processes" in run.found:
        run.found["processes"] = timed(run.found["processes"], clocks, later)
    return readings(first, last)


def drops(run: Run) -> object:
    """What listeners have dropped so far."""
    from advisor.collect.sockets import read_drops

    return read_drops(run.system)


def sockets(run: Run) -> object:
    """Every TCP socket, counted."""
    from advisor.collect.sockets import read_sockets

    before = run.found["sockets"] if run.twice else None
    found = read_sockets(run.system, run.ports, before, run.budget.most())
    if found.share < 1:
        why = f"only {found.share:.1%} of them were looked at within the budget of {run.budget.seconds:g} s of CPU"
        run.problems.append(("sockets", f"{why}: counts by address are estimates; --budget allows more"))
    if run.system.live and found.method != "SOCK_DIAG":
        why = f"SOCK_DIAG was refused: read from {found.method}, which shows no queue limits, drops or idle times"
        run.problems.append(("sockets", why))
    return found


def held(run: Run) -> object:
    """Who holds sockets that leak."""
    from advisor.collect.owners import listing_cost, read_held

    sockets = run.found.get("sockets")
    left = run.budget.left - (listing_cost(sockets) if sockets is not None else 0)
    if left <= 0:
        raise InputError(run.budget.why)
    return read_held(run.system, sockets, left)


def status(run: Run) -> object:
    """What stub_status says."""
    from advisor.collect.stub_status import read_stub_status

    url = run.config.status_url() if run.config is not None else None
    if url is None:
        raise InputError("the configuration has no location with stub_status that loopback reaches")
    return read_stub_status(url)


def error_logs(run: Run) -> object:
    """The ends of nginx's error logs."""
    from advisor.collect.errorlog import read_error_logs

    if run.config is None:
        raise InputError("no configuration was read that would name it")
    return read_error_logs(run.system, run.config.config, run.master, run.budget)


def kernel_log(run: Run) -> object:
    """The kernel's own log."""
    from advisor.collect.kmsg import read_kernel_log

    return read_kernel_log(run.system)


def modules(run: Run) -> object:
    """Kernel modules."""
    from advisor.collect.modules import read_modules

    found, problems = read_modules(run.system)
    run.problems += problems
    return found


def capture(run: Run) -> object:
    """What a capture of packets comes to."""
    from advisor.collect.captured import read_capture
    from advisor.collect.own_addresses import read_addresses

    request = run.request
    own = read_addresses(run.system) if request.host else None
    found, problem = read_capture(request.capture or "", own)
    run.problems += [("capture", problem)] if problem else []
    return found


def claims(run: Run) -> object:
    """Ports of others than live TCP listeners."""
    from advisor.collect.claims import read_claims

    found, problems = read_claims(run.system)
    run.problems += problems
    return found
