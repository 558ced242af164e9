"""The shape of a rule's file. What its expressions mean is checked by `advisor.engine.rule`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from advisor.engine.syntax import did_you_mean
from advisor.formats.yaml import Document, Path

MAX_LETS = 12
"""Lets refer to earlier ones: with the depth of an expression this bounds the depth of evaluation."""


def _written(value: object) -> object:
    """A bare number, true or false is an expression as well."""
    return str(value) if isinstance(value, bool | int | float) else value


Expr = Annotated[str, BeforeValidator(_written), Field(min_length=1, max_length=10_000)]
Quantity = Annotated[str, BeforeValidator(_written), Field(max_length=100)]
Line = Annotated[str, Field(min_length=1, max_length=300)]
Prose = Annotated[str, Field(min_length=1, max_length=5_000)]
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=80)]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Reference = Annotated[str, Field(pattern=r"^(man:|kernel:|nginx:|rfc:|https://)\S+$", max_length=500)]
SeverityWord = Literal["info", "low", "medium", "high", "critical"]
Wants = dict[Literal["at_least", "at_most", "exactly", "includes"], Expr]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class RemedyFile(_Model):
    """One step. Without ``sysctl`` and ``nginx`` it is advice, and its safety is manual."""

    text: Prose | None = None
    safety: Literal["safe", "unsafe", "manual"]
    if_: Annotated[Expr | None, Field(alias="if")] = None
    needs: list[Literal["reload", "re-listen", "restart", "reboot"]] | None = None
    sysctl: dict[str, Wants] = {}
    nginx: dict[str, Wants] = {}


class CaseFile(_Model):
    """An example: raw input, and what the rule must say of it."""

    name: Line
    expect: Literal["fail", "pass", "unknown", "not applicable"]
    severity: SeverityWord | None = None
    confidence: Literal["potential", "observed", "certain"] | None = None
    message: str | None = None
    like: str | None = None
    given: dict[str, Any] = {}


class RuleFile(_Model):
    """A rule."""

    id: Id
    aliases: list[Id] = []
    title: Line
    severity: Any
    maturity: Literal["preview", "stable", "deprecated"] = "stable"
    each: Line | None = None
    params: dict[Word, Quantity] = {}
    let: Annotated[dict[Word, Expr], Field(max_length=MAX_LETS)] = {}
    applies: Expr | None = None
    when: Expr
    observed: Expr | None = None
    message: Prose
    why: Prose
    unless: Prose
    references: Annotated[list[Reference], Field(min_length=1)]
    remedies: Annotated[list[RemedyFile], Field(max_length=20)] = []
    expected: list[Prose] = []
    consequence_of: list[Id] = []
    cases: Annotated[list[CaseFile], Field(max_length=100)]


_KNOWN: dict[str, type[BaseModel]] = {"remedies": RemedyFile, "cases": CaseFile}


def explain(error: ErrorDetails) -> tuple[Path, str]:
    """Where pydantic's complaint stands, and what it says in a rule author's words."""
    path: Path = tuple(part for part in error["loc"] if part != "[key]")
    last = str(path[-1]) if path else ""
    if error["type"] == "missing":
        return path, f"'{last}' is missing"
    if error["type"] == "extra_forbidden":
        model = _KNOWN.get(str(path[0]), RuleFile) if len(path) > 1 else RuleFile
        known = [field.alias or name for name, field in model.model_fields.items()]
        return path, f"unknown key '{last[:80]}'{did_you_mean(last, known)}"
    return path, f"{last[:80] or 'the file'}: {error['msg']}"


def read(document: Document) -> tuple[RuleFile | None, tuple[Path, str] | None]:
    """The rule, or where and what its first fault is."""
    try:
        return RuleFile.model_validate(document.value), None
    except ValidationError as error:
        return None, explain(error.errors(include_url=False, include_input=False)[0])
