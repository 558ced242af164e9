"""What the words of a configuration mean: rules, quantities, versions, dates. A wrong one is said where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import TypeVar

from advisor.config.model import Config, Host, Ignore
from advisor.config.read import Draft
from advisor.engine.judge import overridden
from advisor.engine.rule import Rule
from advisor.engine.syntax import did_you_mean
from advisor.errors import ConfigError, UsageError
from advisor.facts.site import check as check_site
from advisor.facts.values import Version
from advisor.formats.yaml import Path
from advisor.records import replace

_V = TypeVar("_V")
_W = TypeVar("_W", Config, Host)


def checked(draft: Draft, rules: Sequence[Rule], others: Iterable[str] = ()) -> Config:
    """The configuration with every rule called by its id.

    Args:
        draft: of the right shape.
        rules: all that are loaded.
        others: ids that may be ignored and are no rules' (what the gate itself finds).

    Raises:
        ConfigError: ``file:line:column: key: what is wrong``.
    """
    return _Check(draft, rules, others).config()


class _Check:
    def __init__(self, draft: Draft, rules: Sequence[Rule], others: Iterable[str]) -> None:
        self.draft = draft
        self.rules = rules
        self.names = {name: rule.id for rule in rules for name in (rule.id, *rule.aliases)}
        self.more = self.names | {name: name for name in others}

    def config(self) -> Config:
        """The configuration, checked."""
        raw = self.draft.config
        self._globs(("exclude",), raw.exclude)
        return replace(
            self._surroundings(raw, ()),
            select=[self._rule(("select", at), name, self.names) for at, name in enumerate(raw.select)],
            ignore=[self._rule(("ignore", at), name, self.more) for at, name in enumerate(raw.ignore)],
            severity=self._by_rule("severity", raw.severity),
            safety=self._by_rule("safety", raw.safety),
            ignores=[self._ignored(("ignores", at), one) for at, one in enumerate(raw.ignores)],
            hosts={name: self._host(("hosts", name), host) for name, host in raw.hosts.items()},
        )

    def _error(self, path: Path, message: str) -> ConfigError:
        return ConfigError(f"{self.draft.document.at(path)}: {'.'.join(map(str, path))}: {message}")

    def _host(self, path: Path, host: Host) -> Host:
        self._globs((*path, "paths"), host.paths)
        return self._surroundings(host, path)

    def _surroundings(self, where: _W, above: Path) -> _W:
        """What holds for a host, or for all."""
        if where.nginx_version is not None:
            try:
                Version.parse(where.nginx_version)
            except ValueError:
                raise self._error((*above, "nginx_version"), "write it as nginx -v does, for example 1.22.1") from None
        for name, text in where.site.items():
            self._quantity((*above, "site", name), check_site, name, text)
        params: dict[str, str] = {}
        for name, text in where.params.items():
            path = (*above, "params", name)
            rule, _, param = name.rpartition(".")
            known = f"{self._rule(path, rule, self.names)}.{param}"
            self._quantity(path, lambda one, own: overridden(self.rules, {one: own}), known, text)
            params[known] = text
        return replace(where, params=params)

    def _quantity(self, path: Path, check: Callable[[str, str], object], name: str, text: str) -> None:
        try:
            check(name, text)
        except UsageError as error:
            # The same check serves the command line, whose messages begin with the option.
            raise self._error(path, str(error).removeprefix("--param ")) from None

    def _rule(self, path: Path, name: str, known: Mapping[str, str]) -> str:
        if name not in known:
            raise self._error(path, f"no rule is called '{name}'{did_you_mean(name, known)}; see: advisor rules")
        return known[name]

    def _by_rule(self, key: str, values: Mapping[str, _V]) -> dict[str, _V]:
        found: dict[str, _V] = {}
        for name, value in values.items():
            rule = self._rule((key, name), name, self.names)
            if rule in found:
                raise self._error((key, name), f"'{rule}' stands here by another name, too; keep one of them")
            found[rule] = value
        return found

    def _ignored(self, path: Path, one: Ignore) -> Ignore:
        if one.path is None and one.server is None and one.key is None:
            raise self._error(path, f"name a path, a server or a key, or put '{one.rule}' into the list 'ignore'")
        if one.until is not None:
            try:
                date.fromisoformat(one.until)
            except ValueError:
                raise self._error((*path, "until"), f"there is no day {one.until}; write YYYY-MM-DD") from None
        self._globs((*path, "path"), [one.path] if one.path is not None else [])
        return replace(one, rule=self._rule((*path, "rule"), one.rule, self.more))

    def _globs(self, path: Path, patterns: Sequence[str]) -> None:
        for at, pattern in enumerate(patterns):
            if ".." in pattern.split("/"):
                raise self._error((*path, at), f"'{pattern}' leads outside; a pattern holds no '..'")
