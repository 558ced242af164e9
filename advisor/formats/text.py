"""Text for people and machines, from bytes that need not be any."""

from __future__ import annotations


def encodable(text: str) -> str:
    """The text with U+FFFD for each lone surrogate: bytes of a file name or value that are no UTF-8."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
