"""Files are changed as a whole or not at all, keep what they are, and none outside of where it may."""

from __future__ import annotations

import errno
import os
import pathlib
import shutil
import stat
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from conftest import require
from support.fixing import SHIPPED

from advisor.collect.run import Request, collect
from advisor.errors import AdvisorError, InputError, UsageError
from advisor.formats.splice import Owned
from advisor.jobs import patch, rewrite
from advisor.jobs.fix import Fixed, fix
from advisor.remedy.plan import Allowed

if TYPE_CHECKING:
    from collections.abc import Callable

NGINX = b"http {\r\n    # caf\xe9\r\n    server { listen 80 backlog=8; }\r\n} # end"
SYSCTL = b"; caf\xe9\nnet.core.somaxconn = 64\r\n"
OLD, NEW = b"net.core.somaxconn = 64\n", b"net.core.somaxconn = 4096\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "repo").mkdir()
    monkeypatch.chdir(tmp_path / "repo")


def put(path: str, content: bytes = OLD, mode: int = 0o644) -> str:
    file = pathlib.Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    file.chmod(mode)
    return path


def fixed(*paths: str) -> Fixed:
    """A cure of files that hold `OLD`."""
    edit = Owned(21, 23, b"4096", ((0, "somaxconn-lowered", ""),))
    return Fixed(dict.fromkeys(paths, (OLD, NEW)), {path: [edit] for path in paths}, {}, {})


def leftovers() -> list[str]:
    return [name for _, _, names in os.walk("..") for name in names if name.startswith(".advisor-")]


def refused(error: type[AdvisorError], match: str, *paths: str, within: tuple[str, ...] = (".",)) -> None:
    """It is refused, and every file holds what it held."""
    before = {path: pathlib.Path(path).read_bytes() for path in paths if os.path.isfile(path)}
    with pytest.raises(error, match=match):
        rewrite.write(fixed(*paths), within)
    assert before == {path: pathlib.Path(path).read_bytes() for path in before}
    assert leftovers() == []


def test_every_byte_mode_and_owner_is_kept() -> None:
    put("nginx/nginx.conf", NGINX, 0o640)
    put("sysctl.d/a.conf", SYSCTL, 0o604)
    owner = (12345, 54321) if os.geteuid() == 0 else (os.getuid(), os.getgid())
    os.chown("nginx/nginx.conf", *owner)
    request = Request(host=False, nginx_conf="nginx/nginx.conf", sysctl_files=("sysctl.d/a.conf",))
    cure = fix([collect(request, lambda _: None)], [SHIPPED], SHIPPED.causes, Allowed())
    assert len(rewrite.write(cure, ["nginx", "sysctl.d/a.conf"])) == 2
    assert pathlib.Path("nginx/nginx.conf").read_bytes() == NGINX.replace(b"=8", b"=511")
    assert pathlib.Path("sysctl.d/a.conf").read_bytes() == SYSCTL.replace(b"64", b"4096")
    status = os.stat("nginx/nginx.conf")
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (0o640, *owner)
    assert stat.S_IMODE(os.stat("sysctl.d/a.conf").st_mode) == 0o604
    assert leftovers() == []


def test_extended_attributes_are_kept() -> None:
    put("a.conf")
    try:
        os.setxattr("a.conf", "user.note", b"mine")
    except OSError as error:
        require(error.errno != errno.ENOTSUP, "needs a file system with extended attributes")
        raise
    rewrite.write(fixed("a.conf"), ["."])
    assert os.getxattr("a.conf", "user.note") == b"mine"


@pytest.mark.parametrize("within", [(), ("b",), ("a",), ("a.con",), ("a.conf/x",)])
def test_nothing_outside_of_the_paths_given_is_written(within: tuple[str, ...]) -> None:
    put("a.conf")
    put("b/a.conf")
    refused(UsageError, r"lies outside of the paths given", "b/a.conf", "a.conf", within=within)


def test_a_link_is_followed_where_it_stays_inside() -> None:
    put("real/a.conf")
    os.symlink("real/a.conf", "link.conf")
    assert rewrite.write(fixed("link.conf"), ["link.conf", "real"]) == ["link.conf"]
    assert os.path.islink("link.conf")
    assert pathlib.Path("real/a.conf").read_bytes() == NEW


