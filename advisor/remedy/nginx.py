"""Wants of nginx directives into edits of bytes, file by file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from advisor.catalog.directives import DIRECTIVES
from advisor.catalog.nginx import DEFAULT_BACKLOG, DEFAULT_KEEPALIVE_TIMEOUT, SETTINGS
from advisor.errors import PlanError, Unread
from advisor.facts.config import read
from advisor.facts.derive import Facts
from advisor.facts.listens import parse_backlog
from advisor.facts.tree import Node, Tree, walk
from advisor.findings import Place
from advisor.formats.nginx_edit import At, Edit, Insert, InsertBlock, SetArgs, SetParam, apply
from advisor.formats.nginx_values import parse_time, write_size, write_time
from advisor.records import dataclass, replace
from advisor.remedy.lattice import Subject, Target, Wants

_BACKLOG = "backlog="

Args = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NginxChange:
    """One directive: its text before (None: it was not there) and after (None: it is taken out), as one writes it.

    ``meant`` is what shall apply afterwards, of that directive, in the scope it stands in: the arguments of each
    statement of the set. ``subjects`` are the findings that want it.
    """

    place: Place
    target: str
    before: str | None
    after: str | None
    meant: tuple[Args, ...]
    rules: tuple[str, ...]
    needs: tuple[str, ...]
    edit: Edit
    subjects: tuple[Subject, ...] = ()


def nginx_changes(facts: Facts, wants: dict[Target, Wants]) -> list[NginxChange]:
    """The directives that change, by file and place.

    Raises:
        PlanError: when what is wanted can't be written there.
    """
    if facts.snapshot.nginx is None:
        return []
    nodes: dict[Place, Node] = {}
    for node in walk(facts.nginx.tree()):
        nodes.setdefault(node.place, node)
    changes = []
    for (place, target), want in wants.items():
        if place is not None:
            made = _WRITERS.get(target, _directive)(facts, place, nodes.get(place), want)
            changes += [replace(one, subjects=tuple(want.subjects)) for one in made]
    changes = _numbered(sorted(changes, key=lambda one: (one.place.file, one.place.block, one.place.ordinal)))
    return _whole(facts.nginx.config.tree, nodes, changes)


def _whole(tree: Tree, nodes: dict[Place, Node], changes: list[NginxChange]) -> list[NginxChange]:
    """Where a block has several statements of a name, all of them are meant: the planned ones, and the others as is."""
    planned = {one.place: one.meant[0] for one in changes if one.after is not None and len(one.meant) == 1}
    whole = []
    for one in changes:
        node = nodes.get(one.place)
        own = tree.siblings(node) if node is not None and one.place in planned else []
        meant = tuple(planned.get(sibling.place, tuple(sibling.args)) for sibling in own)
        whole.append(replace(one, meant=meant) if len(own) > 1 else one)
    return whole


def _numbered(changes: list[NginxChange]) -> list[NginxChange]:
    """New blocks come one behind the other, as they are inserted; each writer numbered its own as if it were alone."""
    seen: Counter[Place] = Counter()
    numbered = []
    for one in changes:
        new = isinstance(one.edit, InsertBlock)
        place = one.place._replace(ordinal=one.place.ordinal + seen[one.place])
        numbered.append(replace(one, place=place) if new else one)
        seen[one.place] += new
    return numbered


def _directive(facts: Facts, place: Place, node: Node | None, want: Wants) -> list[NginxChange]:
    """A directive of one argument: set where it stands, else added to its block."""
    name = want.target[1]
    kind = DIRECTIVES[name].kind
    old = _now(facts, node, name)
    new = want.least() if old is None else want.value(old)
    if node is not None and new == old:
        return []
    text = str(new) if isinstance(new, str) else _WRITE[kind](new, node.args[0] if node and node.args else "")
    return [change(place, want, node, tuple(text.split()) if kind == "words" else (text,))]


def _now(facts: Facts, node: Node | None, name: str) -> float | str | None:
    """The value a directive has; nginx's default where nothing sets it, None where there is none."""
    try:
        value = read(node, name) if node is not None else facts.nginx.main.value(name)
    except Unread as unread:
        raise PlanError(f"{DIRECTIVES[name].word} can't be changed: {unread.why}") from None
    if isinstance(value, bool):
        return "on" if value else "off"
    return value


