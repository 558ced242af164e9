"""``advisor gate``."""

from __future__ import annotations

from typing import Annotated

import typer

from advisor.cli import options as o


def command(  # noqa: PLR0913 (every option is an argument)
    *,
    nginx_conf: o.NginxConf = None,
    sysctl_file: o.SysctlFiles = None,
    no_host: o.NoHost = False,
    root: o.Root = "/",
    snapshot: o.Kept = None,
    sample: o.Sample = 1.0,
    stub_status: o.Status = False,
    param: o.Params = None,
    nginx_version: o.NginxVersion = None,
    select: o.Select = None,
    ignore: o.Ignore = None,
    formats: o.Formats = None,
    fail_on: Annotated[
        str, typer.Option("--fail-on", metavar="SEVERITY", help="Fail on a finding of this severity, or above.")
    ] = "high",
    min_confidence: Annotated[
        str,
        typer.Option("--min-confidence", metavar="CONFIDENCE", help="Count potential findings, too, or only certain."),
    ] = "observed",
) -> None:
    """Fail (exit 1) when a finding is grave and sure enough: for CI.

    Examples:
        advisor gate --no-host --nginx-conf nginx.conf --fail-on medium
        advisor gate --snapshot web-7.json -f text -f json=gate.json
    """
    from advisor.jobs import audit

    wanted, severity, confidence = o.formats(formats), o.severity(fail_on), o.confidence(min_confidence)
    given = o.inputs(
        nginx_conf=nginx_conf,
        sysctl_file=sysctl_file,
        no_host=no_host,
        root=root,
        snapshot=snapshot,
        sample=sample,
        stub_status=stub_status,
        param=param,
        nginx_version=nginx_version,
        select=select,
        ignore=ignore,
    )
    result = audit.audit(given.snapshot, given.rules, given.overrides)
    typer.echo(audit.outputs(result, wanted, o.width(), colour=o.colour()), nl=False)
    verdict = audit.gate(result, severity, confidence)
    said = f"{len(verdict.offending)} at or above {severity.word}, {confidence.word} or surer"
    typer.echo(f"gate: {'failed' if verdict.failed else 'passed'}: {said}", err=True)
    if verdict.failed:
        raise typer.Exit(1)
