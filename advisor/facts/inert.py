"""Settings that do nothing because what they refine is off wherever they apply.

Sources: the pages of ngx_http_core_module (open_file_cache), ngx_http_proxy_module (cache, buffering).
"""

from __future__ import annotations

from advisor.facts.config import Config
from advisor.facts.settings import Setting, settings
from advisor.facts.tree import Node

_NEEDS = {
    "open_file_cache": ("open_file_cache_errors", "open_file_cache_min_uses", "open_file_cache_valid"),
    "proxy_cache": (
        "proxy_cache_background_update",
        "proxy_cache_lock",
        "proxy_cache_lock_age",
        "proxy_cache_lock_timeout",
        "proxy_cache_min_uses",
        "proxy_cache_revalidate",
        "proxy_cache_use_stale",
        "proxy_cache_valid",
    ),
    "fastcgi_cache": ("fastcgi_cache_lock", "fastcgi_cache_use_stale", "fastcgi_cache_valid"),
}
"""What is off by default, and what only refines it."""


class Inert(Setting):
    """A place that sets something to no effect."""

    __slots__ = ("_lacks",)

    _lacks: str

    @property
    def lacks(self) -> str:
        """The directive without which it does nothing."""
        return self._lacks


def inert(config: Config) -> list[Inert]:
    """Every place that refines what is off in its block and in all blocks inside; fragments are not judged."""
    found = []
    for switch, names in _NEEDS.items():
        alive = _alive(config, switch)
        for name in names:
            nodes = [node for node in config.tree.named.get(name, ()) if _dead(config, node, switch, alive)]
            for item in settings(config, nodes, Inert):
                item.id = f"{name} in {item.id}"
                item._lacks = switch  # noqa: SLF001 (filled by who makes them all)
                found.append(item)
    return found


def _alive(config: Config, switch: str) -> set[Node]:
    """The blocks inside of which it is on somewhere."""
    on = (node for node in config.tree.named.get(switch, ()) if node.args[:1] != ["off"])
    return {block for node in on for block in node.ancestors()}


def _dead(config: Config, node: Node, switch: str, alive: set[Node]) -> bool:
    """Off here and in all blocks inside. Without an http block around, who knows what includes the file."""
    if node.parent in alive or not node.within("http"):
        return False
    applied = config.tree.applied(node.parent, switch)
    return not applied or applied[-1].args[:1] == ["off"]
