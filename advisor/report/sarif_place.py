"""Where things stand, as SARIF says it: URIs, regions, logical places, and texts that are no more than texts.

SARIF 2.1.0 (OASIS), sections 3.4 (artifactLocation), 3.11 (message), 3.28 to 3.30 (location to region), 3.33
(logicalLocation). What GitHub's code scanning needs of it stands in its "SARIF support for code scanning": a physical
location for every place, and all four bounds of its region.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from advisor.findings import Waypoint
    from advisor.report.gated import Fault, Judged

Json = dict[str, Any]

ROOT = "SRCROOT"
"""What relative URIs are relative to: the top of the repository."""

MOST_TEXT = 4_000
"""Characters of a message."""

_MOST_SNIPPET = 1_000
"""Characters of a quoted line; a longer one is left out, for a part of it would not be the region."""

_NOWHERE = "/proc"
"""Where findings about what runs are put: code scanning refuses a file with a result that has no physical location."""

_SPECIAL = re.compile(rb"[^A-Za-z0-9._~/-]")
"""Bytes that a URI does not hold as they are (RFC 3986, section 2.3), the slash excepted."""


def clip(text: str, most: int) -> str:
    """The text in at most so many characters, with a mark where something was left out."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def message(text: str) -> Json:
    """A plain text message: braces stand for themselves (3.11.5), and nothing in it is a link (3.11.6)."""
    plain = clip(text, MOST_TEXT).replace("{", "{{").replace("}", "}}").replace("](", "] (")
    return {"text": plain or "(no text)"}


def artifact(path: str) -> Json:
    """A file, by the path from the top of the repository, or by an absolute one where it lies outside."""
    uri = _SPECIAL.sub(lambda found: b"%%%02X" % found[0][0], _bytes(path)).decode("ascii")
    return {"uri": f"file://{uri}"} if path.startswith("/") else {"uri": uri, "uriBaseId": ROOT}


def _bytes(path: str) -> bytes:
    """A name's bytes as the system has them; any other lone surrogate as if UTF-8 had a form for it."""
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return path.encode("utf-8", "surrogatepass")


def region(line: int | None, column: int | None, length: int, excerpt: str | None) -> Json:
    """The marked text; the beginning of the file where no line is known, and a whole line where no column is."""
    if line is None:
        return {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1}
    start = column or 1
    end = start + length if column is not None and length else max(start, len(excerpt or "") + 1)
    bounds = {"startLine": line, "startColumn": start, "endLine": line, "endColumn": end}
    return bounds | _snippet((excerpt or "")[start - 1 : end - 1])


def _snippet(text: str) -> Json:
    """The text of a region; none for bytes that could not be decoded: it would not be what stands there."""
    return {"snippet": {"text": text}} if 0 < len(text) <= _MOST_SNIPPET and "\ufffd" not in text else {}


def physical(path: str, line: int | None, column: int | None, length: int = 0, excerpt: str | None = None) -> Json:
    """A place in a file, with the line around it where that is known."""
    found: Json = {"artifactLocation": artifact(path), "region": region(line, column, length, excerpt)}
    context = _snippet(excerpt or "")
    if line is not None and context and found["region"].get("snippet") != context["snippet"]:
        found["contextRegion"] = region(line, None, 0, excerpt)
    return found


def of_finding(judged: Judged) -> Json:
    """The location of a finding."""
    place = judged.finding.location
    where = physical(
        judged.path or place.file or _live(place.key), place.line, place.column, place.length, place.excerpt
    )
    return {"physicalLocation": where, "logicalLocations": [_logical(judged)]}


def _live(key: str | None) -> str:
    """Where the kernel shows a sysctl; anything else that is not in a file is somewhere below /proc."""
    return f"/proc/sys/{key.replace('.', '/')}" if key is not None and "." in key else _NOWHERE


def _logical(judged: Judged) -> Json:
    finding = judged.finding
    key = finding.location.key
    kind = "property" if key is not None and "." in key else "declaration" if finding.location.file else "resource"
    return {"fullyQualifiedName": clip(finding.place or finding.location.logical or finding.rule, 1000), "kind": kind}


def of_waypoint(waypoint: Waypoint) -> Json:
    """A step of a flow: one that is in no file has its message alone (3.38.3)."""
    said: Json = {"message": message(waypoint.text)}
    if waypoint.path is None:
        return said
    where = physical(waypoint.path, waypoint.line, waypoint.column, waypoint.length, waypoint.excerpt)
    return {"physicalLocation": where, **said}


def of_fault(fault: Fault) -> list[Json]:
    """Where a fault is, if that is known."""
    return [] if fault.path is None else [{"physicalLocation": physical(fault.path, fault.line, fault.column)}]