def test_a_link_that_leads_outside_is_refused_with_all_others() -> None:
    put("../outside/a.conf")
    put("b.conf")
    os.symlink("../outside", "sub")
    os.symlink("../outside/a.conf", "link.conf")
    refused(UsageError, r"link.conf leads to /.*/outside/a.conf, which lies outside", "b.conf", "link.conf")
    refused(UsageError, r"sub/a.conf leads to ", "b.conf", "sub/a.conf")


def test_a_file_and_a_link_to_it_are_one() -> None:
    put("a.conf")
    os.symlink("a.conf", "b.conf")
    one = fixed("a.conf", "b.conf")
    one.files["b.conf"] = (OLD, b"other")
    with pytest.raises(InputError, match=r"b\.conf is a\.conf, by a link, and both are to change"):
        rewrite.write(one, ["."])
    assert rewrite.write(fixed("a.conf", "b.conf"), ["."]) == ["a.conf", "b.conf"]
    assert pathlib.Path("b.conf").read_bytes() == NEW


def test_a_file_that_changed_since_it_was_read_is_refused() -> None:
    put("a.conf")
    put("b.conf", OLD + b"# more\n")
    refused(InputError, r"b\.conf changed since it was read", "a.conf", "b.conf")
    put("b.conf", OLD[:-1])
    refused(InputError, r"b\.conf changed since it was read", "a.conf", "b.conf")


def test_a_file_with_hard_links_is_refused() -> None:
    put("a.conf")
    os.link("a.conf", "b.conf")
    refused(InputError, r"a\.conf has 2 names \(hard links\)", "a.conf")


def test_what_is_no_file_or_not_there_is_refused() -> None:
    put("a.conf")
    os.mkfifo("pipe")
    refused(InputError, r"pipe is no regular file", "a.conf", "pipe")
    refused(InputError, r"gone can't be changed: No such file or directory", "a.conf", "gone")


def test_a_read_only_file_is_refused() -> None:
    put("a.conf")
    put("b.conf", mode=0o444)
    refused(InputError, r"b\.conf is read-only; make it writable", "a.conf", "b.conf")


def as_nobody(path: str, *, folder_mode: int, owner: int) -> str:
    """What a user without rights is told."""
    put(path)
    os.chown(path, owner, owner)
    os.chmod(os.path.dirname(path), folder_mode)
    for above in pathlib.Path(path).resolve().parents[1:-1]:
        above.chmod(above.stat().st_mode | 0o055)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        try:
            rewrite.write(fixed(path), ["."])
        except AdvisorError as error:
            os.write(write, str(error).encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as said:
        return said.read()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_a_user_is_told_what_may_not_be_written() -> None:
    assert as_nobody("a/a.conf", folder_mode=0o777, owner=0) == (
        "a/a.conf is read-only; make it writable, or change it by hand"
    )
    assert as_nobody("b/a.conf", folder_mode=0o755, owner=65534) == (
        "b/a.conf can't be replaced: its folder is read-only; make it writable"
    )
    assert as_nobody("c/a.conf", folder_mode=0o777, owner=65534) == ""
    assert pathlib.Path("c/a.conf").read_bytes() == NEW


def failing_at(monkeypatch: pytest.MonkeyPatch, call: str, time: int, before: Callable[[], None]) -> None:
    """The call fails, as on a full disk, the time that is given; something is done just before it."""
    real = getattr(os, call)
    seen = []

    def fake(*args: Any, **options: Any) -> Any:
        seen.append(args)
        if len(seen) == time:
            before()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*args, **options)

    monkeypatch.setattr(os, call, fake)


@pytest.mark.parametrize(("call", "time"), [("fsync", 1), ("fsync", 3), ("replace", 1), ("replace", 2), ("replace", 3)])
def test_a_write_that_fails_takes_the_others_back(monkeypatch: pytest.MonkeyPatch, call: str, time: int) -> None:
    for name in "abc":
        put(f"{name}.conf", mode=0o640)
    failing_at(monkeypatch, call, time, lambda: None)
    refused(InputError, r"\.conf can't be changed: No space left on device", "a.conf", "b.conf", "c.conf")
    assert stat.S_IMODE(os.stat("a.conf").st_mode) == 0o640


