"""Rule files that mean harm, or nothing: real ones, each with one thing wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from advisor.engine.written import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.engine.rule import Rule

ID = "hostile-rule"

EXPRESSIONS = [
    "__import__('os').system('id')",
    "open('/etc/shadow') == 1",
    "().__class__.__mro__[1].__subclasses__() == 1",
    "sysctl.__class__ == 1",
    "params.__dict__ == 1",
    "nginx.__init__.__globals__ == 1",
    "(lambda: True)()",
    "(lambda x: x)(1) > 0",
    "2**2**2**30 > 1",
    "'a' * 1000000000 == 'b'",
    "'a' + 'b' == 'ab'",
    "[x for x in (1, 2)] == 1",
    "{1: 2} == 1",
    "{1, 2} == 1",
    "f'{params}' == ''",
    "1 if True else 2",
    "1 << 4000000000 > 1",
    "(x := 5) > 1",
    "10 // 3 > 1",
    "10 % 3 > 1",
    "'%s' % 1 == ''",
    "~1 > 0",
    "+1 > 0",
    "1 is 1",
    "None == 1",
    "b'a' == 1",
    "1j == 1",
    "... == 1",
    "(1)(2) > 0",
    "'x'.join(('a', 'b')) == 1",
    "min(*(1, 2)) > 0",
    "min(1) > 0",
    "min(a=1, b=2) > 0",
    "eval('1') > 0",
    "getattr(sysctl, 'x') > 0",
    "first() > 0",
    "version('1' * 9) > version('1')",
    "has(1)",
    "sysctl.kernel.core_pattern == 'x'",
    "sysctl.net.core.somaxcon > 1",
    "no.such.fact > 1",
    "1 > 'a'",
    "1 in ()",
    "1 in sysctl",
    "1 and 2",
    "9" * 400 + " > 1",
    "1e999 > 1",
    "-" * 1500 + "1 > 0",
    "(" * 300 + "1" + ")" * 300 + " > 0",
    "not " * 400 + "True",
    "1 + " * 450 + "1 > 0",
    "1 > " * 600 + "1",
    "1 > 0 or " * 300 + "1 > 0",
    "x" * 2100 + " > 0",
    "a." * 900 + "a > 0",
    "\ud83d\ude00 > 1",
    "1 > 0 # comment\n; import os",
    "1 > 0; import os",
    "import os",
    "\\x00 > 1",
    "yield 1",
    "await x",
    "1 >",
    "",
    "'unclosed",
    "60s > 1",
]
"""None of them is a condition that a rule may hold."""

TEXTS = [
    "{__import__('os').system('id')}",
    "{params!r}",
    "{1:>1000000000}",
    "{",
    "}",
    "{}",
    "{0.__class__}",
    "{" * 2501,
    "x" * 5001,
    "{'a' * 1000000000}",
    "{1 + }",
    "{no.such.fact}",
]

KEYS = [
    "kernel.core_pattern",
    "kernel.modprobe",
    "kernel.hotplug",
    "kernel.sysrq",
    "kernel.yama.ptrace_scope",
    "vm.overcommit_memory",
    "fs.protected_symlinks",
    "fs.suid_dumpable",
    "net.core.somaxconn; reboot",
    "net.core.somaxconn\nkernel.core_pattern",
    "../../../etc/passwd",
    "net/../kernel/core_pattern",
    "net.ipv4.tcp_mem",
    "",
]
"""No patch may write any of them (the last but one not as a whole)."""

DIRECTIVES = ["include", "load_module", "user", "root", "alias", "error_log", "env", "daemon", "proxy_pass", "if", ""]

BROKEN = [
    ("anchor", '"title": &a "x", "unless": *a, '),
    ("tag", '"title": !!python/object/apply:os.system ["id"], '),
    ("local tag", '"title": !x "y", '),
    ("merge key", "<<: {title: x}, "),
    ("key twice", '"id": "other", '),
    ("list as a key", '[1, 2]: "x", '),
    ("mapping as a key", '{a: b}: "x", '),
    ("huge number", '"title": 99999999999999999999999999, '),
    ("infinite number", '"title": 1.0e999, '),
    ("nested deeply", '"x": ' + "[" * 60 + "]" * 60 + ", "),
    ("nested very deeply", '"x": ' + "[" * 50_000),
    ("many values", '"x": [' + "1," * 20_001 + "], "),
    ("NUL", '"title": "a\0b", '),
    ("NUL, escaped into a key", '"ti\\0tle": "b", '),
    ("half of a pair", '"title": "\\ud800", '),
    ("control character", '"title": "a\x07", '),
    ("unclosed", '"title": "x'),
    ("unknown key", '"when_": "True", '),
    ("dunder key", '"__class__": "x", '),
    ("empty key", '"": "x", '),
    ("long key", '"' + "k" * 5000 + '": "x", '),
    ("directive", "%YAML 9.9\n---\n"),
]
"""What stands where the file's first key stands."""


