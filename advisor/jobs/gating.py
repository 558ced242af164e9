"""A run of ``advisor gate``: what is read, judged, cured and written, and what is told of it."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from advisor.collect.run import Request, Say
from advisor.errors import AdvisorError, ConfigError, InputError, RuleError, UsageError
from advisor.findings import Confidence, Severity
from advisor.gate import baseline as base
from advisor.gate.policy import Policy
from advisor.jobs.configure import Settings
from advisor.jobs.gate import Asked, Gate
from advisor.jobs.marks import known
from advisor.jobs.targets import fault_of
from advisor.jobs.write import write
from advisor.records import dataclass, replace
from advisor.report.gate_formats import FORMATS
from advisor.report.gate_words import verdict
from advisor.report.gated import Fault, Gated
from advisor.report.text import count as counted
from advisor.system import System, write_whole

if TYPE_CHECKING:
    from advisor.jobs.fix import Fixed

_Word = TypeVar("_Word", Severity, Confidence)

_DETAILED = frozenset({"sarif", "json"})
"""Formats that tell the rules, how values came about, and exact fixes."""
_FOR_PEOPLE = frozenset({"text", "concise"})
_SAY_THE_VERDICT = frozenset({"text", "github"})
"""Formats that end with it."""
_SUMMARY = "GITHUB_STEP_SUMMARY"
"""Names the file of a step's summary (docs.github.com, "Workflow commands")."""


