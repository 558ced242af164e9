"""Values in nginx's configuration, as nginx reads them: times (``1h30m``, ``1500ms``), sizes (``8k``), numbers."""

from __future__ import annotations

import re

_TIME = re.compile(
    r"(?:(?P<y>\d+)y)?\s*(?:(?P<M>\d+)M)?\s*(?:(?P<w>\d+)w)?\s*(?:(?P<d>\d+)d)?\s*(?:(?P<h>\d+)h)?\s*"
    r"(?:(?P<m>\d+)m(?!s))?\s*(?:(?P<s>\d+)(?:s|(?![0-9a-zA-Z])))?\s*(?:(?P<ms>\d+)ms)?",
    re.ASCII,
)
_SECONDS = {"y": 31536000.0, "M": 2592000.0, "w": 604800.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_SIZE = re.compile(r"(\d+)([kKmMgG]?)", re.ASCII)
_BYTES = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_DIGITS = 15
"""More digits than any value needs: a longer number is not read (nginx refuses it as an overflow)."""


def parse_time(text: str) -> float | None:
    """A time in seconds (ngx_parse_time), or None when nginx would refuse the text (or it holds a variable)."""
    found = _TIME.fullmatch(text)
    if not text or len(text) > 6 * _DIGITS or found is None:
        return None
    parts = {unit: value for unit, value in found.groupdict().items() if value is not None}
    if not parts or any(len(value) > _DIGITS for value in parts.values()):
        return None
    return sum(int(value) * _SECONDS[unit] for unit, value in parts.items())


def write_time(seconds: float, like: str) -> str:
    """Seconds as nginx reads them, in the manner of the text they replace: ``60`` for ``300``, ``60s`` for ``5m``."""
    if not float(seconds).is_integer():
        return f"{round(seconds * 1000)}ms"
    return f"{int(seconds)}" if not like or like.isdigit() else f"{int(seconds)}s"


def parse_size(text: str) -> int | None:
    """A size in bytes (ngx_parse_offset), or None when nginx would refuse the text (or it holds a variable)."""
    found = _SIZE.fullmatch(text)
    if found is None or len(found[1]) > _DIGITS:
        return None
    return int(found[1]) * _BYTES[found[2].lower()]


def write_size(size: float) -> str:
    """Bytes as nginx reads them, in the largest unit that holds them whole: ``64k``, ``1m``, ``1500``."""
    whole = int(size)
    unit = next((unit for unit in ("g", "m", "k") if whole and whole % _BYTES[unit] == 0), "")
    return f"{whole // _BYTES[unit]}{unit}"


def parse_count(text: str) -> int | None:
    """A whole number (ngx_atoi), or None when nginx would refuse the text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None
