"""The JSON Schemas of the files that people write: rules, and the configuration."""

from __future__ import annotations

from advisor.engine.syntax import did_you_mean
from advisor.errors import UsageError


def text(of: str) -> str:
    """The schema of a ``rule``'s file, or of the ``config``, draft 2020-12.

    Raises:
        UsageError: for anything else.
    """
    if of == "rule":
        from advisor.engine import ruleschema  # noqa: PLC0415 (pydantic, for this command alone)

        return ruleschema.schema_text()
    if of == "config":
        from advisor.config import read  # noqa: PLC0415 (likewise)

        return read.schema_text()
    raise UsageError(f"--for {of}: there is a schema of a rule and of the config{did_you_mean(of, ('rule', 'config'))}")
