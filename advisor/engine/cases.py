"""A rule's own examples: raw input, written short, as a snapshot; and whether the rule says what they expect."""

from __future__ import annotations

import bisect
import fnmatch
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from advisor import __version__
from advisor.engine.cases_captured import captured
from advisor.engine.judging import Judging
from advisor.engine.rule import Case, Rule
from advisor.engine.syntax import did_you_mean
from advisor.errors import AdvisorError, RuleError
from advisor.findings import State, Verdict
from advisor.formats.nginx import absolute, scan, walk
from advisor.snapshot.json import ShapeError, build
from advisor.snapshot.model import IDLE_EDGES, SOURCES, Snapshot

ENTRY = "/etc/nginx/nginx.conf"
DROP_IN = "/etc/sysctl.d/case.conf"
_NOT_GIVEN = "not given in this case"
_WORST = (State.FAIL, State.UNKNOWN, State.PASS, State.NOT_APPLICABLE)

Given = Mapping[str, Any]


def snapshot_of(given: Given) -> Snapshot:
    """Build the snapshot of a case; every source that is not given is unread.

    Args:
        given: ``sysctl`` {KEY: text; null where the kernel lacks it}, ``sysctl_file`` (text, or {path: text}),
            ``boot_files`` {PATH: text, or a row of the snapshot}: those of the host, ``nginx`` (text of
            /etc/nginx/nginx.conf, or {path: text}), ``nginx_version``, ``modified`` {path: epoch}, ``listeners``,
            ``destinations`` and ``held`` (rows of the snapshot; ages may be {seconds: count}), ``states`` {STATE:
            count}, ``counters`` {NAME: number or [first, last]}, ``sample`` (seconds; 1 where a counter has two
            readings), ``processes``, ``host`` and ``stub_status`` (as in the snapshot), ``error_log`` {KIND: {what
            it names, or ``nginx``: ages}}, ``kernel_log`` the same (``kernel`` where it names nothing), ``claims``
            and ``modules`` (as in the snapshot), ``capture`` (idle gaps as {seconds: count}), ``taken`` (when; 1970
            if not given), ``profile`` (the workload that was named), ``site`` {NAME: quantity}.

    Raises:
        RuleError: when it is no snapshot; InputError when its nginx configuration does not scan.
    """
    for key in given:
        if key not in _BUILDERS and key not in _BESIDE:
            raise RuleError(f"given: unknown key '{key[:80]}'{did_you_mean(key, (*_BUILDERS, *_BESIDE))}")
    try:
        sources = {source: value for build in _BUILDERS.values() for source, value in build(given)}
        return build(
            {
                "schema": "advisor.snapshot/v1",
                "advisor": __version__,
                "taken": given.get("taken", "1970-01-01T00:00:00Z"),
                "sample": _sample(given),
                "profile": given.get("profile"),
                "site": {name: str(value) for name, value in given.get("site", {}).items()},
                "unread": {source: _NOT_GIVEN for source in SOURCES if source not in sources},
                **sources,
            }
        )
    except ShapeError as error:
        raise RuleError(f"given: {error}") from None
    except (AttributeError, TypeError, ValueError) as error:
        raise RuleError(f"given: not of the shape of a case ({error}); see rules/README.md") from None


def run_case(rule: Rule, case: Case, facts: Callable[[Snapshot], Any], judging: Judging | None = None) -> str | None:
    """Judge one case of a rule.

    Args:
        rule: the rule.
        case: one of its cases.
        facts: the root class of facts.
        judging: the rule, ready to judge, where several cases are to share what they may cost.

    Returns:
        what is not as the case expects; None when all is. Of several items the worst state counts: fail, unknown,
        pass, not applicable.
    """
    try:
        verdicts = (judging or Judging([rule]))(facts(snapshot_of(case.given)))
    except AdvisorError as error:
        return f"{rule.id}: case '{case.name}': {error}"
    state = next(state for state in _WORST if any(verdict.state is state for verdict in verdicts))
    wrong = [f"expected {case.expect}, got {state}{_reasons(verdicts)}"] if state != case.expect else []
    wrong = wrong or _unlike(case, verdicts)
    return f"{rule.id}: case '{case.name}': {wrong[0]}" if wrong else None


def _reasons(verdicts: list[Verdict]) -> str:
    missing = dict.fromkeys(f"{one.source}: {one.why}" for verdict in verdicts for one in verdict.missing)
    return f" ({'; '.join(missing)})" if missing else ""


def _unlike(case: Case, verdicts: list[Verdict]) -> list[str]:
    """What no finding has of what is expected."""
    findings = [verdict.finding for verdict in verdicts if verdict.finding]
    seen = {
        "severity": (case.severity, [finding.severity.word for finding in findings]),
        "confidence": (case.confidence, [finding.confidence.word for finding in findings]),
    }
    wrong = [
        f"expected {name} {want}, got {', '.join(got)}"
        for name, (want, got) in seen.items()
        if want and want not in got
    ]
    if case.message and not any(case.message in finding.message for finding in findings):
        wrong.append(f"expected '{case.message}' in the message, got {' | '.join(one.message for one in findings)}")
    return wrong


def _sample(given: Given) -> object:
    twice = any(isinstance(value, list) for value in given.get("counters", {}).values())
    return given.get("sample", 1 if twice else 0)


Parts = Iterator[tuple[str, Any]]


def _sysctls(given: Given) -> Parts:
    if "sysctl" in given:
        values = given["sysctl"]
        absent = [key for key, value in values.items() if value is None]
        yield "sysctls", {"values": {key: str(values[key]) for key in values if key not in absent}, "absent": absent}


