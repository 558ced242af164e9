"""Ages in seconds, counted in the buckets of `IDLE_EDGES`, whose upper edges are inclusive."""

from __future__ import annotations

from bisect import bisect_left

from advisor.formats.sockdiag_blocks import Timed
from advisor.snapshot.counted import IDLE_EDGES, Ages

_JIFFY_MS = 10
"""A tick of the slowest kernel clock, HZ=100: ages in tcp_info are ticks, turned into ms."""
TIME_WAIT_S = 60
"""How long TIME_WAIT lasts (TCP_TIMEWAIT_LEN of include/net/tcp.h); no sysctl changes it."""


class AgeCount:
    """Counts per bucket, and the oldest."""

    def __init__(self) -> None:
        self.counts = [0] * (len(IDLE_EDGES) + 1)
        self.oldest: float | None = None

    def add(self, age: float) -> None:
        """Count one."""
        self.counts[bisect_left(IDLE_EDGES, age)] += 1
        if self.oldest is None or age > self.oldest:
            self.oldest = age

    def join(self, other: AgeCount) -> None:
        """Count all of another."""
        self.counts = [mine + its for mine, its in zip(self.counts, other.counts, strict=True)]
        self.oldest = max((age for age in (self.oldest, other.oldest) if age is not None), default=None)

    def done(self, share: float = 1.0) -> Ages:
        """As a snapshot holds them; of a share that was looked at, the counts of the whole."""
        return Ages(counts=[scaled(count, share) for count in self.counts], oldest=self.oldest)


def scaled(count: int, share: float) -> int:
    """How many there are, where a share of them was counted."""
    return count if share >= 1 else round(count / share)


def idle_age(one: Timed) -> float | None:
    """How long a connection has been idle between requests, in seconds; None when it is not, or can't be said.

    A request came (data_segs_in), an answer went (data_segs_out), it went after the last request did (ages count
    backwards, within a tick), and nothing waits to be sent or read. nginx's keepalive_timeout starts when nginx's last
    write is accepted, which last_data_sent is nearest to. Streams between two messages look the same.
    """
    answered = bool(one.data_segs_in and one.data_segs_out) and not one.rqueue and not one.wqueue
    if answered and one.last_data_sent <= one.last_data_recv + _JIFFY_MS:
        return one.last_data_sent / 1000
    return None


def time_wait_bucket(expires: int) -> int:
    """The bucket of a socket in TIME_WAIT by what is left of it, in ms."""
    return bisect_left(IDLE_EDGES, max(0.0, TIME_WAIT_S - expires / 1000))


BUCKETS = b"".join(bytes([time_wait_bucket(1000 * second)]) * 1000 for second in range(TIME_WAIT_S + 1))
"""The same, by what is left in ms: ages between two whole seconds are in one bucket, as its edges are whole."""
