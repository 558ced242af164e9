"""``advisor collect``."""

from __future__ import annotations

import sys
from typing import Annotated

from advisor.cli.command import Option, say
from advisor.cli.reading import Read, reads

Out = Annotated[str, Option(("-o", "--out"), "The file to write, for its owner alone.", "FILE|-")]
WithConfig = Annotated[
    bool, Option(("--with-config",), "Keep the configuration as it is; else what no fact reads is masked.")
]


@reads("select", "ignore", "rules")
def command(*, read: Read, out: Out, with_config: WithConfig = False) -> int:
    """Keep what was read in a file, to judge it elsewhere or later. Secrets are masked.

    Examples:
        advisor collect -o web-7.json
        ssh web-7 advisor collect -o - | advisor audit --snapshot -
    """
    from advisor.jobs import keep

    text = keep.to_json(read().snapshot, with_config=with_config)
    if out == "-":
        sys.stdout.write(text)
        return 0
    keep.keep(text, out)
    say(f"{out}: {len(text):,} bytes, readable by you alone")
    return 0
