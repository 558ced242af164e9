"""What a gate finds to judge in a repository, and the snapshots made of it."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from collections.abc import Callable

import pytest
from support.repository import make

from advisor.collect import entries, run
from advisor.collect.run import Request
from advisor.engine.judging import Judging
from advisor.errors import InputError
from advisor.jobs import targets
from advisor.jobs.audit import audit
from advisor.jobs.load import rules
from advisor.jobs.targets import Found, Target, discover, fault_of, snapshot_of, snapshots
from advisor.report.gated import Fault
from advisor.snapshot.json import dumps
from advisor.snapshot.model import Snapshot

MAIN = "events {}\nhttp { include /etc/nginx/conf.d/*.conf; }\n"
SERVER = "server { listen 80; }\n"
FILES = Request(host=False)
Made = Callable[[dict[str, str | bytes]], pathlib.Path]


@pytest.fixture
def repo(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    """Makes a git repository and goes there."""

    def made(files: dict[str, str | bytes]) -> pathlib.Path:
        monkeypatch.chdir(make(tmp_path, {".git/HEAD": "", **files}))
        return tmp_path

    return made


def told(found: Found) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {one.name: (one.kind, one.files) for one in found.targets}


def test_a_repository_becomes_hosts(repo: Made) -> None:
    repo(
        {
            "web1/etc/nginx/nginx.conf": MAIN,
            "web1/etc/nginx/conf.d/a.conf": SERVER,
            "web1/etc/sysctl.d/20.conf": "net.core.somaxconn = 1\n",
            "web1/etc/sysctl.conf": "net.core.somaxconn = 2\n",
            "web1/usr/lib/sysctl.d/10.conf": "",
            "web2/nginx.conf": MAIN,
            "db/sysctl.d/a.conf": "",
            "parts/conf.d/lone.conf": SERVER,
            "nginx/mime.types": "types { text/html html; }",
        }
    )
    found = discover(["."])
    sysctls = ("web1/usr/lib/sysctl.d/10.conf", "web1/etc/sysctl.d/20.conf", "web1/etc/sysctl.conf")
    assert told(found) == {
        "web1/etc/nginx/nginx.conf": (
            "nginx and sysctl",
            ("web1/etc/nginx/nginx.conf", "web1/etc/nginx/conf.d/a.conf", *sysctls),
        ),
        "web2/nginx.conf": ("nginx", ("web2/nginx.conf",)),
        "parts/conf.d/lone.conf": ("nginx", ("parts/conf.d/lone.conf",)),
        "db/sysctl.d/a.conf": ("sysctl", ("db/sysctl.d/a.conf",)),
    }
    assert [one.name for one in found.targets if one.fragment] == ["parts/conf.d/lone.conf"]
    assert found.faults == []
    assert found.passed == {"data that nothing includes": 1}


def test_the_configuration_joins_files_to_hosts(repo: Made) -> None:
    repo(
        {"n/a.conf": MAIN, "n/b.conf": MAIN, "s/all.sysctl.conf": "a.b = 1\n", "n/c.conf": SERVER, "s/sysctl.conf": ""}
    )
    found = discover(["."], hosts={"web": ["n/[ab].conf", "s/all*"], "old": ["n/c.conf"], "none": ["x/**"]})
    assert told(found) == {
        "web: n/a.conf": ("nginx and sysctl", ("n/a.conf", "s/all.sysctl.conf")),
        "web: n/b.conf": ("nginx and sysctl", ("n/b.conf", "s/all.sysctl.conf")),
        "old": ("nginx", ("n/c.conf",)),
        "s/sysctl.conf": ("sysctl", ("s/sysctl.conf",)),
    }
    assert [one.host for one in found.targets] == ["web", "web", "old", None]
    assert found.empty_hosts == ("none",)


def test_globs_begin_at_the_top_or_where_we_are(repo: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    top = repo({"sub/a/nginx.conf": MAIN, "sub/b/nginx.conf": MAIN, "sub/c/nginx.conf": MAIN})
    monkeypatch.chdir(top / "sub")
    found = discover(["."], exclude=["sub/a", "b/*.conf"])
    assert [one.name for one in found.targets] == ["c/nginx.conf"]
    assert found.passed == {"excluded": 2}


def test_without_git_only_what_is_named_is_read(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, {"a/nginx.conf": "events {} include ../b/x; include c;", "b/x": "a;", "a/c": "worker_processes 1;"})
    monkeypatch.chdir(tmp_path)
    (target,) = discover(["a/nginx.conf"]).targets
    assert target.files == ("a/nginx.conf", "a/c")
    where = f"a/nginx.conf:1: a/../b/x leads outside of {tmp_path}/a, and is not read"
    assert target.problems == (("nginx", where),)
    (target,) = discover(["a/nginx.conf", "b"]).targets
    assert target.files == ("a/nginx.conf", "b/x", "a/c")


def test_one_that_can_not_be_read_is_a_fault_at_its_place_and_its_parts_are_not_judged_alone(repo: Made) -> None:
    repo(
        {
            "x/nginx.conf": MAIN,
            "x/conf.d/a.conf": "server {\n  listen 80;\n  server_name a\n}\n",
            "x/conf.d/b.conf": SERVER,
            "y/nginx.conf": MAIN + "include nginx.conf;",
        }
    )
    found = discover(["."])
    assert told(found) == {}
    ends = "y/nginx.conf; nginx ends on it with a crash: remove one of them"
    assert found.faults == [
        Fault("unexpected '}': 'server_name' before it has no ';'; add it", "target", "x/conf.d/a.conf", 4, 1),
        Fault(f"include cycle: y/nginx.conf:3 -> {ends}", "target", "y/nginx.conf", 3),
    ]


def test_what_another_includes_is_no_configuration_of_its_own(repo: Made) -> None:
    repo(
        {
            "a/nginx.conf": "events {}",
            "b.conf": "include a/nginx.conf;\nevents {}",
            "c/a.conf": SERVER,
            "c/z.conf": "include a.conf;\nserver_tokens off;",
        }
    )
    assert told(discover(["."])) == {
        "b.conf": ("nginx", ("b.conf", "a/nginx.conf")),
        "c/z.conf": ("nginx", ("c/z.conf", "c/a.conf")),
    }


def test_a_path_that_is_not_there_is_a_fault(repo: Made) -> None:
    repo({})
    assert [one.message for one in discover(["no/such.conf"]).faults] == [
        "no/such.conf: there is no such file or folder; correct the path"
    ]


def test_includes_of_all_configurations_together_are_bounded(repo: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    repo({f"{name}/nginx.conf": MAIN for name in "abcd"})
    monkeypatch.setattr(entries, "_MOST_READ", 2)
    found = discover(["."])
    assert [one.message for one in found.faults] == [
        "the configurations include more than 2 files in all; name fewer, or exclude some"
    ]


def test_a_snapshot_holds_the_files_and_says_what_was_not_read(repo: Made) -> None:
    repo({"nginx.conf": MAIN, "sysctl.d/a.conf": "net.core.somaxconn = 1\nnonsense\n"})
    ((target, made),) = snapshots(discover(["."]), Request(host=False, nginx_version="1.22.1", site=(("a", "b"),)))
    assert isinstance(made, Snapshot)
    assert target.kind == "nginx and sysctl"
    assert made.nginx is not None
    assert (made.nginx.entry, made.nginx.version) == ("nginx.conf", "1.22.1")
    assert made.sysctl_files is not None
    assert [(one.path, one.given) for one in made.sysctl_files] == [("sysctl.d/a.conf", True)]
    assert made.site == {"a": "b"}
    assert made.unread["sockets"] == "only files are judged (--no-host)"
    assert made.unread["capture"] == run.NO_CAPTURE
    assert "nginx" not in made.unread
    assert [source for source, _ in made.problems] == ["nginx", "sysctl_files"]


def test_it_says_of_what_was_not_read_what_reading_files_says(repo: Made) -> None:
    top = repo({"nginx.conf": "events {}\n"})
    ((_, made),) = snapshots(discover(["."]), FILES)
    same = run.collect(Request(host=False, nginx_conf=str(top / "nginx.conf")))
    assert isinstance(made, Snapshot)
    assert made.unread == same.unread
    assert made.nginx is not None
    assert same.nginx is not None
    assert [*made.nginx.files.values()] == [*same.nginx.files.values()]


def test_a_kept_snapshot_is_read_and_a_damaged_one_is_a_fault(repo: Made) -> None:
    kept = dumps(Snapshot(advisor="1", taken="2026-01-31T12:00:00+00:00", site={"load_balancer_idle": "60 s"}))
    repo({"a.json": kept, "b.json": kept.replace('"taken"', '"token"')})
    found = discover(["."])
    assert told(found) == {"a.json": ("snapshot", ("a.json",)), "b.json": ("snapshot", ("b.json",))}
    (_, good), (_, bad) = snapshots(found, FILES)
    assert isinstance(good, Snapshot)
    assert good.site == {"load_balancer_idle": "60 s"}
    assert isinstance(bad, Fault)
    assert bad.path == "b.json"


def test_a_host_is_asked_once_and_the_files_take_the_place_of_its_own(
    repo: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo({"a/nginx.conf": MAIN, "b/sysctl.d/x.conf": ""})
    asked: list[Request] = []
    host = Snapshot(
        advisor="1",
        taken="2026-01-31T12:00:00+00:00",
        counters={},
        unread={"nginx": "no nginx", "sockets": "denied"},
        problems=[("nginx", "old"), ("host", "kept")],
    )
    monkeypatch.setattr(targets, "collect", lambda request, _: asked.append(request) or host)
    (_, web), (_, tuned) = snapshots(discover(["."]), Request())
    assert len(asked) == 1
    assert isinstance(web, Snapshot)
    assert isinstance(tuned, Snapshot)
    assert web.counters == {}
    assert web.nginx is not None
    assert web.unread == {"sockets": "denied"}
    assert web.problems == [("host", "kept"), ("nginx", "a/nginx.conf:2: a/conf.d is not in the repository")]
    assert tuned.nginx is None
    assert tuned.unread == host.unread
    assert tuned.sysctl_files is not None


def test_files_that_several_targets_share_are_scanned_and_compared_once(
    repo: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    from advisor.collect import nginx, recognise  # noqa: PLC0415 (whose functions are watched)

    seen: list[str] = []
    real = recognise.difference
    for module in (nginx, recognise):
        monkeypatch.setattr(module, "difference", lambda data, name, ours: seen.append(name) or real(data, name, ours))
    repo({"a.conf": MAIN + "include nginx/x;", "b.conf": MAIN + "include nginx/x;", "nginx/x": "worker_processes 1;"})
    found = discover(["."])
    first, second = [one.nginx for one in found.targets]
    assert sorted(seen) == ["a.conf", "b.conf", "nginx/x"]
    assert first is not None
    assert second is not None
    assert first.files["nginx/x"] is second.files["nginx/x"]
    statements = first.files["nginx/x"].statements("")
    assert second.files["nginx/x"].statements("") is statements


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("a.conf:3: no end", Fault("no end", "target", "a.conf", 3, 7)),
        ("a.yaml:3:9: no end", Fault("no end", "target", "a.yaml", 3, 9)),
        ("can't read a.conf: Permission denied", Fault("can't read a.conf: Permission denied")),
        ("nothing", Fault("nothing")),
    ],
)
def test_an_error_becomes_a_fault_with_its_place(message: str, fault: Fault) -> None:
    error = InputError(message)
    error.column = 7
    assert fault_of(error) == fault


def test_targets_are_judged_as_files_are(repo: Made) -> None:
    repo({"nginx.conf": "events {}\nhttp { keepalive_timeout 300; server { listen 80; } }\n"})
    ((_, made),) = snapshots(discover(["."]), FILES)
    assert isinstance(made, Snapshot)
    found = audit(made, Judging(rules())).findings
    assert ("keepalive-timeout-long", "nginx.conf", 2) in [
        (one.rule, one.location.file, one.location.line) for one in found
    ]


def test_nothing_is_executed_and_nothing_written(repo: Made) -> None:
    """The audit hook of Python sees every process, every socket and every file that is opened to be written."""
    repo({"nginx.conf": MAIN, "sysctl.d/a.conf": "a.b = 1\n"})
    hook = (
        "import sys\n"
        "from advisor.jobs.targets import discover\n"
        "import crossplane\n"
        "def see(event, args):\n"
        "    if event.startswith(('subprocess', 'os.system', 'os.exec', 'os.posix_spawn', 'socket')):\n"
        "        print('BAD', event, args)\n"
        "    if event == 'open' and isinstance(args[1], str) and set(args[1]) & set('wax+') and type(args[0]) is str:\n"
        "        print('BAD', event, args)\n"
        "sys.addaudithook(see)\n"
        "print(len(discover(['.']).targets))\n"
    )
    top = str(pathlib.Path(targets.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-B", "-c", hook],
        env={**os.environ, "PYTHONPATH": top},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "1\n"


def test_a_target_of_its_own_says_what_it_is() -> None:
    target = Target("a", "sysctl", ("a",))
    assert snapshot_of(target, FILES).sysctl_files is None
