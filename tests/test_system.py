"""The one door: a tree that stands for a host is never left, and our own output is whole or not there."""

from __future__ import annotations

import os
import pathlib
import stat

import pytest

from advisor.system import System, write_whole


@pytest.fixture
def tree(tmp_path: pathlib.Path) -> pathlib.Path:
    """A host in a folder, with something outside that must not be seen."""
    (tmp_path / "outside").write_text("secret")
    root = tmp_path / "root"
    (root / "etc" / "nginx" / "sites").mkdir(parents=True)
    (root / "outside").write_text("inside")
    (root / "etc" / "nginx" / "nginx.conf").write_text("events {}")
    for name in ("b.conf", "a.conf", ".hidden.conf", "c.txt"):
        (root / "etc" / "nginx" / "sites" / name).write_text(name)
    return root


def test_an_absolute_link_stays_inside_the_tree(tree: pathlib.Path) -> None:
    (tree / "link").symlink_to("/outside")
    (tree / "up").symlink_to("../../../../outside")
    system = System(str(tree))
    assert not system.live
    assert system.read("/link") == b"inside"
    assert system.read("/up") == b"inside"
    assert system.read("/../../outside") == b"inside"
    assert system.real("/link") == "/outside"


def test_a_link_to_a_folder_is_followed_inside(tree: pathlib.Path) -> None:
    (tree / "etc" / "enabled").symlink_to("/etc/nginx/sites")
    system = System(str(tree))
    assert system.read("/etc/enabled/a.conf") == b"a.conf"
    assert system.real("/etc/enabled/../nginx.conf") == "/etc/nginx/nginx.conf"


def test_links_that_turn_round_end(tree: pathlib.Path) -> None:
    (tree / "a").symlink_to("/b")
    (tree / "b").symlink_to("/a")
    system = System(str(tree))
    with pytest.raises(OSError, match="Too many levels"):
        system.read("/a")
    assert not system.exists("/a")


def test_a_file_is_no_folder_of_a_path(tree: pathlib.Path) -> None:
    system = System(str(tree))
    for path in ("/outside/..", "/outside/./etc", "/etc/nginx/nginx.conf/../nginx.conf"):
        with pytest.raises(NotADirectoryError):
            system.real(path)


def test_only_regular_files_are_read_and_only_so_much(tree: pathlib.Path) -> None:
    os.mkfifo(tree / "pipe")
    system = System(str(tree))
    with pytest.raises(OSError, match="not a regular file"):
        system.read("/pipe")
    with pytest.raises(OSError, match="larger than the 8 bytes"):
        system.read("/etc/nginx/nginx.conf", 8)
    assert system.read("/etc/nginx/nginx.conf", 9) == b"events {}"
    with pytest.raises(FileNotFoundError):
        system.read("/gone")


