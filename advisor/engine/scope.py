"""Names: what a rule may speak of, found by reflection over the classes of facts.

The class of a root, or of a group below it, may be marked by ``FACT_KIND``:

``group``     its own members are names;
``sysctl``    names go on with a sysctl key and perhaps a part; it has ``value(key, part)``, ``origin(key)`` and
              ``location(key)``;
``counters``  names go on with a counter and an aspect; it has ``value(name, aspect)`` and ``origin(name)``;
``site``      names go on with a site fact; it has ``value(name)``, which is None where the user did not say;
``directives`` names go on with an nginx directive (``here.sendfile``, ``here.upstream.keepalive``); it has
              ``value(name)``, None where neither the files nor nginx have a value, and ``origin(name)``;
``setters``   names go on with an nginx directive and are the list of places that set it; it has ``all(name)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from advisor.catalog.counters import COUNTERS, measure
from advisor.catalog.directives import DIRECTIVES, UNITS, Directive
from advisor.catalog.sysctl import KEYS, lookup
from advisor.catalog.sysctl_dead import DEAD
from advisor.engine.code import Code, Env, Name, Run
from advisor.engine.known import Unknown, unread
from advisor.engine.syntax import did_you_mean
from advisor.engine.types import BOOL, PORTS, TEXT, Problem, Type, number, of_fact
from advisor.errors import Unread
from advisor.facts import site as site_facts
from advisor.facts.counters import ASPECTS
from advisor.facts.schema import FactType, members
from advisor.facts.settings import BY_KIND
from advisor.records import dataclass, field
from advisor.units import S, Unit


@dataclass(slots=True)
class Scope:
    """The names one rule may use.

    Args:
        facts: the root class of facts.
        item: the class of an item, for a rule with ``each``.
        each: what ``each`` ranges over, as evidence names it.
        params: the rule's parameters.
        lets: the named values so far, each with its formula; filled as they are compiled.
    """

    facts: type
    item: type | None = None
    each: str = ""
    params: Mapping[str, Unit] = field(default_factory=dict)
    lets: dict[str, tuple[Code, str]] = field(default_factory=dict)

    def resolve(self, dotted: str) -> Name:
        """What a dotted name means.

        Raises:
            Problem: when nothing is called so; with the nearest name that is there.
        """
        head, *rest = dotted.split(".")
        if head == "item":
            if self.item is None:
                raise Problem("'item' has a meaning only in a rule with 'each'")
            start = FactType("item", item=self.item)
            return _walk(dotted, start, ["item"], rest, self._of_item)
        if head == "params":
            return self._param(dotted, rest)
        if dotted in self.lets:
            return self._let(dotted)
        roots = members(self.facts)
        if head not in roots:
            known = [*roots, *self.lets, "params", *(["item"] if self.item else [])]
            raise Problem(f"unknown name '{_short(head)}'{did_you_mean(head, known)}")
        return _shared(_walk(dotted, roots[head], [head], rest, partial(_always, head)))

    def _of_item(self, env: Env) -> str:
        location = getattr(env.item, "location", None)
        if location is None or location.file is None:
            return self.each
        return location.file if location.line is None else f"{location.file}:{location.line}"

    def _param(self, dotted: str, rest: list[str]) -> Name:
        name = ".".join(rest)
        if name not in self.params:
            raise Problem(f"unknown parameter '{_short(name)}'{did_you_mean(name, self.params)}")
        return Name(dotted, number(self.params[name]), lambda env: env.params[name], lambda _: "parameter")

    def _let(self, name: str) -> Name:
        code, formula = self.lets[name]
        run = code.run
        if self._steady(name):
            return Name(name, code.type, _once(run, run), lambda _: formula)

        def read(env: Env) -> object:
            if name not in env.lets:
                env.lets[name] = run(env)
            return env.lets[name]

        return Name(name, code.type, read, lambda _: formula)

    def _steady(self, let: str) -> bool:
        """Whether a named value depends on the facts alone: on no item, and on no parameter that a site overrides."""
        code, _ = self.lets[let]
        return all(
            self._steady(name) if name in self.lets else name.partition(".")[0] not in {"item", "params"}
            for name in code.names
        )


def _shared(name: Name) -> Name:
    """A name of the facts: what it reads is the same for every item and every rule."""
    unset = {path: _once(path, read) for path, read in name.unset.items()}
    read = _once(name.dotted, name.read)
    return Name(name.dotted, name.type, read, name.source, unset, name.key, name.item)


def _once(key: object, read: Run) -> Run:
    """Reads at most once for all that is judged by the same facts."""

    def kept(env: Env) -> object:
        shared = env.shared
        if key not in shared:
            shared[key] = read(env)
        return shared[key]

    return kept


def _always(text: str, _: Env) -> str:
    return text


def _short(name: str) -> str:
    return name if len(name) <= 60 else name[:57] + "..."  # noqa: PLR2004 (what fits a line of a message)


def _walk(dotted: str, fact: FactType, done: list[str], rest: list[str], source: Callable[[Env], str]) -> Name:
    unset: dict[str, Run] = {}
    while True:
        if fact.unset:
            unset[".".join(done)] = reader(tuple(done))
        if fact.source is not None:
            source = partial(_always, fact.source)
        if fact.kind in _SPECIAL:
            return _SPECIAL[fact.kind](dotted, reader(tuple(done)), rest) if rest else _plain(dotted, fact)
        if not rest:
            return Name(dotted, of_fact(fact), reader(tuple(done)), source, unset, item=fact.item)
        if fact.item is None or fact.kind == "list":
            raise Problem(f"'{'.'.join(done)}' is {of_fact(fact).spoken}; nothing of it is called '{_short(rest[0])}'")
        known = members(fact.item)
        if rest[0] not in known:
            raise Problem(f"'{'.'.join(done)}' has no '{_short(rest[0])}'{did_you_mean(rest[0], known)}")
        fact = known[rest[0]]
        done.append(rest.pop(0))


def _plain(dotted: str, fact: FactType) -> Name:
    return Name(dotted, of_fact(fact), lambda _: None, lambda _: dotted)


def reader(path: Sequence[str]) -> Run:
    """Reads a path of attributes, of the item or of the facts; None as soon as a part is not set."""
    of_item = path[0] == "item"
    attributes = path[1:] if of_item else path
    if of_item and len(attributes) == 1:
        return _of_item(attributes[0])

    def read(env: Env) -> object:
        value: Any = env.item if of_item else env.facts
        try:
            for attribute in attributes:
                value = getattr(value, attribute)
                if value is None:
                    return None
        except Unread as signal:
            return unread(signal)
        return value

    return read


def _of_item(attribute: str) -> Run:
    """What is read most often, in half the time."""

    def read(env: Env) -> object:
        try:
            return getattr(env.item, attribute)
        except Unread as signal:
            return unread(signal)

    return read


def _call(owner: Run, method: str, *arguments: str | None) -> Run:
    """Reads by a method of one of the marked groups."""

    def read(env: Env) -> object:
        group = owner(env)
        if group is None or isinstance(group, Unknown):
            return group
        try:
            return getattr(group, method)(*arguments)
        except Unread as signal:
            return unread(signal)

    return read


def _sysctl(dotted: str, owner: Run, rest: list[str]) -> Name:
    found = lookup(name := ".".join(rest))
    if found is None:
        dead = DEAD.get(name)
        hint = f"; {dead.since}" if dead else did_you_mean(name, _sysctl_names())
        raise Problem(f"unknown sysctl '{_short(name)}'{hint}")
    key, part = found
    kind = TEXT if key.kind == "string" or (key.kind == "vector" and part is None) else number(key.unit)
    kind = PORTS if key.kind == "ports" else kind
    return Name(dotted, kind, _call(owner, "value", key.name, part), _call(owner, "origin", key.name), key=key.name)


def _sysctl_names() -> list[str]:
    return [name for key in KEYS.values() for name in (key.name, *(f"{key.name}.{part}" for part in key.parts))]


def _counter(dotted: str, owner: Run, rest: list[str]) -> Name:
    name, aspect = ".".join(rest[:-1]), rest[-1]
    if aspect not in ASPECTS:
        raise Problem(f"a counter's name ends with .{', .'.join(ASPECTS)}{did_you_mean(aspect, ASPECTS)}")
    if name not in COUNTERS:
        raise Problem(f"unknown counter '{_short(name)}'{did_you_mean(name, COUNTERS)}")
    unit = measure(name)[0]
    unit = unit.per(S) if aspect == "per_second" else unit
    return Name(dotted, number(unit), _call(owner, "value", name, aspect), _call(owner, "origin", name))


def _site(dotted: str, owner: Run, rest: list[str]) -> Name:
    name = ".".join(rest)
    if name not in site_facts.PARAMETERS:
        raise Problem(f"unknown site fact '{_short(name)}'{did_you_mean(name, site_facts.PARAMETERS)}")
    read = _call(owner, "value", name)
    return Name(dotted, Type("number", site_facts.PARAMETERS[name]), read, lambda _: "site", {dotted: read})


def _entry(rest: list[str]) -> Directive:
    name = "/".join(rest)
    if name not in DIRECTIVES:
        known = [one.replace("/", ".") for one in DIRECTIVES]
        raise Problem(f"unknown directive '{_short('.'.join(rest))}'{did_you_mean('.'.join(rest), known)}")
    return DIRECTIVES[name]


def _directive(dotted: str, owner: Run, rest: list[str]) -> Name:
    entry = _entry(rest)
    kind = BOOL if entry.kind == "flag" else number(UNITS[entry.kind]) if entry.kind in UNITS else TEXT
    read = _call(owner, "value", entry.name)
    unset = {dotted: read} if entry.default is None else {}
    return Name(dotted, kind, read, _call(owner, "origin", entry.name), unset)


def _setters(dotted: str, owner: Run, rest: list[str]) -> Name:
    entry = _entry(rest)
    return Name(dotted, Type("list"), _call(owner, "all", entry.name), lambda _: dotted, item=BY_KIND[entry.kind])


_SPECIAL: dict[str, Callable[[str, Run, list[str]], Name]] = {
    "sysctl": _sysctl,
    "counters": _counter,
    "site": _site,
    "directives": _directive,
    "setters": _setters,
}
