"""JSON schemas of the types of core, from their hints: the same that the codec is compiled from."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from hippocortex_core.codec import camel
from hippocortex_core.types import (
    CaptureEvent,
    Event,
    LearnOptions,
    NamespaceMatch,
    SynthesizeOptions,
)
from hippocortex_server.bounds import Schema, bounds_of

_BOUNDED = (CaptureEvent, Event, LearnOptions, NamespaceMatch, SynthesizeOptions)
_PLAIN: Mapping[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
    Any: {},
    object: {},
}


class Schemas:
    """Schemas of dataclasses, each defined once and referred to by name.

    Attributes:
        components: The definitions so far.
    """

    def __init__(self) -> None:
        self.components: dict[str, Schema] = {}

    def of(self, hint: Any) -> Schema:
        """The schema of a value with this type hint."""
        origin, args = get_origin(hint), get_args(hint)
        if origin in {Union, UnionType}:
            return self._any_of(args)
        if origin is Literal:
            return {"type": "string", "enum": list(args)}
        if origin in {list, Sequence, tuple}:
            return {"type": "array", "items": self.of(args[0])}
        if origin in {dict, Mapping} or hint is dict:
            inner = self.of(args[1]) if args else {}
            return {"type": "object", "additionalProperties": inner or True}
        if is_dataclass(hint):
            return self._reference(cast("type[Any]", hint))
        return dict(_PLAIN[hint])

    def object_of(
        self, cls: type[Any], *, bounds: Mapping[str, Schema] | None = None, but: Sequence[str] = ()
    ) -> Schema:
        """The schema of a dataclass itself.

        Args:
            cls: the dataclass.
            bounds: what holds beyond the types, by field.
            but: fields to leave out.
        """
        hints = get_type_hints(cls)
        kept = [
            field
            for field in fields(cls)
            if field.name not in but and field.repr  # what is not shown is not sent either
        ]
        found: Schema = {
            "type": "object",
            "properties": {
                camel(field.name): self.field(field.name, hints[field.name], bounds)
                | _default(field.default)
                for field in kept
            },
        }
        required = [
            camel(field.name)
            for field in kept
            if field.default is MISSING and field.default_factory is MISSING
        ]
        return {**found, "required": required} if required else found

    def field(self, name: str, hint: Any, bounds: Mapping[str, Schema] | None) -> Schema:
        """The schema of one field."""
        schema = self.of(hint)
        more = (bounds or {}).get(name)
        return schema if more is None or "$ref" in schema else {**schema, **more}

    def _any_of(self, members: Sequence[Any]) -> Schema:
        given = [member for member in members if member is not NoneType]
        if str in given and datetime in given:
            given.remove(datetime)  # on the wire a time is a string
        schemas = [self.of(member) for member in given]
        if len(schemas) == 1 and isinstance(schemas[0].get("type"), str):
            if NoneType not in members:
                return schemas[0]
            return _or_null(schemas[0])
        if NoneType in members:
            schemas.append({"type": "null"})
        return {"anyOf": schemas} if len(schemas) > 1 else schemas[0]

    def _reference(self, cls: type[Any]) -> Schema:
        name = cls.__name__.lstrip("_")
        if name not in self.components:
            self.components[name] = {}  # named first: a type may hold itself
            bounds = bounds_of(cls) if cls in _BOUNDED else None
            said = inspect.cleandoc(cls.__doc__ or "").replace("*", "").replace("`", "")
            self.components[name] = {"description": said, **self.object_of(cls, bounds=bounds)}
        return {"$ref": f"#/components/schemas/{name}"}


def _or_null(schema: Schema) -> Schema:
    nullable = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        nullable["enum"] = [*schema["enum"], None]
    return nullable


def _default(value: object) -> Schema:
    plain = isinstance(value, (str, int, float, bool))
    return {"default": value} if plain else {}
