"""Folders of drop-ins: which file of a name counts, and how many are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.collect.dropins import MOST, conf_files
from advisor.system import System

if TYPE_CHECKING:
    import pathlib


def test_the_first_folder_counts_and_names_decide_the_order(tmp_path: pathlib.Path) -> None:
    for path in ("etc/b.conf", "etc/notes.txt", "run/b.conf", "run/a.conf"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    said: list[str] = []
    assert conf_files(System(str(tmp_path)), ["/etc", "/none", "/run"], said.append) == ["/run/a.conf", "/etc/b.conf"]
    assert said == []


def test_files_that_are_left_out_are_said(tmp_path: pathlib.Path) -> None:
    for number in range(MOST + 1):
        (tmp_path / f"{number:04}.conf").touch()
    said: list[str] = []
    assert len(conf_files(System(str(tmp_path)), ["/"], said.append)) == MOST
    assert said == [f"there are more than {MOST} files: /{MOST:04}.conf and later ones were not read"]
