"""What is known of one directive of nginx."""

from __future__ import annotations

from typing import NamedTuple


class Directive(NamedTuple):
    """A directive.

    ``contexts`` holds a letter for each block it may stand in: m(ain), e(vents), h(ttp), s(erver), l(ocation),
    i(f in a location), u(pstream). ``kind`` is what its first argument holds: flag (on, off), time (s), size (B),
    count, word, or words (several arguments that only mean something together). ``default`` is nginx's text, None
    where there is none; ``later`` gives the versions from which it is another. ``array``: the statements of one block
    add up, and a level that sets it replaces the whole set it would inherit. ``since`` is the version that brought
    the directive, where that is after 1.14.0; ``gone`` the one from which it does nothing.
    """

    name: str
    contexts: str
    kind: str
    default: str | None = None
    module: str = "http/ngx_http_core_module"
    later: tuple[tuple[str, str], ...] = ()
    array: bool = False
    since: str | None = None
    gone: str | None = None

    @property
    def word(self) -> str:
        """As it stands in a file."""
        return self.name.rpartition("/")[2]

    @property
    def reference(self) -> str:
        """Its place in nginx's documentation."""
        return f"nginx:{self.module}.html#{self.word}"


TLS = (("1.23.4", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3"), ("1.27.3", "TLSv1.2 TLSv1.3"))
"""The versions from which the default of every ``ssl_protocols`` is another (CHANGES)."""
