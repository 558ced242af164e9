"""Which sysctl was meant by a key that does not exist.

A key is taken for misspelt only where a known one is very near, or has the same last name in another folder: modules
and distributions bring keys that nobody here knows, and those are left alone.
"""

from __future__ import annotations

from functools import lru_cache

from advisor.catalog.sysctl_names import homes, inside, known, split

_LONGEST = 128
"""Characters; no key of the kernel comes near."""
_SHORT = 8
"""Below it one edit is enough to reach another word; from it on, two count as a slip."""
_TELLING = 7
"""Characters that the last part of a key needs to be recognised in another folder."""
_NO_DIGITS = str.maketrans("", "", "0123456789")


@lru_cache(1024)
def meant(key: str) -> str | None:
    """The key that was meant; None for one that is known, or that resembles none."""
    if len(key) > _LONGEST or key in known() or any(mark in key for mark in "*?[{"):
        return None
    folder, device, name = split(key)
    names = inside(folder)
    if device and name in names:
        return None
    head = f"{folder}.{device}." if device else f"{folder}."
    for edits in (1, 2) if len(name) >= _SHORT else (1,):
        for one in names:
            if _near(name, one, edits) and not _numbered(name, one):
                return head + one
    last = key.rpartition(".")[2]
    return homes().get(last) if len(last) >= _TELLING and not device else None


def _near(word: str, other: str, edits: int) -> bool:
    """Whether so many edits make one word of the other: a letter more, less or another, two neighbours swapped."""
    if abs(len(word) - len(other)) > edits:
        return False
    same = next((at for at, (one, two) in enumerate(zip(word, other, strict=False)) if one != two), None)
    same = min(len(word), len(other)) if same is None else same
    word, other = word[same:], other[same:]
    if word == other:
        return True
    if not edits:
        return False
    tries = [(word[1:], other), (word, other[1:]), (word[1:], other[1:])]
    if word[:2] == other[1::-1]:
        tries.append((word[2:], other[2:]))
    return any(_near(one, two, edits - 1) for one, two in tries)


def _numbered(word: str, other: str) -> bool:
    """Whether only digits differ: another number is another thing, not a slip."""
    return word.translate(_NO_DIGITS) == other.translate(_NO_DIGITS)
