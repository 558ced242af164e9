"""Which files of a repository belong to one host: sysctl files, and the nginx configurations beside them."""

from __future__ import annotations

import os
from collections.abc import Iterable

from advisor.collect.recognise import Candidate
from advisor.collect.tops import around

_FOLDER = "sysctl.d"
_TREES = ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")
"""Where sysctl.d(5) and sysctl(8) look in a host's tree, the first first."""


def base_of(path: str) -> str:
    """The folder that a sysctl file is the host's of: the tree in which it lies in etc, run or lib, or its own folder.

    Args:
        path: its absolute path.
    """
    folder, name = os.path.split(path)
    if os.path.basename(folder) == _FOLDER:
        folder = os.path.dirname(folder)
    elif name != "sysctl.conf":
        return folder
    tree = _tree(folder)
    return folder if tree is None else folder.removesuffix(tree) or "/"


def by_base(files: Iterable[Candidate]) -> dict[str, list[Candidate]]:
    """The sysctl files of each host, by its folder."""
    found: dict[str, list[Candidate]] = {}
    for file in files:
        found.setdefault(base_of(file.path), []).append(file)
    return found


def nearest(path: str, bases: Iterable[str]) -> str | None:
    """The innermost of some folders that a file lies in; None where it lies in none."""
    known = set(bases)
    return next((one for one in [*around(os.path.dirname(path)), "/"] if one in known), None)


def taken(files: Iterable[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """Sysctl files in the order in which ``sysctl --system`` takes them, and those that another of their name hides.

    By their names, whatever their folders; of one name that in the first folder counts; sysctl.conf comes last.
    """
    dropped: dict[str, list[Candidate]] = {}
    last: list[Candidate] = []
    for file in sorted(files, key=lambda one: one.name):
        folder, name = os.path.split(file.path)
        (dropped.setdefault(name, []) if os.path.basename(folder) == _FOLDER else last).append(file)
    order: list[Candidate] = []
    hidden: list[Candidate] = []
    for _, group in sorted(dropped.items()):
        first = min(map(_precedence, group))
        for file in group:
            (order if _precedence(file) == first else hidden).append(file)
    return [*order, *last], hidden


def _precedence(file: Candidate) -> int:
    tree = _tree(os.path.dirname(os.path.dirname(file.path)))
    return 0 if tree is None else _TREES.index(tree)


def _tree(folder: str) -> str | None:
    return next((tree for tree in _TREES if folder.endswith(tree)), None)
