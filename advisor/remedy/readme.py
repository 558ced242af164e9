"""The README of a patch folder: what changes and why, what must follow, what to expect, how to undo it."""

from __future__ import annotations

import textwrap
from typing import Any

from advisor.findings import Safety
from advisor.remedy.elsewhere import boot_note, container_options, host_part, way_in
from advisor.remedy.modules import MODULES_LOAD
from advisor.remedy.plan import Addressed, Outcome, Plan
from advisor.remedy.sysctl import DROPIN, KEPT
from advisor.units import show

_NEEDS = {
    "reload": "Reload nginx (`nginx -t && nginx -s reload`). A reload closes every idle keep-alive connection at once: "
    "their clients come back together, and a request sent on one of them at that moment can fail. Old workers stay "
    "until their last connection ends. A count taken right after a reload proves nothing about a timeout.",
    "re-listen": "nginx must listen anew for the queue to get its new limit. A changed `backlog=` does it at a reload; "
    "a changed net.core.somaxconn alone needs a restart (`systemctl restart nginx`), which drops every connection.",
    "restart": "Restart the service; every connection is dropped.",
    "reboot": "Reboot the host.",
}


def readme(plan: Plan, overridden: list[dict[str, Any]]) -> str:
    """The page, as Markdown."""
    host = plan.snapshot.host.name if plan.snapshot.host else "the files given"
    parts = [f"# Patch for {host}", _para(f"From what was read at {plan.snapshot.taken}; nothing has been applied.")]
    if plan.empty:
        parts.append("Nothing is to be changed here; the host has to." if plan.host else "Nothing is to be changed.")
    else:
        parts += ["## What changes, and why", *_changes(plan), "## Apply", *_apply(plan), "## Expect", *_expect(plan)]
        parts += _overridden(overridden)
        parts += ["## Undo", *_undo(plan)]
    parts += [part if part.startswith(("```", "- ")) else _para(part) for part in host_part(plan)]
    parts += _rest(plan)
    return "\n\n".join(part for part in parts if part) + "\n"


def _para(text: str) -> str:
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)


def _items(texts: list[str]) -> str:
    return "\n".join(
        textwrap.fill(
            text, 100, initial_indent="- ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
        for text in texts
    )


def _changes(plan: Plan) -> list[str]:
    lines = [
        f"`{one.key}` from `{one.before or '(empty)'}` to `{one.after}` ({', '.join(one.rules) or KEPT})"
        for one in plan.prediction.sysctls
    ]
    lines += [
        f"`{one.place.file}`: {_code(one.before)} becomes {_code(one.after)} ({', '.join(one.rules)})"
        for one in plan.prediction.directives
    ]
    lines += [
        f"`{MODULES_LOAD}` lists `{name}`, so that its sysctls are there when they are set at boot"
        for name in plan.prediction.modules
    ]
    why = [f"{one.finding.rule}: {one.finding.message}. {one.step.text}" for one in plan.findings if one.step]
    return [_items(lines), _items(why)]


def _code(text: str | None) -> str:
    return "nothing" if text is None else f"`{text if text.endswith('}') else f'{text};'}`"


def _apply(plan: Plan) -> list[str]:
    commands, options = [], []
    if plan.prediction.dropin is not None:
        modules = [f"install -m 0644 .{MODULES_LOAD} {MODULES_LOAD}"] if plan.prediction.modules else []
        keys = " \\\n  ".join(change.key for change in plan.prediction.sysctls)
        read_back = f"sysctl {keys}   # read back: compare; the exit code above proves nothing"
        inside = way_in(plan)
        if inside is not None:
            commands += [*modules, f"{inside} sysctl -p .{DROPIN}", f"{inside} {read_back}"]
        else:
            commands += [*modules, f"install -m 0644 .{DROPIN} {DROPIN}", f"sysctl -p {DROPIN}", read_back]
    elif plan.prediction.sysctls:
        options = [
            part if part.startswith("```") else _para(part) for part in container_options(plan.prediction.sysctls)
        ]
    if plan.prediction.files:
        commands.append("patch -p1 -d / < nginx.diff")
    follow = [_NEEDS.get(need, f"Needs: {need}.") for need in plan.needs]
    said = _items(follow) if follow else "Nothing else has to follow."
    return [*options, _shell(commands), _para(boot_note(plan)), said]


def _shell(commands: list[str]) -> str:
    return "```sh\n" + "\n".join(commands) + "\n```" if commands else ""


def _expect(plan: Plan) -> list[str]:
    lines = []
    for one in plan.prediction.effects:
        after = "to be measured" if one.after is None else show(round(one.after, 1), one.unit)
        lines.append(f"{one.name}: {show(round(one.before, 1), one.unit)} now, {after} afterwards")
    lines += [
        f"{one.finding.rule} ({one.finding.item or 'host'}): {one.outcome.value}"
        + (f" ({one.why})" if one.outcome is Outcome.TO_BE_MEASURED else "")
        for one in plan.findings
        if one.step
    ]
    return [_items(lines)]


def _overridden(overridden: list[dict[str, Any]]) -> list[str]:
    if not overridden:
        return []
    return [
        "## Will not last",
        _para(f"These are read after {DROPIN}, at boot or by `sysctl --system`, or act later, and win:"),
        _items([_override(one) for one in overridden]),
    ]


def _override(one: dict[str, Any]) -> str:
    place = one["file"] if one["line"] is None else f"{one['file']}:{one['line']}"
    sets = "may set" if one["line"] is None else "leaves out" if one["value"] is None else f"sets `{one['value']}` for"
    return f"{place} {sets} `{one['key']}` ({one['by']}): {one['do']}"


def _undo(plan: Plan) -> list[str]:
    commands = []
    if plan.prediction.files:
        commands.append("patch -R -p1 -d / < nginx.diff")
    if plan.prediction.dropin is not None:
        inside = way_in(plan)
        written = [DROPIN] if inside is None else []
        written += [MODULES_LOAD] if plan.prediction.modules else []
        commands += [f"rm {' '.join(written)}   # or put back the one that was there"] if written else []
        prefix = f"{inside} " if inside else ""
        commands += [f"{prefix}sysctl -w {one.key}='{one.before}'" for one in plan.prediction.sysctls]
    elif plan.prediction.sysctls:
        return ["Make the container anew without these options.", _shell(commands)]
    return [_shell(commands), "Then the same reload or restart again." if plan.needs else ""]


def _rest(plan: Plan) -> list[str]:
    left = [one for one in plan.findings if one.outcome is Outcome.NOT_ADDRESSED and one.finding.steps]
    return ["## Left to you", _items([_left(one) for one in left])] if left else []


def _left(one: Addressed) -> str:
    advice = "; or: ".join(step.text for step in one.finding.steps if step.safety is Safety.MANUAL)
    return f"{one.finding.severity.word} {one.finding.rule}: {one.finding.message}. {one.why}. {advice}".strip()
