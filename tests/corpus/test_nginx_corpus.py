"""Real nginx files that no one here wrote: each is read and compared, or refused with file:line."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from advisor.collect.nginx import read_nginx
from advisor.collect.nginx_find import find_entry
from advisor.errors import InputError
from advisor.formats.nginx import addresses, scan
from advisor.formats.nginx_edit import At, Insert, SetArgs, apply
from advisor.system import System

if TYPE_CHECKING:
    from pathlib import Path

    from advisor.snapshot.model import Nginx

FAULTS = {
    "crossplane failed": re.compile(r"crossplane failed: "),
    "words after ${}": re.compile(r"crossplane reads .*\$\{"),
    "Lua": re.compile(r"we read .*Lua"),
    "lines or spaces": re.compile(r" on line \d+|\\x|\\u|\\ufeff"),
}
"""The kinds of differences that crossplane 0.5.8 is known for."""


def fault(differs: str) -> str:
    found = [name for name, pattern in FAULTS.items() if pattern.search(differs)]
    assert found, differs
    return found[0]


def read(system: System, entry: str, content: bytes | None = None) -> tuple[Nginx, list[tuple[str, str]]] | str:
    """What is read, or why nothing is."""
    try:
        return read_nginx(system, entry, None if content is None else (content, None))
    except InputError as error:
        return str(error)


def files(corpus: Path) -> list[Path]:
    found = sorted(path for path in (corpus / "nginx").rglob("*") if path.is_file())
    assert len(found) > 100
    return found


def test_every_file_is_read_and_compared_or_refused(corpus: Path, tmp_path: Path) -> None:
    system = System(str(tmp_path))
    outcomes: Counter[str] = Counter()
    for path in files(corpus):
        result = read(system, "/f", path.read_bytes())
        if isinstance(result, str):
            assert re.match(r"/f:\d+: \S.*; \S", result), (path, result)
            outcomes["refused: a template" if "template" in result else "refused: nginx refuses it too"] += 1
            continue
        differs = result[0].files["/f"].differs
        outcomes["alike" if differs is None else f"differs: {fault(differs)}"] += 1
    for outcome, count in sorted(outcomes.items()):
        print(count, outcome)  # noqa: T201 (what pytest -s is asked for)
    assert outcomes["alike"] > 9 * sum(count for outcome, count in outcomes.items() if outcome.startswith("differs"))


def test_whole_trees_are_read_inside_their_folder(corpus: Path) -> None:
    entries = [path for path in files(corpus) if path.match("etc/nginx/nginx.conf")]
    assert entries
    count = 0
    for path in entries:
        system = System(str(path.parents[2]))
        result = read(system, find_entry(system))
        if isinstance(result, str):
            assert re.match(r"/\S+:\d+: \S.*; \S", result), (path, result)
            continue
        nginx, problems = result
        count += len(nginx.files)
        assert set(nginx.files) == {nginx.entry, *(real for reals in nginx.includes.values() for real in reals)}
        assert all(re.match(r"/\S+:\d+: can't read /\S+: No such file", why) for _, why in problems), problems
    print(f"{len(entries)} trees of {count} files")  # noqa: T201 (likewise)


def test_every_file_can_be_edited_in_one_place(corpus: Path) -> None:
    for path in files(corpus):
        data = path.read_bytes()
        try:
            statements = scan(data, "f")
        except InputError:
            continue
        edited = apply(data, "f", [Insert("", "worker_rlimit_nofile", ("1",))])
        assert sorted(edited.split()) == sorted([*data.split(), b"worker_rlimit_nofile", b"1;"]), path
        simple = [(block, n, s) for block, n, s in addresses(statements) if s.block is None and s.args]
        for block, ordinal, statement in simple[-1:]:
            last = statement.args[-1]
            texts = [token.text for token in statement.args[:-1]]
            edit = SetArgs(At(block, statement.name, ordinal), (*texts, "7x7"))
            assert apply(data, "f", [edit]) == data[: last.start] + b"7x7" + data[last.end :], path
