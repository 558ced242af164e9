"""What an nginx binary says of itself, without being executed."""

from __future__ import annotations

import os
import re
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from advisor.collect.nginx_binary import built, read_built
from advisor.errors import InputError
from advisor.system import System

if TYPE_CHECKING:
    from pathlib import Path

    from support.netns import Netns


@pytest.mark.parametrize(
    ("binary", "version"),
    [
        (b"\0nginx/1.22.1\0", "1.22.1"),
        (b"Server: nginx/1.9.0\r\n\0nginx/1.22.1\0", "1.22.1"),
        (b"nginx version: nginx/1.31.5\n", "1.31.5"),
        (b"<center>nginx/1.22.1</center>", None),
        (b"\0openresty/1.21.4.1\0", None),
        (b"", None),
    ],
)
def test_the_version(binary: bytes, version: str | None) -> None:
    assert built(binary).version == version


@pytest.mark.parametrize(
    ("arguments", "prefix", "conf"),
    [
        ("", "/usr/local/nginx", "conf/nginx.conf"),
        (" --prefix=/usr/share/nginx --conf-path=/etc/nginx/nginx.conf", "/usr/share/nginx", "/etc/nginx/nginx.conf"),
        (" --with-cc-opt='-O2 --prefix=/wrong -g' --prefix=/opt/n", "/opt/n", "conf/nginx.conf"),
        (" --prefix='/opt/my nginx' --conf-path=etc/n.conf", "/opt/my nginx", "etc/n.conf"),
        (" --prefix=", None, "conf/nginx.conf"),
        (" --http-log-path=/x --error-log-path=/y", "/usr/local/nginx", "conf/nginx.conf"),
    ],
)
def test_where_it_was_built_to_look(arguments: str, prefix: str | None, conf: str) -> None:
    binary = b"\0\nconfigure arguments:" + arguments.encode() + b"\n\0--prefix=/not\0"
    assert built(binary)[:3] == (None, prefix, conf)


@pytest.mark.real("nginx")
def test_a_running_nginx(netns: Netns, tmp_path: Path) -> None:
    config = tmp_path / "nginx.conf"
    config.write_text(f"daemon off; pid {tmp_path}/pid; error_log /dev/null; events {{}}")
    process = netns.start("nginx", "-c", str(config), stderr=subprocess.DEVNULL)
    said = subprocess.run(["nginx", "-V"], capture_output=True, text=True, check=True, timeout=30).stderr
    end = time.monotonic() + 15
    while not os.readlink(f"/proc/{process.pid}/exe").endswith("nginx"):
        assert time.monotonic() < end
        time.sleep(0.02)
    found = read_built(System(), process.pid)
    assert found.version == re.findall(r"nginx/([\d.]+)", said)[0]
    assert found.prefix == re.findall(r" --prefix=(\S+)", said)[0]
    assert found.conf == re.findall(r" --conf-path=(\S+)", said)[0]


def test_a_process_that_is_gone_says_nothing() -> None:
    with pytest.raises(InputError, match=r"can't read /proc/4194305/exe: No such file"):
        read_built(System(), 4194305)
