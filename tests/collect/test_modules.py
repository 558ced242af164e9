"""Kernel modules, in trees that stand for a machine."""

from __future__ import annotations

import os
import pathlib

from advisor.collect.modules import read_modules
from advisor.snapshot.model import Modules
from advisor.system import System


def tree(root: pathlib.Path, files: dict[str, str]) -> System:
    for name, text in {"proc/sys/kernel/osrelease": "6.1.0-9-amd64\n", **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return System(str(root))


def test_what_is_loaded_built_in_and_listed(tmp_path: pathlib.Path) -> None:
    files = {
        "proc/modules": "nf_conntrack 200704 2 nf_nat,xt_conntrack, Live 0x0000000000000000\nloop 32768 0 - Live 0x0\n",
        "lib/modules/6.1.0-9-amd64/modules.builtin": "kernel/net/ipv4/tcp_cubic.ko\nkernel/drivers/a/b-c.ko.xz\n",
        "etc/modules": "# /etc/modules\n\nloop\n",
        "etc/modules-load.d/web.conf": "nf-conntrack\n; a comment\nbr_netfilter extra\n",
        "usr/lib/modules-load.d/web.conf": "masked\n",
        "usr/lib/modules-load.d/fwupd.conf": "msr\n",
        "usr/lib/modules-load.d/README": "nothing\n",
        "run/modules-load.d/empty.conf": "# nothing\n",
    }
    found, problems = read_modules(tree(tmp_path, files))
    assert problems == []
    assert found == Modules(
        loaded=["nf_conntrack", "loop"],
        builtin=["tcp_cubic", "b_c"],
        at_boot={
            "/usr/lib/modules-load.d/fwupd.conf": ["msr"],
            "/etc/modules-load.d/web.conf": ["nf_conntrack", "br_netfilter"],
            "/etc/modules": ["loop"],
        },
    )


def test_a_link_to_nowhere_masks(tmp_path: pathlib.Path) -> None:
    system = tree(tmp_path, {"usr/lib/modules-load.d/web.conf": "nf_conntrack\n", "dev/null": ""})
    (tmp_path / "etc/modules-load.d").mkdir(parents=True)
    os.symlink("/dev/null", tmp_path / "etc/modules-load.d/web.conf")
    assert read_modules(system) == (Modules(), [])


def test_a_kernel_without_modules_has_none(tmp_path: pathlib.Path) -> None:
    assert read_modules(tree(tmp_path, {})) == (Modules(loaded=[], builtin=None, at_boot={}), [])


def test_a_release_is_no_path(tmp_path: pathlib.Path) -> None:
    files = {"proc/sys/kernel/osrelease": "../../etc\n", "etc/modules.builtin": "kernel/x.ko\n"}
    assert read_modules(tree(tmp_path, files))[0].builtin is None


def test_what_is_no_file_is_said(tmp_path: pathlib.Path) -> None:
    system = tree(tmp_path, {"etc/modules-load.d/b.conf": "loop\n"})
    (tmp_path / "etc/modules-load.d/a.conf").mkdir()
    found, problems = read_modules(system)
    assert found.at_boot == {"/etc/modules-load.d/b.conf": ["loop"]}
    assert problems == [("modules", "/etc/modules-load.d/a.conf can't be read: not a regular file")]
