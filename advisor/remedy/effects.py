"""What a change does to measurements: each one follows a model, or is void until measured again.

A measurement that no change moves is carried over. The models:

* an accept queue holds min(backlog, somaxconn) once nginx listens anew; how full it gets and what it drops is void;
* keepalive_timeout lowered to T: connections idle for longer than T are gone, and the clients among them that
  would have come back make new connections: the flow past age T, less the flow that reaches the oldest ages;
* what a capture of packets shows of idle connections is void, for another timeout was in force; what it foretold for
  the new one is told;
* who closed the connections to an upstream first is void once they are used again;
* keepalive_timeout raised: how many more stay idle is not known, so idle times and states are void;
* connections to an upstream used again from now on: how many ports and TIME_WAIT remain towards it is void;
* a destination that used up (nearly) all ports, where there are more now or TIME_WAIT holds them for a shorter time:
  how many it will use is void; one that did not keeps its number.
"""

from __future__ import annotations

from collections.abc import Callable

from advisor.catalog.nginx import SETTINGS
from advisor.catalog.sysctl import KEYS
from advisor.errors import Unread
from advisor.facts.derive import Facts
from advisor.facts.keepalives import Keepalive
from advisor.facts.servers import Endpoint
from advisor.facts.sockets import serving
from advisor.facts.values import Histogram
from advisor.records import dataclass, field, replace
from advisor.snapshot.model import Ages, Listener, Reading, Snapshot
from advisor.units import PER_S, N, Unit

_TIMEOUT = "keepalive_timeout"
_FULL = 0.95
"""A destination above this share of the usable ports stood at the limit: more ports, more use."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A measured number that a change is expected to move; None where it has to be measured."""

    name: str
    before: float
    after: float | None
    unit: Unit


@dataclass(slots=True)
class Moved:
    """What the models make of a snapshot's measurements."""

    listeners: dict[str, Listener] = field(default_factory=dict)
    counters: dict[str, Reading] = field(default_factory=dict)
    void: dict[str, str] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)


def moved(before: Facts, after: Facts, targets: set[str]) -> Moved:
    """Follow every measurement that a change of these sysctl keys and nginx targets moves."""
    out = Moved()
    names = {name: target for target in sorted(targets) for name in _moves(target)}
    for measurement, target in names.items():
        model = _MODELS.get(measurement)
        if model is None:
            out.void[measurement] = f"{target} moves it; measure again"
            continue
        try:
            model(before, after, out)
        except Unread as unread:
            out.void[measurement] = f"{target} moves it, and {unread.source} was not read"
    return out


def _moves(target: str) -> tuple[str, ...]:
    if target in SETTINGS:
        return SETTINGS[target].moves
    return KEYS[target].moves


def _queues(before: Facts, after: Facts, out: Moved) -> None:
    configured = {listen.id: listen for listen in after.nginx.listens} if before.snapshot.nginx else {}
    for listener in before.sockets.listeners:
        row = out.listeners.get(listener.id, listener.row)
        if row.limit is None:
            continue
        listen = configured.get(listener.id)
        cap_before, cap = _somaxconn(before, row.limit), _somaxconn(after, row.limit)
        if listen is not None:
            limit = min(listen.backlog, cap)
        elif cap == cap_before or row.limit < cap_before:
            continue
        else:
            limit = None
        if limit == row.limit:
            continue
        why = f"the queue of {listener.id} gets another limit once it listens anew"
        out.void.update({f"{name}@{listener.id}": why for name in ("listener.drops", "listener.queue")})
        out.void.update({f"counter.TcpExt.{name}": why for name in ("ListenOverflows", "ListenDrops")})
        if limit is None:
            out.void[f"listener.limit@{listener.id}"] = why
        else:
            out.listeners[listener.id] = replace(row, limit=limit)
            out.effects.append(Effect(f"accept queue of {listener.id}", row.limit, limit, N))


def _somaxconn(facts: Facts, unread: int) -> int:
    """The cap, or the queue's own limit where it was not read: nothing is then known to change."""
    try:
        return int(facts.sysctl.text("net.core.somaxconn"))
    except (Unread, ValueError):
        return unread


def _idle(before: Facts, after: Facts, out: Moved) -> None:
    new = {item.place(_TIMEOUT): item for item in after.nginx.keepalives}
    more = []
    for item in before.nginx.keepalives:
        place = item.place(_TIMEOUT)
        if place in new and new[place].timeout != item.timeout:
            more += [_shorten(before, out, endpoint, item, new[place].timeout) for endpoint in item.endpoints]
    known = [flow for flow in more if flow is not None]
    if known:
        _handshakes(before, out, sum(known))


