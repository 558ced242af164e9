"""Where a sysctl can be set: here, when the container is made, or on the host alone.

A network namespace other than the host's lacks the keys that are one value for the whole machine, and shows others
read-only (the kernel registers them so for namespaces beside the first: net/core/sysctl_net_core.c,
net/netfilter/nf_conntrack_standalone.c).
"""

from __future__ import annotations

from advisor.catalog.sysctl import KEYS
from advisor.snapshot.model import Snapshot


def child(snapshot: Snapshot) -> bool:
    """Whether this is known to be another network namespace than the host's own.

    Only the host's own has the keys of ``net`` that are global, so that one of them says more than an inode number.
    """
    host, live = snapshot.host, snapshot.sysctls
    if host is None or host.netns == "host":
        return False
    return live is None or not any(KEYS[key].scope == "global" for key in live.values if key.startswith("net."))


def for_the_host(snapshot: Snapshot, key: str) -> str | None:
    """Why a key must be set on the host, and not where the snapshot was taken; None where it can be set here."""
    scope, host = KEYS[key].scope, snapshot.host
    contained = host is not None and host.container is not None
    if scope == "netns":
        shared = contained and cannot_set(snapshot) and not child(snapshot)
        return f"this container shares the host's network namespace, where {key} is set" if shared else None
    if not contained and not child(snapshot):
        return None
    if scope == "global":
        return f"{key} is one value for the whole machine"
    return f"{key} can be set in the host's own network namespace only"


def cannot_set(snapshot: Snapshot) -> bool:
    """Whether /proc/sys is read-only here: values of a namespace are then given when its container is made."""
    return snapshot.sysctls is not None and snapshot.sysctls.read_only


def absent(snapshot: Snapshot, key: str) -> str:
    """Why a key that was looked for is not there."""
    if KEYS[key].scope == "global" and child(snapshot):
        return f"this network namespace has no {key}: it is the host's"
    return f"this kernel or namespace has no {key}"
