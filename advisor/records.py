"""Data classes that cost next to nothing to define: the part of the standard library's that is used here.

Each of the standard library's takes 0.5 to 0.9 ms of every start, for it compiles up to six functions, and its module
12 ms more; these take some 0.03 ms, and compile ``__init__`` when the first object is made. What they share is written
once below. mypy knows them as data classes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, total_ordering
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform, overload

T = TypeVar("T")

MISSING: Any = type("Missing", (), {"__repr__": lambda _: "no default"})()


class _Fresh:
    """A default that is made anew for each object."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make


def field(*, default_factory: Callable[[], Any]) -> Any:  # noqa: ANN401 (it stands where the field's type stands)
    """A default that is made anew for each object."""
    return _Fresh(default_factory)


@overload
def dataclass(cls: type[T], /) -> type[T]: ...
@overload
def dataclass(
    *, frozen: bool = False, slots: bool = False, kw_only: bool = False, order: bool = False
) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(field_specifiers=(field,))
def dataclass(cls: Any = None, /, **options: bool) -> Any:
    """A class of named values, as the standard library's ``dataclass`` makes it; equal when class and values are.

    Args:
        cls: the class; its annotations are the fields.
        options: ``frozen`` (refuses to be changed, and can be hashed), ``slots``, ``kw_only``, ``order``.
    """
    return (lambda found: _made(found, **options)) if cls is None else _made(cls)


def _made(
    cls: Any,  # noqa: ANN401 (a class, which mypy would hold to the constructor of ``type``)
    *,
    frozen: bool = False,
    slots: bool = False,
    kw_only: bool = False,
    order: bool = False,
) -> Any:  # noqa: ANN401 (that class)
    given = {name: value for name, value in vars(cls).items() if name not in {"__dict__", "__weakref__"}}
    hints = cls.__annotations__
    own = {name: given.get(name, MISSING) for name, hint in hints.items() if "ClassVar" not in str(hint)}
    fields = {**fields_of(cls), **own}
    members = {**(_FROZEN if frozen else _CHANGING), **given, "__fields__": fields, "__match_args__": tuple(fields)}
    members["__values__"] = staticmethod(attrgetter(*fields) if fields else type)
    if slots:
        kept = {name: value for name, value in members.items() if name not in own}
        slotted = {**kept, "__slots__": tuple(own), "__qualname__": cls.__qualname__}
        made = type(cls)(cls.__name__, cls.__bases__, slotted)
    else:
        made = cls
        for name in members.keys() - given.keys():
            setattr(cls, name, members[name])
    if order:
        made.__lt__ = _less
        made = total_ordering(made)
    made.__init__ = _first(made, frozen=frozen, kw_only=kw_only)
    return made


def _first(cls: Any, *, frozen: bool, kw_only: bool) -> Callable[..., None]:  # noqa: ANN401 (any class made here)
    """An ``__init__`` that puts the compiled one in its place."""

    def __init__(self: object, *args: object, **values: object) -> None:  # noqa: N807 (it stands as such)
        cls.__init__ = made = _init(cls.__fields__, frozen=frozen, kw_only=kw_only)
        made(self, *args, **values)

    return __init__


def _init(fields: dict[str, Any], *, frozen: bool, kw_only: bool) -> Callable[..., None]:
    names: dict[str, Any] = {"_set": object.__setattr__, "_missing": MISSING}
    heads, lines = [], []
    for name, default in fields.items():
        value = name
        head = name if default is MISSING else f"{name}=_default_{name}"
        if default.__class__ is _Fresh:
            head, value = f"{name}=_missing", f"_make_{name}() if {name} is _missing else {name}"
            names[f"_make_{name}"] = default.make
        names[f"_default_{name}"] = default
        heads.append(head)
        lines.append(f" _set(_self, {name!r}, {value})" if frozen else f" _self.{name} = {value}")
    star = ["*"] if kw_only and heads else []
    text = "\n".join([f"def __init__({', '.join(['_self', *star, *heads])}):", *lines, " return None"])
    exec(text, names)  # noqa: S102 (made of the names of fields alone, as the standard library's)
    init: Callable[..., None] = names["__init__"]
    return init


if TYPE_CHECKING:
    kept = cached_property
else:

    class kept(cached_property):  # noqa: N801 (it stands where ``property`` does)
        """A property that is computed once, for what there are hundreds of.

        As the standard library's, without the lock that Python 3.11 takes for it, which costs more than most values.
        """

        def __get__(self, instance: object, owner: type | None = None) -> object:
            """The value; the property itself, of the class."""
            if instance is None:
                return self
            value = instance.__dict__[self.attrname] = self.func(instance)
            return value


def replace(thing: T, **changes: Any) -> T:  # noqa: ANN401 (values of the fields named)
    """A copy with other values in some fields.

    Raises:
        TypeError: for a name that is no field.
    """
    return type(thing)(**{name: getattr(thing, name) for name in fields_of(type(thing))} | changes)


def fields_of(cls: type[Any]) -> dict[str, Any]:
    """The fields of a class made here, each with its default; `MISSING` without one. Empty for any other class."""
    found: dict[str, Any] = getattr(cls, "__fields__", {})
    return found


def _equal(self: Any, other: Any) -> Any:  # noqa: ANN401 (an object made here; NotImplemented, too)
    if type(self) is not type(other):
        return NotImplemented
    return self.__values__(self) == self.__values__(other)


def _less(self: Any, other: Any) -> Any:  # noqa: ANN401 (likewise)
    if type(self) is not type(other):
        return NotImplemented
    return self.__values__(self) < self.__values__(other)


def _hash(self: Any) -> int:  # noqa: ANN401 (likewise)
    return hash(self.__values__(self))


def _repr(self: object) -> str:
    named = ", ".join(f"{name}={getattr(self, name)!r}" for name in fields_of(type(self)))
    return f"{type(self).__qualname__}({named})"


def _refuse(self: object, name: str, _: object = None) -> None:
    raise AttributeError(f"{type(self).__qualname__}.{name} can't be set or deleted; make another with replace()")


_CHANGING = {"__eq__": _equal, "__repr__": _repr, "__hash__": None}
_FROZEN = {"__eq__": _equal, "__repr__": _repr, "__hash__": _hash, "__setattr__": _refuse, "__delattr__": _refuse}
