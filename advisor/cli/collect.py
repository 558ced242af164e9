"""``advisor collect``."""

from __future__ import annotations

from typing import Annotated

import typer

from advisor.cli import options as o


def command(  # noqa: PLR0913 (every option is an argument)
    *,
    out: Annotated[str, typer.Option("-o", "--out", metavar="FILE|-", help="The file to write, for its owner alone.")],
    with_config: Annotated[
        bool, typer.Option("--with-config", help="Keep the configuration as it is; else what no fact reads is masked.")
    ] = False,
    nginx_conf: o.NginxConf = None,
    sysctl_file: o.SysctlFiles = None,
    no_host: o.NoHost = False,
    root: o.Root = "/",
    sample: o.Sample = 1.0,
    stub_status: o.Status = False,
    param: o.Params = None,
    nginx_version: o.NginxVersion = None,
) -> None:
    """Keep what was read in a file, to judge it elsewhere or later. Secrets are masked.

    Examples:
        advisor collect -o web-7.json
        ssh web-7 advisor collect -o - | advisor audit --snapshot -
    """
    from advisor.jobs import keep

    given = o.inputs(
        nginx_conf=nginx_conf,
        sysctl_file=sysctl_file,
        no_host=no_host,
        root=root,
        snapshot=None,
        sample=sample,
        stub_status=stub_status,
        param=param,
        nginx_version=nginx_version,
        select=None,
        ignore=None,
    )
    text = keep.to_json(given.snapshot, with_config=with_config)
    if out == "-":
        typer.echo(text, nl=False)
        return
    keep.keep(text, out)
    typer.echo(f"{out}: {len(text):,} bytes, readable by you alone", err=True)
