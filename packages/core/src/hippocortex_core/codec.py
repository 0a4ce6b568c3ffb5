"""Dataclasses to camelCase JSON and back, driven by their type hints.

Raw JSON fields (`payload`, `metadata`, `content`) and the keys of mappings pass untouched.  What
is None is left out, unless the field has no default (`cursor`).  Unknown fields are ignored, so
that either side may be newer.  Requests are decoded strictly; results leniently: there an unknown
literal is kept as it is, a fractional number where a whole one belongs is cut off, and null
stands for the default.

Each class is compiled once into a tuple of fields; a batch of a thousand events decodes in a few
milliseconds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import datetime
from functools import cache, partial
from types import NoneType, UnionType
from typing import (
    Any,
    Literal,
    NoReturn,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from hippocortex_core.errors import invalid
from hippocortex_core.validation import format_time, parse_time

T = TypeVar("T")
Decoder = Callable[[object], Any]

_OPAQUE = frozenset({"payload", "metadata", "content", "value", "filter"})


class _MismatchError(Exception):
    """A value that does not fit; the path grows from the inside out while this propagates."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = path

    def under(self, step: str) -> _MismatchError:
        dot = "." if self.path and not self.path.startswith("[") else ""
        self.path = f"{step}{dot}{self.path}"
        return self


def encode(value: object) -> Any:
    """The value as JSON data; the value must be a dataclass of `types` or a list of these.

    Datetimes become ISO 8601 in UTC; naive ones are taken as UTC.
    """
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in cast("Iterable[object]", value)]
    if isinstance(value, datetime):
        return format_time(parse_time("datetime", value))
    if not is_dataclass(value):
        return value
    data: dict[str, Any] = {}
    for field in _compiled(type(value)):
        item = getattr(value, field.name)
        if item is not None:
            data[field.wire] = item if field.raw else encode(item)
        elif field.required:
            data[field.wire] = None
    return data


def decode(cls: type[T], data: object, *, path: str = "", strict: bool = True) -> T:
    """An instance of the dataclass from JSON data.

    Args:
        cls: The dataclass.
        data: What `json.loads` returned.
        path: Where the data sits in the request, to be named in errors.
        strict: Whether unknown literals and fractional whole numbers are refused.

    Raises:
        ValidationError: A required field is missing or a value has the wrong type; `details`
            names the place in snake case, such as `events[3].session_id`.
    """
    try:
        return cast("T", _object_decoder(cls, strict)(data))
    except _MismatchError as error:
        place = error.under(path).path if path else error.path
        raise invalid(place or "body", error.message) from None


