"""What each key of ``advisor.yaml`` means, in a line: for the schema, and for the editor that reads it."""

from __future__ import annotations

from advisor.facts.site import MEANINGS as SITE
from advisor.facts.workload import PROFILES

_PATHS = "patterns (* ? **) from the top of the repository on, or absolute"

MEANINGS: dict[str, str] = {
    "fail_on": "the gate fails on a finding this grave, or graver; high if not said",
    "min_confidence": "the gate fails on a finding this sure, or surer; observed if not said",
    "strict": "the gate fails (exit 3) on what could not be judged, too",
    "preview": "findings of preview rules count in the gate, too",
    "exclude": f"files and folders that the gate passes over: {_PATHS}",
    "baseline": "the file of findings that were there before, relative to this file's folder",
    "rules": "folders of rules beside those that come with advisor, relative to this file's folder",
    "profile": "; ".join(f"{name}: {what}" for name, what in PROFILES.items()),
    "nginx_version": "the version to judge for, where it can't be read",
    "site": "; ".join(f"{name}: {what}" for name, what in SITE.items()),
    "params": "RULE.PARAMETER: QUANTITY, such as 60 s, 50 %, 100 sockets, 4 MiB; see advisor explain RULE",
    "select": "only these rules",
    "ignore": "not these rules, anywhere",
    "severity": "RULE: the severity of all its findings",
    "safety": "RULE: what its safe and unsafe steps count as; advice stays advice",
    "ignores": "findings that somebody answers for, with a reason; reports show them marked",
    "ignores.rule": "the rule, by its id or an alias",
    "ignores.reason": "why it is right to leave it",
    "ignores.until": "the last day on which it holds: YYYY-MM-DD",
    "ignores.path": f"only in such files: {_PATHS}",
    "ignores.server": "only in a server of this name, as server_name has it",
    "ignores.key": "only of this sysctl",
    "hosts": "hosts of which the files lie here; nginx and sysctl files of one are judged together",
    "hosts.paths": f"its files: {_PATHS}",
}
