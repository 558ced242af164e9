"""Passes: who sends requests where, whether connections are used again, and the sockets that shows in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Annotated

from advisor.errors import Unread
from advisor.facts.places import Location, Place
from advisor.facts.reuse import Wanted, name_for, wanted
from advisor.facts.routes import Route, Routes, Verdict, decided
from advisor.facts.schema import From
from advisor.facts.servers import Endpoint
from advisor.facts.settings import Config
from advisor.facts.sockets import Destination, Sockets
from advisor.facts.tree import locate
from advisor.facts.upstreams import Upstream, endpoints_of
from advisor.facts.values import Count, Item, Rate, Seconds

_SOURCE = From("SOCK_DIAG")
_NAMED = 3
"""Places that a message names; it counts the others."""
_TIME_WAIT = 60.0
"""Seconds a connection stays in TIME_WAIT (TCP_TIMEWAIT_LEN, include/net/tcp.h)."""
_SETTING = "upstream.reuse"
_PER_PROCESS = frozenset({"fastcgi_pass", "uwsgi_pass", "scgi_pass"})


class Pass(Item):
    """All passes of one kind to one target that lack the same."""

    __slots__ = ("_all", "_routes", "_verdict", "id")

    def __init__(self, everything: Passes, routes: list[Route], verdict: Verdict) -> None:
        """``routes``: what it stands for, all with that verdict."""
        self._all = everything
        self._routes = routes
        self._verdict = verdict
        self.id = f"{self.kind} {self.target} ({', '.join(_codes(verdict))})"

    @property
    def kind(self) -> str:
        """The directive: proxy_pass, fastcgi_pass, grpc_pass, uwsgi_pass or scgi_pass."""
        return self._routes[0].node.name

    @property
    def target(self) -> str:
        """What it names: scheme, and the upstream block or the host and port."""
        return str(self._routes[0].target)

    @property
    def tcp(self) -> bool:
        """Whether it sends requests over TCP; false for unix sockets."""
        upstream = self.block_of
        return not self._routes[0].target.unix if upstream is None else upstream.tcp

    @property
    def explicit(self) -> bool:
        """Whether it names an upstream block."""
        return self.block_of is not None

    @property
    def reused(self) -> bool:
        """Whether one connection carries several requests."""
        self._known()
        return not self._verdict.links

    @property
    def missing(self) -> str:
        """What it lacks so that connections are used again."""
        self._known()
        return ", ".join(dict.fromkeys(link.words for link in self._verdict.links)) or "nothing"

    @property
    def by_map(self) -> bool:
        """Whether all it lacks is a Connection header that a map makes of an empty Upgrade header."""
        self._known()
        return [link.code for link in self._verdict.links] == ["map"]

    @property
    def possible(self) -> bool:
        """Whether its protocol can use a connection again: uwsgi and SCGI can't."""
        return all(link.code != "protocol" for link in self._verdict.links)

    @property
    def per_process(self) -> bool:
        """Whether such backends mostly give each connection a process of its own (FastCGI, uwsgi, SCGI)."""
        return self.kind in _PER_PROCESS

    @property
    def keepalive(self) -> Count:
        """How many idle connections each worker keeps: of the whole upstream block, or 0 without one."""
        return 0 if self.block_of is None else self.block_of.keepalive

    @property
    def keepalive_set(self) -> bool:
        """Whether its upstream block sets ``keepalive``, to more than 0."""
        return self.block_of is not None and self.block_of.keepalive_set

    @property
    def timeout(self) -> Seconds | None:
        """For how long its upstream block keeps an idle connection; unset without a block."""
        return None if self.block_of is None else self.block_of.timeout

    @property
    def kept(self) -> Count:
        """How many idle connections all workers together may keep."""
        return self.keepalive * self._all.workers()

    @property
    def room(self) -> Count | None:
        """How many each worker may keep so that all stay below ``site.backend_capacity``; unset without it."""
        capacity = self._all.capacity()
        if capacity is None:
            return None
        workers = self._all.workers()
        if not workers:
            raise Unread("processes", "no worker process was seen")
        return max(0, math.ceil(capacity) - 1) // workers

    @property
    def places(self) -> Count:
        """How many directives there are of it."""
        return len({route.node for route in self._routes})

    @property
    def where(self) -> str:
        """The first of those places, in words."""
        blocks = [*dict.fromkeys(route.block for route in self._routes)]
        names = [self._all.config.called(block) for block in blocks[:_NAMED]]
        more = len(blocks) - len(names)
        return ", ".join(names) + (f" and {more:,} more" if more else "")

    @property
    def established(self) -> Annotated[Count, _SOURCE]:
        """ESTABLISHED to all of its servers."""
        return sum(row.established for row in self._live())

    @property
    def time_wait(self) -> Annotated[Count, _SOURCE]:
        """TIME_WAIT to all of its servers, on this side: connections that nginx closed in the last minute."""
        return sum(row.time_wait for row in self._live())

    @property
    def ports(self) -> Annotated[Count, _SOURCE]:
        """Local ports in use towards one of its servers, the most."""
        return max((row.ports for row in self._live()), default=0)

    @property
    def per_second(self) -> Annotated[Rate, _SOURCE]:
        """New connections a second, at least: TIME_WAIT over its 60 s. What the servers close first is not in it."""
        return self.time_wait / _TIME_WAIT

    @property
    def concurrency(self) -> Annotated[Count, _SOURCE]:
        """ESTABLISHED to all of its servers, for each worker."""
        workers = self._all.workers()
        if not workers:
            raise Unread("processes", "no worker process was seen")
        return math.ceil(self.established / workers)

    @property
    def location(self) -> Location:
        """The first directive of it."""
        return locate(self._all.config.tree.nginx, self._routes[0].node, 0)

    @property
    def block_of(self) -> Upstream | None:
        """The upstream block."""
        return self._routes[0].upstream

    def place(self, directive: str) -> Place:
        """Where ``upstream.reuse`` begins: at the upstream block, or where there is none at the first directive.

        Directives of upstream blocks (``upstream/keepalive_timeout``) stand in its own.

        Raises:
            Unread: when only a person can write it; it says why.
        """
        if directive != _SETTING:
            if self.block_of is None:
                raise Unread("nginx", f"{self.target} has no upstream block to give {directive} to")
            return self.block_of.place(directive)
        place = self._all.place_of(self._routes[0])
        self._all.wanted(place)
        return place

    def endpoints(self) -> Iterator[Endpoint]:
        """The addresses of its servers.

        Raises:
            Unread: when one of them is a name of another host, which nginx resolved when it started.
        """
        upstream, target = self.block_of, self._routes[0].target
        named = upstream.endpoints() if upstream else [(target.host, endpoints_of(target.host, target.port))]
        for name, found in named:
            if not found:
                raise Unread("sockets", f"'{name}' is no address: which one nginx resolved it to is not known")
            yield from found

    def _live(self) -> list[Destination]:
        sockets = self._all.sockets()
        return [row for endpoint in dict.fromkeys(self.endpoints()) for row in sockets.towards(endpoint)]

    def _known(self) -> None:
        if self._verdict.doubt is not None:
            raise Unread("nginx", self._verdict.doubt)


