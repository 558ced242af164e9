"""The functions a rule may call: for each its type rule and what it does.

All but ``has`` and ``first`` are strict: Unknown if any argument is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from advisor.engine.code import Code, Env, Need
from advisor.engine.known import Unknown, join, unknown
from advisor.engine.types import BOOL, PORTS, VERSION, Problem, Type, fits, number, numbers, same_unit
from advisor.facts.values import Histogram, Version
from advisor.formats.ports import Ports
from advisor.records import dataclass
from advisor.units import NONE, PER_S, N, S

_LAST_PORT = 65535
_NO_FACTS = {"group", "list", "sysctl", "counters", "site"}

Build = Callable[[Sequence[Code]], Code]
"""Compiles a call, given its compiled arguments; raises `Problem`."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function: its usage, how many arguments it takes, and what a call of it compiles to."""

    usage: str
    least: int
    most: int
    build: Build


def strict(type_: Type, parts: Sequence[Code], apply: Callable[..., Any]) -> Code:
    """Code that applies a function of known values."""
    runs = [part.run for part in parts]

    def run(env: Env) -> object:
        values = [part(env) for part in runs]
        for value in values:
            if value.__class__ is Unknown:
                return join(values)
        return apply(*values)

    return Code(type_, run, requires_of(parts))


def requires_of(parts: Sequence[Code]) -> dict[str, Need]:
    """What several parts need, when all of them run."""
    return {path: need for part in reversed(parts) for path, need in part.requires.items()}


def _check(name: str, parts: Sequence[Code], *wanted: Type) -> None:
    for index, (part, want) in enumerate(zip(parts, wanted, strict=True)):
        if not fits(part.type, want):
            raise Problem(f"{name}() takes {want.spoken} here, and this is {part.type.spoken}", index)


def _common(name: str, parts: Sequence[Code]) -> Type:
    numbers(f"{name}()", [part.type for part in parts])
    common = parts[0].type
    for index, part in enumerate(parts[1:], 1):
        common = same_unit(f"{name}() mixes", common, part.type, "and", index)
    return common


def _extreme(name: str, apply: Callable[..., Any]) -> Build:
    return lambda parts: strict(_common(name, parts), parts, apply)


def _rounding(name: str, apply: Callable[[float], int]) -> Build:
    def build(parts: Sequence[Code]) -> Code:
        numbers(f"{name}()", [parts[0].type])
        return strict(parts[0].type, parts, apply)

    return build


def _typed(name: str, wanted: Sequence[Type], gives: Type, apply: Callable[..., Any]) -> Build:
    def build(parts: Sequence[Code]) -> Code:
        _check(name, parts, *wanted)
        return strict(gives, parts, apply)

    return build


def _pow2(value: float) -> int:
    """The least power of two that is not below the value; 1 for what is at most 1."""
    return 1 << max(0, math.ceil(value) - 1).bit_length()


def _quantile(ages: Histogram, share: float) -> float | Unknown:
    if not 0 <= share <= 1:
        return unknown("arithmetic", "the share of a quantile lies outside of 0 to 1")
    return ages.quantile(share)


def _within(ports: Ports, low: float, high: float) -> Ports:
    return ports.within(max(0, math.ceil(low)), min(_LAST_PORT, math.floor(high)))


def _version(parts: Sequence[Code]) -> Code:
    text = parts[0].constant
    if not isinstance(text, str):
        raise Problem('version() takes a constant: version("1.25.3")', 0)
    try:
        value = Version.parse(text)
    except ValueError:
        raise Problem(f"'{text}' is no version; write for example version(\"1.25.3\")", 0) from None
    return Code(VERSION, lambda _: value)


def _has(parts: Sequence[Code]) -> Code:
    name = parts[0].name
    if name is None or name.dotted.partition(".")[0] == "params":
        raise Problem("has() takes the name of a fact", 0)
    if name.type.kind in _NO_FACTS and not name.unset:
        raise Problem(f"has() takes the name of a fact, and this is {name.type.spoken}", 0)
    read = name.read

    def run(env: Env) -> bool | Unknown:
        value = read(env)
        return value if isinstance(value, Unknown) else value is not None

    return Code(BOOL, run, true=frozenset(name.unset))


def _first(parts: Sequence[Code]) -> Code:
    """The last may not be skipped, so what it requires is required."""
    kind = parts[0].type.kind
    for index, part in enumerate(parts):
        if part.type.kind != kind:
            raise Problem(f"first() mixes {parts[0].type.spoken} and {part.type.spoken}", index)
    type_ = _common("first", parts) if kind == "number" else parts[0].type
    choices = [(part.run, [need.read for need in part.requires.values()]) for part in parts]

    def run(env: Env) -> object:
        missing: list[object] = []
        for code, needs in choices:
            found = [need(env) for need in needs]
            if any(value is None for value in found):
                continue
            value = code(env)
            if value.__class__ is not Unknown:
                return value
            missing.append(value)
        return join(missing)

    return Code(type_, run, parts[-1].requires)


_MANY = 20
_COUNT = number(N)

FUNCTIONS: dict[str, Function] = {
    "min": Function("min(a, b, ...)", 2, _MANY, _extreme("min", min)),
    "max": Function("max(a, b, ...)", 2, _MANY, _extreme("max", max)),
    "ceil": Function("ceil(x)", 1, 1, _rounding("ceil", math.ceil)),
    "pow2": Function("pow2(x)", 1, 1, _rounding("pow2", _pow2)),
    "above": Function(
        "above(ages, seconds)", 2, 2, _typed("above", (Type("histogram"), number(S)), _COUNT, Histogram.above)
    ),
    "returning": Function(
        "returning(ages, seconds)",
        2,
        2,
        _typed("returning", (Type("histogram"), number(S)), number(PER_S), Histogram.returning),
    ),
    "quantile": Function(
        "quantile(ages, share)", 2, 2, _typed("quantile", (Type("histogram"), number(NONE)), number(S), _quantile)
    ),
    "size": Function("size(ports)", 1, 1, _typed("size", (PORTS,), _COUNT, len)),
    "within": Function("within(ports, low, high)", 3, 3, _typed("within", (PORTS, _COUNT, _COUNT), PORTS, _within)),
    "has": Function("has(name)", 1, 1, _has),
    "first": Function("first(a, b, ...)", 2, _MANY, _first),
    "version": Function('version("1.25.3")', 1, 1, _version),
}
