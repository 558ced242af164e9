"""``advisor gate``."""

from __future__ import annotations

from typing import Annotated

import typer

from advisor.cli import options as o
from advisor.cli.reading import Read, reads

FailOn = Annotated[str, typer.Option("--fail-on", metavar="SEVERITY", help="Fail on a finding this grave, or graver.")]
MinConfidence = Annotated[
    str, typer.Option("--min-confidence", metavar="CONFIDENCE", help="potential counts all, certain only what is set.")
]


@reads()
def command(
    *, read: Read, formats: o.Formats = None, fail_on: FailOn = "high", min_confidence: MinConfidence = "observed"
) -> None:
    """Fail (exit 1) when a finding is grave and sure enough: for CI.

    Examples:
        advisor gate --no-host --nginx-conf nginx.conf --fail-on medium
        advisor gate --snapshot web-7.json -f text -f json=gate.json
    """
    from advisor.jobs import audit

    wanted, severity, confidence = o.formats(formats), o.severity(fail_on), o.confidence(min_confidence)
    given = read()
    result = audit.audit(given.snapshot, given.rules, given.overrides)
    typer.echo(audit.outputs(result, wanted, o.width(), colour=o.colour()), nl=False)
    verdict = audit.gate(result, severity, confidence)
    said = f"{len(verdict.offending)} at or above {severity.word}, {confidence.word} or surer"
    typer.echo(f"gate: {'failed' if verdict.failed else 'passed'}: {said}", err=True)
    if verdict.failed:
        raise typer.Exit(1)