def documents(value: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """A document broken as YAML, each in one way; ``value`` is a whole one."""
    text = json.dumps(value, indent=1)
    for name, piece in BROKEN:
        yield name, ("{\n" + piece + text[1:]).encode("utf-8", "surrogatepass")
    yield "two documents", f"{text}\n---\n{text}\n".encode()
    yield "Latin-1", text.replace("{", '{"t\u00ef": 1,', 1).encode("latin-1")
    yield "UTF-16", text.encode("utf-16")
    yield "2 MB", (text + "\n" + "# x\n" * 500_000).encode()
    yield "a list", b"[1, 2]"
    yield "a word", b"rule"
    yield "binary", bytes(range(256)) * 20


def rules(rule: Rule) -> Iterator[tuple[str, bytes]]:
    """Files of a rule with one thing wrong."""
    value = {**plain(rule.written), "id": ID, "aliases": [], "consequence_of": []}
    yield from documents(value)
    for name, changed in _wrong(value):
        yield name, json.dumps(changed, indent=1).encode()


def whole(rule: Rule) -> bytes:
    """The same with nothing wrong."""
    return json.dumps({**plain(rule.written), "id": ID, "aliases": [], "consequence_of": []}, indent=1).encode()


def _wrong(value: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for text in EXPRESSIONS:
        for key in ("when", "applies", "observed"):
            yield f"{key}: {text[:40]}", {**value, key: text}
        yield f"severity: {text[:40]}", {**value, "severity": [{"high": text}, "low"]}
        yield f"if: {text[:40]}", {**value, "remedies": [{"safety": "manual", "text": "x", "if": text}]}
        yield f"let: {text[:40]}", {**value, "let": {"own": text}, "when": "own"}
    for text in TEXTS:
        for key in ("message", "why"):
            yield f"{key}: {text[:40]}", {**value, key: text}
        yield f"expected: {text[:40]}", {**value, "expected": [text]}
        yield f"text: {text[:40]}", {**value, "remedies": [{"safety": "manual", "text": text}]}
    for target in KEYS:
        yield f"sysctl {target!r}", {**value, "remedies": [{"safety": "safe", "sysctl": {target: {"exactly": "1"}}}]}
    for target in DIRECTIVES:
        yield f"nginx {target!r}", {**value, "remedies": [{"safety": "safe", "nginx": {target: {"exactly": "1"}}}]}
    yield from ((f"{key} = {str(wrong)[:40]}", {**value, key: wrong}) for key, wrong in _SHAPES)


_SHAPES: list[tuple[str, object]] = [
    ("id", "../../../etc/passwd"),
    ("id", "other-rule"),
    ("id", 7),
    ("id", None),
    ("id", "a" * 90),
    ("aliases", "x"),
    ("aliases", ["__class__"]),
    ("title", ""),
    ("title", ["x"]),
    ("title", "x" * 301),
    ("severity", "doom"),
    ("severity", []),
    ("severity", [{"high": "True"}]),
    ("severity", ["high", "low"]),
    ("severity", {"high": "True"}),
    ("severity", [{"high": "True", "low": "True"}, "low"]),
    ("maturity", "ripe"),
    ("each", "sysctl"),
    ("each", "nginx.__dict__"),
    ("each", "no.such.list"),
    ("params", {"__class__": "1 s"}),
    ("params", {"x": "60 parsecs"}),
    ("params", {"x": "1e9 s"}),
    ("params", ["x"]),
    ("let", {f"l{number}": "True" for number in range(13)}),
    ("let", {"sysctl": "True"}),
    ("let", {"own": "own"}),
    ("references", []),
    ("references", ["file:///etc/passwd"]),
    ("references", ["javascript:alert(1)"]),
    ("remedies", [{"safety": "safe"}]),
    ("remedies", [{"safety": "manual"}]),
    ("remedies", [{"safety": "sure", "text": "x"}]),
    ("remedies", [{"safety": "manual", "text": "x", "run": "reboot"}]),
    ("remedies", [{"safety": "manual", "text": "x"}] * 21),
    ("remedies", [{"safety": "manual", "text": "x", "needs": ["prayer"]}]),
    ("remedies", [{"safety": "safe", "sysctl": {"net.core.somaxconn": {"about": "1"}}}]),
    ("remedies", [{"safety": "safe", "sysctl": {"net.core.somaxconn": {"at_least": "1", "at_most": "2"}}}]),
    ("remedies", [{"safety": "safe", "sysctl": {"net.core.somaxconn": {"at_least": "'x'"}}}]),
    ("consequence_of", ["no-such-rule"]),
    ("consequence_of", "x"),
    ("cases", []),
    ("cases", {"a": 1}),
    ("cases", [{"name": "x", "expect": "fail"}]),
    ("cases", [{"name": "x", "expect": "maybe"}]),
    ("cases", [{"name": "x", "expect": "fail"}, {"name": "x", "expect": "pass"}]),
    ("cases", [{"name": "x", "expect": "fail", "like": "y"}, {"name": "z", "expect": "pass"}]),
    ("when", None),
    ("when", ["True"]),
    ("run", "reboot"),
    ("__class__", "x"),
]