def _sysctl_files(given: Given) -> Parts:
    if "sysctl_file" in given or "boot_files" in given:
        files = _files(given.get("sysctl_file", {}), DROP_IN)
        rows = [{"path": path, "content": text, "given": True} for path, text in files.items()]
        yield "sysctl_files", [*rows, *(_boot_file(path, row) for path, row in given.get("boot_files", {}).items())]


def _boot_file(path: str, row: str | Given) -> dict[str, Any]:
    """A file of the host: its text, or a row of the snapshot."""
    return {"path": path, "content": row} if isinstance(row, str) else {"path": path, "content": "", **row}


def _files(value: str | Mapping[str, str], path: str) -> Mapping[str, str]:
    return {path: value} if isinstance(value, str) else value


def _nginx(given: Given) -> Parts:
    if "nginx" not in given:
        return
    files = _files(given["nginx"], ENTRY)
    if not files:
        raise ValueError("nginx: names no file")
    entry = ENTRY if ENTRY in files else next(iter(files))
    modified = given.get("modified", {})
    yield (
        "nginx",
        {
            "entry": entry,
            "files": {path: {"content": text, "modified": modified.get(path)} for path, text in files.items()},
            "includes": dict(_includes(entry, files)),
            "version": given.get("nginx_version"),
        },
    )


def _includes(entry: str, files: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Every include pattern, made absolute, with the given files it names, as nginx resolves them."""
    for path, text in files.items():
        for _, statement in walk(scan(text.encode(), path)):
            if statement.name == "include" and statement.args and statement.block is None:
                pattern = absolute(entry, statement.args[0].text)
                yield pattern, sorted(path for path in files if _names(pattern, path))


def _names(pattern: str, path: str) -> bool:
    """Whether a pattern names a path: ``*`` stays inside one part of it."""
    wanted, found = pattern.split("/"), path.split("/")
    return len(wanted) == len(found) and all(map(fnmatch.fnmatchcase, found, wanted))


def _sockets(given: Given) -> Parts:
    if any(key in given for key in ("listeners", "destinations", "states")):
        yield (
            "sockets",
            {
                "method": "SOCK_DIAG",
                "states": given.get("states", {}),
                "listeners": [_listener(row) for row in given.get("listeners", [])],
                "destinations": [_destination(row) for row in given.get("destinations", [])],
            },
        )


def _destination(row: Given) -> dict[str, Any]:
    return {**row, "time_wait": _ages(row["time_wait"])} if "time_wait" in row else dict(row)


def _listener(row: Given) -> dict[str, Any]:
    read = {**row, "idle": _ages(row["idle"])} if "idle" in row else dict(row)
    return {**read, "drops": _reading(row["drops"])} if "drops" in row else read


def _held(given: Given) -> Parts:
    if "held" in given:
        yield "held", [{**row, "ages": _ages(row["ages"])} if "ages" in row else row for row in given["held"]]


def _ages(value: Given) -> object:
    """``{seconds: count}`` in the snapshot's buckets; their upper edges belong to them."""
    if "counts" in value:
        return value
    counts = [0] * (len(IDLE_EDGES) + 1)
    for age, count in value.items():
        counts[bisect.bisect_left(IDLE_EDGES, float(age))] += count
    return {"counts": counts, "oldest": max((float(age) for age, count in value.items() if count), default=None)}


def _counters(given: Given) -> Parts:
    if "counters" in given:
        yield "counters", {name: _reading(value) for name, value in given["counters"].items()}


def _reading(value: object) -> object:
    """A number is one reading, ``[first, last]`` are two."""
    if isinstance(value, list):
        return dict(zip(("first", "last"), value, strict=True))
    return {"first": value} if isinstance(value, int) else value


def _error_log(given: Given) -> Parts:
    if "error_log" in given:
        yield "error_log", [{"path": "/var/log/nginx/error.log", "logged": _logged(given["error_log"], "nginx")}]


def _kernel_log(given: Given) -> Parts:
    if "kernel_log" in given:
        yield "kernel_log", _logged(given["kernel_log"], "kernel")


def _logged(kinds: Mapping[str, Mapping[str, Mapping[str, int]]], nameless: str) -> list[dict[str, Any]]:
    return [
        {
            "kind": kind,
            "subject": None if name == nameless else name,
            "count": sum(ages.values()),
            "ages": _ages(ages),
            "newest": min((float(age) for age, count in ages.items() if count), default=None),
        }
        for kind, named in kinds.items()
        for name, ages in named.items()
    ]


def _host(given: Given) -> Parts:
    if "host" in given:
        yield "host", {"name": "case", **given["host"]}


def _capture(given: Given) -> Parts:
    if "capture" in given:
        yield "capture", captured(given["capture"], _ages)


def _whole(source: str) -> Callable[[Given], Parts]:
    def build(given: Given) -> Parts:
        if source in given:
            yield source, given[source]

    return build


_BUILDERS: dict[str, Callable[[Given], Parts]] = {
    "sysctl": _sysctls,
    "sysctl_file": _sysctl_files,
    "boot_files": _sysctl_files,
    "nginx": _nginx,
    "listeners": _sockets,
    "held": _held,
    "counters": _counters,
    "host": _host,
    "error_log": _error_log,
    "kernel_log": _kernel_log,
    "claims": _whole("claims"),
    "modules": _whole("modules"),
    "processes": _whole("processes"),
    "stub_status": _whole("stub_status"),
    "capture": _capture,
}
_BESIDE = ("destinations", "states", "sample", "site", "nginx_version", "modified", "taken", "profile")