def camel(name: str) -> str:
    """`session_id` as `sessionId`."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def snake(name: str) -> str:
    """`sessionId` as `session_id`."""
    return re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", name)


def snake_path(path: str) -> str:
    """`options.maxTokens` as `options.max_tokens`; what lies inside raw JSON stays as it is."""
    return _path(path, snake)


def camel_path(path: str) -> str:
    """`options.max_tokens` as `options.maxTokens`; the reverse of `snake_path`."""
    return _path(path, camel)


def _path(path: str, convert: Callable[[str], str]) -> str:
    names = path.split(".")
    for position, name in enumerate(names):
        names[position] = convert(name)
        if name in _OPAQUE:
            break
    return ".".join(names)


# --- compiling a class ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    wire: str
    required: bool
    nullable: bool
    raw: bool
    strict: Decoder
    lenient: Decoder


@cache
def _compiled(cls: type[Any]) -> tuple[_Field, ...]:
    hints = get_type_hints(cls)
    return tuple(
        _Field(
            name=field.name,
            wire=camel(field.name),
            required=field.default is MISSING and field.default_factory is MISSING,
            nullable=NoneType in get_args(hints[field.name]),
            raw=_is_raw(hints[field.name]),
            strict=_decoder(hints[field.name], strict=True),
            lenient=_decoder(hints[field.name], strict=False),
        )
        for field in fields(cls)
    )


@cache
def _object_decoder(cls: type[Any], strict: bool) -> Decoder:
    compiled = _compiled(cls)
    table = [
        (f.name, f.wire, f.strict if strict else f.lenient, f.nullable, f.required)
        for f in compiled
    ]

    def decode_object(data: object) -> object:
        if not isinstance(data, dict):
            _refuse("an object", data)
        given = cast("dict[str, object]", data)
        values: dict[str, Any] = {}
        name = ""
        try:
            for name, wire, decoder, nullable, required in table:
                value = given.get(wire)
                if value is not None:
                    values[name] = decoder(value)
                elif nullable:
                    values[name] = None
                elif required or (strict and wire in given):
                    _refuse_absent(given, wire)
        except _MismatchError as error:
            raise error.under(name) from None
        return cls(**values)

    return decode_object


def _decoder(hint: Any, *, strict: bool) -> Decoder:
    origin, args = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        return _union_decoder([arg for arg in args if arg is not NoneType], strict=strict)
    if origin is Literal:
        return partial(_decode_literal, frozenset(args)) if strict else _decode_str
    if origin in {list, Sequence}:
        return partial(_decode_list, _decoder(args[0], strict=strict))
    if origin in {dict, Mapping}:
        return (
            _decode_dict
            if args[1] is Any
            else partial(_decode_map, _decoder(args[1], strict=strict))
        )
    if is_dataclass(hint):
        return _object_decoder(cast("type[Any]", hint), strict)
    return (_STRICT if strict else _LENIENT)[hint]


def _union_decoder(members: list[Any], *, strict: bool) -> Decoder:
    # On the wire a time is a string, so that of `datetime | str` one type is left; the one other
    # union of several types is that of a flag and what says more than the flag.
    rest = [member for member in members if member not in {datetime, bool}]
    (member,) = rest or [bool]
    decoder = _decoder(member, strict=strict)
    return partial(_decode_flag_or, decoder) if rest and bool in members else decoder


def _is_raw(hint: Any) -> bool:
    """Whether a value of this hint is JSON already."""
    members = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
    return all(
        member in {str, int, float, bool, Any, NoneType}
        or get_origin(member) in {dict, Mapping, Literal}
        for member in members
    )


# --- decoders ------------------------------------------------------------------------------------


def _refuse(wanted: str, value: object) -> NoReturn:
    raise _MismatchError(
        f"must be {wanted}, got {_JSON_NAMES.get(type(value), type(value).__name__)}"
    )


def _refuse_absent(given: Mapping[str, object], wire: str) -> NoReturn:
    raise _MismatchError("must not be null" if wire in given else "is required")


def _decode_str(value: object) -> str:
    return value if isinstance(value, str) else _refuse("a string", value)


def _decode_bool(value: object) -> bool:
    return value if isinstance(value, bool) else _refuse("true or false", value)


def _decode_flag_or(decoder: Decoder, value: object) -> object:
    return value if isinstance(value, bool) else decoder(value)


def _decode_int(value: object) -> int:
    if isinstance(value, float) and value.is_integer():  # JSON knows one kind of number
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        _refuse("a whole number", value)
    return value


def _decode_count(value: object) -> int:
    if isinstance(value, float) and math.isfinite(value):
        return int(value)
    return _decode_int(value)


def _decode_float(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        _refuse("a number", value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _MismatchError("must be a finite number")
    return number


def _decode_literal(allowed: frozenset[str], value: object) -> str:
    if isinstance(value, str) and value in allowed:
        return value
    listed = ", ".join(sorted(allowed))
    raise _MismatchError(f"must be one of {listed}, got {value!r:.80}")


def _decode_dict(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else _refuse("an object", value)


def _decode_map(decoder: Decoder, value: object) -> dict[str, Any]:
    decoded: dict[str, Any] = {}
    key = ""
    try:
        for key, item in _decode_dict(value).items():
            decoded[key] = decoder(item)
    except _MismatchError as error:
        raise error.under(key) from None
    return decoded


def _decode_list(decoder: Decoder, value: object) -> list[Any]:
    if not isinstance(value, list):
        _refuse("a list", value)
    decoded: list[Any] = []
    try:
        # A comprehension would hide how far it came.
        for item in cast("list[object]", value):
            decoded.append(decoder(item))  # noqa: PERF401
    except _MismatchError as error:
        raise error.under(f"[{len(decoded)}]") from None
    return decoded


_STRICT: Mapping[Any, Decoder] = {
    str: _decode_str,
    int: _decode_int,
    float: _decode_float,
    bool: _decode_bool,
    Any: lambda value: value,
}
_LENIENT: Mapping[Any, Decoder] = {**_STRICT, int: _decode_count}
_JSON_NAMES: Mapping[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    NoneType: "null",
}
