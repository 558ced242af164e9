"""A configuration full of bad values, each found where it stands; and good configurations, left in peace."""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.audited import certificate
from support.nginx import DEBIAN

from advisor.collect.run import Request
from advisor.engine.judging import Judging
from advisor.jobs import audit, load

if TYPE_CHECKING:
    from support.netns import Netns

STOCK = pathlib.Path("/etc/nginx/nginx.conf")
BAD = pathlib.Path(__file__).with_name("twenty") / "nginx.conf"
TAG = "# bad: "
VERSION = "1.22.1"

ALLOWED = {
    "http2-listen-parameter": "nginx from 1.25.1 on warns of every such line itself",
    "keepalive-timeout-long": "300 s for all that is TLS is four times nginx's default; potential only, without a host",
    "tls13-off": "policy_balanced.conf leaves TLS 1.3 out: every full handshake takes a round trip more",
    "gzip-tiny": "a server made for the project's own tests compresses from one byte on",
}
"""What is said of h5bp's server configurations, and why that is right."""


def tagged(text: str) -> set[tuple[str, int]]:
    """Every rule that a line is tagged with, and the line."""
    lines = enumerate(text.splitlines(), 1)
    return {(rule, number) for number, line in lines if TAG in line for rule in line.partition(TAG)[2].split(", ")}


def written(folder: pathlib.Path) -> pathlib.Path:
    path = folder / "nginx.conf"
    path.write_text(BAD.read_text().replace("FOLDER", str(folder)))
    return path


def test_every_bad_value_is_found_where_it_stands(tmp_path: pathlib.Path) -> None:
    path = written(tmp_path)
    argv = [sys.executable, "-m", "advisor", "audit", "--no-host", "--nginx-conf", str(path), "-f", "json"]
    said = subprocess.run([*argv, "--nginx-version", VERSION], capture_output=True, check=True, timeout=60).stdout
    places = [(one["rule"], one["location"]) for one in json.loads(said)["findings"]]
    assert {location["file"] for _, location in places} == {str(path)}
    wanted = tagged(path.read_text())
    assert len({line for _, line in wanted}) >= 20
    assert {(rule, location["line"]) for rule, location in places} == wanted


@pytest.mark.real("nginx", "openssl")
def test_nginx_itself_takes_them_all(netns: Netns, tmp_path: pathlib.Path) -> None:
    """Bad values, not wrong ones: what nginx refuses, it tells of itself."""
    path = written(tmp_path)
    certificate(tmp_path, "a")
    said = netns.run(DEBIAN, "-t", "-e", str(tmp_path / "error.log"), "-p", str(tmp_path), "-c", str(path), check=False)
    assert said.returncode == 0, said.stderr


def found(path: pathlib.Path, version: str | None) -> set[str]:
    """The rules that fail."""
    request = Request(host=False, nginx_conf=str(path), nginx_version=version)
    return {
        one.rule for one in audit.audit(load.snapshot(request, None, lambda _: None), Judging(load.rules())).findings
    }


@pytest.mark.parametrize("version", [None, "1.18.0", VERSION, "1.31.3"])
def test_debian_s_own_configuration_is_left_in_peace(version: str | None) -> None:
    if not STOCK.exists() or "include /etc/nginx/sites-enabled/*;" not in STOCK.read_text():
        pytest.skip(f"{STOCK} is not that of Debian's package")
    # sendfile is on there, and had no limit before 1.21.4.
    assert found(STOCK, version) == ({"sendfile-unlimited"} if version == "1.18.0" else set())


@pytest.mark.parametrize("version", [None, VERSION, "1.31.3"])
@pytest.mark.parametrize("sites", ["conf.d/no-ssl.default.conf conf.d/templates/*.conf", "test/vhosts/*.conf"])
def test_h5bp_s_configurations_are_left_in_peace(
    corpus: pathlib.Path, tmp_path: pathlib.Path, version: str | None, sites: str
) -> None:
    """As they are meant to be used: some sites in conf.d."""
    source = corpus / "nginx" / "h5bp+server-configs-nginx"
    shutil.copytree(source, tmp_path / "h5bp", ignore=shutil.ignore_patterns("conf.d", "test"))
    folder = tmp_path / "h5bp" / "conf.d"
    folder.mkdir()
    for pattern in sites.split():
        for path in source.glob(pattern):
            shutil.copy(path, folder / path.name)
    assert re.search(r"include\s+conf\.d/\*\.conf;", (tmp_path / "h5bp" / "nginx.conf").read_text())
    assert found(tmp_path / "h5bp" / "nginx.conf", version) <= ALLOWED.keys()


def test_what_is_allowed_is_still_said(corpus: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """An exception that nothing needs any more is to go."""
    source = corpus / "nginx" / "h5bp+server-configs-nginx"
    shutil.copytree(source, tmp_path / "h5bp")
    for path in source.glob("test/vhosts/*.conf"):
        shutil.copy(path, tmp_path / "h5bp" / "conf.d" / path.name)
    assert found(tmp_path / "h5bp" / "nginx.conf", "1.31.3") >= ALLOWED.keys()
