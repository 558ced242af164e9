"""Wanted reuse of upstream connections into edits: the upstream block, its pool, and what each location lacks.

Sources: ngx_http_upstream_module.html#keepalive, ngx_http_proxy_module.html, CHANGES (1.29.7).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from advisor.catalog.directives import default
from advisor.catalog.nginx import SETTINGS
from advisor.errors import PlanError, Unread
from advisor.facts.derive import Facts
from advisor.facts.places import Place
from advisor.facts.routes import Route
from advisor.facts.tree import Node
from advisor.facts.upstreams import POOLED, Upstream
from advisor.formats.nginx_edit import At, Edit, Insert, InsertBlock, Remove, SetArgs
from advisor.formats.nginx_values import parse_count, parse_time, write_time
from advisor.remedy.lattice import Wants
from advisor.remedy.nginx import Args, NginxChange

_POOL = int(default("upstream/keepalive", POOLED) or 0)
"""Idle connections that nginx keeps by itself from 1.29.7 on (CHANGES)."""
_MARGIN = 1.0
"""Seconds between the end of nginx's patience and the backend's: what a request takes to get there, and more."""
_IDLE = parse_time(default("upstream/keepalive_timeout", None) or "") or 0.0
"""Seconds for which an upstream block keeps an idle connection (ngx_http_upstream_module.html#keepalive_timeout)."""


def reuse(facts: Facts, place: Place, _: Node | None, want: Wants) -> list[NginxChange]:
    """Every edit that makes nginx use connections to one target again.

    Args:
        facts: of the snapshot as it is.
        place: where ``upstream.reuse`` begins (see `advisor.facts.passes.Pass.place`).
        want: how many idle connections each worker shall keep.

    Raises:
        PlanError: when only a person can do it.
    """
    try:
        return [*_Writer(facts, place, want).changes()]
    except Unread as unread:
        raise PlanError(f"{place.file}: the connections there can't be made to last: {unread.why}") from None


class _Writer:
    """The edits of one target."""

    def __init__(self, facts: Facts, place: Place, want: Wants) -> None:
        passing = facts.nginx.passing
        self.facts = facts
        self.want = want
        self.group: list[Route] = passing.by_place[place]
        self.wanted = passing.wanted(place)
        self.pooled = facts.nginx.config.version is not None and facts.nginx.config.version >= POOLED

    def changes(self) -> Iterator[NginxChange]:
        """All of them."""
        upstream = self.group[0].upstream
        if upstream is not None:
            yield from self._pool(upstream)
        elif self.wanted.upstream is not None:
            yield self._block(self.wanted.upstream)
        # A file that is included twice has its statements once.
        for node, args in {node.place: (node, args) for node, args in self.wanted.changed.items()}.values():
            yield self._set(node, args)
        for block, added in self.wanted.added.values():
            yield from self._added(block, added)

    def _pool(self, upstream: Upstream) -> Iterator[NginxChange]:
        own = upstream.keepalives
        now = parse_count(own[-1].args[0]) if own and own[-1].args else None
        size = str(int(self.want.value(now if now is not None else _POOL if self.pooled else 0)))
        node = own[-1] if own else None
        if node is None and (not self.pooled or int(size) != _POOL):
            yield self._new(upstream.node, "keepalive", (size,), 0, ((size,),))
        elif node is not None and upstream.method_late and not self.pooled:
            yield self._change(node.place, _text(node), None, ((size,),), Remove(_at(node.place)))
            yield self._new(upstream.node, "keepalive", (size, *node.args[1:]), 0, ((size,),))
        elif node is not None and int(size) != now:
            yield self._set(node, (size, *node.args[1:]))

    def _block(self, name: str) -> NginxChange:
        """The upstream block of an address that had none; it holds idle connections for less than the backend does."""
        http = self.facts.nginx.config.tree.named["http"][0]
        host = self.group[0].target.host
        body: list[Args] = [("server", host), ("keepalive", str(int(self.want.value(0))))]
        idle = self.facts.site.value("backend_idle")
        if idle is not None and idle <= _IDLE:
            body.append(("keepalive_timeout", write_time(max(idle - _MARGIN, idle / 2), "s")))
        ordinal = sum(child.name == "upstream" and child.file == http.file for child in http.children)
        place = Place(http.file, http.path, "upstream", ordinal)
        lines = " ".join(f"{' '.join(line)};" for line in body)
        after = f"upstream {name} {{ {lines} }}"
        return self._change(place, None, after, (), InsertBlock(http.path, "upstream", (name,), tuple(body)))

    def _added(self, block: Node, added: list[Args]) -> Iterator[NginxChange]:
        """New statements of a location; a set of headers is meant as a whole."""
        tree = self.facts.nginx.config.tree
        seen: Counter[str] = Counter()
        for name, *rest in added:
            own = tree.own(block, name)
            whole = [self.wanted.changed.get(node, tuple(node.args)) for node in own]
            whole += [tuple(one[1:]) for one in added if one[0] == name]
            here = sum(node.file == block.file and node.block == block.path for node in own)
            yield self._new(block, name, tuple(rest), here + seen[name], tuple(whole))
            seen[name] += 1

    def _set(self, node: Node, args: Args) -> NginxChange:
        own = self.facts.nginx.config.tree.own(node.parent, node.name)
        whole = tuple(self.wanted.changed.get(one, tuple(one.args)) for one in own) or (args,)
        added = self.wanted.added.get(node.parent.place, (node, []))[1] if node.parent is not None else []
        whole += tuple(tuple(one[1:]) for one in added if one[0] == node.name)
        after = " ".join([node.name, *map(_shown, args)])
        return self._change(node.place, _text(node), after, whole, SetArgs(_at(node.place), args))

    def _new(self, block: Node, name: str, args: Args, ordinal: int, meant: tuple[Args, ...]) -> NginxChange:
        after = " ".join([name, *map(_shown, args)])
        place = Place(block.file, block.path, name, ordinal)
        return self._change(place, None, after, meant, Insert(block.path, name, args))

    def _change(
        self, place: Place, before: str | None, after: str | None, meant: tuple[Args, ...], edit: Edit
    ) -> NginxChange:
        target = self.want.target[1]
        return NginxChange(place, target, before, after, meant, self.want.rules, SETTINGS[target].needs, edit)


def _text(node: Node) -> str:
    return " ".join([node.name, *map(_shown, node.args)])


def _shown(text: str) -> str:
    return text or '""'


def _at(place: Place) -> At:
    return At(place.block, place.directive, place.ordinal)
