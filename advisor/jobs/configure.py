"""The configuration in force: which file it is, whether it may be followed, and what the command line makes of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from advisor.collect import trusted
from advisor.collect.tops import around, below, top_of
from advisor.config.model import Config, Ignore
from advisor.engine.judging import Judging
from advisor.engine.rule import Rule
from advisor.errors import ConfigError, UsageError
from advisor.formats.yaml import MAX_BYTES
from advisor.gate.notices import IDS
from advisor.jobs import load
from advisor.records import dataclass, field, replace
from advisor.snapshot.model import Snapshot

if TYPE_CHECKING:
    from advisor.config.read import Draft

NAME = "advisor.yaml"
FOR_ALL = "/etc/advisor/advisor.yaml"
"""Read where no folder up to the top of the repository has one."""
_UNWANTED = "it is among the rules that the configuration ignores"


class Asked(NamedTuple):
    """What the command line says of how to judge.

    ``config`` is the file to use, ``isolated`` that none is; ``packs`` are folders of rules. ``params``, ``select``,
    ``ignore`` and ``packs`` come on top of the configuration's; a parameter that both name is the command line's.
    """

    config: str | None = None
    isolated: bool = False
    packs: Sequence[str] = ()
    params: Sequence[str] = ()
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """What is in force: the configuration, and the rules, ready to judge by it.

    ``file`` is the configuration as messages name it; ``baseline`` its baseline's path; ``ignores`` are its exceptions,
    each with the file and line that says so. ``site`` and ``params`` are what the command line says. ``rules`` are all
    that there are, those that nobody asks for included.
    """

    config: Config
    judging: Judging
    rules: tuple[Rule, ...] = ()
    file: str | None = None
    baseline: str | None = None
    ignores: tuple[tuple[Ignore, str], ...] = ()
    site: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)

    def judging_of(self, host: str) -> Judging:
        """The rules with what the configuration says of a host of its own."""
        params = {**self.config.hosts[host].params, **self.params}
        return self.judging.with_params(_of(self.judging.rules, params))

    def described(self, snapshot: Snapshot, host: str | None = None) -> Snapshot:
        """A snapshot with what the configuration knows of its surroundings.

        What was read, and what the command line says, stands; a host's own entry beats the general one.
        """
        own = self.config.hosts.get(host or "")
        site = {**self.config.site, **(own.site if own else {}), **snapshot.site}
        profile = snapshot.profile or (own and own.profile) or self.config.profile
        nginx, version = snapshot.nginx, (own and own.nginx_version) or self.config.nginx_version
        if nginx is not None and nginx.version is None and version is not None:
            nginx = replace(nginx, version=version)
        return replace(snapshot, site=site, profile=profile, nginx=nginx)


def settings(asked: Asked) -> Settings:
    """Find and read the configuration, and load the rules.

    Raises:
        AdvisorError: when one of them can't be used.
    """
    draft, rules = _read(asked)
    if draft is None:
        return _settings(asked, rules, Config())
    from advisor.config.check import checked  # noqa: PLC0415 (pydantic, only where there is a configuration)

    file, config = draft.document.name, checked(draft, rules, IDS)
    baseline = config.baseline and os.path.join(os.path.dirname(file), config.baseline)
    made = _settings(asked, rules, config)
    return replace(made, file=file, baseline=baseline, ignores=tuple(_ignores(draft, config)))


def _ignores(draft: Draft, config: Config) -> Iterator[tuple[Ignore, str]]:
    """The exceptions, and what the gate itself finds and nobody wants, each with the file and line that says so."""
    notices = [(("ignore", at), Ignore(rule=name, reason=_UNWANTED)) for at, name in enumerate(config.ignore)]
    entries = [(("ignores", at), one) for at, one in enumerate(config.ignores)]
    for path, one in [*(pair for pair in notices if pair[1].rule in IDS), *entries]:
        yield one, draft.document.at(path).rpartition(":")[0]


def known(asked: Asked) -> list[Rule]:
    """Every rule there is: those that came with advisor, and those of packs.

    Raises:
        AdvisorError: when the configuration or a rule can't be used.
    """
    return _read(asked)[1]


def _read(asked: Asked) -> tuple[Draft | None, list[Rule]]:
    """The configuration, if there is one, and all rules."""
    if asked.isolated and asked.config is not None:
        raise UsageError(f"--isolated reads no configuration; leave it out, or --config {asked.config}")
    path = asked.config if asked.config is not None or asked.isolated else found()
    if path is None:
        return None, load.rules(asked.packs)
    from advisor.config.read import read  # noqa: PLC0415 (pydantic, only where there is a configuration)

    draft, folder = read(_bytes(path), path), os.path.dirname(path)
    return draft, load.rules([*(os.path.join(folder, pack) for pack in draft.config.rules), *asked.packs])


def _settings(asked: Asked, rules: list[Rule], config: Config) -> Settings:
    site, params = load.params(asked.params, rules)
    ids = {rule.id for rule in rules}
    ignored = [*(name for name in config.ignore if name in ids), *asked.ignore]
    wanted = load.chosen(rules, [*config.select, *asked.select], ignored)
    judging = Judging(wanted, _of(wanted, {**config.params, **params}), config.severity, config.safety)
    return Settings(config, judging, tuple(rules), site=site, params=params)


def _of(rules: Iterable[Rule], params: Mapping[str, str]) -> dict[str, str]:
    """The parameters of these rules; those of others were checked, and are not needed."""
    ids = {rule.id for rule in rules}
    return {name: text for name, text in params.items() if name.rpartition(".")[0] in ids}


def found() -> str | None:
    """The configuration that holds here: of the nearest folder up to the top of the repository, else of the machine.

    Returns:
        its path, relative where it lies in the current folder; None where there is none.
    """
    try:
        above = _above(os.getcwd())[1:]
    except FileNotFoundError:
        above = []
    paths = [NAME, *(os.path.join(folder, NAME) for folder in above), FOR_ALL]
    return next((path for path in paths if os.path.lexists(path)), None)


def _above(here: str) -> list[str]:
    """A folder and those above it, up to the top of its repository; where it is in none, that folder alone."""
    top = top_of(here)
    return [here] if top is None else [one for one in around(here) if below(one, top)]


def _bytes(path: str) -> bytes:
    try:
        return trusted.read(path, MAX_BYTES)
    except OSError as error:
        raise ConfigError(f"{path}:1:1: the configuration can't be read: {error.strerror}") from None
