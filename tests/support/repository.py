"""A repository made of texts."""

from __future__ import annotations

import pathlib


def make(folder: pathlib.Path, files: dict[str, str | bytes]) -> pathlib.Path:
    """Write files below a folder; a text that begins with ``->`` is where a link leads."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, str) and text.startswith("->"):
            path.symlink_to(text[2:])
        else:
            path.write_bytes(text.encode() if isinstance(text, str) else text)
    return folder
