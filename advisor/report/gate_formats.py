"""The gate's formats. A new one is a module with ``render`` and a line in `FORMATS`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from advisor.report.gated import Gated


class Render(Protocol):
    """A format: what the gate tells, as text that is empty or ends with a newline."""

    def __call__(self, gated: Gated, *, width: int = 80, colour: bool = False) -> str:
        """Render for a terminal of ``width`` cells; formats for machines heed neither width nor colour."""
        ...


def _late(module: str) -> Render:
    """A format whose module is imported when it is first used."""

    def render(gated: Gated, *, width: int = 80, colour: bool = False) -> str:
        text: str = import_module(f"advisor.report.{module}").render(gated, width=width, colour=colour)
        return text

    return render


FORMATS: Mapping[str, Render] = {
    "text": _late("gate_text"),
    "concise": _late("gate_concise"),
    "json": _late("gate_json"),
    "sarif": _late("sarif"),
    "junit": _late("gate_junit"),
    "github": _late("gate_github"),
    "gitlab": _late("gate_gitlab"),
    "markdown": _late("gate_markdown"),
}
"""The formats by the name that ``-f`` takes."""
