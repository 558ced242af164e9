"""What systemd-sysctl and procps' ``sysctl --system`` make of the same files: which, in which order, who wins.

Both take every ``*.conf`` of the sysctl.d folders in the order of their names, a name in an earlier folder masking the
same in later ones, be it a link to /dev/null or one that leads nowhere. They part in this (sysctl.d(5), sysctl(8),
src/sysctl/sysctl.c of systemd 252, src/sysctl.c of procps 4.0.2; tried by tests/e2e/test_boot.py):

========================  ==============================================  =======================================
what                      systemd-sysctl                                  sysctl --system
========================  ==============================================  =======================================
/etc/sysctl.conf          by a link in a folder only                      always, last
/lib/sysctl.d             not read                                        read
names that begin with .   not read                                        read
a key set twice           the last line alone is written                  every line is written, in order
``-KEY`` without a value  forgets what was set before; globs leave it     globs leave it
the same glob twice       once, at its first place if it says the same    every time
========================  ==============================================  =======================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from advisor.errors import Unread
from advisor.facts.boot_value import Words, kept, refused, start
from advisor.formats.sysctl import PROCPS, SYSTEMD, Exclusion, Parsed, Reader, Setting
from advisor.formats.wildcard import encoded, part
from advisor.snapshot.model import SysctlFile

FOLDERS = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")
LAST = "/etc/sysctl.conf"
_ONLY_PROCPS = "/lib/sysctl.d"
_SWAP = str.maketrans("./", "/.")
_MOST_WRITES = 20_000
"""Writes of one reader that are followed, and a twentieth as many globs: a second's work; hosts have a hundred."""


class Line(NamedTuple):
    """A line of a file that sets a key or a glob."""

    file: SysctlFile
    setting: Setting

    @property
    def place(self) -> str:
        """``FILE:LINE``."""
        return f"{self.file.path}:{self.setting.line}"


class Write(NamedTuple):
    """A write to one key; ``why`` it fails."""

    key: str
    line: Line
    why: str | None = None


class Outcome(NamedTuple):
    """What one reader leaves in one key: the value, the line that gave it, and the lines that have no say.

    ``words`` hold None where the kernel's own value stands and is not known. ``winner`` is None where every write
    was refused. ``shadowed`` are lines for this key that another replaces, ``refused`` those the kernel does not take.
    """

    words: Words
    winner: Line | None
    shadowed: tuple[Line, ...]
    refused: tuple[Write, ...]

    @property
    def text(self) -> str:
        """The value as it is shown: ``?`` for a word that is not known."""
        return " ".join("?" if word is None else word for word in self.words)


def base(path: str) -> str:
    """The name without its folder."""
    return path.rpartition("/")[2]


def place(path: str) -> int | None:
    """Which of the folders a file stands in; None: in none."""
    folder = path.rpartition("/")[0]
    return FOLDERS.index(folder) if folder in FOLDERS else None


def order(files: Iterable[SysctlFile], reader: Reader) -> list[SysctlFile]:
    """The files that a reader reads, in its order; those that the user gave and those of other writers are not read."""
    first: dict[str, tuple[int, SysctlFile]] = {}
    last = []
    for file in files:
        if file.given or file.writer is not None:
            continue
        rank = place(file.path)
        if file.path == LAST and reader == PROCPS:
            last = [file]
        elif rank is not None and _read(file.path, reader):
            name = base(file.path)
            if name not in first or rank < first[name][0]:
                first[name] = (rank, file)
    return [first[name][1] for name in sorted(first, key=encoded)] + last


def _read(path: str, reader: Reader) -> bool:
    if not path.endswith(".conf"):
        return False
    return reader == PROCPS or not (base(path).startswith(".") or path.startswith(_ONLY_PROCPS))


def masked(files: Sequence[SysctlFile]) -> Iterator[tuple[SysctlFile, SysctlFile]]:
    """Each file that one of the same name in an earlier folder masks, and that one."""
    heard = {base(file.path): file for file in order(files, PROCPS) if file.path != LAST}
    for file in files:
        other = heard.get(base(file.path))
        if place(file.path) is not None and other is not None and not file.given and other.path != file.path:
            yield file, other


def target(file: SysctlFile) -> str | None:
    """Where its link leads, made absolute by the text alone; None for what is no link."""
    if file.link is None:
        return None
    words: list[str] = []
    whole = file.link if file.link.startswith("/") else f"{file.path.rpartition('/')[0]}/{file.link}"
    for word in whole.split("/"):
        if word == "..":
            del words[-1:]
        elif word not in {"", "."}:
            words.append(word)
    return "/" + "/".join(words)


