"""What a file of a repository is: nginx's, sysctl's, a snapshot, or none of our business; by its name, then by content.

Names only say what is worth opening: Apache, supervisord, rsyslog and a dozen others keep ``*.conf`` in folders of the
same names. nginx's own words decide (the table of directives that crossplane brings), and that they end as nginx's do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Literal

from advisor.formats.nginx import FREE_FORM, Statement
from advisor.formats.sysctl import parse

Kind = Literal["nginx", "sysctl", "snapshot"]

MAIN = frozenset({"http", "events", "stream", "mail"})
"""Blocks that only a main configuration has at its top."""
TEMPLATES = (".j2", ".jinja", ".jinja2", ".erb", ".epp", ".tmpl", ".template", ".tpl", ".ctmpl", ".mustache", ".gotmpl")
"""Endings of files that are rendered before nginx or sysctl(8) see them."""

_NGINX_FOLDERS = frozenset(
    "conf.d default.d http.d modules-available modules-enabled nginx.d openresty angie tengine sites sites-available "  # noqa: SIM905 (short)
    "sites-enabled site-confs proxy-confs snippets stream.d streams streams-available streams-enabled upstreams "
    "vhost.d vhosts vhosts.d".split()
)
_NGINX_ENDINGS = (".nginx", ".vhost", ".ngx", ".nginxconf")
_OTHER = re.compile(
    r"\.(?:md|txt|rst|adoc|html?|css|m?js|ts|json|ya?ml|toml|xml|ini|env|service|timer|socket|py|rb|pl|php|sh|go|rs|c|h"
    r"|lua|sql|csv|log|diff|patch|rej|vim|pem|crt|cer|key|csr|p12|pub|gz|xz|bz2|zip|zst|png|jpe?g|gif|svg|ico|woff2?|ttf|so|o|a|pyc"
    r"|bak|old|orig|save|disabled|off|sample|example|dist|default|swp|lock|pac\w+|dpkg-\w+|rpm\w+|ucf-\w+)$|~$"
)
"""Endings of what is no configuration of nginx's, or one that is kept aside."""
_BLOCKS = MAIN | {"server", "location", "upstream"}
_BARE = MAIN | {"server", "types"}
"""Blocks that take no arguments."""
_INNER = frozenset({"if", "limit_except", "match"})
_MODULES = re.compile(
    r"(?:brotli|zstd|more_(?:set|clear)_|geoip2|vhost_traffic_status|pagespeed|modsecurity|naxsi|lua_|echo_|passenger_|"
    r"fancyindex|push_stream|upload_|srcache_|redis2?_|memc_|subs_filter|set_(?:escape|unescape|quote|md5|by)_|drizzle_|"
    r"postgres_|encrypted_session|rds_json|auth_jwt|otel_|js_|aws_|vod_|rtmp|check_)\w*|\w+_by_lua(?:_block|_file)?"
)
"""Words of modules that neither nginx nor crossplane knows of."""
_SNAPSHOT = re.compile(rb'\s*\{\s*"schema"\s*:\s*"advisor\.snapshot/')
_TEMPLATE = re.compile(rb"^[ \t]*+(?![#;])[^\n]*?(?:\{\{|\{%|<%|%%\w++%%)", re.MULTILINE)
_KEY = re.compile(r"[a-z][\w-]*\.[\w./*?\[\]@:-]+")
_WORD = re.compile(rb"[A-Za-z_]\w*")
_SKETCHED = 256 * 1024
"""Bytes from a file's beginning that tell what it was meant for, where it can't be read as it is."""
_PIECE = re.compile(rb"[^{};]*+[{};]?")
"""What stands in a line up to the end of a statement."""
_ENOUGH = 500
"""Statements that tell what a file is."""


def worth(name: str, folders: Iterable[str]) -> Kind | None:
    """What a file's name makes it worth opening for.

    Args:
        name: its own.
        folders: those that it lies in, the innermost last.
    """
    around = [*folders]
    lower = name.lower()
    if lower.startswith("."):
        return None  # no pattern of nginx's or sysctl(8)'s takes it, and people hide files so
    if sure_sysctl(lower, around) or (lower.endswith(".conf") and "sysctl" in lower):
        return "sysctl"
    if is_configuration(lower):
        return "nginx"
    if lower.endswith(".json"):
        return "snapshot"
    if hinted(name, around) and _OTHER.search(lower) is None:
        return "nginx"
    return None


