"""The faults that crossplane 0.5.8 is known for, by what is said of a file that it reads otherwise than nginx."""

from __future__ import annotations

import re

CLASSES = {
    "words after ${} are one": re.compile(r"crossplane reads .*'[^']*\$\{[^'}]*\} "),
    "a byte order mark stays in the first name": re.compile(r"^line 1: crossplane reads '\\ufeff"),
    "Lua is not passed over": re.compile(r"we read .* \{ Lua \}|expected \{ to start Lua block"),
    "other characters than blank, tab, CR and LF separate": re.compile(r"we read .*\\(?:x[0-9a-f]|u[0-9a-f]{4})"),
    "a lone CR counts as a line": re.compile(r"crossplane reads .* on line \d+, we read"),
    "a brace inside a word or in Lua is one": re.compile(r'crossplane failed: unexpected "}"$'),
    "it fails without a message": re.compile(r"crossplane failed: without a message$"),
    "it runs out of stack": re.compile(r"crossplane failed: .*recursion"),
}


def fault(differs: str) -> str:
    """The class of a difference.

    Raises:
        AssertionError: when it is in none: the scanner may be wrong.
    """
    found = [name for name, pattern in CLASSES.items() if pattern.search(differs)]
    assert found, f"no known fault of crossplane's: {differs}"
    return found[0]
