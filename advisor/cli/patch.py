"""``advisor patch``."""

from __future__ import annotations

from typing import Annotated

import typer

from advisor.cli import options as o


def command(  # noqa: PLR0913 (every option is an argument)
    *,
    out: Annotated[
        str, typer.Option("-o", "--out", metavar="DIR", help="The folder to write: new, or an earlier patch.")
    ],
    unsafe: o.Unsafe = False,
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
) -> None:
    """Write the patch that cures what the audit finds, proved on what was read. Nothing is applied.

    Examples:
        advisor patch -o out/
        advisor patch -o out/ --unsafe --snapshot web-7.json
    """
    from advisor.jobs import patch

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
    made = patch.plan(given.snapshot, given.rules, given.overrides, unsafe=unsafe)
    paths = patch.write(made, out)
    typer.echo(patch.summary(made, paths, o.width()), nl=False)
