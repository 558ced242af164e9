"""Every pass of a configuration, grouped, and joined with sockets and with what makes connections last."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from advisor.errors import Unread
from advisor.facts.config import Config
from advisor.facts.passes import Pass, codes
from advisor.facts.places import Place
from advisor.facts.reuse import Wanted, name_for, wanted
from advisor.facts.routes import Route, Routes, Verdict, decided
from advisor.facts.servers import Endpoint
from advisor.facts.sockets import Sockets
from advisor.facts.upstreams import Upstream


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
            key = (route.node.name, str(route.target), codes(verdict))
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
