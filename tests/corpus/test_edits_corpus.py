"""Edits of real trees change what was planned and nothing else: directives, effective values, bytes.

The effective values are worked out here once more, by the rule itself (the innermost level that sets a directive wins),
from the blocks of the tree alone.
"""

from __future__ import annotations

import random
import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from advisor import __version__
from advisor.catalog.directives import DIRECTIVES
from advisor.catalog.nginx import SETTINGS
from advisor.collect.nginx import read_nginx
from advisor.errors import InputError, PlanError
from advisor.facts.derive import Facts
from advisor.facts.tree import Node, Tree, walk
from advisor.findings import Place
from advisor.formats.diff import unified
from advisor.formats.nginx import addresses, scan
from advisor.formats.nginx_edit import At, Insert, Remove, SetArgs
from advisor.records import replace
from advisor.remedy.nginx import NginxChange, edited
from advisor.remedy.prove import only_what_was_meant
from advisor.snapshot.model import Snapshot
from advisor.system import System

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from advisor.snapshot.model import Nginx

TRIES = 3
"""Plans a tree; each is one to four edits."""

PARTS = 4
VALUES = {"flag": ("on", "off"), "time": ("7", "1500ms", "2h"), "size": ("4k", "3m"), "count": ("7", "4096")}
NAMES = [name for name in SETTINGS if name in DIRECTIVES and "/" not in name and name != "keepalive_timeout"]
SCOPES = {"http": "h", "server": "s", "location": "l"}

Scope = tuple[int, ...]
"""Where a block stands in the tree: its ordinal among the blocks of each level."""
Effective = dict[tuple[Scope, str], list[list[str]]]


class Planned(NamedTuple):
    """One edit: where, of what, and what it shall say (None: it goes)."""

    change: NginxChange
    block: Node | None
    name: str
    value: str | None


def effective(tree: Tree) -> Effective:
    """Of every block, the arguments that apply for each directive of the catalogue that any block sets."""
    found: Effective = {}
    todo: list[tuple[Scope, list[Node], dict[str, list[list[str]]]]] = [((), tree.top, {})]
    while todo:
        scope, nodes, around = todo.pop()
        own: dict[str, list[list[str]]] = {}
        for node in nodes:
            if node.statement.block is None and node.name in DIRECTIVES:
                own.setdefault(node.name, []).append(node.args)
        here = {**around, **own}
        found |= {(scope, name): values for name, values in here.items()}
        blocks = [node for node in nodes if node.name in {*SCOPES, "events"} and node.statement.block is not None]
        todo += [((*scope, index), block.children, here) for index, block in enumerate(blocks)]
    return found


def scopes(tree: Tree) -> dict[Node | None, Scope]:
    """Every block that `effective` looks into, and what it calls it."""
    found: dict[Node | None, Scope] = {None: ()}
    todo: list[tuple[Scope, list[Node]]] = [((), tree.top)]
    while todo:
        scope, nodes = todo.pop()
        blocks = [node for node in nodes if node.name in {*SCOPES, "events"} and node.statement.block is not None]
        for index, block in enumerate(blocks):
            found[block] = (*scope, index)
            todo.append(((*scope, index), block.children))
    return found


def candidates(tree: Tree, draw: random.Random) -> Iterator[Planned]:
    """Edits that make sense: change or remove what stands there, add what a block does not set."""
    inside = scopes(tree)
    # A file that is included twice, or a block of a name twice, is one place with several scopes: left to other tests.
    places = [node.place for node in walk(tree.top)]
    single = {place for place in set(places) if places.count(place) == 1} if len(places) < 2000 else set()
    for name in NAMES:
        for node in tree.named.get(name, ()):
            if node.parent in inside and node.place in single and len(tree.own(node.parent, name)) == 1:
                other = [text for text in VALUES.get(DIRECTIVES[name].kind, ("7", "8")) if [text] != node.args]
                value = draw.choice([None, *other])
                yield planned(node.place, node.parent, node, name, value)
        for block in inside:
            if block is None or block.place not in single or tree.own(block, name):
                continue
            if SCOPES.get(block.name, "-") in DIRECTIVES[name].contexts and draw.random() < 0.2:
                value = draw.choice(VALUES.get(DIRECTIVES[name].kind, ("7",)))
                yield planned(Place(block.file, block.path, name), block, None, name, value)


def planned(place: Place, block: Node | None, node: Node | None, name: str, value: str | None) -> Planned:
    at = At(place.block, place.directive, place.ordinal)
    edit = Remove(at) if value is None else SetArgs(at, (value,)) if node else Insert(place.block, name, (value,))
    before = " ".join([name, *node.args]) if node else None
    after = None if value is None else f"{name} {value}"
    meant = ((value,),) if value is not None else ()
    return Planned(NginxChange(place, name, before, after, meant, ("test",), ("reload",), edit), block, name, value)


def expected(tree: Tree, before: Effective, edits: list[Planned]) -> Effective:
    """What shall apply after the edits: each one's value in its block, and below it wherever no block sets its own."""
    after = dict(before)
    inside = scopes(tree)
    for one in edits:
        around = before.get((inside[one.block][:-1], one.name)) if inside[one.block] else None
        value = [[one.value]] if one.value is not None else around
        for block, scope in inside.items():
            if inherits(tree, block, one):
                after.pop((scope, one.name), None)
                if value is not None:
                    after[scope, one.name] = value
    return after


