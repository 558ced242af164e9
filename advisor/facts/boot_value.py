"""What a sysctl holds after texts were written to it, one after the other."""

from __future__ import annotations

import re
from collections.abc import Mapping

from advisor.catalog.sysctl import KEYS
from advisor.facts import refused as kernel
from advisor.facts.refused import number
from advisor.facts.values import Ports

Words = tuple[str | None, ...]
"""A value word by word; None: not known. One word for every kind but a vector."""

_BLANK_TO_US = re.compile(r"[^\S \t\n]")
"""What ends no number for the kernel: a carriage return, a no-break space."""
_WHOLE = 4000
"""Bytes that both readers pass on in one write; of more, each drops another part without a word."""
_RANGE = "net.ipv4.ip_local_port_range"
_FIRST_FREE = "net.ipv4.ip_unprivileged_port_start"


def start(key: str) -> Words:
    """What a key holds before anything is written: the kernel's default, where the catalogue knows it."""
    entry = KEYS.get(key)
    if entry is None or entry.default is None:
        return (None,) * (len(entry.parts) or 1 if entry is not None else 1)
    return plain(key, entry.default)


def plain(key: str, text: str) -> Words:
    """A value as words to compare: numbers in decimals, ports as ranges, all else with its blanks made single."""
    entry = KEYS.get(key)
    words = text.split()
    if entry is not None and entry.kind == "ports":
        try:
            return (str(Ports.parse(text)),)
        except ValueError:
            return (" ".join(words),)
    if entry is None or entry.kind == "string":
        return (" ".join(words),)
    return tuple(word if (value := number(word)) is None else str(value) for word in words[: len(entry.parts) or 1])


def same(one: Words, other: Words) -> bool | None:
    """Whether two values are the same; None where the words that are not known would decide."""
    if len(one) != len(other):
        return False
    pairs = [*zip(one, other, strict=True)]
    if any(None not in pair and pair[0] != pair[1] for pair in pairs):
        return False
    return None if any(None in pair for pair in pairs) else True


def refused(key: str, text: str, held: Mapping[str, Words]) -> str | None:
    """Why write() fails, as half a sentence; None where it does not, or where that is not known.

    Args:
        key: the key.
        text: what is written.
        held: what keys hold at that time, by key; the kernel's defaults where one is missing.
    """
    entry = KEYS.get(key)
    if entry is None:
        return None
    text = _BLANK_TO_US.sub("?", text)
    why = kernel.refused(entry, text)
    return _port_range(text.split(), held) if why is None and key == _RANGE else why


def _port_range(words: list[str], held: Mapping[str, Words]) -> str | None:
    """The range must not begin below the first port that anybody may bind to; one number alone changes its start."""
    high = words[1] if len(words) > 1 else held.get(_RANGE, start(_RANGE))[-1]
    bounds = [number(word or "") for word in (words[0], high, held.get(_FIRST_FREE, start(_FIRST_FREE))[0])]
    low, last, first = bounds
    if low is not None and last is not None and low > last:
        return f"{low} is above {last}"
    return f"{low} is below {_FIRST_FREE} = {first}" if low is not None and first is not None and low < first else None


def kept(key: str, text: str, old: Words) -> Words:
    """What the key holds after a write that was not refused: of a vector, as many parts anew as were written."""
    if len(text) > _WHOLE:
        return (None,) * len(old)
    words = plain(key, text)
    return (*words, *old[len(words) :])