class Reading:
    """What one reader does with the files.

    Args:
        files: all that were collected.
        reader: which.
        known: the keys that exist, as far as they are known: globs are expanded to these.
        parsed: what a file says.
    """

    def __init__(
        self, files: Sequence[SysctlFile], reader: Reader, known: Iterable[str], parsed: Callable[[SysctlFile], Parsed]
    ) -> None:
        self.reader = reader
        self.files = order(files, reader)
        self._known = tuple(known)
        self._parsed = parsed

    def outcomes(self) -> dict[str, Outcome]:
        """By key: what the kernel holds after all writes.

        Raises:
            Unread: when there are too many of them to be followed.
        """
        values: dict[str, Words] = {}
        written: dict[str, list[Write]] = {}
        for number, (key, line) in enumerate(self._writes()):
            if number == _MOST_WRITES:
                raise Unread("sysctl_files", f"the files make more than {_MOST_WRITES} writes, which nobody followed")
            why = refused(key, line.setting.value, values)
            written.setdefault(key, []).append(Write(key, line, why))
            if why is None:
                values[key] = kept(key, line.setting.value, values.get(key, start(key)))
        beaten = self._beaten()
        return {key: _outcome(values.get(key, start(key)), done, beaten.get(key, [])) for key, done in written.items()}

    def _lines(self) -> Iterator[Line | Exclusion]:
        for file in self.files:
            read = self._parsed(file)
            every: list[Setting | Exclusion] = [*read.settings, *read.exclusions]
            mine = [one for one in every if one.only in {None, self.reader}]
            for one in sorted(mine, key=lambda one: one.line):
                yield one if isinstance(one, Exclusion) else Line(file, one)

    def _beaten(self) -> dict[str, list[Line]]:
        """Every line that names a key in words, by key, in the order of reading."""
        found: dict[str, list[Line]] = {}
        for one in self._lines():
            if isinstance(one, Line) and not one.setting.wild:
                found.setdefault(one.setting.key, []).append(one)
        return found

    def _writes(self) -> Iterator[tuple[str, Line]]:
        lines = list(self._lines())
        listed = self._replaced(lines) if self.reader == SYSTEMD else [one for one in lines if isinstance(one, Line)]
        named = {one.key if isinstance(one, Exclusion) else one.setting.key for one in lines}
        expanded: dict[str, list[str]] = {}
        for line in listed:
            key = line.setting.key
            if line.setting.wild and key not in expanded:
                if len(expanded) == _MOST_WRITES // 20:
                    raise Unread(
                        "sysctl_files", f"the files hold more than {len(expanded)} globs, which nobody followed"
                    )
                pattern = Pattern(key)
                expanded[key] = [one for one in self._known if one not in named and pattern.names(one)]
            for one in expanded.get(key, () if line.setting.wild else (key,)):
                yield one, line

    @staticmethod
    def _replaced(lines: Iterable[Line | Exclusion]) -> list[Line]:
        """systemd-sysctl keeps one entry a key: another value takes its place anew, the same leaves it where it was."""
        kept_lines: dict[str, Line | None] = {}
        for one in lines:
            key = one.key if isinstance(one, Exclusion) else one.setting.key
            value = None if isinstance(one, Exclusion) else one.setting.value
            there = kept_lines.get(key)
            if key in kept_lines and (there.setting.value if there is not None else None) == value:
                continue
            kept_lines.pop(key, None)
            kept_lines[key] = None if isinstance(one, Exclusion) else one
        return [line for line in kept_lines.values() if line is not None]


def _outcome(words: Words, done: list[Write], beaten: list[Line]) -> Outcome:
    taken = [write.line for write in done if write.why is None]
    winner = taken[-1] if taken else None
    failed = tuple(write for write in done if write.why is not None)
    lost = {write.line for write in failed}
    rest = dict.fromkeys([*beaten, *taken])
    return Outcome(words, winner, tuple(line for line in rest if line != winner and line not in lost), failed)


class Pattern:
    """A key with wildcards, as glob(3) takes its path: an asterisk stays within one name."""

    def __init__(self, key: str) -> None:
        self._parts = [part(word) for word in key.translate(_SWAP).split("/")]

    def names(self, key: str) -> bool:
        """Whether it names a key."""
        words = key.translate(_SWAP).split("/")
        return len(words) == len(self._parts) and all(
            pattern.fullmatch(encoded(word)) is not None for pattern, word in zip(self._parts, words, strict=True)
        )
