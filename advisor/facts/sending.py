"""The group ``nginx.sending``: compression that is tuned and misses, and directives nginx does not know any more.

Sources: ngx_http_gzip_module; nginx's CHANGES.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import ClassVar

from advisor.catalog.directives import DIRECTIVES
from advisor.facts.clients import Named, each_of
from advisor.facts.config import Config
from advisor.facts.settings import FlagSetting, Setting, settings
from advisor.facts.tree import Node
from advisor.facts.values import Version

_TUNING = ("gzip_comp_level", "gzip_min_length", "gzip_buffers", "gzip_proxied", "gzip_vary")

_DENSE = (
    r"application/(x-)?(gzip|zip|zip-compressed|zstd|7z-compressed|bzip2|xz|rar-compressed|vnd\.rar|java-archive)"
    r"|(application/(x-)?font-|font/)woff2?"
    r"|image/(jpe?g|png|gif|webp|avif|jxl)"
    r"|audio/(mpeg|mp[34]|aac|ogg|webm|x-m4a)"
    r"|video/.*"
)
"""Media types of formats that are compressed themselves."""


class CompressedTypes(Setting):
    """A place that sets gzip_types."""

    __slots__ = ("_used",)

    def among(self, compressing: set[Node | None]) -> None:
        """``compressing``: the blocks that turn gzip on, and those around them."""
        self._used = self._block in compressing or bool(self.here.value("gzip"))

    @property
    def used(self) -> bool:
        """Whether gzip is on in its block, or in one around it or inside it."""
        return self._used

    @property
    def everything(self) -> bool:
        """Whether every type is compressed: ``*``."""
        return "*" in self._setter.args

    @property
    def dense(self) -> str:
        """Those of its types that are compressed formats themselves; empty without any."""
        return " ".join(arg for arg in self._setter.args if re.fullmatch(_DENSE, arg.lower()))


class Compression(FlagSetting):
    """A place that turns gzip on or off."""

    __slots__ = ()

    @property
    def tuned(self) -> bool:
        """Whether the configuration sets any detail of the compression."""
        return any(name in self._config.tree.named for name in _TUNING)

    @property
    def types_set(self) -> bool:
        """Whether the configuration says anywhere which types are compressed."""
        return "gzip_types" in self._config.tree.named


class Obsolete(Named):
    """A place that sets a directive which some version of nginx gave up."""

    __slots__ = ()

    @property
    def gone(self) -> Version:
        """The version from which it does nothing."""
        return Version.parse(str(DIRECTIVES[self._name].gone))

    @property
    def instead(self) -> str:
        """What took its place, in words."""
        return _INSTEAD.get(self.directive, "nothing took its place")


_INSTEAD = {
    "http2_idle_timeout": "keepalive_timeout took its place",
    "http2_recv_timeout": "client_header_timeout took its place",
    "http2_max_requests": "keepalive_requests took its place",
    "http2_max_field_size": "large_client_header_buffers took its place",
    "http2_max_header_size": "large_client_header_buffers took its place",
    "http2_push": "a Link header with rel=preload, or 103 Early Hints, does what it was meant for",
    "http2_push_preload": "browsers act on the Link header by themselves",
}


class Sending:
    """How responses leave."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(self, config: Config) -> None:
        self._config = config

    @cached_property
    def compressed_types(self) -> list[CompressedTypes]:
        """Every place that sets gzip_types."""
        tree = self._config.tree
        items = settings(self._config, tree.named.get("gzip_types", ()), CompressedTypes)
        on = [node for node in tree.named.get("gzip", ()) if node.args[:1] == ["on"]] if items else []
        compressing: set[Node | None] = {above for node in on for above in node.ancestors()}
        for item in items:
            item.among(compressing)
        return items

    @cached_property
    def compressions(self) -> list[Compression]:
        """Every place that turns gzip on or off."""
        return settings(self._config, self._config.tree.named.get("gzip", ()), Compression)

    @cached_property
    def obsolete(self) -> list[Obsolete]:
        """Every place that sets a directive which some version of nginx gave up."""
        return each_of(self._config, tuple(one.name for one in DIRECTIVES.values() if one.gone), Obsolete)
