"""How we tell: one format a file. A new one is a module with ``render`` and a line in `FORMATS`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from advisor.report.result import Result


class Render(Protocol):
    """A format: the result as text that ends with a newline."""

    def __call__(self, result: Result, *, width: int = 80, colour: bool = False) -> str:
        """Render for a terminal of ``width`` cells; formats for machines heed neither width nor colour."""
        ...


def _late(module: str) -> Render:
    """A format whose module is imported when it is first used."""

    def render(result: Result, *, width: int = 80, colour: bool = False) -> str:
        text: str = import_module(f"{__name__}.{module}").render(result, width=width, colour=colour)
        return text

    return render


FORMATS: Mapping[str, Render] = {
    "text": _late("text"),
    "json": _late("json"),
}
"""The formats by the name that ``-f`` takes."""
