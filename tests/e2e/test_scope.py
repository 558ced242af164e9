"""What a real kernel lets a namespace set, and where the patch puts what it does not."""

from __future__ import annotations

import json
import pathlib
import sys
from typing import TYPE_CHECKING

import pytest
from support.command import ADVISOR, ROOT, collect, plan

from advisor.catalog.sysctl import KEYS
from advisor.engine.judging import Judging
from advisor.engine.pack import load_rule
from advisor.errors import Unread
from advisor.facts.derive import Facts
from advisor.facts.scope import child, for_the_host
from advisor.jobs import patch
from advisor.remedy.folder import folder
from advisor.remedy.plan import Allowed
from advisor.remedy.sysctl import DROPIN, FOR_THE_HOST

if TYPE_CHECKING:
    from support.netns import Netns

TABLE = "net.netfilter.nf_conntrack_max"
RULE = f"""
id: toy
title: A rule of this test
severity: low
when: sysctl.{TABLE} < 999999999
message: it is
why: it is so
unless: it is not
references: [man:sysctl(8)]
remedies: [{{safety: safe, sysctl: {{{TABLE}: {{at_least: sysctl.{TABLE} + 1}}}}}}]
cases:
  - {{name: a, expect: fail, given: {{}}}}
  - {{name: b, expect: pass, given: {{}}}}
"""


def configuration(folder: pathlib.Path, main: str = "") -> pathlib.Path:
    path = folder / "nginx.conf"
    path.write_text(f"{main}events {{}}\nhttp {{ server {{ listen 8080 backlog=4096; }} }}\n")
    return path


@pytest.mark.real
def test_the_catalogue_s_scopes_are_the_kernel_s(netns: Netns, tmp_path: pathlib.Path) -> None:
    """Absent here, or there and not to be written: os.access asks as the kernel would answer."""
    snapshot = collect(netns, tmp_path / "kept.json", "--sample", "0")
    assert snapshot.sysctls is not None
    assert child(snapshot)
    code = (
        "import os, sys\nfor key in sys.argv[1:]: print(int(os.access('/proc/sys/' + key.replace('.', '/'), os.W_OK)))"
    )
    names = [key for key in snapshot.sysctls.values if key.startswith("net.") and KEYS[key].writable]
    said = netns.run(sys.executable, "-c", code, *names).stdout.split()
    settable = {key for key, answer in zip(names, said, strict=True) if answer == "1"}
    assert settable == {key for key in names if for_the_host(snapshot, key) is None}
    assert "net.core.somaxconn" in settable
    there = {key for key in KEYS if pathlib.Path("/proc/sys", key.replace(".", "/")).exists()}
    missing = {key for key in there & {*snapshot.sysctls.absent} if key.startswith("net.")}
    assert {KEYS[key].scope for key in missing} == {"global"}
    with pytest.raises(Unread, match="it is the host's"):
        Facts(snapshot).sysctl.text("net.core.netdev_max_backlog")


@pytest.mark.real
def test_each_key_lands_where_it_can_be_set(netns: Netns, tmp_path: pathlib.Path) -> None:
    netns.sysctl(net__core__somaxconn="128")
    nr_open = int(pathlib.Path("/proc/sys/fs/nr_open").read_text("ascii"))
    conf = configuration(tmp_path, f"worker_rlimit_nofile {2 * nr_open};\n")
    made = plan(netns, tmp_path / "out", "--nginx-conf", str(conf), "--sample", "0")
    assert [one["key"] for one in made["sysctl"]] == ["net.core.somaxconn"]
    assert [(one["key"], one["after"]) for one in made["for_the_host"]] == [("fs.nr_open", str(2 * nr_open))]
    ends = {one["rule"]: one["outcome"] for one in made["findings"]}
    assert ends["listen-backlog-capped"] == "cured"
    assert ends["worker-nofile-above-nr-open"] == "for the host"
    here, there = (tmp_path / "out" / path.lstrip("/") for path in (DROPIN, FOR_THE_HOST))
    assert "nr_open" not in here.read_text()
    assert "somaxconn" not in there.read_text()
    # What is written for here can be set here, all of it.
    netns.run("sysctl", "-p", str(here))
    assert netns.run("sysctl", "-n", "net.core.somaxconn").stdout.strip() == "4096"
    page = (tmp_path / "out/README.md").read_text()
    assert "## For the host" in page
    assert "made anew" in " ".join(page.split()), "nothing sets this namespace up at boot"


@pytest.mark.real
def test_a_table_that_only_the_host_can_enlarge(netns: Netns, tmp_path: pathlib.Path) -> None:
    if not pathlib.Path("/proc/sys", TABLE.replace(".", "/")).exists():
        pytest.skip("this kernel has no nf_conntrack loaded")
    snapshot = collect(netns, tmp_path / "kept.json", "--sample", "0")
    made = patch.plan(snapshot, Judging([load_rule(RULE.encode(), "toy.yaml", Facts)]), Allowed())
    assert (made.prediction.sysctls, [one.key for one in made.host]) == ([], [TABLE])
    assert {*folder(made)} == {"README.md", "plan.json", FOR_THE_HOST}
    now = netns.run("sysctl", "-n", TABLE).stdout.strip()
    netns.run("sysctl", "-w", f"{TABLE}={int(now) + 1}", check=False)
    assert netns.run("sysctl", "-n", TABLE).stdout.strip() == now, "the kernel refuses it here"


@pytest.mark.real("unshare", "mount")
def test_a_container_that_cannot_set_anything(netns: Netns, tmp_path: pathlib.Path) -> None:
    """Engines mount /proc/sys read-only; so does this, in a mount namespace of its own."""
    netns.sysctl(net__core__somaxconn="128")
    conf, out = configuration(tmp_path), tmp_path / "out"
    closed = "mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys"
    arguments = [*ADVISOR, "patch", "-o", str(out), "--nginx-conf", str(conf), "--sample", "0"]
    script = f'{closed} && {{ sysctl -w net.core.somaxconn=4096 2>&1; "$@" >&2; }}'
    argv = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *arguments]
    done = netns.run(*argv, cwd=ROOT)
    assert "denied" in done.stdout or "Read-only" in done.stdout
    made = json.loads((out / "plan.json").read_bytes())
    assert made["sysctl_form"] == "container options"
    assert [(one["key"], one["after"]) for one in made["sysctl"]] == [("net.core.somaxconn", "4096")]
    assert {path.name for path in out.iterdir()} == {"README.md", "plan.json"}
    page = (out / "README.md").read_text()
    assert "docker run --sysctl 'net.core.somaxconn=4096' ..." in page
    assert "    - name: net.core.somaxconn\n" in page
    assert netns.run("sysctl", "-n", "net.core.somaxconn").stdout.strip() == "128"
