"""A small root of facts to judge with: every kind of fact, each of which may be set, unset or unread."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Annotated, Any, ClassVar

from advisor.engine.code import Env
from advisor.engine.compile import compile_expression
from advisor.engine.scope import Scope
from advisor.engine.syntax import Source
from advisor.errors import Unread
from advisor.facts.places import Location, Place
from advisor.facts.schema import From
from advisor.facts.values import Count, Histogram, Item, Number, Pages, Ports, Rate, Seconds, Size, Version
from advisor.units import S


def given(value: Any) -> Any:
    """A stored value; an Unread among them is raised, as facts do."""
    if isinstance(value, Unread):
        raise value
    return value


@dataclass
class Balancer:
    FACT_KIND: ClassVar[str] = "group"

    idle: Seconds | None = 600.0
    name: str = "lb"


@dataclass
class Thing(Item):
    """An item: a listener of sorts."""

    id: str = "80"
    backlog: Count = 511
    ages: Histogram = field(default_factory=lambda: Histogram((0,) * 9 + (100,) + (0,) * 11, 30.0))
    values: dict[str, Any] = field(default_factory=dict)
    location: Location | None = None

    @property
    def drops(self) -> Annotated[Count, From("SOCK_DIAG")]:
        return given(self.values.get("drops", 0))

    @property
    def timeout(self) -> Seconds | None:
        return given(self.values.get("timeout"))

    @property
    def balancer(self) -> Balancer | None:
        return given(self.values.get("balancer"))

    def place(self, directive: str) -> Place:
        return given(self.values.get("place", Place("/etc/nginx/nginx.conf", "http#0", directive)))


class Host:
    FACT_KIND: ClassVar[str] = "group"

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    @property
    def memory(self) -> Annotated[Size, From("/proc/meminfo")]:
        return given(self.values.get("memory", 2**30))

    @property
    def pages(self) -> Pages:
        return given(self.values.get("pages", 4))

    @property
    def cpus(self) -> Number:
        return given(self.values.get("cpus", 4))

    @property
    def rate(self) -> Rate:
        return given(self.values.get("rate", 2.0))

    @property
    def busy(self) -> bool:
        return given(self.values.get("busy", True))

    @property
    def lazy(self) -> bool | None:
        return given(self.values.get("lazy"))

    @property
    def left(self) -> Seconds | None:
        return given(self.values.get("left"))

    @property
    def right(self) -> Seconds | None:
        return given(self.values.get("right"))

    @property
    def uptime(self) -> Seconds:
        return given(self.values.get("uptime", 100.0))

    @property
    def kernel(self) -> Version:
        return given(self.values.get("kernel", Version((6, 1))))

    @property
    def congestion(self) -> str:
        return given(self.values.get("congestion", "cubic"))

    @property
    def reserved(self) -> Ports:
        return given(self.values.get("reserved", Ports.parse("80,443,40000-40009")))


class Sysctl:
    FACT_KIND: ClassVar[str] = "sysctl"

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def value(self, key: str, part: str | None) -> Any:
        name = key if part is None else f"{key}.{part}"
        if name not in self.values:
            raise Unread("sysctls", f"{name} was not read")
        return given(self.values[name])

    def origin(self, key: str) -> str:
        return "/proc/sys/" + key.replace(".", "/")

    def location(self, key: str) -> Location:
        return Location(logical=key, key=key)


class Counters:
    FACT_KIND: ClassVar[str] = "counters"

    def value(self, name: str, aspect: str) -> float:
        return {"since_boot": 100, "delta": 10, "per_second": 5.0}[aspect] if name.startswith("Tcp") else 7

    def origin(self, name: str) -> str:
        return f"/proc/net/{name.partition('.')[0]}"


class Site:
    FACT_KIND: ClassVar[str] = "site"

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def value(self, name: str) -> float | None:
        return self.values.get(name)


class Toy:
    """The root."""

    def __init__(
        self, things: Any = (), sample: float = 1.0, sysctl: dict[str, Any] | None = None, **values: Any
    ) -> None:
        self.given_things = things
        self.snapshot = SimpleNamespace(sample=sample)
        self.made = {"host": Host(values), "sysctl": Sysctl(sysctl or {}), "site": Site(values)}

    @property
    def things(self) -> list[Thing]:
        return given(self.given_things)

    @property
    def host(self) -> Host:
        return self.made["host"]

    @property
    def sysctl(self) -> Sysctl:
        return self.made["sysctl"]

    @property
    def counters(self) -> Counters:
        return Counters()

    @property
    def site(self) -> Site:
        return self.made["site"]


def scope() -> Scope:
    return Scope(Toy, Thing, "things", {"spare": S})


def compiled(text: str) -> Any:
    return compile_expression(Source(text, "r.yaml:1:1: when"), scope())


def value(text: str, item: Thing | None = None, sysctl: dict[str, Any] | None = None, **values: Any) -> Any:
    return compiled(text).run(Env(Toy(sysctl=sysctl, **values), item or Thing(), {"spare": 5}))
