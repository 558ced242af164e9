"""Edits of a file of sysctl.d(5) that change the values of chosen lines and no other byte, proved by reading again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from advisor.errors import InputError
from advisor.formats.splice import Splice
from advisor.formats.sysctl import Parsed, parse

_WORD = re.compile(rb"[^ \t\r\v\f]+")


class Value(NamedTuple):
    """What a line is to say.

    ``taken`` is how many words of the line count (a number, and what somebody took for a comment behind it): what
    follows them stays. None: all of the value.
    """

    text: str
    taken: int | None = None


def set_values(data: bytes, name: str, values: Mapping[int, Value]) -> tuple[bytes, dict[int, list[Splice]]]:
    """The file with these values, and what each line's value puts in the place of which bytes.

    Args:
        data: the file's bytes, in any encoding, with LF or CRLF.
        name: what messages call it.
        values: by line, counted from 1.

    Raises:
        InputError: when a line sets nothing or is read differently by the two readers of such files, a value can't
            stand in such a line, or the result would differ in more than was asked.
    """
    before = parse(data, name)
    odd = values.keys() - {setting.line for setting in before.settings if setting.only is None}
    if odd:
        raise InputError(f"{name}:{min(odd)}: no line that every reader takes as a setting; edit it by hand")
    parts: dict[int, list[Splice]] = {}
    start = 0
    for number, line in enumerate(data.split(b"\n"), 1):
        if number in values:
            parts[number] = [(start + a, start + b, new) for a, b, new in _splices(line, values[number])]
        start += len(line) + 1
    result, position = [], 0
    for a, b, new in (splice for number in sorted(parts) for splice in parts[number]):
        result += [data[position:a], new]
        position = b
    after = b"".join([*result, data[position:]])
    if not _as_asked(before, parse(after, name), values):
        raise InputError(f"{name}: the edit would change more than the values of lines; make it by hand")
    return after, parts


def _splices(line: bytes, value: Value) -> list[Splice]:
    """What changes of one line: word by word where the new value has as many as count now, else as a whole."""
    key, equals, rest = line.partition(b"=")
    offset = len(key) + len(equals)
    old = [*_WORD.finditer(rest)]
    new = value.text.encode("utf-8", "surrogateescape")
    if not old and not new:
        return []
    if not old:
        blanks = len(rest) - len(rest.lstrip(b" \t"))
        gap = b" " if key.endswith((b" ", b"\t")) and not blanks else b""
        return [(offset + blanks, offset + blanks, gap + new)]
    counting = old[: value.taken]
    words = new.split()
    if len(counting) != len(words) or (value.taken is not None and len(counting) < value.taken):
        return [(offset + counting[0].start(), offset + counting[-1].end(), new)]
    pairs = zip(counting, words, strict=True)
    return [(offset + was.start(), offset + was.end(), word) for was, word in pairs if was[0] != word]


def _as_asked(before: Parsed, after: Parsed, values: Mapping[int, Value]) -> bool:
    """Whether the lines asked for hold what was asked, and nothing else reads differently."""
    if len(before.settings) != len(after.settings) or before[1:] != after[1:]:
        return False
    for was, now in zip(before.settings, after.settings, strict=True):
        value = values.get(was.line)
        if value is None and now != was:
            return False
        if value is not None:
            rest = was._replace(value=now.value, column=now.column)
            if now != rest or now.value.split()[: value.taken] != value.text.split():
                return False
    return True
