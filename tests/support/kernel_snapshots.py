"""What the kernel counts and logs, for Hypothesis: around the thresholds of rules."""

from __future__ import annotations

from hypothesis import strategies as st

from advisor.catalog.counters import COUNTERS
from advisor.formats.kmsg import KINDS
from advisor.snapshot.model import IDLE_EDGES, Ages, Logged, Reading

LIVE = {
    "net.netfilter.nf_conntrack_buckets": ["65536", "262144"],
    "net.netfilter.nf_conntrack_tcp_timeout_established": ["86400", "432000"],
    "net.ipv4.neigh.default.gc_thresh1": ["128"],
    "net.ipv4.neigh.default.gc_thresh2": ["512"],
    "net.ipv4.neigh.default.gc_thresh3": ["1024", "8192"],
    "net.core.netdev_max_backlog": ["1000", "5000", "5001"],
    "net.ipv4.tcp_max_orphans": ["100", "8192"],
    "net.ipv4.tcp_syncookies": ["0", "1", "2"],
}
"""Keys that rules about the kernel's own side read."""

_NUMBERS = st.sampled_from([0, 1, 40, 900, 5000, 100_000, 2_000_000])


@st.composite
def counters(draw: st.DrawFn, always: dict[str, Reading]) -> dict[str, Reading]:
    """Readings of some of the counters; those of ``always`` are there."""
    found = {}
    for name in draw(st.lists(st.sampled_from([*COUNTERS]), unique=True, max_size=30)):
        first, more = draw(_NUMBERS), draw(st.one_of(st.none(), _NUMBERS))
        found[name] = Reading(first=first, last=None if more is None else first + more)
    return {**found, **always}


@st.composite
def kernel_log(draw: st.DrawFn) -> list[Logged]:
    """A few kinds of messages, each young or old."""
    rows = []
    for kind in draw(st.lists(st.sampled_from(KINDS), unique=True, max_size=3)):
        age = draw(st.sampled_from([2.0, 3600.0, 3601.0, 86_401.0]))
        ages = Ages(counts=[0] * len(IDLE_EDGES) + [3], oldest=age)
        subject = draw(st.sampled_from([None, "nginx", "0.0.0.0:80", "arp_cache"]))
        rows.append(Logged(kind=kind, subject=subject, count=3, ages=ages, newest=age))
    return rows


def clock() -> st.SearchStrategy[Reading | None]:
    """Milliseconds of a worker."""
    return st.sampled_from([None, Reading(first=5), Reading(first=5, last=40), Reading(first=5, last=990)])
