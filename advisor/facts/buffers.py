"""Buffers that one request may take, as directives of ``NUMBER SIZE`` or ``SIZE`` ask for them."""

from __future__ import annotations

from advisor.errors import Unread
from advisor.facts.config import Config
from advisor.facts.settings import Setting, settings
from advisor.facts.values import Size
from advisor.formats.nginx_values import parse_count, parse_size

_BUFFERS = (
    "client_body_buffer_size",
    "fastcgi_buffer_size",
    "fastcgi_buffers",
    "large_client_header_buffers",
    "output_buffers",
    "proxy_buffer_size",
    "proxy_buffers",
    "scgi_buffers",
    "uwsgi_buffers",
)


class Buffers(Setting):
    """A place that sets the number or the size of a kind of buffers."""

    __slots__ = ()

    @property
    def total(self) -> Size:
        """What one request may take of them: number x size."""
        args = self._setter.args
        number = parse_count(args[0]) if len(args) > 1 else 1
        size = parse_size(args[-1]) if args else None
        if number is None or size is None:
            raise Unread("nginx", f"{self._setter.at}: '{self.text[:60]}' is nothing nginx would take")
        return number * size

    @property
    def worker(self) -> Size:
        """What a worker needs if every one of its connections takes them: total x worker_connections."""
        return self.total * int(self.here.value("worker_connections") or 0)


def buffers(config: Config) -> list[Buffers]:
    """Every place that sets buffers of a request."""
    found = []
    for name in _BUFFERS:
        for item in settings(config, config.tree.named.get(name, ()), Buffers):
            item.id = f"{name} in {item.id}"
            found.append(item)
    return found
