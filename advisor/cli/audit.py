"""``advisor audit``."""

from __future__ import annotations

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
) -> None:
    """Say what holds this host and its nginx back, with the numbers. Nothing is written.

    Examples:
        advisor audit
        advisor audit --param load_balancer_idle='60 s' -f text -f json=audit.json
        advisor audit --no-host --nginx-conf nginx.conf --sysctl-file 90-web.conf
    """
    from advisor.jobs import audit

    wanted = o.formats(formats)
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
    if not result.judged:
        raise typer.Exit(3)
