"""``advisor collect``."""

from __future__ import annotations

from typing import Annotated

import typer

from advisor.cli.reading import Read, reads

Out = Annotated[str, typer.Option("-o", "--out", metavar="FILE|-", help="The file to write, for its owner alone.")]
WithConfig = Annotated[
    bool, typer.Option("--with-config", help="Keep the configuration as it is; else what no fact reads is masked.")
]


@reads("select", "ignore")
def command(*, read: Read, out: Out, with_config: WithConfig = False) -> None:
    """Keep what was read in a file, to judge it elsewhere or later. Secrets are masked.

    Examples:
        advisor collect -o web-7.json
        ssh web-7 advisor collect -o - | advisor audit --snapshot -
    """
    from advisor.jobs import keep

    text = keep.to_json(read().snapshot, with_config=with_config)
    if out == "-":
        typer.echo(text, nl=False)
        return
    keep.keep(text, out)
    typer.echo(f"{out}: {len(text):,} bytes, readable by you alone", err=True)
