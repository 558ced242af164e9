"""``advisor gate``."""

from __future__ import annotations

import sys
from typing import Annotated

from advisor.cli import options as o
from advisor.cli.command import Option, say
from advisor.cli.reading import Read, reads

FailOn = Annotated[str, Option(("--fail-on",), "Fail on a finding this grave, or graver.", "SEVERITY")]
MinConfidence = Annotated[
    str, Option(("--min-confidence",), "potential counts all, certain only what is set.", "CONFIDENCE")
]


@reads()
def command(
    *, read: Read, formats: o.Formats = None, fail_on: FailOn = "high", min_confidence: MinConfidence = "observed"
) -> int:
    """Fail (exit 1) when a finding is grave and sure enough: for CI.

    Examples:
        advisor gate --no-host --nginx-conf nginx.conf --fail-on medium
        advisor gate --snapshot web-7.json -f text -f json=gate.json
    """
    from advisor.errors import InputError
    from advisor.gate.policy import Policy, offending
    from advisor.jobs import audit

    wanted, severity, confidence = o.formats(formats), o.severity(fail_on), o.confidence(min_confidence)
    given = read()
    result = audit.audit(given.snapshot, given.judging)
    sys.stdout.write(audit.outputs(result, wanted, o.width(), colour=o.colour()))
    if not result.judged:
        raise InputError("nothing could be judged: " + "; ".join(sorted({one.why for _, one in result.unknown})))
    counting = offending(result.findings, Policy(severity, confidence))
    said = f"{len(counting)} at or above {severity.word}, {confidence.word} or surer"
    say(f"gate: {'failed' if counting else 'passed'}: {said}")
    return 1 if counting else 0