_WRITE: dict[str, Callable[[float, str], str]] = {
    "time": write_time,
    "size": lambda size, _: write_size(size),
    "count": lambda number, _: str(int(number)),
}


def _keepalive_timeout(_: Facts, place: Place, node: Node | None, want: Wants) -> list[NginxChange]:
    if node is None:
        return [change(place, want, None, (write_time(float(want.value(DEFAULT_KEEPALIVE_TIMEOUT)), like=""),))]
    seconds = parse_time(node.args[0])
    if seconds is None:
        raise PlanError(f"{node.at}: '{node.args[0]}' is no time; nginx -t says more")
    new = float(want.value(seconds))
    args = [write_time(new, like=node.args[0]), *node.args[1:]]
    if len(args) > 1 and (parse_time(args[1]) or 0) > new:
        args[1] = str(int(new))
    return [] if new == seconds else [change(place, want, node, tuple(args))]


def _listen_backlog(_: Facts, place: Place, node: Node | None, want: Wants) -> list[NginxChange]:
    if node is None:
        raise PlanError(f"{place.file}: the listen directive in {place.block} is not there any more; read it again")
    now = parse_backlog(node.args)
    new = int(want.value(DEFAULT_BACKLOG if now is None else now))
    if new == now:
        return []
    there = next((index for index, arg in enumerate(node.args) if arg.startswith(_BACKLOG)), len(node.args))
    args = (*node.args[:there], f"{_BACKLOG}{new}", *node.args[there + 1 :])
    return [change(place, want, node, args, SetParam(_at(place), "backlog", str(new)))]


def _parameter(_: Facts, place: Place, node: Node | None, want: Wants) -> list[NginxChange]:
    """``access_log.flush``: a parameter that a directive has not got yet."""
    if node is None:
        raise PlanError(f"{place.file}: the {place.directive} in {place.block} is not there any more; read it again")
    parameter = want.target[1].rpartition(".")[2]
    new = want.least()
    text = new if isinstance(new, str) else write_time(new, like="s")
    return [change(place, want, node, (*node.args, f"{parameter}={text}"), SetParam(_at(place), parameter, text))]


def _reuse(facts: Facts, place: Place, node: Node | None, want: Wants) -> list[NginxChange]:
    from advisor.remedy.reuse import reuse  # noqa: PLC0415 (it needs this module, and few plans need it)

    return reuse(facts, place, node, want)


_WRITERS: dict[str, Callable[[Facts, Place, Node | None, Wants], list[NginxChange]]] = {
    "access_log.flush": _parameter,
    "keepalive_timeout": _keepalive_timeout,
    "listen.backlog": _listen_backlog,
    "proxy_cache_path.use_temp_path": _parameter,
    "upstream.reuse": _reuse,
}


def change(place: Place, want: Wants, node: Node | None, args: Args, edit: Edit | None = None) -> NginxChange:
    """A directive that gets these arguments, where it stands or, without a node, as a new one."""
    target = want.target[1]
    before = None if node is None else " ".join([node.name, *node.args])
    after = " ".join([place.directive, *args])
    edit = edit or (Insert(place.block, place.directive, args) if node is None else SetArgs(_at(place), args))
    return NginxChange(place, target, before, after, (args,), want.rules, SETTINGS[target].needs, edit)


def _at(place: Place) -> At:
    return At(place.block, place.directive, place.ordinal)


def by_file(changes: list[NginxChange]) -> dict[str, list[NginxChange]]:
    """The changes of every file, by its path."""
    found: dict[str, list[NginxChange]] = {}
    for one in changes:
        found.setdefault(one.place.file, []).append(one)
    return dict(sorted(found.items()))


def edited(facts: Facts, changes: list[NginxChange]) -> dict[str, bytes]:
    """The new bytes of every file that changes.

    Raises:
        PlanError: when crossplane and we read a file differently: such a file is never edited.
        InputError: when an edit would change more than was planned.
    """
    result = {}
    for path, inside in by_file(changes).items():
        file = facts.snapshot.nginx.files[path] if facts.snapshot.nginx else None
        if file is None or file.differs is not None:
            raise PlanError(f"{path} is not edited: {file.differs if file else 'it was not read'}")
        result[path] = apply(file.content, path, [one.edit for one in inside])
    return result
