"""What of a plan is not done where the snapshot was taken: the host's part, and the options of a container."""

from __future__ import annotations

import re

from advisor.catalog.containers import SAFE
from advisor.catalog.modules import module_of
from advisor.facts.scope import child, for_the_host
from advisor.remedy.plan import Plan
from advisor.remedy.sysctl import DROPIN, FOR_THE_HOST, SysctlChange, drop_in_of

_BOOTING = frozenset({"lxc", "lxc-libvirt", "systemd-nspawn"})
"""Containers that run an init of their own, which reads sysctl.d."""
_NAME = re.compile(r"(?!-)[\w.+@-]+", re.ASCII)
"""Names of network namespaces that a shell takes as they are."""


def host_file(plan: Plan) -> bytes | None:
    """The drop-in for the host; None where nothing is for it."""
    reasons = {one.finding.rule: one.finding.title for one in plan.findings}
    return drop_in_of([], list(plan.host), reasons) if plan.host else None


def host_part(plan: Plan) -> list[str]:
    """The page's section for who administers the host, as Markdown; empty where nothing is for it."""
    if not plan.host:
        return []
    items = [
        f"`{one.key}` from `{one.before or '(empty)'}` to `{one.after}` ({', '.join(one.rules)}): "
        f"{for_the_host(plan.snapshot, one.key)}"
        for one in plan.host
    ]
    who = (
        f"What stands here can't be set from {_where(plan)}. Whoever administers the host has to; until then the "
        f"findings remain. Where the host has a {DROPIN} already, put the lines of both into one file."
    )
    return [
        "## For the host",
        who,
        "\n".join(f"- {item}" for item in items),
        _modules_note(plan),
        f"```sh\n# on the host\ninstall -m 0644 ./{FOR_THE_HOST} {DROPIN}\nsysctl -p {DROPIN}\n```",
    ]


def _modules_note(plan: Plan) -> str:
    names = sorted({module for one in plan.host if (module := module_of(one.key)) is not None})
    if not names:
        return ""
    return f"At boot these keys are there only where {', '.join(names)} is built in or listed in /etc/modules-load.d."


def _where(plan: Plan) -> str:
    host = plan.snapshot.host
    if host is not None and host.container is not None:
        return f"inside of this container ({host.container})"
    return "this network namespace"


def way_in(plan: Plan) -> str | None:
    """What runs a command in the network namespace that was looked at from outside (``--netns``); None: none was."""
    host = plan.snapshot.host
    if host is None or not child(plan.snapshot) or host.netns.isdecimal():
        return None
    pid = host.netns.removeprefix("of pid ")
    if pid != host.netns:
        return f"nsenter --net -t {pid}"
    return f"ip netns exec {host.netns}" if _NAME.fullmatch(host.netns) else None


def boot_note(plan: Plan) -> str:
    """What must be known of a drop-in for a namespace that nobody sets up at boot; empty for the host's own."""
    host = plan.snapshot.host
    if plan.prediction.dropin is None or host is None or host.container in _BOOTING or not child(plan.snapshot):
        return ""
    if way_in(plan) is not None:
        return (
            f"Do not copy the file to {DROPIN} here: what is read there sets the host's own network namespace. "
            "This one has these values until it is made anew; whoever makes it has to set them then."
        )
    if host.container is not None:
        return (
            "Nothing reads sysctl.d when this container starts: this lasts until it is made anew. To keep it, give the "
            "values to who makes it: `docker run --sysctl KEY=VALUE`, `sysctls` in compose, securityContext.sysctls of "
            "a pod."
        )
    return (
        "This is not the host's own network namespace: run `sysctl -p` inside of it (`ip netns exec`, `nsenter -n`), "
        "and again whenever it is made anew; what is read at boot sets the host's own."
    )


def container_options(changes: list[SysctlChange]) -> list[str]:
    """How sysctls are given to a container: docker and podman, compose, a pod."""
    given = " \\\n  ".join(f"--sysctl '{one.key}={one.after}'" for one in changes)
    compose = "\n".join(f'  {one.key}: "{one.after}"' for one in changes)
    pod = "\n".join(f'    - name: {one.key}\n      value: "{one.after}"' for one in changes)
    way = (
        "/proc/sys is read-only here, and a file in this container's /etc/sysctl.d would be read by nobody. Give the "
        "values where the container is made, and make it anew; that ends its connections."
    )
    return [
        way,
        f"```sh\n# docker or podman\ndocker run {given} ...\n```",
        f"```yaml\n# compose, in the service\nsysctls:\n{compose}\n```",
        f"```yaml\n# Kubernetes, in the spec of the pod\nsecurityContext:\n  sysctls:\n{pod}\n```",
        _kubernetes([one.key for one in changes]),
    ]


def _kubernetes(keys: list[str]) -> str:
    safe = [f"`{key}`{f' since {SAFE[key]}' if SAFE[key] else ''}" for key in keys if key in SAFE]
    unsafe = [key for key in keys if key not in SAFE]
    said = [f"Kubernetes lets every pod set {', '.join(safe)}."] if safe else []
    if unsafe:
        said.append(
            f"On its nodes the kubelet must allow `--allowed-unsafe-sysctls={','.join(unsafe)}`, or the pod does not "
            "start (https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/)."
        )
    return " ".join(said)
