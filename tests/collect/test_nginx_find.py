"""Which configuration is meant: prefixes, standard input, the running nginx's own arguments."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from support.nginx import Nginx as RealNginx

from advisor.collect import nginx_find
from advisor.collect.nginx_binary import read_built
from advisor.collect.nginx_find import STDIN, Asked, find_entry, read_configuration
from advisor.errors import InputError
from advisor.system import System

if TYPE_CHECKING:
    from pathlib import Path

    from support.netns import Netns

    from advisor.snapshot.model import Nginx


def tree(folder: Path, **files: str) -> System:
    """A tree with files below etc/nginx, named with ``__`` for ``/``."""
    for name, text in files.items():
        path = folder / "etc/nginx" / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return System(str(folder))


def read(system: System, conf: str | None = None, prefix: str | None = None) -> tuple[Nginx, list[str]]:
    config, problems = read_configuration(system, Asked(conf, prefix), None)
    return config, [why for _, why in problems]


def test_it_is_looked_for_where_packages_put_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"/etc/nginx/nginx.conf: not there; name nginx's main configuration file"):
        find_entry(System(str(tmp_path)))
    system = tree(tmp_path, **{"nginx.conf": "", "conf__nginx.conf": ""})
    assert find_entry(system) == "/etc/nginx/nginx.conf"
    assert find_entry(system, "/gone") == "/etc/nginx/nginx.conf"
    assert find_entry(system, "/etc/nginx") == "/etc/nginx/conf/nginx.conf"
    assert read(system)[0].entry == "/etc/nginx/nginx.conf"
    assert read(system, prefix="/etc/nginx")[0].prefix == "/etc/nginx"


@pytest.mark.parametrize(
    ("conf", "prefix"),
    [
        ("/etc/nginx/x/n.conf", None),
        ("/etc/nginx/x/n.conf", "/srv"),
        ("etc/nginx/x/n.conf", None),
        ("x/n.conf", "/etc/nginx"),
        ("x/n.conf", "/etc/nginx/"),
        ("x/n.conf", "etc/nginx"),
        ("x/../x/./n.conf", "/etc/../etc/nginx"),
    ],
)
def test_in_a_tree_a_relative_file_begins_at_the_prefix_and_its_includes_where_it_lies(
    tmp_path: Path, conf: str, prefix: str | None
) -> None:
    system = tree(tmp_path, **{"x__n.conf": "include a;", "x__a": "b;", "a": "wrong;"})
    config, problems = read(system, conf, prefix)
    assert config.entry == "/etc/nginx/x/n.conf"
    assert config.includes == {"/etc/nginx/x/a": ["/etc/nginx/x/a"]}
    assert problems == []


def test_a_link_to_the_main_file_takes_its_includes_from_the_links_folder(tmp_path: Path) -> None:
    system = tree(tmp_path, **{"real__n.conf": "include a;", "real__a": "wrong;", "a": "b;"})
    (tmp_path / "etc/nginx/n.conf").symlink_to("real/n.conf")
    config, problems = read(system, "/etc/nginx/n.conf")
    assert config.entry == "/etc/nginx/real/n.conf"
    assert config.includes == {"/etc/nginx/real/a": ["/etc/nginx/a"]}
    assert problems == []


def test_on_the_host_a_relative_file_begins_where_we_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, **{"n.conf": "include a;", "a": "b;"})
    monkeypatch.chdir(tmp_path / "etc")
    for conf, prefix, recorded in (
        ("nginx/n.conf", None, None),
        ("n.conf", "nginx", f"{tmp_path}/etc/nginx"),
        ("n.conf", f"{tmp_path}/etc/nginx", f"{tmp_path}/etc/nginx"),
    ):
        config, problems = read(System(), conf, prefix)
        assert (config.entry, config.prefix) == (f"{tmp_path}/etc/nginx/n.conf", recorded)
        assert len(config.files) == 2
        assert problems == []


def test_a_folder_we_are_in_may_be_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(InputError, match=r"can't read n.conf: No such file or directory; correct the path"):
        read(System(), "n.conf")


def pipe(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(nginx_find, "standard_input", lambda _: content)


def test_what_is_piped_in_follows_includes_only_where_it_is_said_to_belong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tree(tmp_path, a="x;", n__a="y;")
    pipe(monkeypatch, b"include a;\ninclude /etc/nginx/*a;")
    config, problems = read(system, "-")
    assert list(config.files) == [STDIN, "/etc/nginx/a"]
    assert config.includes == {"a": ["/etc/nginx/a"], "/etc/nginx/*a": ["/etc/nginx/a"]}
    assert problems == []
    config, _ = read(system, "-", "/etc/nginx/n")
    assert config.includes["a"] == ["/etc/nginx/n/a"]
    config, _ = read(System(), "-", f"{tmp_path}/etc/nginx/n")
    assert config.includes == {"a": [f"{tmp_path}/etc/nginx/n/a"], "/etc/nginx/*a": []}
    config, problems = read(System(), "-")
    assert list(config.files) == [STDIN]
    assert [why.partition(",")[0] for why in problems] == [
        "<stdin>:1: a was not followed",
        "<stdin>:2: /etc/nginx/*a was not followed",
    ]
    assert all("--prefix or --root" in why for why in problems)


def test_a_dump_is_read_from_a_file_and_from_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tree has files of the same names: nothing of it is read."""
    dump = b"# configuration file /etc/nginx/nginx.conf:\ninclude *.d/*;\ninclude gone;\n\n"
    dump += b"# configuration file /etc/nginx/c.d/a:\nx;\r\n"
    system = tree(tmp_path, gone="wrong;", **{"c.d__a": "wrong;", "c.d__b": "wrong;", "nginx.conf": "wrong;"})
    (tmp_path / "dump").write_bytes(dump)
    pipe(monkeypatch, dump)
    for conf in ("/dump", "-"):
        config, problems = read(system, conf, "/srv")
        assert {path: file.content for path, file in config.files.items()} == {
            "/etc/nginx/nginx.conf": b"include *.d/*;\ninclude gone;\n",
            "/etc/nginx/c.d/a": b"x;\r",
        }
        assert config.includes == {"/etc/nginx/*.d/*": ["/etc/nginx/c.d/a"], "/etc/nginx/gone": []}
        assert {file.modified for file in config.files.values()} == {None}
        assert config.prefix == "/srv"
        [problem] = problems
        assert problem.startswith("/etc/nginx/nginx.conf:2: /etc/nginx/gone is not in the dump, which was cut")


