"""What the rules say of a running nginx's own configuration; and certificates for it."""

from __future__ import annotations

import subprocess
from functools import cache
from typing import TYPE_CHECKING

from advisor.collect.run import Request
from advisor.engine.judging import Judging
from advisor.jobs import audit, load
from support.nginx import version_of

if TYPE_CHECKING:
    import pathlib

    from advisor.engine.rule import Rule
    from support.nginx import Nginx


@cache
def _rules() -> list[Rule]:
    return load.rules()


def failing(nginx: Nginx, rule: str) -> list[str]:
    """The items that a rule fails on."""
    request = Request(host=False, nginx_conf=str(nginx.conf), nginx_version=version_of(nginx.binary))
    result = audit.audit(load.snapshot(request, None, lambda _: None), Judging(_rules()))
    return [one.item for one in result.findings if one.rule == rule]


def certificate(folder: pathlib.Path, name: str = "a") -> str:
    """A certificate and its key, made in a folder, as directives."""
    folder.mkdir(exist_ok=True)
    key, file = folder / f"{name}.key", folder / f"{name}.pem"
    kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    argv = ["openssl", *kind, "-keyout", str(key), "-out", str(file), "-subj", f"/CN={name}"]
    subprocess.run(argv, check=True, capture_output=True, timeout=30)
    return f"ssl_certificate {file};\nssl_certificate_key {key};\nssl_protocols TLSv1.2 TLSv1.3;\n"
