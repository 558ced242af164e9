"""The shape of ``advisor.yaml``, and its JSON Schema. What its words mean is checked by `advisor.config.check`."""

from __future__ import annotations

import json
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError

from advisor.config import model
from advisor.config.meanings import MEANINGS
from advisor.config.model import Config, Host, Ignore
from advisor.engine.rulefile import BARE, explain, written
from advisor.errors import ConfigError, RuleError
from advisor.facts.site import PARAMETERS
from advisor.facts.workload import PROFILES
from advisor.findings import Confidence, Safety, Severity
from advisor.formats.yaml import Document
from advisor.formats.yaml import load as load_yaml
from advisor.snapshot.shapes import adapter_of

_TEXT = r"^[^\x00-\x1f\x7f]+$"
_TYPES = {
    "Switch": Annotated[bool, Field(strict=True)],
    "SeverityWord": Annotated[
        Literal["info", "low", "medium", "high", "critical"], AfterValidator(lambda word: Severity[word.upper()])
    ],
    "ConfidenceWord": Annotated[
        Literal["potential", "observed", "certain"], AfterValidator(lambda word: Confidence[word.upper()])
    ],
    "SafetyWord": Annotated[Literal["safe", "unsafe"], AfterValidator(Safety)],
    "RuleName": Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=80)],
    "ParamName": Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*\.[a-z][a-z0-9_]*$", max_length=141)],
    "SiteName": Literal[tuple(PARAMETERS)],
    "Quantity": Annotated[str, BeforeValidator(written), Field(max_length=100), BARE],
    "Profile": Literal[tuple(PROFILES)],
    "Version": Annotated[str, BeforeValidator(written), Field(max_length=40), BARE],
    "Glob": Annotated[str, Field(pattern=_TEXT, max_length=500)],
    "Folder": Annotated[str, Field(pattern=_TEXT, max_length=1000)],
    "Date": Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")],
    "Line": Annotated[str, Field(pattern=r"[^\s]", max_length=1000)],
    "Name": Annotated[str, Field(pattern=r"^[^\x00-\x20\x7f]+$", max_length=255)],
    "SOME": Field(min_length=1, max_length=500),
    "HUNDREDS": Field(max_length=500),
}
"""What the names in `advisor.config.model` stand for here."""

_PARTS: dict[str, type[object]] = {"ignores": Ignore, "hosts": Host}


class Draft(NamedTuple):
    """A configuration of the right shape, and where each part of it stands."""

    config: Config
    document: Document


def read(data: bytes, name: str) -> Draft:
    """Read an ``advisor.yaml``.

    Args:
        data: its bytes.
        name: the file, for messages.

    Raises:
        ConfigError: ``file:line:column: key: what is wrong``.
    """
    try:
        document = load_yaml(data, name)
    except RuleError as error:
        raise ConfigError(str(error)) from None
    if document.value is None:
        return Draft(Config(), document)
    try:
        return Draft(_adapter().validate_python(document.value), document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path, message = explain(first, Config, _PARTS)
        raise ConfigError(f"{document.at(path)}: {message}") from None


@cache
def _adapter() -> TypeAdapter[Config]:
    return adapter_of(Config, model, _TYPES, {}, strict=True)


def schema_text() -> str:
    """The JSON Schema (draft 2020-12), as it is shipped in ``advisor-v1.schema.json``."""
    found = _adapter().json_schema()
    _describe(found, MEANINGS)
    _describe(found["properties"]["ignores"]["items"], MEANINGS, "ignores.")
    (host,) = found["properties"]["hosts"]["patternProperties"].values()
    _describe(host, MEANINGS, "hosts.")
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:advisor:config:v1"}
    return json.dumps({**head, "title": "advisor.yaml", **found}, indent=2) + "\n"


def _describe(schema: dict[str, Any], meanings: dict[str, str], above: str = "") -> None:
    for name, one in schema["properties"].items():
        one.pop("title", None)
        one["description"] = meanings.get(above + name) or meanings[name]
