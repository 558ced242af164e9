"""Passes: who sends requests where, whether connections are used again, and the sockets that shows in."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from advisor.errors import Unread
from advisor.facts.destinations import Destination
from advisor.facts.places import Location, Place
from advisor.facts.routes import Route, Verdict
from advisor.facts.schema import From
from advisor.facts.servers import Endpoint
from advisor.facts.tree import locate
from advisor.facts.upstreams import Upstream, endpoints_of
from advisor.facts.values import Count, Item, Rate, Seconds

if TYPE_CHECKING:
    from advisor.facts.passing import Passes

_SOURCE = From("SOCK_DIAG")
_NAMED = 3
"""Places that a message names; it counts the others."""
_TIME_WAIT = 60.0
"""Seconds a connection stays in TIME_WAIT (TCP_TIMEWAIT_LEN, include/net/tcp.h)."""
_SETTING = "upstream.reuse"
_PER_PROCESS = frozenset({"fastcgi_pass", "uwsgi_pass", "scgi_pass"})


def codes(verdict: Verdict) -> tuple[str, ...]:
    """A verdict in words of a program."""
    return tuple(link.code for link in verdict.links) or ("unclear" if verdict.doubt else "reused",)


class Pass(Item):
    """All passes of one kind to one target that lack the same."""

    __slots__ = ("_all", "_routes", "_verdict", "id")

    def __init__(self, everything: Passes, routes: list[Route], verdict: Verdict) -> None:
        """``routes``: what it stands for, all with that verdict."""
        self._all = everything
        self._routes = routes
        self._verdict = verdict
        self.id = f"{self.kind} {self.target} ({', '.join(codes(verdict))})"

    def lasting(self) -> str:
        """Who passes to whom: what they lack is what is judged."""
        return f"{self.kind} {self.target}"

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
        """Whether all it lacks is an empty Connection header, as a map gives "close" where no upgrade is asked for."""
        self._known()
        route = self._routes[0]
        older, newer = (codes(verdict) == ("map",) for verdict in (route.older, route.newer))
        if self._all.config.version is None and older != newer:
            raise Unread("nginx", "what else it lacks depends on nginx's version, which is not known")
        return codes(self._verdict) == ("map",)

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
