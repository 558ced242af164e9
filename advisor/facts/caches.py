"""The caches of responses on disk, as ``proxy_cache_path`` and its kin describe them.

Source: ngx_http_proxy_module.html#proxy_cache_path (levels, keys_zone, inactive, max_size, min_free, use_temp_path;
"One megabyte zone can store about 8 thousand keys").
"""

from __future__ import annotations

from collections import Counter

from advisor.errors import Unread
from advisor.facts.config import Config
from advisor.facts.places import Place
from advisor.facts.settings import Setting, settings
from advisor.facts.values import Count, Seconds, Size
from advisor.formats.nginx_values import parse_size, parse_time

_PATHS = ("proxy_cache_path", "fastcgi_cache_path", "uwsgi_cache_path", "scgi_cache_path")
_KEYS_PER_MEBIBYTE = 8000
_INACTIVE = 600.0
"""Seconds; the default of ``inactive``."""


class CachePath(Setting):
    """A place that describes a cache."""

    __slots__ = ()

    @property
    def zone(self) -> str:
        """The name of its zone."""
        return self._parameter("keys_zone").partition(":")[0]

    @property
    def keys(self) -> Count:
        """How many responses its zone has room for: about 8,000 a megabyte."""
        return self._size(self._parameter("keys_zone").partition(":")[2]) * _KEYS_PER_MEBIBYTE // 2**20

    @property
    def max_size(self) -> Size | None:
        """The most it may take on disk; unset without the parameter."""
        text = self._parameter("max_size")
        return self._size(text) if text else None

    @property
    def average(self) -> Size | None:
        """The average response with which zone and disk are full together: max_size / keys; unset without max_size."""
        most = self.max_size
        return None if most is None else most // max(self.keys, 1)

    @property
    def min_free(self) -> Size | None:
        """What it leaves free on disk; unset without the parameter (1.19.1)."""
        text = self._parameter("min_free")
        return self._size(text) if text else None

    @property
    def inactive(self) -> Seconds:
        """For how long a response is kept that nobody asks for; 10 minutes where it is not said."""
        text = self._parameter("inactive")
        seconds = parse_time(text) if text else _INACTIVE
        if seconds is None:
            raise self._refused(text)
        return seconds

    @property
    def copies(self) -> bool:
        """Whether responses are first written elsewhere (proxy_temp_path), then moved: not with use_temp_path=off."""
        return self._parameter("use_temp_path") != "off"

    def place(self, directive: str) -> Place:
        """Where it stands itself, its parameters included; else where another directive would be written."""
        return super().place(directive.partition(".")[0])

    def _parameter(self, name: str) -> str:
        """A parameter's value, empty where it is not there."""
        found = (arg for arg in self._setter.args[1:] if arg.startswith(f"{name}="))
        return next(found, "").partition("=")[2]

    def _size(self, text: str) -> int:
        size = parse_size(text)
        if size is None:
            raise self._refused(text)
        return size

    def _refused(self, text: str) -> Unread:
        return Unread("nginx", f"{self._setter.at}: '{text[:60]}' is nothing nginx would take for {self.directive}")


def caches(config: Config) -> list[CachePath]:
    """Every cache, by its zone's name."""
    nodes = [node for name in _PATHS for node in config.tree.named.get(name, ())]
    found = settings(config, nodes, CachePath)
    called: Counter[str] = Counter()
    for item in found:
        called[item.zone] += 1
        item.id = f"cache {item.zone}" if called[item.zone] == 1 else f"cache {item.zone} #{called[item.zone]}"
    return found
