"""Wants of nginx directives into edits of bytes, file by file."""

from __future__ import annotations

from dataclasses import dataclass

from advisor.catalog.nginx import DEFAULT_BACKLOG, DEFAULT_KEEPALIVE_TIMEOUT, SETTINGS
from advisor.errors import PlanError
from advisor.facts.derive import Facts
from advisor.facts.listens import parse_backlog
from advisor.facts.tree import Node, walk
from advisor.findings import Place
from advisor.formats.nginx_edit import At, Edit, Insert, SetArgs, SetParam, apply
from advisor.formats.nginx_values import parse_time, write_time
from advisor.remedy.lattice import Target, Wants

_BACKLOG = "backlog="


@dataclass(frozen=True, slots=True)
class NginxChange:
    """One directive: its text before (None: it was not there) and after, as a person writes it."""

    place: Place
    target: str
    before: str | None
    after: str
    rules: tuple[str, ...]
    needs: tuple[str, ...]
    edit: Edit


def nginx_changes(facts: Facts, wants: dict[Target, Wants]) -> list[NginxChange]:
    """The directives whose value changes, by file and place."""
    if facts.snapshot.nginx is None:
        return []
    nodes = {node.place: node for node in walk(facts.nginx.tree())}
    changes = []
    for (place, target), want in wants.items():
        if place is not None:
            change = _WRITERS[target](place, nodes.get(place), want)
            if change is not None:
                changes.append(change)
    return sorted(changes, key=lambda change: (change.place.file, change.place.block, change.place.ordinal))


def _keepalive_timeout(place: Place, node: Node | None, want: Wants) -> NginxChange | None:
    if node is None:
        after = write_time(float(want.value(DEFAULT_KEEPALIVE_TIMEOUT)), like="")
        return _change(place, want, None, (after,), Insert(place.block, place.directive, (after,)))
    seconds = parse_time(node.args[0])
    if seconds is None:
        raise PlanError(f"{place.file}:{node.statement.line}: '{node.args[0]}' is no time; nginx -t says more")
    new = float(want.value(seconds))
    args = [write_time(new, like=node.args[0]), *node.args[1:]]
    if len(args) > 1 and (parse_time(args[1]) or 0) > new:
        args[1] = str(int(new))
    if new == seconds:
        return None
    return _change(place, want, node, tuple(args), SetArgs(_at(place), tuple(args)))


def _listen_backlog(place: Place, node: Node | None, want: Wants) -> NginxChange | None:
    if node is None:
        raise PlanError(f"{place.file}: the listen directive in {place.block} is not there any more; read it again")
    now = parse_backlog(node.args)
    new = int(want.value(DEFAULT_BACKLOG if now is None else now))
    if new == now:
        return None
    kept = [arg for arg in node.args if not arg.startswith(_BACKLOG)]
    return _change(place, want, node, (*kept, f"{_BACKLOG}{new}"), SetParam(_at(place), "backlog", str(new)))


_WRITERS = {"keepalive_timeout": _keepalive_timeout, "listen.backlog": _listen_backlog}


def _change(place: Place, want: Wants, node: Node | None, args: tuple[str, ...], edit: Edit) -> NginxChange:
    target = want.target[1]
    before = None if node is None else " ".join([node.name, *node.args])
    after = " ".join([place.directive, *args])
    return NginxChange(place, target, before, after, tuple(want.rules), SETTINGS[target].needs, edit)


def _at(place: Place) -> At:
    return At(place.block, place.directive, place.ordinal)


def edited(facts: Facts, changes: list[NginxChange]) -> dict[str, bytes]:
    """The new bytes of every file that changes.

    Raises:
        PlanError: when crossplane and we read a file differently: such a file is never edited.
        InputError: when an edit would change more than was planned.
    """
    by_file: dict[str, list[Edit]] = {}
    for change in changes:
        by_file.setdefault(change.place.file, []).append(change.edit)
    result = {}
    for path, edits in sorted(by_file.items()):
        file = facts.snapshot.nginx.files[path] if facts.snapshot.nginx else None
        if file is None or file.differs is not None:
            raise PlanError(f"{path} is not edited: {file.differs if file else 'it was not read'}")
        result[path] = apply(file.content, path, edits)
    return result
