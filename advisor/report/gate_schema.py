"""The JSON document of the gate as pydantic models: what its JSON Schema is generated from.

Imported only to make the schema and to check documents, never to render one.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from advisor.report import schema
from advisor.report.schema import BySeverity, Host, Number, Problem

Positive = Annotated[int, Field(ge=1)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Verdict(_Model):
    """0: nothing counts; 1: findings count; 2: the configuration or a rule is wrong; 3: not everything was judged."""

    exit_code: Annotated[int, Field(ge=0, le=4)]
    failed: bool
    policy: str


class Target(_Model):
    """What was judged as one host, and the files that were read of it."""

    name: str
    kind: Literal["nginx", "sysctl", "nginx and sysctl", "snapshot", "host"]
    files: list[str]
    host: Host


class Waypoint(_Model):
    """A step on the way to the value in force; ``length`` is of the marked text."""

    text: str
    path: str | None
    line: Positive | None
    column: Positive | None
    excerpt: str | None
    length: Number


class Replacement(_Model):
    """Bytes ``start`` up to ``end`` of a file give way to ``new`` (Base64); ``text``: the same, where it is UTF-8.

    Lines and columns count from 1, columns in code points.
    """

    path: str
    start: Number
    end: Number
    start_line: Positive
    start_column: Positive
    end_line: Positive
    end_column: Positive
    new: Annotated[str, Field(json_schema_extra={"contentEncoding": "base64"})]
    text: str | None


class Finding(schema.Finding):
    """A finding with what the gate makes of it; its fingerprint is unique in the document.

    ``place`` is what the fingerprint is of, beside the rule. ``path`` is the file from the top of the repository, null
    outside of it. ``counts``: it makes the gate fail; ``why_not``: why it does not.
    """

    place: str
    target: str
    path: str | None
    counts: bool
    why_not: str | None
    flow: list[Waypoint]
    fix: list[Replacement]


class Gone(_Model):
    """Findings that the baseline holds and that are there no more."""

    rule: str
    place: str
    path: str | None
    count: Positive


class Fault(_Model):
    """Something that could not be read, understood or judged."""

    message: str
    kind: Literal["target", "configuration", "rule"]
    path: str | None
    line: Positive | None
    column: Positive | None


class Unknown(_Model):
    """A rule that could not be judged in some targets, the source it lacks, and in how many."""

    rule: str
    source: str
    why: str
    targets: Positive


class Suppressed(_Model):
    """How many findings somebody answered for, by who says so."""

    comment: Number
    configuration: Number
    baseline: Number


class Summary(_Model):
    """The counts: findings without suppressed ones, unknown and quiet rules."""

    findings: Number
    counting: Number
    by_severity: BySeverity
    suppressed: Suppressed
    fixed: Number
    faults: Number
    unknown: Number
    quiet: Number


class Document(_Model):
    """What ``advisor gate -f json`` writes. ``quiet`` names the rules that neither found nor lacked anything."""

    format: Annotated[Literal["advisor.gate/v1"], Field(alias="schema")]
    advisor: str
    verdict: Verdict
    targets: list[Target]
    findings: list[Finding]
    baseline: str | None
    fixed: list[Gone]
    faults: list[Fault]
    unknown: list[Unknown]
    problems: list[Problem]
    quiet: list[str]
    summary: Summary


def schema_text() -> str:
    """The JSON Schema (draft 2020-12), as it is shipped in ``gate-v1.schema.json``."""
    return schema.schema_of(Document, "gate:v1")
