"""The steps of a rule: what they may change is checked when the rule loads; what they want is computed on a failure."""

from __future__ import annotations

import math
from collections.abc import Callable

from advisor.catalog import nginx as nginx_catalog
from advisor.catalog.sysctl import KEYS, Key, lookup
from advisor.engine.code import Code, Env
from advisor.engine.compile import compile_expression
from advisor.engine.known import Unknown, unread
from advisor.engine.scope import Scope
from advisor.engine.syntax import Source, did_you_mean
from advisor.engine.text import Text, compile_text
from advisor.engine.types import BOOL, PORTS, TEXT, Type, fits, number
from advisor.engine.written import WrittenStep
from advisor.errors import Unread
from advisor.findings import Change, Relation, Safety, Step
from advisor.formats.yaml import Path
from advisor.records import dataclass

SourceAt = Callable[[Path, str], Source]
_ORDER = ("reload", "re-listen", "restart", "reboot")


@dataclass(frozen=True, slots=True)
class Target:
    """One want, compiled. ``key`` is a sysctl's; without one the target is an nginx directive of the item."""

    name: str
    relation: Relation
    value: Code
    key: Key | None


@dataclass(frozen=True, slots=True)
class Remedy:
    """A compiled step."""

    safety: Safety
    text: Text
    condition: Code | None
    needs: tuple[str, ...]
    targets: tuple[Target, ...]

    def step(self, env: Env) -> Step | None:
        """The step as a finding asks for it; None where its ``if`` is False.

        What it can't know (an Unknown condition or value, a place that can't be edited) is said in ``skipped``.
        """
        wanted = self.condition.run(env) if self.condition else True
        if wanted is False:
            return None
        text = self.text.render(env)
        try:
            changes = tuple(_change(target, env) for target in self.targets) if wanted is True else ()
            skipped = f"needs {wanted.needs}" if isinstance(wanted, Unknown) else None
        except _Skip as reason:
            return Step(self.safety, text, self.needs, (), reason.why)
        return Step(self.safety, text, self.needs, changes, skipped)