def with_files(nginx: Nginx, contents: dict[str, bytes]) -> Facts:
    files = {name: replace(file, content=contents.get(name, file.content)) for name, file in nginx.files.items()}
    return Facts(Snapshot(advisor=__version__, taken="", nginx=replace(nginx, files=files)))


def inherits(tree: Tree, block: Node | None, edit: Planned) -> bool:
    while block is not edit.block:
        if block is None or tree.own(block, edit.name):
            return False
        block = block.parent
    return True


def trees(corpus: pathlib.Path, part: int) -> Iterator[tuple[str, Nginx]]:
    for path in sorted(path for path in (corpus / "nginx").rglob("*") if path.is_file())[part::PARTS]:
        try:
            nginx, _ = read_nginx(System("/"), str(path))
        except InputError:
            continue
        if all(file.differs is None for file in nginx.files.values()):
            yield str(path), nginx


@pytest.mark.parametrize("part", range(PARTS))
def test_only_what_is_planned_changes(corpus: pathlib.Path, tmp_path: pathlib.Path, part: int) -> None:
    draw = random.Random(part)  # noqa: S311 (the same plans each time)
    made = 0
    for path, nginx in trees(corpus, part):
        facts = Facts(Snapshot(advisor=__version__, taken="", nginx=nginx))
        tree = facts.nginx.config.tree
        known = list(candidates(tree, draw))
        for _ in range(TRIES if known else 0):
            edits = one_each(draw.sample(known, min(len(known), draw.randint(1, 4))))
            contents = edited(facts, [one.change for one in edits])
            after = with_files(nginx, contents)
            assert effective(after.nginx.config.tree) == expected(tree, effective(tree), edits), path
            only_what_was_meant(facts, after, [one.change for one in edits])
            for name, content in contents.items():
                only_lines(nginx.files[name].content, content, [one for one in edits if one.change.place.file == name])
                if made % 4 == 0:
                    applies(tmp_path, nginx.files[name].content, content)
            made += 1
    print(made, "plans")  # noqa: T201 (what pytest -s is asked for)
    assert made > 20


def one_each(edits: list[Planned]) -> list[Planned]:
    """Not two of one name: what the one inherits may be what the other changes, which the expectation leaves out."""
    return list({one.name: one for one in edits}.values())


def only_lines(old: bytes, new: bytes, edits: list[Planned]) -> None:
    """Lines without a planned directive stay, byte for byte and in order; a new one may have been put into a line."""
    before, after = untouched(old, edits), untouched(new, edits)
    rest = iter(before)
    assert all(line in rest for line in after), "a line changed, or moved"
    assert len(before) - len(after) <= sum(one.change.before is None for one in edits)


def untouched(data: bytes, edits: list[Planned]) -> list[bytes]:
    """The lines on which none of the planned directives stands."""
    planned_at = {(one.change.place.block, one.name, one.change.place.ordinal) for one in edits}
    gone: set[int] = set()
    for block, ordinal, statement in addresses(scan(data, "f")):
        if statement.block is None and (block, statement.name, ordinal) in planned_at:
            gone.update(range(statement.line, data.count(b"\n", 0, statement.end) + 2))
    return [line for number, line in enumerate(data.split(b"\n"), 1) if number not in gone]


def applies(tmp_path: pathlib.Path, old: bytes, new: bytes) -> None:
    """Both tools make the new bytes of the old ones."""
    diff = unified(old, new, "f")
    for command in (["patch", "-p1", "-s", "--binary"], ["git", "apply", "--whitespace=nowarn", "-"]):
        if shutil.which(command[0]) is None:
            continue
        (tmp_path / "f").write_bytes(old)
        subprocess.run(command, cwd=tmp_path, input=diff, check=True, capture_output=True)
        assert (tmp_path / "f").read_bytes() == new


def test_an_edit_that_would_change_more_is_refused(corpus: pathlib.Path) -> None:
    """A header set of its own in a location that inherits one takes the inherited headers away."""
    refused = 0
    for part in range(PARTS):
        for path, nginx in trees(corpus, part):
            facts = Facts(Snapshot(advisor=__version__, taken="", nginx=nginx))
            tree = facts.nginx.config.tree
            places = [node.place for node in walk(tree.top)]
            for block in [node for node in tree.named.get("location", ()) if places.count(node.place) == 1][:5]:
                if tree.own(block, "proxy_set_header") or not tree.chain(block, "proxy_set_header"):
                    continue
                args = ("Connection", "")
                place = Place(block.file, block.path, "proxy_set_header")
                edit = Insert(block.path, "proxy_set_header", args)
                wrong = [[*node.args] for node in tree.applied(block, "proxy_set_header")] + [[*args]]
                meant = tuple(map(tuple, wrong))
                change = NginxChange(place, "upstream", None, "", meant, ("test",), ("reload",), edit)
                contents = edited(facts, [change])
                after = with_files(nginx, contents)
                with pytest.raises(PlanError, match="would also change proxy_set_header"):
                    only_what_was_meant(facts, after, [change])
                refused += 1
                assert path
    assert refused > 5
