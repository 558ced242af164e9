"""The shape of a rule's file. What its expressions mean is checked by `advisor.engine.rule`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError, WithJsonSchema
from pydantic_core import ErrorDetails

from advisor.engine import written as shape
from advisor.engine.syntax import did_you_mean
from advisor.engine.written import ALIASES, Written, WrittenCase, WrittenStep
from advisor.formats.yaml import Document, Path
from advisor.records import fields_of
from advisor.snapshot.shapes import adapter_of

MAX_LETS = 12
"""Lets refer to earlier ones: with the depth of an expression this bounds the depth of evaluation."""


def written(value: object) -> object:
    """A bare number, true or false as text: it is an expression, or a quantity, as well."""
    return str(value) if isinstance(value, bool | int | float) else value


BARE = WithJsonSchema({"type": ["string", "number", "boolean"]})
"""How the schema tells what `written` takes."""

_TYPES = {
    "Expr": Annotated[str, BeforeValidator(written), Field(min_length=1, max_length=10_000), BARE],
    "Quantity": Annotated[str, BeforeValidator(written), Field(max_length=100), BARE],
    "Line": Annotated[str, Field(min_length=1, max_length=300)],
    "Prose": Annotated[str, Field(min_length=1, max_length=5_000)],
    "Id": Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=80)],
    "Word": Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)],
    "Reference": Annotated[str, Field(pattern=r"^(man:|kernel:|nginx:|rfc:|https://)\S+$", max_length=500)],
    "SeverityWord": Literal["info", "low", "medium", "high", "critical"],
    "Relation": Literal["at_least", "at_most", "exactly", "includes"],
    "LETS": Field(max_length=MAX_LETS),
    "STEPS": Field(max_length=20),
    "CASES": Field(max_length=100),
    "SOME": Field(min_length=1),
}
"""What the names in `advisor.engine.written` stand for here."""

_SAID = {
    "dict_type": "expected keys with values, as 'KEY: VALUE'",
    "list_type": "expected a list, as '[FIRST, SECOND]'",
    "string_type": "expected text",
    "bool_type": "expected true or false",
}
"""What pydantic says in words of Python's."""
_QUOTED = re.compile("'([^']*)'")

_PARTS: dict[str, type[object]] = {"remedies": WrittenStep, "cases": WrittenCase}


def explain(error: ErrorDetails, whole: type[object], parts: Mapping[str, type[object]]) -> tuple[Path, str]:
    """Where pydantic's complaint stands, and what it says in an author's words.

    Args:
        error: the complaint.
        whole: the record of the whole file.
        parts: the records inside it, by the key that they stand below.
    """
    path: Path = tuple(part for part in error["loc"] if part != "[key]")
    last = str(path[-1])[:80] if path else ""
    if error["type"] == "missing":
        return path, f"'{last}' is missing"
    if error["type"] == "extra_forbidden":
        known = keys(parts.get(str(path[0]), whole) if len(path) > 1 else whole)
        return path, f"unknown key '{last}'{did_you_mean(last, known)}"
    message = _SAID.get(error["type"], error["msg"])
    word, words = error["input"], _QUOTED.findall(str(error.get("ctx", {}).get("expected", "")))
    hint = did_you_mean(word, words) if isinstance(word, str) else ""
    return path, f"{last or 'the file'}: {message}{hint}"


def keys(record: type[object]) -> list[str]:
    """The keys a part of the file may have."""
    return [ALIASES.get(name, name) for name in fields_of(record)]


@cache
def adapter() -> TypeAdapter[Written]:
    """What checks the shape of a rule's file."""
    return adapter_of(Written, shape, _TYPES, ALIASES, strict=True)


def read(document: Document) -> tuple[Written | None, tuple[Path, str] | None]:
    """The rule, or where and what its first fault is."""
    try:
        return adapter().validate_python(document.value), None
    except ValidationError as error:
        return None, explain(error.errors(include_url=False)[0], Written, _PARTS)
