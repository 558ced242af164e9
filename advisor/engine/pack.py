"""Rule files to rules: from the index that came with them if it is of these very bytes, else read and checked whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from advisor.engine.rule import Rule
from advisor.engine.syntax import did_you_mean
from advisor.engine.written import Written, WrittenCase, WrittenStep, plain, restore
from advisor.errors import RuleError
from advisor.formats.yaml import Path, load
from advisor.records import fields_of

Index = Mapping[str, Any]
"""What `index_of` makes, as JSON holds it: ``rules`` maps a file's `_key` to the rule that stands in it."""

_SHAPE = [list(fields_of(record)) for record in (Written, WrittenStep, WrittenCase)]
"""An index made for rules of another shape is not used."""


class _File(NamedTuple):
    """A file that was read and checked before."""

    name: str
    data: bytes

    def at(self, path: Path) -> str:
        """``file:line:column`` of a part of it, which is read for that alone."""
        return load(self.data, self.name).at(path)


def load_rules(
    files: Iterable[tuple[str, bytes]],
    facts: type,
    index: Index | None = None,
    foreign: Iterable[tuple[str, bytes]] = (),
) -> list[Rule]:
    """Load rule files.

    Args:
        files: name and bytes of each.
        facts: the root class of facts.
        index: the rules in some of them, as they were read and checked before; each part of such a rule is compiled
            when it is first asked for.
        foreign: the same of rules that did not come with this program: what they may cost is bounded.

    Returns:
        the rules, sorted by id.

    Raises:
        RuleError: for the first file that can't be used, for an id or alias that two rules claim, and for a
            ``consequence_of`` that names no rule.
    """
    known = index["rules"] if index is not None and index["shape"] == _SHAPE else {}
    rules = [_load(data, name, facts, known) for name, data in files]
    rules += [load_rule(data, name, facts, foreign=True) for name, data in foreign]
    rules.sort(key=lambda rule: rule.id)
    _check_names(rules)
    return rules


def _load(data: bytes, name: str, facts: type, known: Mapping[str, Any]) -> Rule:
    found = known.get(_key(data, name)) if known else None
    return load_rule(data, name, facts) if found is None else Rule(restore(found), _File(name, data), facts)


def _key(data: bytes, name: str) -> str:
    """A file's name without its folder, and its bytes."""
    from hashlib import sha256  # noqa: PLC0415 (3 ms, which only an index needs)

    stem = name.rpartition("/")[2]
    return f"{stem} {sha256(data).hexdigest()}"


def _check_names(rules: list[Rule]) -> None:
    claimed: dict[str, Rule] = {}
    for rule in sorted(rules, key=lambda one: one.foreign):
        for name in (rule.id, *rule.aliases):
            if (other := claimed.setdefault(name, rule)) is not rule:
                raise RuleError(f"{rule.file}:1:1: '{name}' is also claimed by {other.file}; rename one of them")
    for rule in rules:
        for cause in rule.consequence_of:
            if cause not in claimed:
                hint = did_you_mean(cause, claimed)
                raise RuleError(f"{rule.file}:1:1: consequence_of: there is no rule '{cause}'{hint}")


def load_rule(data: bytes, name: str, facts: type, *, foreign: bool = False) -> Rule:
    """Load one rule file, and check it whole.

    Args:
        data: its bytes.
        name: its path; the rule's id must equal the file's name without ``.yaml``.
        facts: the root class of facts.
        foreign: whether it did not come with this program.

    Raises:
        RuleError: ``file:line:column: key: what is wrong``.
    """
    from advisor.engine import rulefile  # noqa: PLC0415 (pydantic, which a run with an index saves)

    document = load(data, name)
    parsed, fault = rulefile.read(document)
    if parsed is None:
        path, message = fault or ((), "not a rule")
        raise RuleError(f"{document.at(path)}: {message}")
    return Rule(parsed, document, facts, foreign=foreign).whole()


def index_of(files: Iterable[tuple[str, bytes]], facts: type) -> Index:
    """The index of rule files, each read and checked whole.

    Raises:
        RuleError: for the first file that can't be used.
    """
    return {
        "shape": _SHAPE,
        "rules": {_key(data, name): plain(load_rule(data, name, facts).written) for name, data in files},
    }
