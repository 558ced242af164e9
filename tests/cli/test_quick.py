"""What is read without typer is what typer would have read; the rest is left to it."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated, Any

import pytest
import typer
from hypothesis import event, given, settings
from hypothesis import strategies as st

from advisor.cli import main, quick, typed
from advisor.cli.command import Command, Option

APP = main.app()
NAMES = sorted(main.COMMANDS)
COMMAND = {name: main._command(entry) for name, entry in main.COMMANDS.items()}
ODD = ["", "-", "--", "-x", "--root=/", "-fjson", "--sam", "--help", "1", "-1", "1e3", "nan", "5000", "caf\u00e9", "y"]


def pieces(name: str) -> st.SearchStrategy[tuple[str, ...]]:
    """An option with a value that may fit, an argument, or something odd."""
    value = st.one_of(st.sampled_from(["x.conf", "2", "0.25"]), st.sampled_from(ODD))
    found = []
    for one in COMMAND[name].parameters():
        flags = [st.sampled_from(one.option.names)] if one.option.names else []
        found.append(st.tuples(*flags, *([] if one.kind is bool else [value])))
    return st.one_of(*found) if found else st.tuples(value)


@st.composite
def command_lines(draw: st.DrawFn) -> tuple[str, list[str]]:
    name = draw(st.sampled_from(NAMES))
    words = draw(st.lists(pieces(name), max_size=4))
    odd = draw(st.lists(st.sampled_from(ODD), max_size=1)) if draw(st.booleans()) else []
    out = ["-o", "out"] if name in {"collect", "patch"} else []
    return name, [*out, *(word for piece in words for word in piece), *odd]


def by_typer(name: str, words: list[str]) -> dict[str, Any] | None:
    """What typer hands to the command; None where it refuses, or answers itself."""
    seen: list[dict[str, Any]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Command, "run", lambda _, values: seen.append(values) or 0)
        patch.setattr(sys, "stdout", sys.stderr)
        try:
            APP([*name.split(), *words], prog_name="advisor", standalone_mode=False)
        except typer.TyperException:
            return None
    return seen[0] if seen else None


@given(command_lines())
@settings(max_examples=400, deadline=None)
def test_what_is_read_is_what_typer_reads(line: tuple[str, list[str]]) -> None:
    name, words = line
    values = quick.parse(COMMAND[name].parameters(), words)
    event("left to typer" if values is None else "read")
    if values is not None:
        assert by_typer(name, words) == values


@pytest.mark.parametrize(
    ("name", "words", "read"),
    [
        ("audit", ["--root", "/", "--sample", "2.5", "-f", "text", "-f", "json=x"], {"formats": ["text", "json=x"]}),
        ("audit", ["--no-host", "--no-host", "--snapshot", "-"], {"no_host": True, "snapshot": "-"}),
        ("collect", ["-o", "a", "-o", "b"], {"out": "b", "with_config": False}),
        ("explain", ["a-rule"], {"rule": "a-rule"}),
        ("rules test", ["a", "b"], {"packs": ["a", "b"]}),
        ("collect", [], None),
        ("explain", ["a", "b"], None),
        ("audit", ["--sample", "3601"], None),
        ("audit", ["--root"], None),
        ("audit", ["--root", "--no-host"], None),
    ],
)
def test_what_is_plain_is_read(name: str, words: list[str], read: dict[str, Any] | None) -> None:
    values = quick.parse(COMMAND[name].parameters(), words)
    assert (values is None) is (read is None)
    assert read is None or {key: (values or {})[key] for key in read} == read


def taking_many(
    *,
    paths: Annotated[list[str] | None, Option((), "Files.", "PATH")] = None,
    out: Annotated[str | None, Option(("-o",), "A file.")] = None,
) -> int:
    """Take any number of arguments."""
    return len(paths or ()) + bool(out)


@pytest.mark.parametrize(
    ("words", "read"),
    [
        ([], {"paths": None, "out": None}),
        (["a", "-o", "x", "b", "-"], {"paths": ["a", "b", "-"], "out": "x"}),
        (["a", "--", "-b"], None),
    ],
)
def test_an_argument_that_may_be_given_many_times_takes_all(words: list[str], read: dict[str, Any] | None) -> None:
    command = Command(taking_many)
    assert quick.parse(command.parameters(), words) == read
    seen: list[dict[str, Any]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Command, "run", lambda _, values: seen.append(values) or 0)
        typed.build({"many": ("a", command), "none": ("a", command)})(["many", *words], standalone_mode=False)
    assert seen == [read or {"paths": ["a", "-b"], "out": None}]


@pytest.mark.parametrize(("word", "imported"), [("listen-backlog-capped", False), ("--help", True)])
def test_typer_is_imported_where_it_is_needed(word: str, imported: bool) -> None:  # noqa: FBT001 (a parameter)
    script = (
        "import sys; from advisor.cli.main import run\n"
        f"run(['explain', {word!r}]); print('typer' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == f"{imported}\n"
