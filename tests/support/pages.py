"""The generated parts of the pages: tables of rules, facts, sysctls, counters and options, between two comments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import typer

from advisor.catalog.counters import COUNTERS, GAUGES
from advisor.catalog.directives import DIRECTIVES, UNITS, Directive
from advisor.catalog.nginx import SETTINGS
from advisor.catalog.sysctl import KEYS, Key
from advisor.cli.main import app
from advisor.facts import site
from advisor.facts.derive import Facts
from advisor.facts.schema import FactType, members
from advisor.jobs import load
from advisor.jobs.explain import severities
from advisor.units import NONE, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_PART = re.compile(r"(<!-- begin (\w+)[^>]*-->\n)(.*?)(<!-- end \2 -->)", re.DOTALL)


def filled(page: str) -> str:
    """The page with each generated part made anew."""
    return _PART.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]()}\n{found[4]}", page)


def parts(page: str) -> list[str]:
    """The names of a page's generated parts."""
    return [found[2] for found in _PART.finditer(page)]


def _table(head: str, rows: Iterable[Iterable[str]]) -> str:
    columns = head.split(" | ")
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in lines)


def _line(doc: str) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join(doc.strip().partition("\n\n")[0].split()).replace("``", "`")


def _unit(unit: Unit) -> str:
    return "" if unit == NONE else unit.name


def rules() -> str:
    """Every rule."""
    return _table("rule | severity | title", ([rule.id, severities(rule), rule.title] for rule in load.rules()))


def facts() -> str:
    """Every root, and what may be named below it; the lists that ``each`` takes, with their items."""
    return "\n".join(_root(name, fact) for name, fact in members(Facts).items())


def _root(name: str, fact: FactType) -> str:
    head = f"### `{name}`\n\n{_line(fact.doc)}\n"
    if fact.kind in _ELSEWHERE:
        return f"{head}\n{_ELSEWHERE[fact.kind]}\n"
    assert fact.item is not None
    rows = list(_rows(f"{name}.", fact.item))
    lists = [(below, one) for below, one in members(fact.item).items() if one.kind == "list" and one.item is not None]
    tables = [_table("fact | kind | unit | meaning", rows)]
    tables += [
        f"An `item` of `{name}.{below}`:\n\n" + _table("fact | kind | unit | meaning", _rows("item.", one.item))
        for below, one in lists
        if one.item is not None
    ]
    return "\n".join([head, *tables])


_ELSEWHERE = {
    "sysctl": "`sysctl.KEY`, or `sysctl.KEY.PART` of a vector: the keys are listed below.",
    "counters": "`counters.NAME.since_boot`, `.delta` or `.per_second`: the names are listed below.",
    "site": "`site.NAME`, given as `--param NAME=QUANTITY`; each may be unset.",
}


def _rows(prefix: str, cls: type) -> Iterator[list[str]]:
    for name, fact in members(cls).items():
        kind = f"{fact.kind}, may be unset" if fact.unset else fact.kind
        yield [f"`{prefix}{name}`", kind, _unit(fact.unit), _line(fact.doc)]


def sysctls() -> str:
    """Every key of the catalogue."""
    return _table("key | unit | parts | default | a patch may write it | takes effect", map(_key, KEYS.values()))


def _key(key: Key) -> list[str]:
    kind = _unit(key.unit) or ("" if key.kind == "int" else key.kind)
    writes = "yes" if key.writable else "no"
    default = "; ".join(filter(None, (key.default, key.earlier, key.since and f"from Linux {key.since} on")))
    return [f"`{key.name}`", kind, ", ".join(key.parts), default, writes, ", ".join(key.needs) or "at once"]


def directives() -> str:
    """Every nginx directive that facts read."""
    return _table("directive | kind | default | contexts | since", map(_directive, DIRECTIVES.values()))


def _directive(one: Directive) -> list[str]:
    kind = f"{one.kind} ({UNITS[one.kind].name})" if one.kind in UNITS else one.kind
    defaults = [one.default or "", *(f"{text} from {since} on" for since, text in one.later)]
    since = f"until {one.gone}" if one.gone else one.since or ""
    return [f"`{one.name.replace('/', '.')}`", kind, ", ".join(filter(None, defaults)), one.contexts, since]


def settings() -> str:
    """Every nginx directive, or parameter of one, that a step may write."""
    rows = ([f"`{name}`", one.kind, ", ".join(one.needs)] for name, one in SETTINGS.items())
    return _table("directive | kind | takes effect", rows)


def counters() -> str:
    """Every counter and gauge that is read."""
    rows = ([f"`{name}`", "gauge" if name in GAUGES else "counter", meaning] for name, meaning in COUNTERS.items())
    return _table("name | kind | what it counts", rows)


def sites() -> str:
    """Every site fact."""
    rows = ([f"`{name}`", _unit(unit), site.MEANINGS[name]] for name, unit in site.PARAMETERS.items())
    return _table("name | unit | meaning", rows)


def options() -> str:
    """Every option, with the commands that take it."""
    takers: dict[str, list[str]] = {}
    helps: dict[str, str] = {}
    for command, one in _commands():
        for option in one.params:
            if option.param_type_name != "option" or option.name == "help":
                continue
            metavar = f" {option.metavar}" if option.metavar else ""
            words = f"`{', '.join(option.opts)}{metavar}`"
            takers.setdefault(words, []).append(command)
            helps[words] = option.help
    return _table("option | commands | meaning", ([name, ", ".join(takers[name]), helps[name]] for name in takers))


def _commands() -> Iterator[tuple[str, typer.core.TyperCommand]]:
    for name, one in typer.main.get_command(app()).commands.items():
        yield name, one
        for below, inner in getattr(one, "commands", {}).items():
            yield f"{name} {below}", inner


PARTS: dict[str, Callable[[], str]] = {
    "rules": rules,
    "facts": facts,
    "sysctls": sysctls,
    "directives": directives,
    "settings": settings,
    "counters": counters,
    "sites": sites,
    "options": options,
}
