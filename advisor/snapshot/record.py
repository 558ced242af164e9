"""Records: frozen classes of named values, which cost next to nothing to define.

A frozen, slotted dataclass takes some 0.8 ms of every start and a pydantic model more; these take 0.02 ms. mypy knows
them as dataclasses; `advisor.snapshot.json` tells pydantic how to read and write them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar, cast, dataclass_transform

R = TypeVar("R", bound="Record")


class _Fresh:
    """A default that is made anew for each record."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make


def field(*, default_factory: Callable[[], Any]) -> Any:  # noqa: ANN401 (it stands where the field's type stands)
    """A default that is made anew for each record."""
    return _Fresh(default_factory)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
class Record:
    """Named values, given by name; what has no default must be given. Equal when class and values are.

    Raises:
        TypeError: for a name that is no field, or a field without a value.
        AttributeError: when a value is to be set later; see `replace`.
    """

    FIELDS: ClassVar[tuple[str, ...]] = ()
    DEFAULTS: ClassVar[Mapping[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        cls.FIELDS = (*cls.FIELDS, *cls.__annotations__)
        cls.DEFAULTS = {name: getattr(cls, name) for name in cls.FIELDS if hasattr(cls, name)}

    def __init__(self, **values: Any) -> None:  # noqa: ANN401 (mypy checks them field by field)
        for name in self.FIELDS:
            if name in values:
                continue
            if name not in self.DEFAULTS:
                raise TypeError(f"{type(self).__name__} needs '{name}'")
            default = self.DEFAULTS[name]
            values[name] = default.make() if default.__class__ is _Fresh else default
        if len(values) != len(self.FIELDS):
            raise TypeError(f"{type(self).__name__} has no '{next(iter(values.keys() - set(self.FIELDS)))}'")
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__}.{name} can't be set; make another with replace()")

    __delattr__ = cast("Callable[[Record, str], None]", __setattr__)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and all(getattr(self, name) == getattr(other, name) for name in self.FIELDS)

    __hash__ = None  # type: ignore[assignment]  # as of all that is compared by lists and mappings

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.FIELDS)})"


def replace(record: R, **changes: Any) -> R:  # noqa: ANN401 (values of the fields named)
    """A copy with other values in some fields.

    Raises:
        TypeError: for a name that is no field.
    """
    return type(record)(**{name: getattr(record, name) for name in record.FIELDS} | changes)