def test_what_is_no_file_is_not_even_opened(tree: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening can act: a writer to a FIFO would go on and find nobody, a watchdog would start to count."""
    opened: list[object] = []
    os.mkfifo(tree / "pipe")
    monkeypatch.setattr(os, "open", lambda path, *_: opened.append(path))
    with pytest.raises(OSError, match="not a regular file"):
        System(str(tree)).read("/pipe")
    assert opened == []


def test_a_file_that_changes_while_it_is_read_is_told(tree: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system, path, read = System(str(tree)), tree / "etc/nginx/nginx.conf", os.read
    content, modified = system.read_settled("/etc/nginx/nginx.conf")
    assert (content, modified) == (b"events {}", path.stat().st_mtime)

    def grow(fd: int, size: int) -> bytes:
        with path.open("ab") as file:
            file.write(b"#")
        return read(fd, size)

    monkeypatch.setattr(os, "read", grow)
    with pytest.raises(OSError, match="larger than the 16 bytes"):
        system.read_settled("/etc/nginx/nginx.conf", 16)
    monkeypatch.setattr(os, "read", lambda fd, size: grow(fd, size) if path.stat().st_size < 30 else read(fd, size))
    with pytest.raises(OSError, match="it changed while it was read"):
        system.read_settled("/etc/nginx/nginx.conf")


def test_a_folder_is_listed_in_order_and_a_missing_one_is_empty(tree: pathlib.Path) -> None:
    system = System(str(tree))
    assert system.list("/etc/nginx/sites") == [".hidden.conf", "a.conf", "b.conf", "c.txt"]
    assert system.list("/gone") == []
    assert system.list("/outside") == []


def test_the_live_host_is_read_as_it_is(tmp_path: pathlib.Path) -> None:
    (tmp_path / "f").write_text("x")
    (tmp_path / "l").symlink_to("f")
    system = System()
    assert system.live
    assert system.read(str(tmp_path / "l")) == b"x"
    assert system.real(str(tmp_path / "l")) == str(tmp_path / "f")
    assert system.modified(str(tmp_path / "f")) == (tmp_path / "f").stat().st_mtime


def test_output_is_written_whole_with_its_mode(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "out.json"
    write_whole(str(path), b"old", mode=0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    write_whole(str(path), b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [one.name for one in tmp_path.iterdir()] == ["out.json"]


def test_a_link_in_the_way_is_replaced_and_never_followed(tmp_path: pathlib.Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "out").symlink_to(victim)
    write_whole(str(tmp_path / "out"), b"ours")
    assert victim.read_text() == "mine"
    assert not (tmp_path / "out").is_symlink()


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: pathlib.Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("")
    with pytest.raises(OSError, match="directory"):
        write_whole(str(tmp_path / "folder"), b"x")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["folder"]
    with pytest.raises(FileNotFoundError):
        write_whole(str(tmp_path / "gone" / "out"), b"x")


def test_a_tree_is_not_read_only(tmp_path: pathlib.Path) -> None:
    """What stands for a machine says nothing of how that one is mounted; tests/e2e/test_scope.py has one that is."""
    (tmp_path / "proc/sys").mkdir(parents=True)
    assert not System(str(tmp_path)).read_only("/proc/sys")
    flags = os.statvfs("/proc/sys").f_flag & os.ST_RDONLY
    assert System().read_only("/proc/sys") is bool(flags)


def test_a_device_is_written_to_and_stays_one(tmp_path: pathlib.Path) -> None:
    """Replaced by a file, /dev/null would be none for everybody."""
    null = tmp_path / "null"
    try:
        os.mknod(null, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        null.read_bytes()
    except PermissionError:
        pytest.skip("devices can be made and opened by root alone, and not everywhere")
    write_whole(str(null), b"x")
    assert stat.S_ISCHR(os.lstat(null).st_mode)
    assert [one.name for one in tmp_path.iterdir()] == ["null"]


def test_a_pipe_is_written_to(tmp_path: pathlib.Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="No such device"):
        write_whole(str(pipe), b"nobody reads")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(str(pipe), b"whole")
    assert os.read(reader, 10) == b"whole"
    os.close(reader)
    read, written = os.pipe()
    write_whole(f"/proc/self/fd/{written}", b"too")
    assert os.read(read, 10) == b"too"
    os.close(read)
    os.close(written)


def test_what_standard_output_was_sent_to_is_added_to(tmp_path: pathlib.Path) -> None:
    with (tmp_path / "out").open("ab") as out:
        out.write(b"first ")
        out.flush()
        write_whole(f"/proc/self/fd/{out.fileno()}", b"second")
    assert (tmp_path / "out").read_bytes() == b"first second"


def test_a_link_that_leads_to_a_device_is_replaced(tmp_path: pathlib.Path) -> None:
    target = tmp_path / "pipe"
    os.mkfifo(target)
    (tmp_path / "out").symlink_to(target)
    write_whole(str(tmp_path / "out"), b"ours")
    assert (tmp_path / "out").read_bytes() == b"ours"
    assert not (tmp_path / "out").is_symlink()


def test_no_file_is_made_among_devices() -> None:
    with pytest.raises(FileNotFoundError):
        write_whole("/proc/self/fd/999999", b"x")
