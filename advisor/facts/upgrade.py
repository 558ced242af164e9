"""What another version of nginx makes of a configuration: what it refuses, takes otherwise, or no longer heeds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from advisor.catalog.behaviours import BEHAVIOURS
from advisor.catalog.changes import APPEARED, BITES, INSTEAD, KEEPING, OLDER_DEFAULTS, PARAMETERS, REMOVED, Parameter
from advisor.catalog.directives import DIRECTIVES
from advisor.facts.bitten import bitten
from advisor.facts.config import Config
from advisor.facts.effective import applied
from advisor.facts.servers import Server
from advisor.facts.tree import Node

Version = tuple[int, ...]

REFUSED, DEFAULT, INERT, WARNED, BEHAVIOUR = "refused", "default", "inert", "deprecated", "behaviour"


class Where(NamedTuple):
    """A place of the configuration, and what it is called."""

    file: str
    line: int
    block: str


class Effect(NamedTuple):
    """One change that matters: ``kind`` is refused (the version does not start), default, inert, deprecated, behaviour.

    ``since`` is the version that made it, the last of them where several did; ``before`` and ``after`` say what earlier
    and later ones do; ``keep`` what to write to keep what was, empty where nothing does.
    """

    kind: str
    since: str
    title: str
    before: str
    after: str
    keep: str
    places: tuple[Where, ...]


def numbers(version: str) -> Version:
    """A version's numbers, to compare by."""
    return tuple(map(int, version.split(".")))


class Move:
    """A configuration that moves from one version to another."""

    def __init__(self, config: Config, servers: list[Server], was: Version, now: Version) -> None:
        self.config = config
        self.servers = servers
        self.was = was
        self.now = now

    def effects(self) -> list[Effect]:
        """Everything that matters: what is refused first, then in the order of the versions."""
        found = [*self._unknown(), *self._removed(), *self._parameters(), *self._inert(), *self._defaults()]
        found += self._behaviours()
        kinds = (REFUSED, DEFAULT, INERT, BEHAVIOUR, WARNED)
        return sorted(found, key=lambda one: (kinds.index(one.kind), numbers(one.since), one.title))

    def _up(self, since: str) -> bool:
        return self.was < numbers(since) <= self.now

    def _down(self, since: str) -> bool:
        return self.now < numbers(since) <= self.was

    def _unknown(self) -> Iterator[Effect]:
        for name, nodes in self.config.tree.named.items():
            since = APPEARED.get(name)
            if since is not None and self.now < numbers(since):
                before, keep = "unknown directive", "nothing: leave it out"
                yield Effect(REFUSED, since, _word(name), before, "it is known", keep, self._places(nodes))

    def _removed(self) -> Iterator[Effect]:
        for name, (since, instead) in REMOVED.items():
            nodes = self.config.tree.named.get(name)
            if nodes and self.now >= numbers(since):
                places = self._places(nodes)
                yield Effect(REFUSED, since, _word(name), "it is known", "unknown directive", instead, places)

    def _parameters(self) -> Iterator[Effect]:
        for one in PARAMETERS:
            nodes = [node for node in self.config.tree.named.get(one.directive, ()) if one.used(node.args)]
            kind = self._kind(one) if nodes else None
            if kind is None:
                continue
            words = dict.fromkeys(next(arg for arg in node.args if one.used([arg])) for node in nodes)
            title = f"{_word(one.directive)} ... {', '.join(words)}"
            keep = one.keep or "nothing: leave it out"
            yield Effect(kind, one.since, title, one.before, one.after or "it is known", keep, self._places(nodes))

    def _kind(self, one: Parameter) -> str | None:
        """What the version that is moved to makes of it; None where it takes it as it was."""
        later = self.now >= numbers(one.since)
        if one.after:
            return (REFUSED if one.refused else WARNED) if later and self._up(one.since) else None
        return REFUSED if not later else None

    def _inert(self) -> Iterator[Effect]:
        for entry in DIRECTIVES.values():
            nodes = self.config.tree.named.get(entry.name)
            if nodes and entry.gone and (self._up(entry.gone) or self._down(entry.gone)):
                keep = f"{INSTEAD[entry.name]}, which does its work" if entry.name in INSTEAD else ""
                before, after = "takes effect", "does nothing: nginx warns, and ignores it"
                yield Effect(INERT, entry.gone, entry.word, before, after, keep, self._places(nodes))

    def _defaults(self) -> Iterator[Effect]:
        steps = {name: entry.later for name, entry in DIRECTIVES.items() if entry.later}
        older = {name: tuple((since, now) for since, _, now in changes) for name, changes in OLDER_DEFAULTS.items()}
        for name, later in {**steps, **older}.items():
            first = OLDER_DEFAULTS[name][0][1] if name in older else DIRECTIVES[name].default
            before, after = _at(first, later, self.was), _at(first, later, self.now)
            blocks = bitten(BITES.get(name, "server"), self.config, self.servers) if before != after else []
            left = [block for block in blocks if not applied(self.config.tree, block, name).levels]
            if left:
                crossed = [since for since, _ in later if self._up(since) or self._down(since)]
                low, high = (before, after) if self.was < self.now else (after, before)
                keep = KEEPING.get(name, "") if before is None else f"{_word(name)} {before};"
                upstream = " of an upstream block" if name.startswith("upstream/") else ""
                title = f"{_word(name)}{upstream}"
                yield Effect(DEFAULT, crossed[-1], title, low or "none", high or "none", keep, self._places(left))

    def _behaviours(self) -> Iterator[Effect]:
        for one in BEHAVIOURS:
            if self._up(one.since) or self._down(one.since):
                blocks = bitten(one.bites, self.config, self.servers)
                if blocks:
                    keep = one.keep if self._up(one.since) else ""
                    yield Effect(BEHAVIOUR, one.since, one.title, one.before, one.after, keep, self._places(blocks))

    def _places(self, nodes: Iterable[Node]) -> tuple[Where, ...]:
        return tuple(
            Where(node.file, node.statement.line, self.config.called(node if _is_block(node) else node.parent))
            for node in nodes
        )


def _is_block(node: Node) -> bool:
    return node.statement.block is not None


def _word(name: str) -> str:
    return name.rpartition("/")[2]


def _at(first: str | None, later: tuple[tuple[str, str], ...], version: Version) -> str | None:
    found = first
    for since, text in later:
        found = text if version >= numbers(since) else found
    return found
