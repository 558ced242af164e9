"""What each keepalive_timeout would give under the load that a capture shows.

Connections held at a timeout T are C times the integral of S from 0 to T, plus those that are busy: C is how many idle
periods begin each second, S(t) the share of them that last longer than t. No T changes C, S or the busy ones, for
clients ask when they want to; what T decides is who has to come back over a new connection.
"""

from __future__ import annotations

from advisor.capture.buckets import STEPS
from advisor.capture.survival import Buckets, Curve, rows, timeout_seen
from advisor.records import dataclass

CANDIDATES = (5, 10, 15, 20, 30, 45, 60, 75, 90, 120, 180, 300, 600)
"""Values of keepalive_timeout that are compared, in seconds."""
KEEP = 0.95
"""The share of reuse that a recommended value keeps."""
BRIEF = 1.0
"""Seconds: a request after a shorter pause meets an open connection whatever the timeout, and is no part of the reuse
that is weighed. The turns of a TLS handshake, which look like requests, are among those."""
ENOUGH = 200
"""Idle periods without which nothing is said."""


@dataclass(frozen=True)
class Choice:
    """What a timeout, in seconds, would give.

    ``kept`` is the share, 0 to 1, of the present reuse after more than `BRIEF`; ``held`` the connections held on
    average; ``handshakes`` new connections a second. Where the capture does not reach the present timeout, all that
    it does not see counts as reused: then ``kept`` is the least it can be, and ``handshakes`` the most.
    """

    timeout: float
    kept: float
    held: float
    handshakes: float


@dataclass(frozen=True)
class Load:
    """What a capture shows of one server port.

    ``rate`` is how many idle periods began each second, ``busy`` the connections that were not idle, on average,
    ``handshakes`` the new connections a second; ``present`` is the timeout now, in seconds, None where not known.
    """

    curve: Curve
    rate: float
    busy: float
    handshakes: float
    present: float | None

    def at(self, timeout: float) -> Choice | None:
        """What a timeout would give; None where the capture does not tell: beyond its length, or the present one."""
        held, reused = self.curve.mean(timeout), self.curve.reused(timeout)
        if held is None or reused is None:
            return None
        now, brief = self._reused_now(), self.curve.reused(min(BRIEF, timeout)) or 0.0
        kept = min(1.0, (reused - brief) / (now - brief)) if now > brief else 1.0
        lost = max(0.0, now - reused)
        return Choice(timeout, kept, self.rate * held + self.busy, self.handshakes + self.rate * lost)

    def choices(self) -> list[Choice]:
        """What the candidates would give, and the present timeout where the capture reaches it."""
        timeouts = {float(one) for one in CANDIDATES} | ({self.present} if self.present else set())
        found = (self.at(one) for one in sorted(timeouts))
        return [one for one in found if one is not None]

    def recommended(self) -> Choice | None:
        """The shortest candidate that keeps nearly all reuse (`KEEP`); None without `ENOUGH` to tell one from."""
        if self.curve.total < ENOUGH:
            return None
        return next((one for one in self.choices() if one.timeout in CANDIDATES and one.kept >= KEEP), None)

    @property
    def whole(self) -> bool:
        """Whether the capture shows idle periods of up to the present timeout."""
        return self.present is not None and self.present <= self.curve.end

    def _reused_now(self) -> float:
        """The share of idle periods that requests end at the present timeout, at most."""
        seen = self.present if self.whole and self.present is not None else self.curve.end
        unseen = 0.0 if self.whole else self.curve.idle(seen) or 0.0
        return (self.curve.reused(seen) or 0.0) + unseen


@dataclass(frozen=True)
class Port:
    """What was counted of one server port, in a capture of so many ``seconds``.

    ``gaps`` are its idle gaps by kind and bucket, ``idle`` the sum of them in seconds; ``held`` is how many
    connection-seconds there were between opening and the first FIN, ``opened`` how many connections were made,
    ``missed`` how many gaps are not among ``gaps``, though in ``idle``.
    """

    seconds: float
    gaps: Buckets
    idle: float
    held: float
    opened: int
    missed: int = 0


def load(port: Port, timeout: float | None = None) -> Load | None:
    """What a capture shows of a port; None without any idle gap.

    Args:
        port: what was counted.
        timeout: the present timeout in seconds; if left out, the one at which the server is seen to close.
    """
    present = timeout_seen(port.gaps) if timeout is None else timeout
    longest = port.seconds if present is None else min(port.seconds, present)
    curve = Curve(rows(port.gaps), longest, blur=1 / STEPS)
    if not curve.total or port.seconds <= 0:
        return None
    return Load(
        curve,
        rate=(curve.total + port.missed) / port.seconds,
        busy=max(0.0, port.held - port.idle) / port.seconds,
        handshakes=port.opened / port.seconds,
        present=present,
    )