def is_configuration(name: str) -> bool:
    """Whether a name ends as those of nginx's configurations do."""
    return name.lower().endswith((".conf", *_NGINX_ENDINGS))


def is_template(name: str, folders: Iterable[str]) -> bool:
    """Whether a name is that of a template for a file worth opening."""
    lower = name.lower()
    ending = next((one for one in TEMPLATES if lower.endswith(one)), None)
    return ending is not None and worth(name[: -len(ending)], folders) in {"nginx", "sysctl"}


def hinted(name: str, folders: Iterable[str]) -> bool:
    """Whether a name, or the folders around it, speak of nginx."""
    return "nginx" in name.lower() or any("nginx" in one or one in _NGINX_FOLDERS for one in map(str.lower, folders))


def is_snapshot(data: bytes) -> bool:
    """Whether it begins as a snapshot does."""
    return _SNAPSHOT.match(data) is not None


def is_nginx(statements: list[Statement], *, hint: bool) -> bool:
    """Whether what was read as nginx reads it is nginx's: half of its words are, and one of them tells.

    Args:
        statements: those of the file.
        hint: its name or folder speaks of nginx; words that others have, too, are then enough.
    """
    inner = [one for outer in statements if outer.name not in FREE_FORM for one in (outer.block or ())[:_ENOUGH]]
    looked = [*statements[:_ENOUGH], *inner[:_ENOUGH]]
    known = [one for one in looked if _known(one.name)]
    outside = [one for one in statements[:_ENOUGH] if _known(one.name)]
    if not known or 2 * len(outside) < len(statements[:_ENOUGH]):
        return False
    return hint or any(_tells(one) for one in known)


def _known(name: str) -> bool:
    return name in words() or _MODULES.fullmatch(name) is not None


def _tells(statement: Statement) -> bool:
    if statement.block is not None:
        return statement.name in _BLOCKS or statement.name in FREE_FORM
    return "_" in statement.name


def meant_as_nginx(data: bytes, *, hint: bool, configuration: bool = False) -> bool:
    """Whether a file that can't be read as nginx reads it was plainly meant for it: by what looks like statements.

    Args:
        data: its bytes.
        hint: its name or folder speaks of nginx.
        configuration: its name is that of a configuration, as well. One statement is enough then: a file that is cut
            off must not pass for another program's.
    """
    if data.startswith(b"#!"):
        return False
    lines = (line.split(b"#", 1)[0] for line in data[:_SKETCHED].split(b"\n"))
    pieces = [one for line in lines for one in map(_statement, _PIECE.findall(line)) if one]
    told = sum(map(_is_directive, pieces))
    if hint and configuration:
        return told >= 1 and told * 5 >= len(pieces)
    return told >= (2 if hint else 3) and told * 2 >= len(pieces)


def _statement(piece: bytes) -> bytes:
    """A piece of a line; empty where only a bracket is left of it."""
    return piece.strip() if piece.strip(b"{} \t;") else b""


def _is_directive(line: bytes) -> bool:
    first = _WORD.match(line)
    if first is None or not _known(first[0].decode()):
        return False
    rest = line[first.end() :].strip()
    if rest.endswith(b"{"):
        name = first[0].decode()
        return rest == b"{" if name in _BARE else name in _BLOCKS or name in FREE_FORM or name in _INNER
    return rest[-1:] in {b";", b"}"} and not rest.startswith(b"=")


def is_sysctl(data: bytes) -> bool:
    """Whether a file sets sysctls: half of what stands in it does."""
    parsed = parse(data[:_SKETCHED], "")
    keys = sum(_KEY.fullmatch(one.key) is not None for one in parsed.settings) + len(parsed.exclusions)
    lines = len(parsed.settings) + len(parsed.exclusions) + len(parsed.problems)
    return keys * 2 >= lines > 0


def sure_sysctl(name: str, folders: Iterable[str]) -> bool:
    """Whether sysctls are read from a file of that name there, whatever it holds."""
    return name == "sysctl.conf" or (name.endswith(".conf") and [*folders][-1:] == ["sysctl.d"])


def template_line(data: bytes) -> int | None:
    """The line on which a template engine has something to do; None where there is none, comments aside."""
    found = _TEMPLATE.search(data)
    return None if found is None else data.count(b"\n", 0, found.end()) + 1


@cache
def words() -> frozenset[str]:
    """The names of nginx's directives, those of common modules too."""
    from crossplane.analyzer import DIRECTIVES  # noqa: PLC0415 (9 ms that only a run which reads nginx pays)

    return frozenset(DIRECTIVES)
