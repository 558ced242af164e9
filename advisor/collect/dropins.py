"""Folders of ``*.conf`` as systemd reads them: of files of one name that in the first folder counts (sysctl.d(5))."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from advisor.system import System, join

MOST = 200
"""Files that are looked at; more are said to be there."""


def conf_files(system: System, folders: Iterable[str], say: Callable[[str], None]) -> list[str]:
    """The files that count, sorted by their names, at most `MOST`; a link to /dev/null masks later ones, too.

    Args:
        system: the machine or the tree.
        folders: the first first.
        say: told which folder can't be read, and that files were left out.
    """
    found: dict[str, str] = {}
    for folder in folders:
        try:
            for name in system.list(folder):
                if name.endswith(".conf"):
                    found.setdefault(name, join(folder, name))
        except OSError as error:
            say(f"{folder} can't be read: {error.strerror}")
    if len(found) > MOST:
        say(f"there are more than {MOST} files: {found[sorted(found)[MOST]]} and later ones were not read")
    return [found[name] for name in sorted(found)[:MOST]]
