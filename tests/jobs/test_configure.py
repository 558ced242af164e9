"""Which configuration holds, and what the command line makes of it."""

from __future__ import annotations

import os
import pathlib

import pytest

from advisor.engine.cases import snapshot_of
from advisor.errors import AdvisorError, ConfigError, UsageError
from advisor.findings import Severity
from advisor.jobs import configure
from advisor.jobs.answered import answered, left
from advisor.jobs.configure import Asked, Settings, found, settings
from advisor.records import replace

LONG = "keepalive-timeout-long"
OURS = pathlib.Path(__file__).parents[2] / "rules/ports/port-range-same-parity.yaml"


@pytest.fixture(autouse=True)
def here(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A repository with a folder in it, which is the current one; nothing is written for the whole machine."""
    folder = tmp_path / "top/sub/deep"
    folder.mkdir(parents=True)
    (tmp_path / "top/.git").mkdir()
    monkeypatch.setattr(configure, "FOR_ALL", str(tmp_path / "etc.yaml"))
    monkeypatch.chdir(folder)
    return folder


def said(here: pathlib.Path, text: str, **asked: object) -> Settings:
    (here / "advisor.yaml").write_text(text)
    return settings(Asked()._replace(**asked))


def test_the_nearest_up_to_the_top_of_the_repository_holds(here: pathlib.Path, tmp_path: pathlib.Path) -> None:
    assert found() is None
    (tmp_path / "advisor.yaml").write_text("strict: true")
    assert found() is None
    (tmp_path / "etc.yaml").write_text("")
    assert found() == str(tmp_path / "etc.yaml")
    for folder in (here.parents[1], here.parent):
        (folder / "advisor.yaml").write_text("")
        assert found() == str(folder / "advisor.yaml")
    (here / "advisor.yaml").write_text("")
    assert found() == "advisor.yaml"


def test_outside_of_a_repository_only_the_current_folder_is_looked_at(here: pathlib.Path) -> None:
    (here.parents[1] / ".git").rmdir()
    (here.parent / "advisor.yaml").write_text("")
    assert found() is None
    (here / "advisor.yaml").write_text("")
    assert found() == "advisor.yaml"


def test_a_folder_that_is_gone_has_none(here: pathlib.Path) -> None:
    here.rmdir()
    assert found() is None


def test_none_is_read_if_none_is_wanted(here: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (here / "advisor.yaml").write_text("no: configuration")
    assert settings(Asked(isolated=True)).file is None
    (tmp_path / "own.yaml").write_text("strict: true")
    assert settings(Asked(config=str(tmp_path / "own.yaml"))).config.strict
    with pytest.raises(ConfigError, match=r"advisor\.yaml:1:1: unknown key 'no'"):
        settings(Asked())
    with pytest.raises(UsageError, match="--isolated reads no configuration"):
        settings(Asked(config="own.yaml", isolated=True))
    with pytest.raises(ConfigError, match=r"none\.yaml:1:1: the configuration can't be read: No such file"):
        settings(Asked(config="none.yaml"))


def test_the_command_line_beats_the_configuration(here: pathlib.Path) -> None:
    text = f"params: {{{LONG}.few: 7}}\nselect: [{LONG}]\nignore: [tcp-nopush-inert]\nhosts: {{a: {{paths: [a]"
    text += f", params: {{{LONG}.few: 9}}}}}}\n"
    alone = said(here, text)
    assert alone.judging.overrides == {f"{LONG}.few": "7"}
    assert alone.judging_of("a").overrides == {f"{LONG}.few": "9"}
    both = said(here, text, params=[f"{LONG}.few=3"], select=["listen-backlog-capped"], ignore=[LONG])
    assert both.judging_of("a").overrides == {}
    assert [rule.id for rule in both.judging.rules] == ["listen-backlog-capped"]
    own = said(here, text, params=[f"{LONG}.few=3"])
    assert own.judging_of("a").overrides == {f"{LONG}.few": "3"}


def test_what_is_known_of_a_snapshot_stands(here: pathlib.Path) -> None:
    text = "site: {load_balancer_idle: 60 s}\nprofile: proxy\nnginx_version: 1.18.0\n"
    text += "hosts: {a: {paths: [a], site: {load_balancer_idle: 90 s}, profile: api}}\n"
    given = said(here, text)
    bare = snapshot_of({"nginx": "events { }"})
    told = given.described(bare)
    assert (told.site, told.profile) == ({"load_balancer_idle": "60 s"}, "proxy")
    assert told.nginx is not None
    assert told.nginx.version == "1.18.0"
    assert given.described(bare, "a").site == {"load_balancer_idle": "90 s"}
    assert given.described(bare, "a").profile == "api"
    own = given.described(replace(bare, site={"load_balancer_idle": "5 s"}, profile="static"), "a")
    assert (own.site, own.profile) == ({"load_balancer_idle": "5 s"}, "static")


def test_paths_are_relative_to_the_file(here: pathlib.Path) -> None:
    top = here.parents[1]
    (top / "packs").mkdir()
    (top / "packs/ours.yaml").write_text(OURS.read_text().replace("id: port-range-same-parity", "id: ours"))
    (top / "advisor.yaml").write_text("rules: [packs]\nbaseline: base.json\n")
    given = settings(Asked())
    assert given.baseline == str(top / "base.json")
    assert [rule.file for rule in given.judging.rules if rule.foreign] == [str(top / "packs/ours.yaml")]


def test_findings_that_somebody_answers_for_are_marked_and_left(here: pathlib.Path) -> None:
    text = f"severity: {{{LONG}: low}}\nignores:\n- {{rule: {LONG}, reason: long polls, path: /etc/nginx/**}}\n"
    given = said(here, text, select=[LONG])
    snapshot = snapshot_of({"nginx": "http { keepalive_timeout 300; server { listen 80; } }"})
    (finding,) = [one.finding for one in answered(snapshot, given) if one.finding]
    assert finding.severity is Severity.LOW
    assert finding.suppression is not None
    assert (finding.suppression.reason, finding.suppression.where) == ("long polls", "advisor.yaml:3")
    assert left(snapshot, given) == {(LONG, finding.item)}
    assert not left(snapshot, said(here, f"severity: {{{LONG}: low}}", select=[LONG]))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root refuses what others can write")
@pytest.mark.parametrize("where", ["advisor.yaml", ".", "packs", "packs/ours.yaml"])
def test_root_follows_nothing_that_others_can_write(where: str, here: pathlib.Path) -> None:
    (here / "packs").mkdir()
    (here / "packs/ours.yaml").write_text(OURS.read_text().replace("id: port-range-same-parity", "id: ours"))
    assert said(here, "rules: [packs]").file == "advisor.yaml"
    os.chown(here / where, 12345, -1)
    with pytest.raises(AdvisorError, match=r"others can write to it \(uid 12345, .*--isolated"):
        settings(Asked())
    assert settings(Asked(isolated=True)).file is None
