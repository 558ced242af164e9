"""The JSON Schema of a rule's file, for editors: shapes, words, and what a step may write.

What it can't say (names of facts, units, guards) is said by ``advisor rules test``.
"""

from __future__ import annotations

import json
from typing import Any

from advisor.catalog.nginx import SETTINGS
from advisor.catalog.sysctl import KEYS
from advisor.engine.rulefile import adapter

_WORDS = ["info", "low", "medium", "high", "critical"]
_SEVERITY: dict[str, Any] = {
    "oneOf": [
        {"enum": _WORDS},
        {
            "type": "array",
            "minItems": 1,
            "items": {
                "oneOf": [
                    {"enum": _WORDS},
                    {
                        "type": "object",
                        "propertyNames": {"enum": _WORDS},
                        "minProperties": 1,
                        "maxProperties": 1,
                        "additionalProperties": {"type": ["string", "boolean"]},
                    },
                ]
            },
        },
    ]
}
_MEANINGS = {
    "id": "the file's name without .yaml; it names the problem, not the cure",
    "aliases": "ids that it had before",
    "title": "one line, true for every finding of it",
    "severity": "the harm; or steps, [{high: EXPRESSION}, medium], of which the first true one counts",
    "maturity": "only stable rules make a gate fail, unless it is asked for preview rules",
    "each": "a list of facts: the rule is judged once for each item of it",
    "params": "named quantities that a site may override: 60 s, 50 %, 100 sockets, 4 MiB",
    "let": "named values, each an expression; a later one may use an earlier one",
    "applies": "where it is false, the rule has nothing to say",
    "when": "where it is true, the rule fails",
    "observed": "true: the harm was seen; false: potential; left out: certain",
    "message": "one line with the numbers; {EXPRESSION} gives a value",
    "why": "what happens; may hold {EXPRESSION}",
    "unless": "when it is right to leave it",
    "references": "at least one of man:, kernel:, nginx:, rfc: or https://",
    "remedies": "steps in order: the first permitted one that can be planned is taken",
    "expected": "what will be different afterwards; may hold {EXPRESSION}",
    "consequence_of": "rules whose cure goes first",
    "cases": "examples that advisor rules test runs; one fails, and one does not",
}


def schema_text() -> str:
    """The schema, draft 2020-12."""
    found = adapter().json_schema(by_alias=True)
    fields = found["properties"]
    fields["severity"] = dict(_SEVERITY)
    for name, one in fields.items():
        one.pop("title", None)
        one["description"] = _MEANINGS[name]
    step = fields["remedies"]["items"]["properties"]
    writable = [key for key in KEYS.values() if key.writable]
    parts = [f"{key.name}.{part}" for key in writable for part in key.parts]
    step["sysctl"]["propertyNames"] = {"enum": sorted([*(key.name for key in writable), *parts])}
    step["nginx"]["propertyNames"] = {"enum": sorted(SETTINGS)}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:advisor:rule:v1"}
    return json.dumps({**head, "title": "a rule of advisor", **found}, indent=2) + "\n"