class _Skip(Exception):  # noqa: N818 (a signal inside this module)
    """Why a step can't be planned."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def compile_remedy(
    step: WrittenStep, condition: Code | None, scope: Scope, known: frozenset[str], source: SourceAt
) -> Remedy:
    """Check and compile one step.

    Args:
        step: the step as its file has it.
        condition: its ``if``.
        scope: the names it may use.
        known: names known to be set where it runs.
        source: gives a path inside the step, and its text, their place.

    Raises:
        RuleError: when a target may not be written, or a value has not the target's unit.
    """
    manual = step.safety == "manual"
    if manual is bool(step.sysctl or step.nginx):
        way = "advice changes nothing" if manual else "name a sysctl or an nginx directive, or make it manual"
        raise source(("safety",), step.safety).error(f"'{step.safety}' does not fit what the step does: {way}")
    if manual and not step.text:
        raise source((), "").error("a manual step needs its advice as 'text'")
    targets = [
        *(_sysctl(name, wants, scope, known, source) for name, wants in step.sysctl.items()),
        *(_nginx(name, wants, scope, known, source) for name, wants in step.nginx.items()),
    ]
    text = compile_text(source(("text",), step.text or ""), scope, known)
    needs = tuple(step.needs) if step.needs is not None else _needs(targets)
    return Remedy(Safety(step.safety), text, condition, needs, tuple(targets))


def _needs(targets: list[Target]) -> tuple[str, ...]:
    found = {need for target in targets for need in _documented(target)}
    return tuple(sorted(found, key=lambda need: _ORDER.index(need) if need in _ORDER else len(_ORDER)))


def _documented(target: Target) -> tuple[str, ...]:
    return target.key.needs if target.key else nginx_catalog.SETTINGS[target.name].needs


def _sysctl(name: str, wants: dict[str, str], scope: Scope, known: frozenset[str], source: SourceAt) -> Target:
    where = source(("sysctl", name), name)
    found = lookup(name)
    if found is None or not found[0].writable:
        writable = [key.name for key in KEYS.values() if key.writable]
        raise where.error(f"'{name}' is no sysctl that a patch may write{did_you_mean(name, writable)}")
    key, part = found
    if key.kind == "vector" and part is None:
        raise where.error(f"'{name}' holds several values; name one: {', '.join(f'{name}.{one}' for one in key.parts)}")
    wanted = {"ports": PORTS, "string": TEXT}.get(key.kind, number(key.unit))
    relation, value = _want(("sysctl", name), wants, scope, known, source)
    allowed = {"ports": ("includes", "exactly"), "string": ("exactly",)}.get(
        key.kind, ("at_least", "at_most", "exactly")
    )
    if relation not in allowed:
        raise where.error(f"'{relation}' does not fit {name}; it takes {' or '.join(allowed)}")
    _fit(value, wanted, source(("sysctl", name, relation), wants[relation]))
    return Target(name, Relation(relation), value, key)


def _nginx(name: str, wants: dict[str, str], scope: Scope, known: frozenset[str], source: SourceAt) -> Target:
    where = source(("nginx", name), name)
    if name not in nginx_catalog.SETTINGS:
        raise where.error(
            f"'{name}' is no directive that a patch may write{did_you_mean(name, nginx_catalog.SETTINGS)}"
        )
    if not callable(getattr(scope.item, "place", None)):
        raise where.error("an nginx directive needs 'each' over items that have a place in the configuration")
    relation, value = _want(("nginx", name), wants, scope, known, source)
    setting = nginx_catalog.SETTINGS[name]
    wanted = BOOL if setting.kind == "flag" else TEXT if setting.unit is None else number(setting.unit)
    allowed = ("exactly",) if setting.unit is None else ("at_least", "at_most", "exactly")
    if relation not in allowed:
        raise where.error(f"'{relation}' does not fit {name}; it takes {' or '.join(allowed)}")
    _fit(value, wanted, source(("nginx", name, relation), wants[relation]))
    return Target(name, Relation(relation), value, None)


def _want(path: Path, wants: dict[str, str], scope: Scope, known: frozenset[str], source: SourceAt) -> tuple[str, Code]:
    if len(wants) != 1:
        raise source(path, str(path[-1])).error("write one of at_least, at_most, exactly, includes")
    relation, text = next(iter(wants.items()))
    return relation, compile_expression(source((*path, relation), text), scope, known)


def _fit(value: Code, wanted: Type, source: Source) -> None:
    if not fits(value.type, wanted):
        raise source.error(f"wants {value.type.spoken} where {wanted.spoken} stands")


def _change(target: Target, env: Env) -> Change:
    value = target.value.run(env)
    if isinstance(value, Unknown):
        raise _Skip(f"needs {value.needs}")
    written: float | str = ("on" if value else "off") if isinstance(value, bool) else value
    if target.value.type.kind == "number":
        written = _whole(target, value / target.key.scale if target.key else value)
    elif target.value.type.kind == "ports":
        written = str(value)
    if target.key is not None:
        return Change(target.name, target.relation, written)
    try:
        place = getattr(env.item, "place")(target.name)  # noqa: B009 (items are known by reflection only)
    except Unread as signal:
        raise _Skip(f"needs {unread(signal).needs}") from None
    return Change(target.name, target.relation, written, place)


def _whole(target: Target, value: float) -> int:
    """A whole number in the target's own unit, inside its range."""
    rounding = {Relation.AT_LEAST: math.ceil, Relation.AT_MOST: math.floor}.get(target.relation, round)
    whole = rounding(value)
    key = target.key
    if target.relation is Relation.EXACTLY and whole != value:
        raise _Skip(f"{target.name} takes whole numbers, and {value} is none")
    if key and key.high is not None and whole > key.high and target.relation is not Relation.AT_MOST:
        raise _Skip(f"{target.name} goes up to {key.high:,}, and {whole:,} are wanted")
    if key and key.low is not None and whole < key.low and target.relation is not Relation.AT_LEAST:
        raise _Skip(f"{target.name} goes down to {key.low:,}, and {whole:,} are wanted")
    return whole
