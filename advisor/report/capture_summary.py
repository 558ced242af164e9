"""What the connections of a capture come to: by server port how they opened and closed, and the states left."""

from __future__ import annotations

import numpy as np

from advisor.capture import words
from advisor.capture.buckets import middle
from advisor.capture.connection import NONE
from advisor.capture.gaps import Lengths
from advisor.capture.totals import Total
from advisor.catalog.tcp import State
from advisor.report.amounts import count, span
from advisor.report.capture_result import Seen
from advisor.report.terminal import Paint, wrap
from advisor.units import B, show

PORTS = 5
"""Ports that a person is told of; ``-f json`` has more."""
_HOSTS = 3
"""Servers of a port that are told one by one, where there is more than one."""
_LABEL = 11
"""Cells of a label, its margin and gap included."""


def summary(seen: Seen, ports: list[Total], width: int, paint: Paint) -> list[str]:
    """A few lines for each of the ports with most connections."""
    servers = seen.totals.destinations()
    lines: list[str] = []
    for port in ports[:PORTS]:
        own = [one for one in servers if one.port == port.port]
        notes = [_opening(port, seen.totals.handshakes), *_closing(port)]
        notes += _left(own if len(own) > 1 else [port], seen)
        lines += [*_head(port, width, paint), *_said(notes, width, paint)]
    more = len(ports) - PORTS
    return [*lines, *([f"and {count(more, 'more server port')} in -f json"] if more > 0 else [])]


def _head(port: Total, width: int, paint: Paint) -> list[str]:
    counts = port.counts
    again = counts["repeats_client"] + counts["repeats_server"]
    parts = [
        count(counts["connections"], "connection"),
        f"{show(counts['bytes_client'], B)} in",
        f"{show(counts['bytes_server'], B)} out",
        *([f"{count(again, 'segment')} sent again"] if again else []),
    ]
    return [paint("strong", line) for line in wrap(f"server port {port.port}: {', '.join(parts)}", width)]


def _said(notes: list[tuple[str, str]], width: int, paint: Paint) -> list[str]:
    lines: list[str] = []
    for label, text in notes:
        first, *rest = wrap(text, width - _LABEL)
        lines += [f"  {paint('frame', label)}{' ' * (_LABEL - 2 - len(label))}{first}"]
        lines += [f"{'':{_LABEL}}{line}" for line in rest]
    return lines


def _opening(port: Total, handshakes: Lengths) -> tuple[str, str]:
    counts = port.counts
    tried = f"{counts['opened']:,} of {count(counts['attempts'], 'attempt')}{_times(handshakes, port.port)}"
    parts = [tried] if counts["attempts"] else []
    parts += [f"{counts[name]:,} {word}" for name, word in _UNOPENED if counts[name]]
    if counts["syn_repeats"]:
        parts.append(f"{100 * counts['syn_repeats'] / counts['syns']:.1f} % of the SYNs were sent again")
    return "opened", ", ".join(parts)


_UNOPENED = (
    ("refused", "refused"),
    ("unanswered", "unanswered"),
    ("pending", "not answered yet"),
    ("half_open", "half-open"),
    ("midstream", "midstream"),
)


def _times(handshakes: Lengths, port: int) -> str:
    half, most = (quantile_ns(handshakes, port, share) for share in (0.5, 0.99))
    return "" if half is None or most is None else f" (in {span(half)} at the median, {span(most)} at p99)"


def quantile_ns(lengths: Lengths, port: int, share: float) -> int | None:
    """The length below which a share of a port's lengths is, to 1 %; None where none are kept."""
    found = lengths.port(port)
    if found is None:
        return None
    ranks = np.cumsum(found.counts.sum(axis=0))
    return round(middle(int(np.searchsorted(ranks, ranks[-1] * share))) * 1e9)


def _closing(port: Total) -> list[tuple[str, str]]:
    counts = port.counts
    first = []
    for who in ("client", "server"):
        number, resets = counts[f"closed_{who}"], counts[f"reset_{who}"]
        if number:
            first.append(f"{number:,} by the {who}" + (f" ({resets:,} of them by RST)" if resets else ""))
    parts = [f"first {', '.join(first)}"] if first else []
    parts += [f"{counts['never_closed']:,} never"] if counts["never_closed"] else []
    parts += [f"{count(counts['races'], 'request')} met a server that had just closed"] if counts["races"] else []
    return [("closed", "; ".join(parts))] if parts else []


def _left(servers: list[Total], seen: Seen) -> list[tuple[str, str]]:
    """The states that both sides were left in; each server's where there are some."""
    found = []
    for one in servers[:_HOSTS]:
        name = "" if one.endpoint is None else f"{words.address(seen.endpoints.address(one.endpoint))}: "
        name = name if len(servers) > 1 else ""
        found.append(("left in", f"{name}clients {_states(one.client)}; server {_states(one.server)}"))
    more = len(servers) - _HOSTS
    return [*found, *([("", f"and {count(more, 'more server')} in -f json")] if more > 0 else [])]


def _states(counts: dict[State | None, int]) -> str:
    return ", ".join(f"{number:,} {word}" for word, number in by_state(counts).items())


def by_state(counts: dict[State | None, int]) -> dict[str, int]:
    """How many ends were left in each state, the most frequent first; ``not seen`` are those never shown."""
    most = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0] or NONE))
    return {words.state(NONE if one is None else one) or "not seen": number for one, number in most}
