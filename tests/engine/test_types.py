"""What does not fit is refused when the rule loads: names, kinds, units, and what may be unset."""

from __future__ import annotations

import pytest
from engine.toy import compiled

from advisor.errors import RuleError
from advisor.units import PAGE, B, N, S, Unit


@pytest.mark.parametrize(
    ("text", "message", "at"),
    [
        ("host.memory > host.pages", "compares bytes with pages", "host.pages"),
        ("1 < host.memory < host.pages", "compares bytes with pages", "host.pages"),
        ("host.memory + host.uptime > 1", "adds bytes to seconds", "host.uptime"),
        ("host.memory - host.uptime > 1", "subtracts seconds from bytes", "host.uptime"),
        ("max(1, host.memory, host.pages)", "max() mixes bytes and pages", "host.pages"),
        ("first(host.memory, host.pages)", "first() mixes bytes and pages", "host.pages"),
        ("first(host.memory, 'x')", "first() mixes bytes and text", "'x'"),
        ("host.memory * host.memory > host.memory", "compares B^2 with bytes", "host.memory"),
        ("host.busy > 1", "compares true or false with a plain number", "1"),
        ("host.busy > host.busy", "true or false can't be compared by '>'", "host.busy"),
        ("item.ages == item.ages", "a histogram of ages can't be compared by '=='", "item.ages"),
        ("1 + host.busy", "'+' needs numbers, and this is true or false", "host.busy"),
        ("'a' * 9", "'*' needs numbers, and this is text", "'a'"),
        ("-host.congestion", "'-' needs a number, and this is text", "-"),
        ("not host.memory", "'not' needs true or false, and this is bytes", "host.memory"),
        ("host.busy and 1", "'and' needs true or false, and this is a plain number", "1"),
        ("host.kernel > '6.1'", 'compares a version with text; write version("1.25.3")', "'6.1'"),
        ("version('6.x') > host.kernel", "'6.x' is no version", "'6.x'"),
        ("version(host.congestion) > host.kernel", "version() takes a constant", "host.congestion"),
        ("host.congestion in ('a', 1)", "compares text with a plain number", "("),
        ("size(host.memory)", "size() takes a set of ports here, and this is bytes", "host.memory"),
        ("above(item.ages, host.memory)", "above() takes seconds here, and this is bytes", "host.memory"),
        ("quantile(item.ages, host.uptime)", "quantile() takes a plain number here", "host.uptime"),
        ("ceil('x')", "ceil() needs numbers, and this is text", "'x'"),
        ("min(1, host.busy)", "min() needs numbers, and this is true or false", "host.busy"),
        ("min(1)", "write min(a, b, ...)", "min"),
        ("mim(1, 2)", "unknown function 'mim'; did you mean 'min'?", "mim"),
        ("has(1)", "has() takes the name of a fact", "1"),
        ("has(params.spare)", "has() takes the name of a fact", "params"),
        ("has(host)", "has() takes the name of a fact, and this is a group of facts; name one of them", "host"),
        ("hst.memory > 1", "unknown name 'hst'; did you mean 'host'?", "hst"),
        ("hots > 1", "unknown name 'hots'; did you mean 'host'?", "hots"),
        ("host.memry > 1", "'host' has no 'memry'; did you mean 'memory'?", "host.memry"),
        ("host.values > 1", "'host' has no 'values'", "host.values"),
        ("host._row > 1", "'host' has no '_row'", "host._row"),
        ("host.__class__ > 1", "'host' has no '__class__'", "host.__class__"),
        ("host.memory.real > 1", "'host.memory' is bytes; nothing of it is called 'real'", "host.memory.real"),
        ("things.id == 'x'", "'things' is a list, over which only 'each' ranges; nothing of it", "things"),
        ("item.backlgo > 1", "'item' has no 'backlgo'; did you mean 'backlog'?", "item"),
        ("params.spar > 1", "unknown parameter 'spar'; did you mean 'spare'?", "params"),
        ("site.load_balancer > 1", "unknown site fact 'load_balancer'; did you mean 'load_balancer_idle'?", "site"),
        ("sysctl.net.core.somaxcon > 1", "unknown sysctl 'net.core.somaxcon'; did you mean", "sysctl"),
        ("sysctl.net.ipv4.tcp_mem.hgh > 1", "unknown sysctl 'net.ipv4.tcp_mem.hgh'; did you mean", "sysctl"),
        ("sysctl.net.ipv4.tcp_tw_recycle > 1", "unknown sysctl 'net.ipv4.tcp_tw_recycle'; removed", "sysctl"),
        ("sysctl.net.ipv4.tcp_mem > 1", "compares text with a plain number", "1"),
        ("counters.TcpExt.ListenOverflow.delta > 1", "unknown counter 'TcpExt.ListenOverflow'; did", "counters"),
        ("counters.TcpExt.ListenDrops > 1", "a counter's name ends with .since_boot, .delta, .per_second", "counters"),
        ("counters.TcpExt.ListenDrops.dleta > 1", "a counter's name ends with", "counters"),
        ("counters > 1", "compares a group; go on with a counter", "1"),
        ("things", "this is a list, over which only 'each' ranges", "things"),
        ("item", "this is an item", "item"),
        ("item.timeout > 1", "item.timeout may be unset; guard it with has(item.timeout)", "item.timeout"),
        ("site.load_balancer_idle > 1", "site.load_balancer_idle may be unset; guard it", "site"),
        ("item.balancer.name == 'x'", "item.balancer may be unset; guard it", "item"),
        ("has(item.balancer) and item.balancer.idle > 1", "item.balancer.idle may be unset", "item.balancer.idle"),
        ("has(item.timeout) or item.timeout > 1", "item.timeout may be unset", "item.timeout >"),
        ("not has(item.timeout) and item.timeout > 1", "item.timeout may be unset", "item.timeout >"),
        ("item.timeout > 1 and has(item.timeout)", "item.timeout may be unset", "item"),
        ("(has(host.left) or host.busy) and host.left > 1", "host.left may be unset", "host.left >"),
        ("first(host.left, host.right) > 1", "host.right may be unset", "host.right"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_where_it_stands(text: str, message: str, at: str) -> None:
    with pytest.raises(RuleError) as caught:
        compiled(text)
    first, shown, caret = str(caught.value).split("\n")
    assert first.startswith(f"r.yaml:1:1: when: {message}")
    assert shown[len(caret) - 1 :].startswith(at)


@pytest.mark.parametrize(
    "text",
    [
        "has(item.timeout) and item.timeout > 1",
        "not has(item.timeout) or item.timeout > 1",
        "not (not has(item.timeout) or host.busy) and item.timeout > 1",
        "(has(item.timeout) and host.busy) and item.timeout > 1",
        "(has(host.left) and host.busy or has(host.left) and host.cpus > 1) and host.left > 1",
        "has(item.balancer.idle) and item.balancer.idle > 1 and item.balancer.name == 'x'",
        "first(host.left, host.right, 60) > 1",
        "has(host.right) and first(host.left, host.right) > 1",
        "first(host.left * 2, 60) > 1",
        "has(site.load_balancer_idle) and item.backlog > 1 and site.load_balancer_idle > 60",
        "first(host.lazy, True)",
    ],
)
def test_a_guard_is_understood(text: str) -> None:
    compiled(text)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("host.memory / host.pages", Unit(B=1, page=-1)),
        ("host.rate * host.uptime", N),
        ("item.backlog / host.rate", S),
        ("1 / host.uptime", Unit(s=-1)),
        ("2 * host.memory / 3 + 1", B),
        ("max(1, host.pages)", PAGE),
        ("pow2(host.pages)", PAGE),
        ("-host.uptime", S),
        ("1 + 2", None),
        ("quantile(item.ages, 0.5)", S),
        ("above(item.ages, 30)", N),
        ("returning(item.ages, 30)", Unit(s=-1, n=1)),
        ("counters.Tcp.PassiveOpens.per_second", Unit(s=-1, n=1)),
        ("counters.Tcp.PassiveOpens.delta", N),
        ("counters.sockstat.TCP.mem.since_boot", PAGE),
        ("sysctl.net.ipv4.tcp_rmem.max", B),
        ("sysctl.net.ipv4.tcp_fin_timeout", S),
        ("sysctl.fs.file-max - 1", N),
        ("params.spare", S),
    ],
)
def test_units_follow_the_arithmetic(text: str, unit: Unit | None) -> None:
    assert compiled(text).type.unit == unit


def test_names_are_what_is_read() -> None:
    code = compiled("has(item.timeout) and first(item.timeout, host.uptime) > params.spare")
    assert list(code.names) == ["item.timeout", "host.uptime", "params.spare"]
