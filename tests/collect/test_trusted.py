"""As root, a file is followed only if nobody else could have written it; what is asked is what was opened."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from advisor.collect import trusted
from advisor.errors import ConfigError

if TYPE_CHECKING:
    import pathlib

root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give files away")


@pytest.fixture
def file(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "folder/advisor.yaml"
    path.parent.mkdir()
    path.write_text("x")
    return path


@root
@pytest.mark.parametrize(
    ("mode", "group", "fine"),
    [(0o644, 0, True), (0o664, 0, True), (0o644, 12345, True), (0o664, 12345, False), (0o646, 0, False)],
)
@pytest.mark.parametrize("folder", [False, True])
def test_root_looks_at_owner_group_and_mode(
    file: pathlib.Path,
    mode: int,
    group: int,
    fine: bool,  # noqa: FBT001 (a parameter)
    folder: bool,  # noqa: FBT001 (a parameter)
) -> None:
    what = file.parent if folder else file
    os.chown(what, 0, group)
    what.chmod(mode | (0o111 if folder else 0))
    if fine:
        assert trusted.read(str(file), 10) == b"x"
        return
    with pytest.raises(ConfigError, match=re.escape(f"{what}: others can write to it (uid 0, gid {group}, mode 0")):
        trusted.read(str(file), 10)


@root
def test_a_sticky_folder_of_all_is_refused(file: pathlib.Path) -> None:
    file.parent.chmod(0o1777)
    with pytest.raises(ConfigError, match="mode 1777"):
        trusted.read(str(file), 10)


@root
def test_a_link_is_followed_from_a_folder_that_may_be(file: pathlib.Path, tmp_path: pathlib.Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    link = other / "advisor.yaml"
    link.symlink_to(file)
    assert trusted.read(str(link), 10) == b"x"
    other.chmod(0o777)
    with pytest.raises(ConfigError, match=f"{other}: others can write to it"):
        trusted.read(str(link), 10)
    other.chmod(0o755)
    file.parent.chmod(0o777)
    with pytest.raises(ConfigError, match=f"{file.parent}: others can write to it"):
        trusted.read(str(link), 10)


def test_anybody_else_follows_what_can_be_read(file: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.chmod(0o666)
    file.parent.chmod(0o777)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert trusted.read(str(file), 10) == b"x"


def test_only_a_regular_file_of_a_bounded_size_is_read(tmp_path: pathlib.Path, file: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path, said in (
        (tmp_path / "fifo", "not a regular file"),
        (tmp_path / "none", "No such file"),
        (file, "larger"),
    ):
        with pytest.raises(OSError, match=said):
            trusted.read(str(path), 0)
    with pytest.raises(OSError, match="not a regular file"):
        trusted.read(str(tmp_path), 10)
    (tmp_path / "link").symlink_to(file)
    with trusted.opened(str(tmp_path)) as folder, pytest.raises(OSError, match="a link, which is not followed here"):
        trusted.read_in(folder, "link", "link", 10)