def _shorten(before: Facts, out: Moved, endpoint: Endpoint, item: Keepalive, timeout: float) -> float | None:
    """Who is left on an address; returns how many more come anew each second, None where no model says so."""
    listener = serving({one.id: one for one in before.sockets.listeners}, endpoint)
    if listener is None:
        return None
    name = listener.id
    row = out.listeners.get(name, listener.row)
    alone = endpoint in item.whole and name == str(endpoint)
    if timeout > item.timeout or not alone or row.idle is None:
        why = "keepalive_timeout moves it in a way no model follows; measure again"
        out.void.update({f"{what}@{name}": why for what in ("listener.idle", "listener.states")})
        return None
    idle = Histogram.of(row.idle)
    gone = _really_idle(before, idle.above(timeout))
    held = row.states.get("ESTABLISHED", 0)
    after = max(0, held - gone)
    ages = Ages(counts=list(idle.cut(timeout).counts), oldest=idle.cut(timeout).oldest)
    states = {**row.states, "ESTABLISHED": after}
    out.listeners[name] = replace(row, idle=ages, states=states)
    if held:
        out.effects.append(Effect(f"ESTABLISHED on {name}", held, after, N))
    return idle.returning(timeout)


def _captured(before: Facts, after: Facts, out: Moved) -> None:
    if before.snapshot.capture is None:
        return
    out.void["capture.gaps"] = "keepalive_timeout moves it; capture again"
    new = {item.place(_TIMEOUT): item.timeout for item in after.nginx.keepalives}
    for item in before.capture.timeouts:
        timeout = new.get(item.place(_TIMEOUT), item.timeout)
        then, held = item.at(timeout), item.held
        if timeout == item.timeout or then is None:
            continue
        if held is not None:
            out.effects.append(Effect(f"ESTABLISHED on {item.addresses}, on average", held, then.held, N))
        name = f"new connections per second on {item.addresses}"
        out.effects.append(Effect(name, item.handshakes, then.handshakes, PER_S))


def _closed(before: Facts, _: Facts, out: Moved) -> None:
    if before.snapshot.capture is not None:
        out.void["capture.closes"] = "connections to upstreams are used again from now on; capture again"


def _really_idle(before: Facts, silent: float) -> int:
    """Of connections that look idle, at most as many as nginx itself calls waiting, where it was asked."""
    try:
        return min(round(silent), before.nginx.waiting)
    except Unread:
        return round(silent)


def _handshakes(before: Facts, out: Moved, more: float) -> None:
    """More new connections each second: the clients that would have come back on the connections now closed."""
    counter = "Tcp.PassiveOpens"
    try:
        rate = before.counters.value(counter, "per_second")
    except Unread:
        return
    reading: Reading = before.snapshot.need("counters")[counter]
    grown = (reading.last or reading.first) + round(more * before.snapshot.sample)
    out.counters[counter] = Reading(first=reading.first, last=grown)
    out.effects.append(Effect("new connections per second", rate, rate + more, PER_S))


def _ports(before: Facts, after: Facts, out: Moved) -> None:
    usable = before.ports.usable
    wider = after.ports.usable != usable
    for destination in before.sockets.destinations:
        if destination.ports < _FULL * usable:
            continue
        loopback = destination.loopback
        if wider or after.ports.holds(loopback=loopback) != before.ports.holds(loopback=loopback):
            why = f"{destination.remote} used up the ports there were; how many it takes now has to be measured"
            out.void[f"destination.full@{destination.id}"] = why
            out.effects.append(Effect(f"local ports towards {destination.remote}", destination.ports, None, N))


def _reused(before: Facts, after: Facts, out: Moved) -> None:
    was, now = _pools(before), _pools(after)
    for destination in before.sockets.destinations:
        endpoint = Endpoint(destination.row.remote, destination.row.port)
        if was.get(endpoint) != now.get(endpoint):
            why = f"connections to {destination.remote} are used again; how many it takes now has to be measured"
            out.void[f"destination.full@{destination.id}"] = why
            out.effects.append(Effect(f"local ports towards {destination.remote}", destination.ports, None, N))


def _pools(facts: Facts) -> dict[Endpoint, set[tuple[str, int]]]:
    """What passes requests to each address and whether that uses connections again; how many each worker keeps."""
    found: dict[Endpoint, set[tuple[str, int]]] = {}
    for item in facts.nginx.passes:
        try:
            for endpoint in item.endpoints():
                found.setdefault(endpoint, set()).add((item.id, item.keepalive))
        except Unread:
            continue
    return found


_MODELS: dict[str, Callable[[Facts, Facts, Moved], None]] = {
    "listener.limit": _queues,
    "listener.idle": _idle,
    "capture.gaps": _captured,
    "capture.closes": _closed,
    "destination.full": _ports,
    "destination.reuse": _reused,
}


def carry(snapshot: Snapshot, out: Moved) -> Snapshot:
    """The snapshot with its measurements as the models leave them."""
    update: dict[str, object] = {"moved": {**snapshot.moved, **out.void}}
    if snapshot.sockets is not None and out.listeners:
        rows = [out.listeners.get(str(Endpoint(row.address, row.port)), row) for row in snapshot.sockets.listeners]
        gone = sum(
            row.states.get("ESTABLISHED", 0) - new.states.get("ESTABLISHED", 0)
            for row, new in zip(snapshot.sockets.listeners, rows, strict=True)
        )
        states = {**snapshot.sockets.states}
        states["ESTABLISHED"] = max(0, states.get("ESTABLISHED", 0) - gone)
        update["sockets"] = replace(snapshot.sockets, listeners=rows, states=states)
    if snapshot.counters is not None and out.counters:
        update["counters"] = {**snapshot.counters, **out.counters}
    return replace(snapshot, **update)
