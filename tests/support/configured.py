"""Every configured fact of a snapshot, to compare what was promised with what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.catalog.sysctl import KEYS
from advisor.errors import Unread
from advisor.facts.derive import Facts
from advisor.facts.effective import Scopes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from advisor.snapshot.model import Snapshot

MEASURED = {"net.netfilter.nf_conntrack_count"}
"""A sysctl that counts."""

Facet = tuple[str, ...]


def configured(snapshot: Snapshot) -> dict[Facet, object]:
    """The configured facts by name; why, where one can't be told. Files that only matter at boot are not among them."""
    facts = Facts(snapshot)
    found: dict[Facet, object] = {
        ("sysctl", key): _told(lambda key=key: facts.sysctl.text(key)) for key in KEYS.keys() - MEASURED
    }
    found["ports", "usable"] = _told(lambda: facts.ports.usable)
    return found | dict(_nginx(facts)) if snapshot.nginx else found


def differences(one: Snapshot, other: Snapshot) -> dict[Facet, tuple[object, object]]:
    """What is configured differently: by name, in the one and in the other."""
    left, right = configured(one), configured(other)
    return {
        name: (left.get(name), right.get(name))
        for name in left.keys() | right.keys()
        if left.get(name) != right.get(name)
    }


def _nginx(facts: Facts) -> Iterator[tuple[Facet, object]]:
    nginx = facts.snapshot.nginx
    assert nginx is not None
    yield ("nginx", "includes"), nginx.includes
    yield ("nginx", "version"), nginx.version
    for path, file in nginx.files.items():
        yield ("file", path), file.content
    for listen in facts.nginx.listens:
        yield ("listen", listen.id, "backlog"), listen.backlog
        # The limit is what nginx got of the backlog that it asked for.
        yield ("listen", listen.id, "limit"), _told(lambda listen=listen: listen.limit)
    for item in facts.nginx.keepalives:
        yield ("keepalive_timeout", item.id), (item.timeout, item.header, item.place("keepalive_timeout"))
        yield ("keepalive_timeout", item.id, "addresses"), item.addresses
    scopes = Scopes(facts.nginx.config.tree)
    for name in scopes.own:
        for scope in scopes.blocks:
            yield ("effective", scope, name), scopes.value(scope, name)


def _told(read: Callable[[], object]) -> object:
    try:
        return read()
    except Unread as unread:
        return f"not told: {unread}"
