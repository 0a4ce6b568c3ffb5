"""Filters on documents: compiled once into a predicate, with the same meaning in every home.

A filter is an object whose fields must all match.  A field is a path (`"address.city"`); a key
that holds the dots itself comes first.  A condition is one of

* an object of operators: `{"$gt": 1, "$lte": 5}`, all of which must hold;
* any other object: each of its fields must match, whatever else the value holds;
* a list: as long as the value's, and each item matches;
* anything else: the value equals it, and null equals an absent field.

Numbers compare as numbers and text by code point; true and false are no numbers.  What is absent,
null or of another kind is neither greater nor less, and what is absent or null is not unequal
either (`$ne`), as in SQL.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from hippocortex_core.errors import ValidationError, invalid
from hippocortex_core.validation import encode_json

MAX_FILTER_BYTES = 65_536
MAX_SIGN_CHARS = 256

_NUMBERS = frozenset({int, float})

Predicate = Callable[[Any], bool]
"""Whether a value fits."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter, ready to be used.

    Attributes:
        fits: Whether a value passes.
        signs: JSON texts that stand in every value that passes, as `encode_json` writes them: a
            cheap test before the value is read.
    """

    fits: Predicate
    signs: tuple[str, ...]


def compile_filter(filter: Mapping[str, Any] | None) -> Filter | None:  # noqa: A002 - its name
    """The filter, compiled; None if everything passes.

    Raises:
        ValidationError: It is no JSON object, or names an operator that does not exist.
    """
    if filter is None:
        return None
    if not isinstance(filter, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise invalid("filter", f"must be an object, got {type(filter).__name__}")
    # Read back, it has no tuples and no keys but strings.
    wanted = json.loads(encode_json("filter", dict(filter), MAX_FILTER_BYTES))
    for name in wanted:
        if name.startswith("$"):
            raise _unknown("filter", name, "is not the name of a field")
    return Filter(_fields(wanted, "filter"), tuple(_signs(wanted))) if wanted else None


def _condition(wanted: object, place: str) -> Predicate:
    if isinstance(wanted, dict):
        given = cast("dict[str, object]", wanted)
        return (_operators if _has_operators(given) else _fields)(given, place)
    if isinstance(wanted, list):
        items = cast("list[object]", wanted)
        return _items([_condition(item, f"{place}[{n}]") for n, item in enumerate(items)])
    return _equal(wanted)


def _has_operators(wanted: Mapping[str, object]) -> bool:
    return any(name.startswith("$") for name in wanted)


def _all_of(tests: Sequence[Predicate]) -> Predicate:
    if len(tests) == 1:
        return tests[0]
    return lambda value: all(test(value) for test in tests)


def _signs(wanted: object) -> Iterator[str]:
    """The texts that whatever meets a condition must hold."""
    if isinstance(wanted, dict):
        given = cast("dict[str, object]", wanted)
        for name, inner in given.items():
            if name == "$eq" or not name.startswith("$"):
                yield from _signs(inner)
    elif isinstance(wanted, list):
        for item in cast("list[object]", wanted):
            yield from _signs(item)
    elif isinstance(wanted, str) and len(wanted) <= MAX_SIGN_CHARS:
        yield json.dumps(wanted, ensure_ascii=False)


# --- objects and lists ---------------------------------------------------------------------------


def _fields(wanted: Mapping[str, object], place: str) -> Predicate:
    tests = [
        _field(name, _condition(inner, f"{place}.{name:.64}")) for name, inner in wanted.items()
    ]
    every = _all_of(tests)
    return lambda value: isinstance(value, dict) and every(value)


def _field(name: str, fits: Predicate) -> Predicate:
    path = name.split(".")
    if len(path) == 1:
        return lambda value: fits(value.get(name))

    def test(value: dict[str, Any]) -> bool:
        return fits(value[name] if name in value else _at(value, path))

    return test


def _at(value: object, path: Sequence[str]) -> object:
    """What stands at a path, null if nothing does."""
    for step in path:
        if not isinstance(value, dict):
            return None
        value = cast("dict[str, object]", value).get(step)
    return value


def _items(conditions: Sequence[Predicate]) -> Predicate:
    def test(value: object) -> bool:
        if not isinstance(value, list):
            return False
        items = cast("list[object]", value)
        return len(items) == len(conditions) and all(
            fits(item) for fits, item in zip(conditions, items, strict=True)
        )

    return test


# --- operators -----------------------------------------------------------------------------------


def _operators(wanted: Mapping[str, object], place: str) -> Predicate:
    for name in wanted:
        if name not in _OPERATORS:
            raise _unknown(place, name, f"is not an operator; one of {', '.join(_OPERATORS)}")
    return _all_of([_OPERATORS[name](operand) for name, operand in wanted.items()])


def _equal(operand: object) -> Predicate:
    """Equality of JSON: `True` is not 1, at no depth."""
    if isinstance(operand, (dict, list)):
        return lambda value: _same(operand, value)
    if isinstance(operand, (bool, int, float)):
        return lambda value: _same(operand, value)
    return lambda value: value == operand


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        fields = cast("dict[str, object]", one)
        return (
            isinstance(other, dict)
            and fields.keys() == cast("dict[str, object]", other).keys()
            and all(_same(inner, other[name]) for name, inner in fields.items())
        )
    if isinstance(one, list):
        items = cast("list[object]", one)
        return (
            isinstance(other, list)
            and len(items) == len(cast("list[object]", other))
            and all(map(_same, items, cast("list[object]", other)))
        )
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _unequal(operand: object) -> Predicate:
    equal = _equal(operand)
    return lambda value: value is not None and not equal(value)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[object], Predicate]:
    """What is ordered among each other: numbers, and texts."""

    def make(operand: object) -> Predicate:
        if isinstance(operand, str):
            return lambda value: isinstance(value, str) and compare(value, operand)
        if isinstance(operand, bool) or not isinstance(operand, (int, float)):
            return lambda _: False
        return lambda value: type(value) in _NUMBERS and compare(value, operand)

    return make


_OPERATORS: Mapping[str, Callable[[object], Predicate]] = {
    "$eq": _equal,
    "$ne": _unequal,
    "$gt": _ordered(operator.gt),
    "$gte": _ordered(operator.ge),
    "$lt": _ordered(operator.lt),
    "$lte": _ordered(operator.le),
}


def _unknown(place: str, name: str, why: str) -> ValidationError:
    return invalid(place, f"{name!r:.80} {why}")
