"""The options of ``advisor gate``."""

from __future__ import annotations

from typing import Annotated

from advisor.cli.command import Option

Paths = Annotated[
    list[str] | None,
    Option((), "Files and folders: nginx configurations, sysctl files, snapshots; else this folder.", "PATH"),
]
Host = Annotated[bool, Option(("--host",), "Judge by what this host is doing, too.")]
FailOn = Annotated[
    str | None, Option(("--fail-on",), "Fail on a finding this grave, or graver; high if not said.", "SEVERITY")
]
MinConfidence = Annotated[
    str | None,
    Option(("--min-confidence",), "observed if not said; potential counts all, certain what is set.", "CONFIDENCE"),
]
Preview = Annotated[bool, Option(("--preview",), "Let findings of preview rules count, too.")]
Strict = Annotated[bool, Option(("--strict",), "Fail (exit 3) where a rule could not be judged.")]
ExitZero = Annotated[bool, Option(("--exit-zero",), "Tell what is found, and fail for none of it.")]
Formats = Annotated[
    list[str] | None,
    Option(
        ("-f", "--format"),
        "text, concise, json, sarif, junit, github, gitlab or markdown, to a file if named; repeatable.",
        "FORMAT[=FILE]",
    ),
]
Baseline = Annotated[str | None, Option(("--baseline",), "What this file holds does not count: it was there.", "FILE")]
WriteBaseline = Annotated[
    str | None, Option(("--write-baseline",), "Hold what is found now in this file, and fail for none of it.", "FILE")
]
Prune = Annotated[bool, Option(("--prune",), "Take out of the baseline what is not there any more.")]
Exclude = Annotated[
    list[str] | None, Option(("--exclude",), "Pass these paths over, as 'vendor/**'; repeatable.", "GLOB")
]
Fix = Annotated[bool, Option(("--fix",), "Write what cures the findings into the files themselves.")]
Diff = Annotated[bool, Option(("--diff",), "Show what --fix would write, and write nothing.")]
