"""What was asked for in several formats: to files, the rest to standard output."""

from __future__ import annotations

from collections.abc import Callable

from advisor.errors import InputError
from advisor.system import write_whole


def write(formats: list[tuple[str, str | None]], render: Callable[[str, str | None], str]) -> str:
    """Render every format; those with a file are written there, the rest is returned for standard output.

    Args:
        formats: names, each with the file it goes to.
        render: a format's name and file into text.

    Raises:
        InputError: when a file can't be written.
    """
    shown = []
    for name, path in formats:
        text = render(name, path)
        if path is None:
            shown.append(text)
            continue
        try:
            write_whole(path, text.encode("utf-8", "replace"))
        except OSError as error:
            raise InputError(f"{path} can't be written: {error.strerror}") from None
    return "".join(shown)
