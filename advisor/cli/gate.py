"""``advisor gate``."""

from __future__ import annotations

import sys

from advisor.cli import gate_options as g
from advisor.cli import options as o
from advisor.cli.command import say
from advisor.cli.reading import NoHost, Progress, Read, reads


@reads("no_host")
def command(  # noqa: PLR0913 (what can be asked of it, one by one)
    *,
    read: Read,
    paths: g.Paths = None,
    host: g.Host = False,
    no_host: NoHost = False,
    fail_on: g.FailOn = None,
    min_confidence: g.MinConfidence = None,
    preview: g.Preview = False,
    strict: g.Strict = False,
    exit_zero: g.ExitZero = False,
    formats: g.Formats = None,
    baseline: g.Baseline = None,
    write_baseline: g.WriteBaseline = None,
    prune: g.Prune = False,
    exclude: g.Exclude = None,
    fix: g.Fix = False,
    diff: g.Diff = False,
    unsafe: o.Unsafe = False,
) -> int:
    """Fail (exit 1) when a finding is grave and sure enough: for CI and for pull requests.

    Examples:
        advisor gate --fail-on medium
        advisor gate nginx/ sysctl.d/ -f github -f sarif=advisor.sarif
        advisor gate --write-baseline advisor-baseline.json
        advisor gate --diff
        advisor gate --snapshot web-7.json -f text -f json=gate.json
    """
    from advisor.jobs.gating import Wanted, run

    wanted = Wanted(
        paths=tuple(paths or ()),
        host=host,
        no_host=no_host,
        fail_on=None if fail_on is None else o.severity(fail_on),
        min_confidence=None if min_confidence is None else o.confidence(min_confidence),
        preview=preview,
        strict=strict,
        exit_zero=exit_zero,
        formats=o.formats(formats, known=_formats()),
        baseline=baseline,
        write_baseline=write_baseline,
        prune=prune,
        exclude=tuple(exclude or ()),
        fix=fix,
        diff=diff,
        unsafe=unsafe,
        width=o.width(),
        colour=o.colour(),
    )
    with Progress() as progress:
        outcome = run(wanted, read, progress)
    sys.stdout.flush()
    sys.stdout.buffer.write(outcome.output)
    for line in outcome.said:
        say(line)
    return outcome.exit_code


def _formats() -> list[str]:
    from advisor.report.gate_formats import FORMATS

    return list(FORMATS)
