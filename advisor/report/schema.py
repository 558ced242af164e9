"""The JSON document of a report as pydantic models: what its JSON Schema is generated from.

Imported only to make the schema and to check documents, never to render one.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Number = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Host(_Model):
    """Where the numbers come from; null is what was not read. Memory in bytes, times in seconds."""

    name: str | None
    kernel: str | None
    cpus: Number | None
    memory: Number | None
    nginx: str | None
    workers: Number | None
    netns: str | None
    took: Seconds | None
    sample: Seconds | None
    root: bool | None
    cpu: Seconds | None
    profile: str | None
    share: Annotated[float, Field(ge=0, lt=1)] | None


class Location(_Model):
    """Where a finding points: line and column count from 1; ``logical`` holds no line."""

    file: str | None
    line: Annotated[int, Field(ge=1)] | None
    column: Annotated[int, Field(ge=1)] | None
    key: str | None
    logical: str


class Evidence(_Model):
    """A value the finding rests on, in base units (s, B, page, n and what they make), and where it was read."""

    name: str
    value: bool | float | str | None
    unit: str
    source: str


class Change(_Model):
    """One want: a sysctl key, or an nginx directive in a block of a file, stands in a relation to a value."""

    target: str
    relation: Literal["at_least", "at_most", "exactly", "includes"]
    value: float | str | None
    file: str | None
    block: str | None
    ordinal: Number | None


class Step(_Model):
    """What the finding asks for; ``skipped`` says why it can't be planned."""

    safety: Literal["safe", "unsafe", "manual"]
    needs: list[str]
    changes: list[Change]
    text: str
    skipped: str | None


class Suppression(_Model):
    """Who answers for a finding, where that is said, and the last day on which it holds."""

    kind: Literal["comment", "configuration", "baseline"]
    reason: str
    where: str | None
    until: str | None


class Finding(_Model):
    """A rule that failed at a place; the fingerprint holds no line and no measured value."""

    rule: str
    title: str
    item: str
    state: Literal["fail", "suppressed"]
    severity: Literal["critical", "high", "medium", "low", "info"]
    confidence: Literal["certain", "observed", "potential"]
    doubt: str | None
    maturity: str
    message: str
    why: str
    unless: str
    references: list[str]
    location: Location
    evidence: list[Evidence]
    steps: list[Step]
    expected: list[str]
    fingerprint: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    suppression: Suppression | None


class Unknown(_Model):
    """A rule that could not be judged everywhere, and the source it lacks."""

    rule: str
    source: str
    why: str


class Problem(_Model):
    """Something wrong with what was read."""

    source: str
    why: str


class BySeverity(_Model):
    """How many findings there are of each severity."""

    critical: Number
    high: Number
    medium: Number
    low: Number
    info: Number


class Summary(_Model):
    """The counts: findings without suppressed ones, unknown and quiet rules."""

    findings: Number
    by_severity: BySeverity
    suppressed: Number
    unknown: Number
    quiet: Number


class Document(_Model):
    """What ``advisor audit -f json`` writes."""

    format: Annotated[Literal["advisor.findings/v1"], Field(alias="schema")]
    advisor: str
    host: Host
    findings: list[Finding]
    unknown: list[Unknown]
    problems: list[Problem]
    summary: Summary


def schema_text() -> str:
    """The JSON Schema (draft 2020-12), as it is shipped in ``findings-v1.schema.json``."""
    return schema_of(Document, "findings:v1")


def schema_of(document: type[BaseModel], name: str) -> str:
    """The JSON Schema (draft 2020-12) of a document of ours, as text; ``name`` is its name and version."""
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:advisor:{name}",
        **document.model_json_schema(by_alias=True),
    }
    return json.dumps(schema, indent=2) + "\n"