def test_a_file_in_a_dump_under_two_names_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe(
        monkeypatch,
        b"# configuration file /n/nginx.conf:\ninclude a;include ../n/a;include ../n/b;\n"
        b"# configuration file /n/a:\nx;\n# configuration file /n/../n/a:\nx;\n# configuration file /n/../n/b:\ny;\n",
    )
    config, problems = read(System(), "-")
    assert list(config.files) == ["/n/nginx.conf", "/n/a", "/n/../n/b"]
    assert config.includes["/n/../n/a"] == ["/n/a"]
    assert problems == []


def test_a_main_file_that_begins_with_its_own_name_is_no_dump(tmp_path: Path) -> None:
    system = tree(tmp_path, a="x;", **{"nginx.conf": "# configuration file /etc/nginx/nginx.conf:\ninclude a;\n"})
    config, _ = read(system, "/etc/nginx/nginx.conf")
    assert list(config.files) == ["/etc/nginx/nginx.conf", "/etc/nginx/a"]
    (tmp_path / "copy").write_bytes((tmp_path / "etc/nginx/nginx.conf").read_bytes())
    config, [problem] = read(system, "/copy")
    assert list(config.files) == ["/etc/nginx/nginx.conf"]
    assert "is not in the dump" in problem


def test_a_plain_file_may_hold_less_than_a_dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nginx_find, "_LARGEST", 40)
    system = tree(tmp_path, big="# " + "x" * 39, fine="# " + "x" * 38)
    read(system, "/etc/nginx/fine")
    for conf in ("/etc/nginx/big", "-"):
        pipe(monkeypatch, b"x" * 41)
        with pytest.raises(InputError, match="that are read of one file; split it"):
            read(system, conf)
    pipe(monkeypatch, b"# configuration file /n/n.conf:\n# " + b"x" * 39 + b"\n")
    assert len(read(system, "-")[0].files) == 1


STARTED = (
    ("-p {0} -c n.conf", "{0}"),
    ("-c {0}/n.conf -p {0}/logs", "{0}/logs"),
    ("-p . -c n.conf", "{0}"),
    ("-p {0}/logs/../ -c n.conf", "{0}/logs/../"),
    ("-c {0}/n.conf", None),
)


@pytest.mark.real("nginx")
@pytest.mark.parametrize(("arguments", "prefix"), STARTED)
def test_the_prefix_of_a_running_nginx(netns: Netns, tmp_path: Path, arguments: str, prefix: str | None) -> None:
    (tmp_path / "logs").mkdir()
    text = f"daemon off; error_log {tmp_path}/log; pid {tmp_path}/pid; include [a]; events {{}}"
    (tmp_path / "n.conf").write_text(text)
    (tmp_path / "a").write_text("user root;")
    argv = arguments.format(tmp_path).split()
    process = netns.start("nginx", "-e", f"{tmp_path}/log", *argv, cwd=tmp_path)
    end = time.monotonic() + 15
    while not (tmp_path / "pid").exists():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)
    built = read_built(System(), process.pid)
    expected = built.prefix if prefix is None else prefix.format(tmp_path)
    for asked in (Asked(), Asked(conf=str(tmp_path / "n.conf"))):
        config, problems = read_configuration(System(), asked, process.pid)
        assert (config.prefix or "").rstrip("/") == (expected or "").rstrip("/")
        assert (config.entry, config.version) == (str(tmp_path / "n.conf"), built.version)
        assert len(config.files) == 2
        assert problems == []
    other, _ = read_configuration(System(), Asked(conf=str(tmp_path / "a")), process.pid)
    assert other.prefix is None
    mine, _ = read_configuration(System(), Asked(prefix=str(tmp_path)), process.pid)
    assert mine.prefix == str(tmp_path)


@pytest.mark.real("nginx")
def test_a_binary_that_cannot_be_read_is_a_problem(
    netns: Netns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nginx = RealNginx(netns, tmp_path)
    nginx.write("")
    nginx.start()

    real_read = System.read

    def refuse(system: System, path: str, *limit: int) -> bytes:
        if path.endswith("/exe"):
            raise PermissionError(13, "Permission denied")
        return real_read(system, path, *limit)

    monkeypatch.setattr(System, "read", refuse)
    config, [(_, problem)] = read_configuration(System(), Asked(), nginx.master.pid)
    assert (config.entry, config.prefix, config.version) == (str(nginx.conf), str(tmp_path), None)
    assert problem.startswith(f"its version is not known: can't read /proc/{nginx.master.pid}/exe: Permission denied;")
    assert read_configuration(System(), Asked(version="1.31.5"), nginx.master.pid)[1] == []
