"""A snapshot as JSON, and from it: the limits of every value, strict about names.

Pydantic is imported here and not beside the model: a run that judges what it has just read needs none of it.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator, TypeAdapter, ValidationError

from advisor.capture.buckets import COUNT
from advisor.snapshot import model
from advisor.snapshot.model import IDLE_EDGES, Snapshot
from advisor.snapshot.shapes import adapter_of


def _bytes_in(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict) and set(value) == {"base64"} and isinstance(value["base64"], str):
        try:
            return base64.b64decode(value["base64"], validate=True)
        except binascii.Error as error:
            raise ValueError(f"not base64: {error}") from None
    raise ValueError('expected text or {"base64": ...}')


def _bytes_out(value: bytes) -> str | dict[str, str]:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode("ascii")}


def _moment(text: str) -> str:
    try:
        known = dt.datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        known = False
    if not known:
        raise ValueError("expected a time with its zone, such as 2026-01-31T12:00:00+00:00")
    return text


_Count = Annotated[int, Field(ge=0, lt=2**63)]
_TYPES = {
    "Count": _Count,
    "Counts": Annotated[list[_Count], Field(min_length=len(IDLE_EDGES) + 1, max_length=len(IDLE_EDGES) + 1)],
    "Bucket": Annotated[int, Field(ge=0, lt=COUNT)],
    "Seconds": Annotated[float, Field(ge=0, lt=2**53)],
    "Share": Annotated[float, Field(gt=0, le=1)],
    "Port": Annotated[int, Field(ge=0, le=65535)],
    "Moment": Annotated[str, AfterValidator(_moment)],
    "Release": Annotated[str, Field(pattern=r"^\d{1,9}(\.\d{1,9}){0,3}$")],
    "Bytes": Annotated[bytes, PlainValidator(_bytes_in), PlainSerializer(_bytes_out, when_used="json")],
}
"""What the names in `advisor.snapshot.model` stand for here. Bytes are text where they are UTF-8, else base64."""


@cache
def _adapter() -> TypeAdapter[Snapshot]:
    return adapter_of(Snapshot, model, _TYPES, {"format": "schema"}, strict=False)


def dumps(snapshot: Snapshot) -> str:
    """The JSON of a snapshot, indented, without the fields that are None."""
    return _adapter().dump_json(snapshot, by_alias=True, indent=1, exclude_none=True).decode()


class ShapeError(ValueError):
    """What is no snapshot: the field of the first fault (dotted; empty for the whole), and what is wrong there."""

    def __init__(self, error: ValidationError) -> None:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        self.where = ".".join(map(str, first["loc"]))
        self.what = first["msg"]
        super().__init__(f"{self.where}: {self.what}")


def loads(data: bytes | str) -> Snapshot:
    """A snapshot from its JSON.

    Raises:
        ShapeError: when it is no JSON, or a field is unknown, missing, of another type or beyond its limits.
    """
    return _shaped(_adapter().validate_json, data)


def build(value: Mapping[str, Any]) -> Snapshot:
    """A snapshot from plain values, lists, mappings and records.

    Raises:
        ShapeError: as `loads`.
    """
    return _shaped(_adapter().validate_python, value)


def _shaped(validate: Callable[[Any], Snapshot], value: object) -> Snapshot:
    try:
        return validate(value)
    except ValidationError as error:
        raise ShapeError(error) from None