class Passes:
    """Every pass, grouped; with what joins them to sockets and to edits."""

    def __init__(
        self,
        config: Config,
        upstreams: list[Upstream],
        sockets: Callable[[], Sockets],
        workers: Callable[[], int],
        capacity: Callable[[], float | None],
    ) -> None:
        """``sockets``, ``workers`` and ``capacity`` (the site's backend_capacity) are asked where a fact needs them."""
        self.config = config
        self.upstreams = upstreams
        self.sockets = sockets
        self.workers = workers
        self.capacity = capacity
        self._wanted: dict[Place, Wanted] = {}

    @cached_property
    def items(self) -> list[Pass]:
        """One for each kind, target and verdict."""
        groups: dict[tuple[str, str, tuple[str, ...]], tuple[Verdict, list[Route]]] = {}
        for route in self.routes:
            verdict = decided(route, self.config.version)
            key = (route.node.name, str(route.target), _codes(verdict))
            groups.setdefault(key, (verdict, []))[1].append(route)
        return [Pass(self, routes, verdict) for verdict, routes in groups.values()]

    @cached_property
    def routes(self) -> list[Route]:
        """Every directive with every target it can have."""
        return [*Routes(self.config, self.upstreams).all()]

    @cached_property
    def by_place(self) -> dict[Place, list[Route]]:
        """All routes to one target, by where ``upstream.reuse`` begins."""
        found: dict[Place, list[Route]] = {}
        for route in self.routes:
            found.setdefault(self.place_of(route), []).append(route)
        return found

    def to(self, endpoint: Endpoint) -> list[Pass]:
        """Who passes requests to an address; nobody whose server is a name is known to."""
        return self._by_endpoint.get(endpoint, [])

    @cached_property
    def _by_endpoint(self) -> dict[Endpoint, list[Pass]]:
        found: dict[Endpoint, list[Pass]] = {}
        for item in self.items:
            try:
                for endpoint in dict.fromkeys(item.endpoints()):
                    found.setdefault(endpoint, []).append(item)
            except Unread:
                continue
        return found

    def place_of(self, route: Route) -> Place:
        """Where ``upstream.reuse`` of a route's target begins: its upstream block, or the first that names it."""
        if route.upstream is not None:
            return route.upstream.node.place
        return self._firsts[route.node.name, str(route.target)]

    def wanted(self, place: Place) -> Wanted:
        """What is written for ``upstream.reuse``, but for the pool.

        Raises:
            Unread: when only a person can do it.
        """
        if place not in self._wanted:
            config = self.config
            self._wanted[place] = wanted(config.tree, config.version, self.by_place[place], self._names.get(place))
        return self._wanted[place]

    @cached_property
    def _firsts(self) -> dict[tuple[str, str], Place]:
        firsts: dict[tuple[str, str], Place] = {}
        for route in self.routes:
            firsts.setdefault((route.node.name, str(route.target)), route.node.place)
        return firsts

    @cached_property
    def _names(self) -> dict[Place, str]:
        """What upstream blocks would be called for targets that have none: no two alike, and as no host is."""
        taken = {one.name.lower() for one in self.upstreams} | {route.target.host.lower() for route in self.routes}
        names = {}
        for place, group in self.by_place.items():
            if group[0].upstream is None:
                names[place] = name_for(group[0], taken)
                taken.add(names[place].lower())
        return names


def _codes(verdict: Verdict) -> tuple[str, ...]:
    return tuple(link.code for link in verdict.links) or ("unclear" if verdict.doubt else "reused",)
