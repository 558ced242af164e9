"""Which limit of descriptors workers of a real nginx get, and whether what is said of it is so."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

import pytest
from support.command import collect
from support.cured import findings, planned, write
from support.nginx import Nginx

from advisor.facts.derive import Facts
from advisor.findings import Severity

if TYPE_CHECKING:
    from support.netns import Netns

    from advisor.snapshot.model import Snapshot

SERVER = "server { listen 127.0.0.1:8080; return 200; }"
SOFT, HARD, CONNECTIONS = 256, 4096, 1024
WITHOUT = ("setpriv", "--bounding-set", "-sys_resource", "--inh-caps", "-sys_resource")
"""What a container's root has not."""


class Started(Nginx):
    """An nginx whose master has these limits of descriptors, and no CAP_SYS_RESOURCE."""

    def argv(self, *more: str) -> list[str]:
        return ["prlimit", f"--nofile={SOFT}:{HARD}", *WITHOUT, *super().argv(*more)]


def configured(nginx: Nginx, descriptors: int | None) -> None:
    main = "" if descriptors is None else f"worker_rlimit_nofile {descriptors};\n"
    nginx.write(SERVER, connections=CONNECTIONS, main=main)


def refused(nginx: Nginx, descriptors: int) -> bool:
    return f"setrlimit(RLIMIT_NOFILE, {descriptors}) failed (1: " in nginx.log.read_text()


def look(ns: Netns, folder: pathlib.Path) -> Snapshot:
    return collect(ns, folder / "kept.json", "--sample", "0")


@pytest.mark.real("nginx")
def test_more_than_nr_open_is_refused_to_everybody(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    """In a namespace other than the host's the cure is the host's to take: it is one value for the whole machine."""
    nr_open = int(pathlib.Path("/proc/sys/fs/nr_open").read_text("ascii"))
    nginx = Nginx(netns, tmp_path / "nginx", binary=binary)
    configured(nginx, 2 * nr_open)
    nginx.start()
    snapshot = look(netns, tmp_path)
    nginx.stop()
    assert refused(nginx, 2 * nr_open)
    assert snapshot.processes is not None
    assert snapshot.processes.workers[0].nofile == snapshot.processes.master.nofile
    (finding,) = findings(snapshot)["worker-nofile-above-nr-open"].values()
    assert finding.severity is Severity.MEDIUM, "1,024 connections fit what workers were started with"
    assert [(one.key, int(one.after)) for one in planned(snapshot).host] == [("fs.nr_open", 2 * nr_open)]


@pytest.mark.real("nginx", "prlimit", "setpriv")
def test_more_than_the_hard_limit_is_refused_without_the_capability(
    netns: Netns, tmp_path: pathlib.Path, binary: str
) -> None:
    nginx = Started(netns, tmp_path / "nginx", binary=binary)
    configured(nginx, HARD + 1)
    nginx.start()
    before = look(netns, tmp_path)
    assert refused(nginx, HARD + 1)
    limits = Facts(before).limits
    assert (limits.nofile_hard, limits.raisable, Facts(before).nginx.capacity.nofile) == (HARD, False, SOFT)
    assert findings(before)["worker-nofile-above-hard-limit"]["main"].severity is Severity.HIGH

    configured(nginx, HARD)
    nginx.reload()
    after = look(netns, tmp_path)
    nginx.stop()
    assert not refused(nginx, HARD)
    assert Facts(after).nginx.capacity.nofile == HARD
    gone = {"worker-nofile-above-hard-limit", "worker-limit-below-connections"}
    assert gone <= findings(before).keys()
    assert not gone & findings(after).keys()


@pytest.mark.real("nginx", "prlimit", "setpriv")
def test_a_low_soft_limit_is_raised_by_the_patch(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    nginx = Started(netns, tmp_path / "nginx", binary=binary)
    configured(nginx, None)
    nginx.start()
    before = look(netns, tmp_path)
    plan = planned(before)
    assert findings(before)["worker-limit-below-connections"].keys() == {"main"}
    write(plan)
    nginx.reload()
    after = look(netns, tmp_path)
    nginx.stop()
    wanted = {one.target: str(one.after) for one in plan.prediction.directives}["worker_rlimit_nofile"]
    capacity = Facts(after).nginx.capacity
    assert wanted == f"worker_rlimit_nofile {capacity.nofile}"
    assert CONNECTIONS < capacity.descriptors < capacity.nofile < HARD
    assert not {"worker-limit-below-connections", "worker-nofile-above-hard-limit"} & findings(after).keys()


@pytest.mark.real("nginx", "prlimit", "setpriv")
def test_no_patch_asks_for_what_nginx_may_not_set(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    nginx = Started(netns, tmp_path / "nginx", binary=binary)
    nginx.write(SERVER, connections=2 * HARD)
    nginx.start()
    plan = planned(look(netns, tmp_path))
    nginx.stop()
    (one,) = [one for one in plan.findings if one.finding.rule == "worker-limit-below-connections"]
    assert one.why == "its step would make worker-nofile-above-hard-limit fail (main)"
    assert "worker_rlimit_nofile" not in {change.target for change in plan.prediction.directives}
