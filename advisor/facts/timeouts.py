"""For how long nginx waits for backends: the timeouts of all protocols, under the names of what they wait for."""

from __future__ import annotations

from advisor.facts.config import Config
from advisor.facts.settings import TimeSetting, settings

_PROTOCOLS = ("proxy", "fastcgi", "uwsgi", "scgi", "grpc")


class BackendTimeout(TimeSetting):
    """A place that sets how long nginx waits for a backend."""

    __slots__ = ()

    @property
    def broad(self) -> bool:
        """Whether it is set for more than one location: in http or in a server."""
        return self.block in {"http", "server"}


def backend_timeouts(config: Config, phase: str) -> list[BackendTimeout]:
    """Every place that sets a timeout of a phase: ``connect``, or ``read`` (of the next part of an answer)."""
    found = []
    for name in (f"{protocol}_{phase}_timeout" for protocol in _PROTOCOLS):
        for item in settings(config, config.tree.named.get(name, ()), BackendTimeout):
            item.id = f"{name} in {item.id}"
            found.append(item)
    return found