class Given(Protocol):
    """What the options that commands share came to."""

    request: Request
    kept: str | None
    settings: Settings


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks of the gate; None is what it does not say. ``formats``: names, each with its file."""

    paths: tuple[str, ...]
    host: bool
    no_host: bool
    fail_on: Severity | None
    min_confidence: Confidence | None
    preview: bool
    strict: bool
    exit_zero: bool
    formats: list[tuple[str, str | None]]
    baseline: str | None
    write_baseline: str | None
    prune: bool
    exclude: tuple[str, ...]
    fix: bool
    diff: bool
    unsafe: bool
    width: int
    colour: bool


class Outcome(NamedTuple):
    """What goes to standard output, what is said after it, and the exit code."""

    output: bytes
    said: list[str]
    exit_code: int


def run(wanted: Wanted, read: Callable[[], Given], say: Say) -> Outcome:
    """Gate what is wanted.

    Args:
        wanted: the gate's own options.
        read: reads what the shared options name.
        say: told how far it is.

    Returns:
        What came of it. Where it can't be done, reports for programs say so, too.
    """
    try:
        return _run(wanted, read, say)
    except AdvisorError as error:
        formats = [(name, path) for name, path in wanted.formats if name not in _FOR_PEOPLE]
        gated = Gated([], [], [_fault(error)], [], [], [], (), "", error.exit_code)
        return Outcome(_written(formats, gated, wanted), [f"advisor: {error}"], error.exit_code)


def _fault(error: AdvisorError) -> Fault:
    if isinstance(error, RuleError):
        return fault_of(error, "rule")
    return fault_of(error, "configuration" if isinstance(error, ConfigError | UsageError) else "target")


def _run(wanted: Wanted, read: Callable[[], Given], say: Say) -> Outcome:
    _check(wanted)
    asked = _asked(wanted, read())
    gate = Gate(asked, say)
    if wanted.write_baseline is not None:
        return _held(wanted, wanted.write_baseline, gate)
    said = []
    if wanted.fix:
        said = _fixed(wanted, gate)
        gate = Gate(asked, say)
    if wanted.prune and asked.held is not None and gate.marked.pruned is not None:
        said += _pruned(asked.held[0], gate)
    return _reported(wanted, gate, said)


def _check(wanted: Wanted) -> None:
    """Make sure that the options can be meant together.

    Raises:
        UsageError: when they can't.
    """
    if wanted.host and wanted.no_host:
        raise UsageError("--host and --no-host contradict each other; leave out one of them")
    if sum((wanted.fix, wanted.diff, wanted.write_baseline is not None)) > 1:
        raise UsageError("--fix, --diff and --write-baseline are three jobs; ask for one of them")
    if wanted.diff and sum(path is None for _, path in wanted.formats) and wanted.formats != [("text", None)]:
        raise UsageError("--diff goes to standard output; send formats to files: -f json=gate.json")


def _asked(wanted: Wanted, given: Given) -> Asked:
    settings, config, request = given.settings, given.settings.config, given.request
    named = request.nginx_conf or request.sysctl_files or request.root != "/" or request.netns or given.kept
    single = bool(named or (request.capture and not wanted.paths))
    if wanted.paths and (named or (request.capture and not wanted.host)):
        raise UsageError("PATHS are judged by themselves; leave out the options that name other things to read")
    paths = wanted.paths or (() if single or wanted.host else (os.curdir,))
    if (wanted.fix or wanted.diff) and (wanted.host or not paths):
        raise UsageError("--fix and --diff are for files: name PATHS, and leave out what names a host or a snapshot")
    if given.kept is None:
        request = replace(request, host=wanted.host or request.root != "/" or request.netns is not None)
    baseline = wanted.baseline or settings.baseline
    if wanted.prune and baseline is None:
        raise UsageError("--prune needs --baseline FILE")
    return Asked(
        settings=settings,
        policy=Policy(
            _said(Severity.HIGH, wanted.fail_on, config.fail_on),
            _said(Confidence.OBSERVED, wanted.min_confidence, config.min_confidence),
            preview=wanted.preview or config.preview,
            strict=wanted.strict or config.strict,
            exit_zero=wanted.exit_zero,
        ),
        today=dt.datetime.now(dt.UTC).date(),
        request=request,
        paths=paths,
        kept=given.kept,
        exclude=wanted.exclude,
        held=None if baseline is None or wanted.write_baseline else (baseline, _baseline(baseline, settings)),
    )


def _said(otherwise: _Word, *said: _Word | None) -> _Word:
    """What the command line says, else the configuration."""
    return next((one for one in said if one is not None), otherwise)


def _baseline(path: str, settings: Settings) -> base.Baseline:
    try:
        data = System().read(path, base.LARGEST)
    except OSError as error:
        raise UsageError(f"{path}: the baseline can't be read: {error.strerror}; make it by --write-baseline") from None
    return base.loads(data, path, known(settings.rules))


def _held(wanted: Wanted, path: str, gate: Gate) -> Outcome:
    """Write down what is found now; of what could not be read, nothing is known, so that nothing is written then."""
    gated = gate.told()
    if gated.faults:
        return _reported(wanted, gate, [f"{path} was not written: not everything could be judged"])
    baseline = base.baseline_of(gate.marked.findings, gate.named_by(path))
    _keep(path, baseline)
    gate.hold(path, baseline)
    formats = [(name, file) for name, file in wanted.formats if file is not None]
    if formats:
        _reported(replace(wanted, formats=formats), gate, [])
    count = sum(entry.count for entry in baseline.entries)
    return Outcome(b"", [f"{path} holds {counted(count, 'finding')}; from now on: advisor gate --baseline {path}"], 0)


def _pruned(path: str, gate: Gate) -> list[str]:
    gone = sum(entry.count for entry in gate.marked.gone)
    if gone and gate.marked.pruned is not None:
        _keep(path, gate.marked.pruned)
    what = "finding that is not there any more was" if gone == 1 else "findings that are not there any more were"
    return [f"{path}: {gone:,} {what} taken out"] if gone else []


def _keep(path: str, baseline: base.Baseline) -> None:
    try:
        write_whole(path, base.dumps(baseline).encode())
    except OSError as error:
        raise InputError(f"{path} can't be written: {error.strerror}") from None


def _fixed(wanted: Wanted, gate: Gate) -> list[str]:
    """Write what cures the findings."""
    from advisor.jobs import rewrite  # noqa: PLC0415 (for runs that fix)

    fixed = _cure(wanted, gate)
    paths = rewrite.write(fixed, gate.asked.paths)
    places = sum(len(edits) for edits in fixed.edits.values())
    return [f"fixed: {counted(places, 'place')} in {', '.join(paths)}" if paths else "fixed: nothing is to be changed"]


def _cure(wanted: Wanted, gate: Gate) -> Fixed:
    from advisor.remedy.plan import Allowed  # noqa: PLC0415 (planning, for runs that fix)

    return gate.cure(Allowed(unsafe=wanted.unsafe))


def _reported(wanted: Wanted, gate: Gate, said: list[str]) -> Outcome:
    detailed = any(name in _DETAILED for name, _ in wanted.formats)
    fixed, problems = None, list[tuple[str, str]]()
    if detailed or wanted.diff:
        try:
            fixed = _cure(wanted, gate)
        except AdvisorError as error:
            if wanted.diff:
                raise
            problems.append(("fix", f"none is told: {error}"))
    gated = gate.told(detailed=detailed, fixed=fixed)
    gated = replace(gated, problems=[*gated.problems, *problems])
    if wanted.diff and fixed is not None:
        return _shown(wanted, gated, fixed, gate.asked.paths)
    output = _written(wanted.formats, gated, wanted)
    loud = any(path is None and name in _SAY_THE_VERDICT for name, path in wanted.formats)
    return Outcome(output, said if loud else [*said, verdict(gated)], gated.exit_code)


def _shown(wanted: Wanted, gated: Gated, fixed: Fixed, within: Sequence[str]) -> Outcome:
    """The changes alone on standard output; what else is told goes where it was sent."""
    from advisor.jobs import rewrite  # noqa: PLC0415 (for runs that fix)

    _written([one for one in wanted.formats if one[1] is not None], gated, wanted)
    refused = ", ".join(rewrite.outside(fixed, within))
    said = [f"--fix would refuse: {refused} outside of the paths given; name what is to change"] if refused else []
    return Outcome(rewrite.diff(fixed), [*said, verdict(gated)], gated.exit_code)


def _written(formats: list[tuple[str, str | None]], gated: Gated, wanted: Wanted) -> bytes:
    """Every report; those with a file are written there, the rest is returned."""
    summary = os.environ.get(_SUMMARY)
    if summary and any(name == "github" for name, _ in formats):
        _summarise(summary, gated)
    text = write(
        formats,
        lambda name, path: FORMATS[name](gated, width=wanted.width, colour=wanted.colour and path is None),
    )
    return text.encode("utf-8", "replace")


def _summarise(path: str, gated: Gated) -> None:
    from advisor.report.gate_github import summary  # noqa: PLC0415 (for runs on GitHub)

    try:
        with open(path, "a", encoding="utf-8", errors="replace") as file:
            file.write(summary(gated))
    except OSError as error:
        raise InputError(f"{_SUMMARY}={path} can't be written: {error.strerror}") from None
