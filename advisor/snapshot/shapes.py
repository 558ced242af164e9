"""Records told to pydantic: objects become records, strict about names and limits, and records become JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from inspect import get_annotations
from types import ModuleType
from typing import Annotated, Any, TypeVar

from pydantic import ConfigDict, GetCoreSchemaHandler, GetPydanticSchema, TypeAdapter
from pydantic_core import core_schema

from advisor.records import MISSING, fields_of

R = TypeVar("R")


def adapter_of(
    whole: type[R], module: ModuleType, types: Mapping[str, Any], aliases: Mapping[str, str], *, strict: bool
) -> TypeAdapter[R]:
    """What reads and writes a record.

    Args:
        whole: its class.
        module: where it and the records inside it are defined.
        types: what names in annotations of that module stand for here, limits included.
        aliases: fields that are called otherwise outside.
        strict: whether values must have the very type, so that text is no number.
    """
    names = dict(types)
    for name, value in vars(module).items():
        if isinstance(value, type) and fields_of(value):
            names[name] = Annotated[value, GetPydanticSchema(partial(_schema, value, module, names, aliases))]
    return TypeAdapter(names[whole.__name__], config=ConfigDict(strict=strict))


def _schema(
    record: type[Any],
    module: ModuleType,
    names: Mapping[str, Any],
    aliases: Mapping[str, str],
    _: object,
    handler: GetCoreSchemaHandler,
) -> core_schema.CoreSchema:
    """An object with the record's fields and no others."""
    hints = get_annotations(record, globals=vars(module), locals=names, eval_str=True)
    fields = {
        name: core_schema.typed_dict_field(
            handler.generate_schema(hints[name]),
            required=default is MISSING,
            validation_alias=aliases.get(name),
            serialization_alias=aliases.get(name),
        )
        for name, default in fields_of(record).items()
    }
    values = core_schema.typed_dict_schema(fields, extra_behavior="forbid")
    written = core_schema.plain_serializer_function_ser_schema(_fields, return_schema=values)
    return core_schema.no_info_wrap_validator_function(partial(_made, record), values, serialization=written)


def _made(record: type[Any], value: object, read: Callable[[object], Mapping[str, Any]]) -> object:
    return value if isinstance(value, record) else record(**read(value))


def _fields(record: object) -> dict[str, Any]:
    return {name: getattr(record, name) for name in fields_of(type(record))}
