"""Real nginx files that no one here wrote: each is read and compared, or refused with file:line."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from support.crossplane import fault

from advisor.collect.nginx import Content, read_nginx
from advisor.errors import InputError
from advisor.formats.nginx import addresses, scan
from advisor.formats.nginx_dump import is_dump, split
from advisor.formats.nginx_edit import At, Insert, SetArgs, apply
from advisor.system import System

if TYPE_CHECKING:
    from pathlib import Path

    from advisor.snapshot.model import Nginx


def read(system: System, entry: str, content: Content | None = None) -> tuple[Nginx, list[tuple[str, str]]] | str:
    """What is read, or why nothing is."""
    try:
        return read_nginx(system, entry, content)
    except InputError as error:
        return str(error)


def files(corpus: Path) -> list[Path]:
    found = sorted(path for path in (corpus / "nginx").rglob("*") if path.is_file())
    assert len(found) > 100
    return found


REFUSED = re.compile(r"(/\S+):\d+: \S.*; \S")
MISSING = re.compile(r"/\S+:\d+: can't read \S+: (?:No such file or directory|Not a directory); ")


def test_every_file_is_read_whole_or_refused_with_its_line(corpus: Path) -> None:
    """Each by itself and with what it includes of its own repository: no byte comes from anywhere else."""
    outcomes: Counter[str] = Counter()
    for path in files(corpus):
        repository = corpus / "nginx" / path.relative_to(corpus / "nginx").parts[0]
        result = read(System(str(repository)), f"/{path.relative_to(repository)}")
        if isinstance(result, str):
            assert REFUSED.match(result), (path, result)
            outcomes["refused: " + ("a template" if "template" in result else "nginx refuses it, too")] += 1
            continue
        nginx, problems = result
        assert all(file.content == (repository / name[1:]).read_bytes() for name, file in nginx.files.items())
        assert set(nginx.files) == {nginx.entry, *(name for names in nginx.includes.values() for name in names)}
        assert all(MISSING.match(why) for _, why in problems), problems
        outcomes["read whole, with what it includes"] += 1
        outcomes["files read"] += len(nginx.files)
        for file in nginx.files.values():
            outcomes["  alike" if file.differs is None else f"  named fault: {fault(file.differs)}"] += 1
    for outcome, count in outcomes.items():
        print(f"{count:5}", outcome)  # noqa: T201 (what pytest -s is asked for)
    differing = sum(count for outcome, count in outcomes.items() if "named fault" in outcome)
    assert outcomes["  alike"] > 9 * differing
    assert outcomes["  alike"] + differing == outcomes["files read"]


def test_every_file_reads_the_same_from_standard_input_and_from_a_dump(corpus: Path, tmp_path: Path) -> None:
    """A file alone, and between two markers as ``nginx -T`` prints them."""
    system = System(str(tmp_path))
    for path in files(corpus):
        data = path.read_bytes()
        alone = read(system, "/f", (data, None))
        dump = b"# configuration file /f:\n" + data + b"\n"
        if is_dump(data) or isinstance(alone, str):
            continue
        assert split(dump, "d") == {"/f": data}, path
        assert split(dump.replace(b"\n", b"\r\n"), "d") == {"/f": data}, path


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
