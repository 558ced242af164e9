"""Who sets a sysctl after boot, beside the two readers of sysctl.d: from files of their own, or by themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from advisor.catalog.writers import SETS, TUNED
from advisor.facts.boot_readers import LAST
from advisor.formats.sysctl import Parsed
from advisor.snapshot.model import SysctlFile

_AGAIN = ("/etc/sysctl.d/", "/run/sysctl.d/")


class Third(NamedTuple):
    """A program that sets a key, where that is said, and the value; ``yields`` to what files in /etc and /run set.

    Without a line it was only seen to be there, and without a value that depends on the machine.
    """

    writer: str
    path: str
    line: int | None
    value: str | None
    yields: bool = False

    @property
    def place(self) -> str:
        """``FILE`` or ``FILE:LINE``."""
        return self.path if self.line is None else f"{self.path}:{self.line}"


def thirds(key: str, files: Sequence[SysctlFile], parsed: Callable[[SysctlFile], Parsed]) -> Iterator[Third]:
    """Those that set a key; of several files of one program the last that names it.

    Args:
        key: the key.
        files: all that were read.
        parsed: what a file says.
    """
    found: dict[str, Third] = {}
    for file in files:
        if file.writer is None:
            continue
        for one in parsed(file).settings:
            if one.key == key:
                yields = file.writer == TUNED and _again(key, files, parsed)
                found[file.writer] = Third(file.writer, file.path, one.line, one.value, yields)
        if key in SETS.get(file.writer, {}):
            found[file.writer] = Third(file.writer, file.path, None, SETS[file.writer][key])
    yield from found.values()


def _again(key: str, files: Sequence[SysctlFile], parsed: Callable[[SysctlFile], Parsed]) -> bool:
    """Whether a file that TuneD applies once more after its own sets the key."""
    return any(
        one.key == key
        for file in files
        if file.writer is None and not file.given and (file.path.startswith(_AGAIN) or file.path == LAST)
        for one in parsed(file).settings
    )
