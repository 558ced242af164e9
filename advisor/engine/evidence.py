"""The named values a verdict rests on: each with its unit, where it was read, and how it prints."""

from __future__ import annotations

from advisor.engine.code import Env, Name
from advisor.engine.known import Unknown
from advisor.engine.text import printed
from advisor.findings import Evidence


def evidence(name: Name, env: Env) -> Evidence:
    """One value as it stands."""
    value = name.read(env)
    plain: bool | float | str | None
    if isinstance(value, Unknown):
        return Evidence(name.dotted, None, name.type.printed, value.missing[0].source, printed(name.type, value))
    text = printed(name.type, value)
    plain = value if value is None or isinstance(value, bool | int | float | str) else text
    # Facts may know that this snapshot took a source by another way than usual.
    read_by = getattr(env.facts, "read_by", str)
    return Evidence(name.dotted, plain, name.type.printed, read_by(name.source(env)), text)
