"""Folders, as their paths are written: what lies in which, and the top of a git repository. Nothing is opened."""

from __future__ import annotations

import os


def below(path: str, folder: str) -> bool:
    """Whether a path is a folder, or lies in it, as they are written."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def around(folder: str) -> list[str]:
    """A folder and those around it, the innermost first, without the root."""
    parts = folder.rstrip("/").split("/")
    return ["/".join(parts[:end]) for end in range(len(parts), 1, -1)]


def top_of(folder: str) -> str | None:
    """The top of the git repository that a folder lies in: where ``.git`` is, in the folder or above; None without."""
    return next((one for one in around(os.path.realpath(folder)) if os.path.lexists(os.path.join(one, ".git"))), None)
