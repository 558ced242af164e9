"""Real sysctl files that no one here wrote: what is dead, harmful, misspelt, refused or in the wrong unit in each.

The listing kept holds keys, lines and rules, nothing else of the files. It is renewed like the other goldens.
"""

from __future__ import annotations

import os
import pathlib

from advisor.collect.run import Request
from advisor.engine.judging import Judging
from advisor.findings import Severity
from advisor.jobs import audit, load

GOLDEN = pathlib.Path(__file__).parent.parent / "golden" / "sysctl_corpus" / "listing.txt"
RULES = [rule for rule in load.rules() if rule.file.rsplit("/", 2)[-2] == "sysctl"]
DUMPS = ("sysctl-a.out", "example_sysctls.txt")
"""What ``sysctl -a`` printed: nobody wrote it."""


def found(path: pathlib.Path) -> list[tuple[int, str, str, Severity]]:
    """Line, key, rule and severity of everything found in one file, judged as if it were applied."""
    snapshot = load.snapshot(Request(host=False, sysctl_files=(str(path),)), None, lambda _: None)
    result = audit.audit(snapshot, Judging(RULES))
    return sorted(
        (one.location.line or 0, one.location.key or "-", one.rule, one.severity)
        for one in result.findings
        if one.location is not None
    )


def paths(corpus: pathlib.Path) -> list[pathlib.Path]:
    files = sorted(path for path in (corpus / "sysctl").rglob("*") if path.is_file())
    assert files
    return files


def test_what_is_wrong_in_each_file_is_listed(corpus: pathlib.Path) -> None:
    lines = []
    for path in paths(corpus):
        lines.append(str(path.relative_to(corpus / "sysctl")))
        lines += [f"  {at} {key} {severity.word} {rule}" for at, key, rule, severity in found(path)]
    listing = "\n".join(lines) + "\n"
    if os.environ.get("ADVISOR_UPDATE_GOLDEN"):
        GOLDEN.parent.mkdir(parents=True, exist_ok=True)
        GOLDEN.write_text(listing, encoding="utf-8")
    assert listing == GOLDEN.read_text(encoding="utf-8")


def test_what_a_kernel_says_of_itself_raises_no_alarm(corpus: pathlib.Path) -> None:
    dumps = [path for path in paths(corpus) if path.name in DUMPS]
    assert len(dumps) > 1
    for path in dumps:
        assert not [one for one in found(path) if one[3] >= Severity.LOW], path