def test_a_file_that_changes_between_check_and_rename_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    put("a.conf")
    put("b.conf")
    real = os.replace
    raced = []

    def racing(*args: Any, **options: Any) -> None:
        real(*args, **options)
        if not raced:
            raced.append(put("b.conf", b"theirs"))

    monkeypatch.setattr(os, "replace", racing)
    with pytest.raises(InputError, match=r"b\.conf changed since it was read"):
        rewrite.write(fixed("a.conf", "b.conf"), ["."])
    assert pathlib.Path("a.conf").read_bytes() == OLD
    assert pathlib.Path("b.conf").read_bytes() == b"theirs"
    assert leftovers() == []


def test_a_folder_that_is_swapped_for_a_link_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    put("sub/a.conf")
    put("../outside/a.conf")
    real = os.open

    def swapping(path: Any, *args: Any, **options: Any) -> int:
        if str(path).endswith("/sub"):
            os.rename("sub", "sub.old")
            os.symlink("../outside", "sub")
        return real(path, *args, **options)

    monkeypatch.setattr(os, "open", swapping)
    with pytest.raises(InputError, match=r"/sub was moved just now"):
        rewrite.write(fixed("sub/a.conf"), ["."])
    assert pathlib.Path("../outside/a.conf").resolve().read_bytes() == OLD


def test_files_that_can_not_be_put_back_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    put("a.conf")
    put("b.conf")
    real = os.replace
    seen = []

    def full(*args: Any, **options: Any) -> None:
        seen.append(args)
        if len(seen) > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(*args, **options)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match=r"a\.conf could not be put back"):
        rewrite.write(fixed("a.conf", "b.conf"), ["."])
    assert leftovers() == []


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_git_applies_the_difference_from_a_folder_inside() -> None:
    """The same as a patch holds, with names as git knows them, and through links."""
    subprocess.run(["git", "init", "-q", "."], check=True)
    put("web/nginx.conf", NGINX.replace(b"# caf\xe9\r\n", b"include sites/*;\r\n"))
    put("web/real/ä b.conf", b"server { listen 81 backlog=8; }")
    os.symlink("real", "web/sites")
    os.chdir("web")
    snapshot = collect(Request(host=False, nginx_conf="nginx.conf"), lambda _: None)
    cure = fix([snapshot], [SHIPPED], SHIPPED.causes, Allowed())
    assert len(cure.files) == 2
    shown = rewrite.diff(cure)
    made = patch.plan(snapshot, SHIPPED, Allowed())
    assert {path: after for path, (_, after) in cure.files.items()} == made.prediction.files
    subprocess.run(["git", "apply", "--whitespace=nowarn", "-"], input=shown, check=True)
    for path, (_, after) in cure.files.items():
        assert pathlib.Path(path).read_bytes() == after


def test_no_name_of_a_file_steers_the_terminal_it_is_told_on() -> None:
    name = put("a\n\x1b[31m/nginx.conf")
    assert rewrite.write(fixed(name), ["."]) == ["a\\n\\x1b[31m/nginx.conf"]
    refused(InputError, r"^a\\n\\x1b\[31m/nginx.conf is read-only", put(name, mode=0o444))
    refused(UsageError, r"^a\\n\\x1b\[31m/nginx.conf lies outside", put(name), within=("b",))


def test_changes_above_the_current_folder_are_told_from_the_top_of_the_repository(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkdir(".git")
    put("a/a.conf")
    put("b.conf")
    monkeypatch.chdir("a")
    cure = fixed("a.conf", str(tmp_path / "repo/b.conf"))
    shown = rewrite.diff(cure)
    assert [line for line in shown.splitlines() if line.startswith(b"+++")] == [b"+++ b/a/a.conf", b"+++ b/b.conf"]
    subprocess.run(["git", "apply", "-"], input=shown, cwd="..", check=True)
    assert pathlib.Path("a.conf").read_bytes() == pathlib.Path("../b.conf").read_bytes() == NEW
    assert rewrite.diff(fixed("a.conf")).startswith(b"--- a/a.conf\n")
