"""Unified diffs of bytes that both ``patch -p1`` and ``git apply`` take as they are.

Lines end at LF only: CR, form feed and U+2028 are ordinary bytes of a line, as they are for patch(1) and git. Edits
are local, so lines are paired by walking both files side by side: linear time, and small hunks where lines repeat.
"""

from __future__ import annotations

from collections.abc import Iterator

_QUOTED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_AGREE = 2
"""Lines that must be alike for the two files to be in step again."""
_FAR = 200
"""Changed lines, old and new together, over which a step is sought; beyond, the rest counts as changed."""

_Change = tuple[int, int, int, int]
"""``old[a:b]`` became ``new[c:d]``."""


def unified(old: bytes, new: bytes, path: str, context: int = 3) -> bytes:
    """The difference between two versions of one file; empty when there is none.

    Args:
        old: its bytes before.
        new: its bytes after.
        path: what it is called; absolute, or relative to where the patch is applied.
        context: unchanged lines shown around a change.
    """
    before, after = _lines(old), _lines(new)
    out: list[bytes] = []
    for hunk in _hunks(_changes(before, after), 2 * context):
        out += _hunk(before, after, hunk, context)
    names = (b"--- " + _header(f"a/{path.lstrip('/')}"), b"+++ " + _header(f"b/{path.lstrip('/')}"))
    return b"".join([*names, *out]) if out else b""


def _lines(data: bytes) -> list[bytes]:
    *lines, last = data.split(b"\n")
    return [line + b"\n" for line in lines] + ([last] if last else [])


def _changes(old: list[bytes], new: list[bytes]) -> Iterator[_Change]:
    i = j = 0
    while True:
        while i < len(old) and j < len(new) and old[i] == new[j]:
            i, j = i + 1, j + 1
        if i == len(old) and j == len(new):
            return
        a, c = i, j
        i, j = _in_step(old, new, i, j)
        yield a, i, c, j


def _in_step(old: list[bytes], new: list[bytes], i: int, j: int) -> tuple[int, int]:
    """Where both files read alike again, with the fewest lines passed over."""
    for far in range(1, _FAR):
        for b in range(max(i, i + far - len(new) + j), min(i + far, len(old)) + 1):
            d = j + far - (b - i)
            if old[b : b + _AGREE] == new[d : d + _AGREE]:
                return b, d
    return len(old), len(new)


def _hunks(changes: Iterator[_Change], gap: int) -> Iterator[list[_Change]]:
    hunk: list[_Change] = []
    for change in changes:
        if hunk and change[0] - hunk[-1][1] > gap:
            yield hunk
            hunk = []
        hunk.append(change)
    if hunk:
        yield hunk


def _hunk(old: list[bytes], new: list[bytes], hunk: list[_Change], context: int) -> list[bytes]:
    first, last = hunk[0], hunk[-1]
    lead = min(context, first[0])
    tail = min(context, len(old) - last[1])
    ranges = _range(first[0] - lead, last[1] + tail), _range(first[2] - lead, last[3] + tail)
    out = [f"@@ -{ranges[0]} +{ranges[1]} @@\n".encode()]
    position = first[0] - lead
    for a, b, c, d in hunk:
        out += [_line(b" ", line) for line in old[position:a]]
        out += [_line(b"-", line) for line in old[a:b]]
        out += [_line(b"+", line) for line in new[c:d]]
        position = b
    return out + [_line(b" ", line) for line in old[position : last[1] + tail]]


def _range(start: int, end: int) -> str:
    """Lines as a hunk's header counts them: from 1, or the line before an empty range."""
    return f"{start + (end > start)},{end - start}"


def _line(mark: bytes, line: bytes) -> bytes:
    return mark + line if line.endswith(b"\n") else mark + line + b"\n\\ No newline at end of file\n"


def _header(name: str) -> bytes:
    """A file's name as GNU diff and git write it: quoted where it holds control characters, quotes, backslashes."""
    if any(char < " " or char in '"\\\x7f' for char in name):
        name = '"' + "".join(_QUOTED.get(char, char if char >= " " else f"\\{ord(char):03o}") for char in name) + '"'
    return name.encode("utf-8", "surrogateescape") + (b"\t\n" if " " in name else b"\n")
