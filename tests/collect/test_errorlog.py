"""Which error logs are read, how much of them, and what time it is in them."""

from __future__ import annotations

import datetime as dt
import os
import pathlib
import time

import pytest
from support.snapshots import nginx_of

from advisor.collect.errorlog import read_error_logs
from advisor.errors import InputError
from advisor.facts.config import Config
from advisor.facts.tree import Tree
from advisor.snapshot.model import ErrorLog
from advisor.system import MIB, System

EXHAUSTED = "[alert] 7#7: 64 worker_connections are not enough"


def read(root: pathlib.Path, text: str, prefix: str | None = None) -> list[ErrorLog]:
    config = nginx_of({"/etc/nginx/nginx.conf": text.encode()}, prefix=prefix)
    return read_error_logs(System(str(root)), Config(Tree(config)), None)


def write(path: pathlib.Path, zone: float, ages: list[float], touched: float = 0.0) -> None:
    """Lines of those ages in a zone so many hours east of UTC; the file is written ``touched`` s after the last."""
    path.parent.mkdir(parents=True, exist_ok=True)
    now = time.time()
    offset = dt.timezone(dt.timedelta(hours=zone))
    stamps = [f"{dt.datetime.fromtimestamp(now - age, offset):%Y/%m/%d %H:%M:%S}" for age in ages]
    path.write_text("".join(f"{stamp} {EXHAUSTED}\n" for stamp in stamps))
    os.utime(path, (now, now - ages[-1] + touched))


@pytest.mark.parametrize("zone", [0, 2, -8, 5.75, 14, -12])
def test_a_zone_is_told_by_the_time_of_the_file(tmp_path: pathlib.Path, zone: float) -> None:
    write(tmp_path / "log", zone, [5000, 40, 7])
    (log,) = read(tmp_path, "error_log /log; events {}")
    (row,) = log.logged
    assert row.ages is not None
    assert row.ages.oldest == pytest.approx(5000, abs=3)
    assert (row.count, row.ages.counts[-1]) == (3, 1)
    assert (log.size, log.read, log.unread) == ((tmp_path / "log").stat().st_size,) * 2 + (None,)


@pytest.mark.parametrize("touched", [100, -60, 400])
def test_a_file_that_was_touched_tells_no_zone(tmp_path: pathlib.Path, touched: float) -> None:
    write(tmp_path / "log", 2, [1000, 500], touched)
    (log,) = read(tmp_path, "error_log /log; events {}")
    assert [(row.count, row.ages) for row in log.logged] == [(2, None)]


def test_only_the_end_is_read_and_only_whole_lines(tmp_path: pathlib.Path) -> None:
    write(tmp_path / "log", 0, [9.0] * 30_000)
    (log,) = read(tmp_path, "error_log /log; events {}")
    one = (tmp_path / "log").read_bytes().index(b"\n") + 1
    assert log.size == 30_000 * one
    assert log.read == MIB // one * one
    assert [row.count for row in log.logged] == [MIB // one]


def test_every_file_that_is_written_to(tmp_path: pathlib.Path) -> None:
    text = (
        "error_log /main; error_log /warnings warn; events {}\n"
        "http { error_log logs/http; server { error_log /dev/null; } server { error_log syslog:server=a; }\n"
        "server { error_log off; location / { error_log /main; } location /b { error_log memory:32m debug; } } }"
    )
    assert [log.path for log in read(tmp_path, text, "/usr/share/nginx")] == [
        "/warnings",
        "/usr/share/nginx/logs/http",
        "/usr/share/nginx/off",
        "/main",
    ]
    many = " ".join(f"server {{ error_log /log{n}; }}" for n in range(20))
    assert len(read(tmp_path, f"events {{}} http {{ {many} }}", "/p")) == 8


def test_where_nothing_is_said(tmp_path: pathlib.Path) -> None:
    assert [log.path for log in read(tmp_path, "events {}", "/opt/nginx")] == ["/opt/nginx/logs/error.log"]
    (log,) = read(tmp_path, "events {}")
    assert log.unread == "logs/error.log is below nginx's prefix, which is not known; --prefix says it"
    with pytest.raises(InputError, match="to no file"):
        read(tmp_path, "error_log stderr; events {}")


def test_what_is_no_file_is_not_opened(tmp_path: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    text = "error_log /fifo; events {} http { error_log /folder; server { error_log /none; } }"
    assert [log.unread for log in read(tmp_path, text)] == [
        "/fifo: not a regular file",
        "/folder: not a regular file",
        "/none: No such file or directory",
    ]


def test_an_empty_log_says_nothing(tmp_path: pathlib.Path) -> None:
    (tmp_path / "log").write_text("")
    (log,) = read(tmp_path, "error_log /log; events {}")
    assert (log.logged, log.unread) == ([], None)
