"""What nginx does between a request and a backend, and what a request may take: lists for rules, filled when asked."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

from advisor.facts.buffers import Buffers, buffers
from advisor.facts.caches import CachePath, caches
from advisor.facts.config import Config
from advisor.facts.failover import NextUpstream, Pool, next_upstreams, pools
from advisor.facts.inert import Inert, inert
from advisor.facts.limits import PeerKey, RequestLimit, peer_keys, request_limits
from advisor.facts.lookups import FrozenName, Lookup, Names
from advisor.facts.timeouts import BackendTimeout, backend_timeouts


class Proxying:
    """Passing requests on."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(self, config: Config) -> None:
        self._config = config
        self._names = Names(config)

    @cached_property
    def lookups(self) -> list[Lookup]:
        """Every pass with a variable."""
        return self._names.lookups

    @cached_property
    def frozen_names(self) -> list[FrozenName]:
        """Every host that is looked up once, when the configuration is loaded, and never again."""
        return self._names.frozen

    @cached_property
    def pools(self) -> list[Pool]:
        """Every upstream block."""
        return pools(self._config)

    @cached_property
    def next_upstreams(self) -> list[NextUpstream]:
        """Every place that sets proxy_next_upstream."""
        return next_upstreams(self._config)

    @cached_property
    def connect_timeouts(self) -> list[BackendTimeout]:
        """Every place that says for how long a connection may take, of any protocol."""
        return backend_timeouts(self._config, "connect")

    @cached_property
    def read_timeouts(self) -> list[BackendTimeout]:
        """Every place that says for how long a backend may be silent, of any protocol."""
        return backend_timeouts(self._config, "read")

    @cached_property
    def caches(self) -> list[CachePath]:
        """Every cache of responses."""
        return caches(self._config)


class Requests:
    """What a request may take, and what bounds it."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(self, config: Config) -> None:
        self._config = config

    @cached_property
    def buffers(self) -> list[Buffers]:
        """Every place that sets the number or size of a kind of buffers."""
        return buffers(self._config)

    @cached_property
    def limits(self) -> list[RequestLimit]:
        """Every place that applies a limit_req."""
        return request_limits(self._config)

    @cached_property
    def peer_keys(self) -> list[PeerKey]:
        """Limits and balancing that are keyed by the address a connection comes from."""
        return peer_keys(self._config)

    @cached_property
    def inert(self) -> list[Inert]:
        """Every place that refines what is off wherever it applies."""
        return inert(self._config)
