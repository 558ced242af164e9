"""The configuration that the bench generates is the one it says."""

from __future__ import annotations

import importlib.util
import pathlib

from advisor.formats.nginx import scan, walk

SCRIPT = pathlib.Path(__file__).parent / "bench" / "audit_config.py"


def test_two_thousand_servers_are_so_many_directives() -> None:
    spec = importlib.util.spec_from_file_location("audit_config", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    text = "".join(bench.lines(bench.SERVERS)).encode()
    assert sum(1 for _ in walk(scan(text, "f"))) == bench.DIRECTIVES
