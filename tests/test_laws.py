"""The laws that hold for every rule and every snapshot, over snapshots that Hypothesis makes."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from support.snapshots import snapshots

from advisor.engine.cases import snapshot_of
from advisor.engine.judge import judge
from advisor.errors import PlanError, Unread
from advisor.facts.derive import READS, Facts
from advisor.facts.scope import for_the_host
from advisor.findings import Severity, State, Verdict
from advisor.formats import sysctl
from advisor.formats.nginx import addresses, scan
from advisor.formats.nginx_edit import InsertBlock
from advisor.jobs import keep, load
from advisor.records import replace
from advisor.remedy.folder import folder
from advisor.remedy.plan import Allowed, Outcome, Plan, make_plan
from advisor.remedy.sysctl import DROPIN
from advisor.snapshot.mask import mask
from advisor.snapshot.model import SOURCES, Reading, Snapshot, Sockets, SysctlFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from advisor.engine.rule import Case, Rule

RULES = load.rules()
FIRST = {rule.id: rule.consequence_of for rule in RULES}
LOUD = {State.FAIL, State.UNKNOWN}
LIMITS = {"net.core.somaxconn", "net.ipv4.tcp_max_tw_buckets", "net.ipv4.tcp_fin_timeout"} | {
    "net.netfilter.nf_conntrack_max",
    "net.ipv4.tcp_max_orphans",
    "net.core.netdev_max_backlog",
}
ROW = ("queue", "limit", "drops", "idle", "clients")

EXAMPLES = int(os.environ.get("ADVISOR_EXAMPLES", "60"))
"""Enough to find a broken law in most runs; more by the environment variable, where time does not matter."""

law = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))


def verdicts(snapshot: Snapshot, rules: Sequence[Rule] = RULES) -> list[Verdict]:
    return judge(rules, Facts(snapshot))


def planned(snapshot: Snapshot, *, unsafe: bool = True) -> Plan | None:
    try:
        return make_plan(snapshot, lambda facts: judge(RULES, facts), FIRST, Allowed(unsafe))
    except PlanError as error:
        event(f"PlanError: {str(error)[:60]}")
        return None


def knocked_out(snapshot: Snapshot) -> Iterator[tuple[str, Snapshot]]:
    """The snapshot with one thing less, for each thing that can fail to be read.

    A file that the user gave is a question and no source: the run ends where it can't be read.
    """
    asked = any(file.given for file in snapshot.sysctl_files or ())
    for source in SOURCES:
        if getattr(snapshot, source) is not None and not (asked and source == "sysctl_files"):
            unread = {**snapshot.unread, source: "knocked out"}
            yield source, replace(snapshot, **{source: None, "unread": unread})
    if snapshot.sysctls is not None:
        for key in snapshot.sysctls.values:
            rest = {name: value for name, value in snapshot.sysctls.values.items() if name != key}
            yield key, replace(snapshot, sysctls=replace(snapshot.sysctls, values=rest))
    for name in snapshot.counters or ():
        rest = {key: value for key, value in (snapshot.counters or {}).items() if key != name}
        yield name, replace(snapshot, counters=rest)
    yield from _rows(snapshot)
    if snapshot.nginx is not None:
        yield "nginx's version", replace(snapshot, nginx=replace(snapshot.nginx, version=None))
        for path, file in snapshot.nginx.files.items():
            files = {**snapshot.nginx.files, path: replace(file, modified=None)}
            yield (
                f"{path} modified",
                replace(snapshot, nginx=replace(snapshot.nginx, files=files)),
            )


def _rows(snapshot: Snapshot) -> Iterator[tuple[str, Snapshot]]:
    if snapshot.sockets is None:
        return
    for index, row in enumerate(snapshot.sockets.listeners):
        less: list[tuple[str, dict[str, Any]]] = [(name, {name: None}) for name in ROW]
        if row.drops is not None:
            less.append(("drops once", {"drops": Reading(first=row.drops.first)}))
        for name, update in less:
            rows = [*snapshot.sockets.listeners]
            rows[index] = replace(row, **update)
            changed = replace(snapshot.sockets, listeners=rows)
            yield f"{name} of {row.port}", replace(snapshot, sockets=changed)
    yield from _destinations(snapshot, snapshot.sockets)


def _destinations(snapshot: Snapshot, sockets: Sockets) -> Iterator[tuple[str, Snapshot]]:
    for index, row in enumerate(sockets.destinations):
        for name in ("odd", "time_wait"):
            less: dict[str, Any] = {name: None}
            rows = [*sockets.destinations]
            rows[index] = replace(row, **less)
            yield f"{name} to {row.port}", replace(snapshot, sockets=replace(sockets, destinations=rows))


def by_item(found: list[Verdict]) -> dict[str, dict[str, list[State]]]:
    states: dict[str, dict[str, list[State]]] = defaultdict(lambda: defaultdict(list))
    for verdict in found:
        states[verdict.rule][verdict.item].append(verdict.state)
    return states


def loud_items(found: list[Verdict]) -> dict[str, set[str]]:
    """The items that fail or are unknown, by the rule."""
    items: dict[str, set[str]] = defaultdict(set)
    for verdict in found:
        if verdict.state in LOUD:
            items[verdict.rule].add(verdict.item)
    return items


def holds_knocked_out(snapshot: Snapshot) -> None:
    """Holds for rules with ``first`` too, as long as what they fall back on is the stricter.

    Rules that were quiet have nothing to lose; without a whole source they are judged all the same: nothing may raise.
    """
    before = loud_items(verdicts(snapshot))
    some = [rule for rule in RULES if rule.id in before]
    for what, less in knocked_out(snapshot):
        after = by_item(verdicts(less, RULES if what in SOURCES else some))
        for rule, items in before.items():
            for item in items:
                assert LOUD & {*after[rule].get(item, LOUD)}, (what, rule, item)
            assert any(LOUD & {*states} for states in after[rule].values()), (what, rule)


@law
@given(snapshots())
def test_what_is_not_read_never_turns_bad_into_good(snapshot: Snapshot) -> None:
    holds_knocked_out(snapshot)


CASES = [pytest.param(case, id=f"{rule.id}-{case.name}") for rule in RULES for case in rule.cases]


@pytest.mark.parametrize("case", CASES)
def test_what_is_not_read_never_turns_a_rule_s_own_case_into_good(case: Case) -> None:
    """Chance alone meets some rules seldom; their cases meet each of them."""
    holds_knocked_out(snapshot_of(case.given))


def failing(found: list[Verdict]) -> set[tuple[str, str]]:
    return {(verdict.rule, verdict.item) for verdict in found if verdict.state is State.FAIL}


@law
@given(snapshots(), st.booleans())
def test_a_plan_cures_breaks_nothing_and_asks_for_nothing_more(snapshot: Snapshot, unsafe: bool) -> None:  # noqa: FBT001 (drawn)
    plan = planned(snapshot, unsafe=unsafe)
    if plan is None:
        return
    event("empty" if plan.empty else "some changes")
    after = failing(verdicts(plan.prediction.snapshot))
    for one in plan.findings:
        assert (one.step is None) == (one.outcome in {Outcome.NOT_ADDRESSED, Outcome.FOR_THE_HOST})
        if one.step is not None:
            assert (one.finding.rule, one.finding.item) not in after
    assert after <= failing(verdicts(snapshot))
    for change in plan.prediction.sysctls:
        if change.rules and change.key in LIMITS:
            assert int(change.after) >= int(change.before)
    here = {change.key for change in plan.prediction.sysctls if change.rules}
    assert not here & {change.key for change in plan.host}
    assert all(for_the_host(snapshot, key) is None for key in here)
    again = planned(plan.prediction.snapshot, unsafe=unsafe)
    assert again is not None
    assert again.empty, (again.prediction.sysctls, again.prediction.directives)


def configured(snapshot: Snapshot) -> dict[str, object]:
    """Every configured fact that rules read."""
    facts = Facts(snapshot)
    found: dict[str, object] = {}
    for key in snapshot.sysctls.values if snapshot.sysctls else ():
        found[key] = facts.sysctl.text(key)
    if snapshot.nginx is not None:
        found |= {f"backlog {one.id}": one.backlog for one in facts.nginx.listens}
        for one in facts.nginx.keepalives:
            try:
                found[one.id] = one.timeout, one.header, one.endpoints, one.whole
            except Unread as unread:
                found[one.id] = unread.why
    return found


def applied(plan: Plan) -> Snapshot:
    """What is read once the patch's files are in place and ``sysctl -p`` has taken the drop-in.

    A container that can't set its sysctls is made anew, with the options that the plan says.
    """
    snapshot, files = plan.snapshot, folder(plan)
    if json.loads(files["plan.json"])["sysctl_form"] == "container options" and snapshot.sysctls is not None:
        options = {change.key: change.after for change in plan.prediction.sysctls}
        values = {key: options.get(key, value) for key, value in snapshot.sysctls.values.items()}
        snapshot = replace(snapshot, sysctls=replace(snapshot.sysctls, values=values))
    dropin = files.get(DROPIN.lstrip("/"))
    if dropin is not None:
        given = any(file.given for file in snapshot.sysctl_files or ())
        others = [file for file in snapshot.sysctl_files or () if file.path != DROPIN]
        update: dict[str, Any] = {"sysctl_files": [*others, SysctlFile(path=DROPIN, content=dropin, given=given)]}
        if snapshot.sysctls is not None:
            lines = {one.key: one.value for one in sysctl.parse(dropin, DROPIN).settings}
            known = {key: lines.get(key, value) for key, value in snapshot.sysctls.values.items()}
            update["sysctls"] = replace(snapshot.sysctls, values=known)
        snapshot = replace(snapshot, **update)
    if snapshot.nginx is not None:
        after = {
            path: replace(file, content=plan.prediction.files.get(path, file.content))
            for path, file in snapshot.nginx.files.items()
        }
        snapshot = replace(snapshot, nginx=replace(snapshot.nginx, files=after))
    return snapshot


@law
@given(snapshots())
def test_what_the_patch_writes_reads_as_predicted(snapshot: Snapshot) -> None:
    plan = planned(snapshot)
    if plan is None or plan.empty:
        return
    assert configured(applied(plan)) == configured(plan.prediction.snapshot)


def blanked(data: bytes, path: str, places: set[tuple[str, str, int]]) -> bytes:
    """The file with every directive of these places, its arguments included, as one ``@``; blocks whole."""
    out, position = [], 0
    for block, ordinal, statement in addresses(scan(data, path)):
        if statement.token.start >= position and (block, statement.name, ordinal) in places:
            end = [statement.token, *statement.args][-1].end if statement.block is None else statement.close + 1
            out += [data[position : statement.token.start], b"@"]
            position = end
    return b"".join([*out, data[position:]])


@law
@given(snapshots())
def test_no_other_byte_changes(snapshot: Snapshot) -> None:
    plan = planned(snapshot)
    if plan is None or snapshot.nginx is None:
        return
    for path, content in plan.prediction.files.items():
        changes = [one for one in plan.prediction.directives if one.place.file == path]
        old = snapshot.nginx.files[path].content
        there = {(one.place.block, one.place.directive, one.place.ordinal) for one in changes if one.before is not None}
        after = {(one.place.block, one.place.directive, one.place.ordinal) for one in changes if one.after is not None}
        new = [one for one in changes if one.before is None]
        gone = [one for one in changes if one.after is None]
        event("inserted" if new else "edited")
        if not new and not gone:
            assert blanked(content, path, there) == blanked(old, path, there)
        else:
            left = b"".join(blanked(content, path, after).split()) + b"@;" * len(gone)
            more = b"".join(b"@" if isinstance(one.edit, InsertBlock) else b"@;" for one in new)
            assert sorted(left) == sorted(b"".join(blanked(old, path, there).split()) + more)


@law
@given(snapshots(), st.booleans())
def test_the_same_snapshot_gives_the_same_bytes(snapshot: Snapshot, unsafe: bool) -> None:  # noqa: FBT001 (drawn)
    plan = planned(snapshot, unsafe=unsafe)
    if plan is None:
        return
    back = load.parse(keep.to_json(snapshot, with_config=True).encode(), "back")
    again = planned(back, unsafe=unsafe)
    assert back == snapshot
    assert again is not None
    assert folder(again) == folder(plan)


def said(snapshot: Snapshot) -> list[object]:
    return [
        (one.rule, one.item, one.state, one.finding and (one.finding.severity, one.finding.fingerprint))
        for one in verdicts(snapshot)
    ]


@law
@given(snapshots())
def test_a_masked_snapshot_is_judged_alike(snapshot: Snapshot) -> None:
    hidden = mask(snapshot, READS)
    assert said(hidden) == said(snapshot)
    assert mask(hidden, READS) == hidden


@pytest.mark.parametrize(
    "line",
    [
        "",
        "map $http_x_forwarded_for $who { default a; }",
        "limit_req_zone $http_x_forwarded_for zone=a:1m rate=1r/s;",
        "real_ip_header X-Real-IP;",
        "server { listen 81 proxy_protocol; }",
    ],
)
def test_a_mask_leaves_what_decides_on_a_balancer(line: str) -> None:
    """The field report's host, severe only where no balancer may stand in front."""
    rule = next(rule for rule in RULES if rule.id == "keepalive-timeout-long")
    text = f"http {{ keepalive_timeout 300; {line} server {{ listen 80; }} }}"
    snapshot = snapshot_of({**rule.cases[0].given, "nginx": text})
    grave = [one.finding.severity for one in verdicts(snapshot) if one.rule == rule.id and one.finding]
    assert grave == [Severity.MEDIUM if line else Severity.HIGH]
    assert said(mask(snapshot, READS)) == said(snapshot)
