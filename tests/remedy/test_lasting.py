"""What takes back a patch at boot, or later."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Any

import pytest
from support.snapshots import snapshot_with

from advisor.engine.judge import judge
from advisor.engine.pack import load_rule
from advisor.facts.derive import Facts
from advisor.remedy.folder import folder
from advisor.remedy.lasting import overrides
from advisor.remedy.plan import Allowed, Outcome, Plan, make_plan
from advisor.snapshot.model import Host, SysctlFile, Sysctls

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY = "net.ipv4.tcp_fin_timeout"
RULES = pathlib.Path(__file__).parents[2] / "rules"
LOWERED = RULES / "sysctl/fin-timeout-lowered.yaml"


def plan(*files: SysctlFile, beside: Sequence[pathlib.Path] = ()) -> Plan:
    """A plan that raises the key from 20 to 60."""
    rules = [load_rule(path.read_bytes(), path.name, Facts) for path in (LOWERED, *beside)]
    host = Host(name="web-7", kernel="6.12.0")
    snapshot = snapshot_with(sysctls=Sysctls(values={KEY: "20"}), sysctl_files=[*files], host=host)
    return make_plan(snapshot, lambda facts: judge(rules, facts), {}, Allowed())


def file(path: str, text: str = f"{KEY} = 20\n", **more: Any) -> SysctlFile:
    return SysctlFile(path=path, content=text.encode(), **more)


def told(*files: SysctlFile) -> list[tuple[str, str, int | None]]:
    return [(one["by"], one["file"], one["line"]) for one in overrides(plan(*files))]


@pytest.mark.parametrize(
    ("path", "by"),
    [
        ("/etc/sysctl.d/10-a.conf", None),
        ("/etc/sysctl.d/99-a.conf", "systemd-sysctl"),
        ("/etc/sysctl.d/90-advisor.conf", None),
        ("/etc/sysctl.d/90-b.conf", "systemd-sysctl"),
        ("/usr/lib/sysctl.d/99-a.conf", "systemd-sysctl"),
        ("/usr/lib/sysctl.d/90-advisor.conf", None),
        ("/run/sysctl.d/99-a.conf", "systemd-sysctl"),
        ("/lib/sysctl.d/99-a.conf", "sysctl --system"),
        ("/etc/sysctl.conf", "sysctl --system"),
        ("/etc/sysctl.d/99-a.conf.bak", None),
        ("/etc/sysctl.d/deeper/99-a.conf", None),
        ("/home/me/99-a.conf", None),
    ],
)
def test_a_later_name_in_any_folder_has_the_last_word(path: str, by: str | None) -> None:
    assert told(file(path)) == ([(by, path, 1)] if by else [])


def test_the_same_name_in_an_earlier_folder_masks_the_others() -> None:
    files = [file(f"{folder}/sysctl.d/99-a.conf") for folder in ("/usr/lib", "/usr/local/lib", "/run", "/etc")]
    assert told(*files) == [("systemd-sysctl", "/etc/sysctl.d/99-a.conf", 1)]
    assert told(*files[:3]) == [("systemd-sysctl", "/run/sysctl.d/99-a.conf", 1)]


@pytest.mark.parametrize(
    "text",
    [
        "net.ipv4.tcp_fin_timeou* = 20\n",
        f"{KEY} = 60\n",
        f"{KEY} = 0x3c # the same\n",
        f"{KEY} = 20\n{KEY} = 60\n",
        f"{KEY}_ = 20\n# {KEY} = 20\n",
    ],
)
def test_what_does_no_harm(text: str) -> None:
    assert told(file("/etc/sysctl.d/99-a.conf", text)) == []


def test_a_line_that_the_kernel_refuses_harms_at_boot_alone() -> None:
    assert told(file("/etc/sysctl.d/99-a.conf", f"{KEY} = many\n")) == [
        ("systemd-sysctl", "/etc/sysctl.d/99-a.conf", 1)
    ]


def test_a_key_that_is_left_out_is_forgotten_at_boot() -> None:
    found = plan(file("/etc/sysctl.d/99-a.conf", f"-{KEY}\n"))
    (one,) = overrides(found)
    assert (one["by"], one["line"], one["value"]) == ("systemd-sysctl", 1, None)
    assert "/etc/sysctl.d/99-a.conf:1 leaves out" in page(found)


def test_a_file_that_could_not_be_read_may_do_it() -> None:
    found = plan(file("/etc/sysctl.d/99-a.conf", "", unread="Permission denied"))
    (one,) = overrides(found)
    assert (one["file"], one["line"]) == ("/etc/sysctl.d/99-a.conf", None)
    assert "it could not be read here: Permission denied" in one["do"]
    assert "/etc/sysctl.d/99-a.conf may set" in page(found)


@pytest.mark.parametrize(
    ("writer", "text", "said"),
    [
        ("ufw", f"{KEY} = 20\n", True),
        ("ufw", f"{KEY} = 60\n", False),
        ("TuneD", f"{KEY} = 20\n", False),
        ("TuneD with reapply_sysctl = 0", f"{KEY} = 20\n", True),
    ],
)
def test_a_program_that_writes_later(writer: str, text: str, said: bool) -> None:  # noqa: FBT001 (a column)
    assert told(file("/x/y.conf", text, writer=writer)) == ([(writer, "/x/y.conf", 1)] if said else [])


@pytest.mark.parametrize("path", ["/etc/sysctl.d/10-a.conf", "/etc/sysctl.d/99-a.conf", "/etc/sysctl.conf"])
def test_that_boot_will_say_otherwise_keeps_no_step_from_being_taken(path: str) -> None:
    found = plan(file(path), beside=[*(RULES / "boot").glob("*.yaml")])
    assert [change.after for change in found.prediction.sysctls] == ["60"]
    assert {one.outcome for one in found.findings if one.finding.rule == "fin-timeout-lowered"} == {Outcome.CURED}


def page(found: Plan) -> str:
    return " ".join(folder(found)["README.md"].decode().split())


def test_the_page_says_what_to_do() -> None:
    said = page(plan(file("/etc/sysctl.conf"), file("/x/y.conf", writer="ufw")))
    assert "/etc/sysctl.conf:1 sets `20` for `net.ipv4.tcp_fin_timeout` (sysctl --system): move what" in said
    assert "/x/y.conf:1 sets `20` for" in said
