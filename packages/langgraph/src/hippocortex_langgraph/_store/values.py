"""Values and filters as plain JSON: copied, so that no later change reaches them, and checked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, cast

from hippocortex_core.validation import MAX_DEPTH

OPERATORS = frozenset(("$eq", "$ne", "$gt", "$gte", "$lt", "$lte"))

# LangGraph's SQL stores take letters, digits, `_`, `.` and `-` only, its in-memory store anything.
# Here a key may be in any language, but nothing that looks like an attempt to break out of a path.
_NOT_IN_A_KEY = re.compile(r"[\x00-\x1f\x7f'\"`\\]")
_HUGE = 1.7976931348623157e308
_NOTHING: Mapping[str, Any] = {"$gt": _HUGE, "$lt": -_HUGE}
"""A condition that no value meets."""


class _NotJSON(Exception):  # noqa: N818 - caught here, never seen by a caller
    """Something JSON cannot hold; `place` grows as the walk returns."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.place: list[str] = []


def json_object(value: object) -> dict[str, Any]:
    """The value of a put as plain JSON.

    Raises:
        ValueError: It is no mapping, or nested deeper than 64 levels.
        TypeError: Something in it is not JSON; the message names the place, as in
            `value['a'][0]`.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"value must be a mapping, got {type(value).__name__}")  # noqa: TRY004 - as LangGraph's stores
    return _plain("value", cast("object", value))


def json_filter(conditions: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The filter of a search as plain JSON with the same meaning.

    Raises:
        ValueError: A key or an operator is none.
        TypeError: An operand is not JSON.
    """
    return {
        _key(name): _condition(inner, f"filter[{name!r}]")
        for name, inner in (conditions or {}).items()
    } or None


# --- filters -------------------------------------------------------------------------------------


def _condition(wanted: Any, place: str) -> Any:
    if isinstance(wanted, Mapping):
        given = cast("Mapping[str, Any]", wanted)
        if any(str(name).startswith("$") for name in given):
            return _operators(given, place)
        return {
            _name(name, place): _condition(inner, f"{place}[{name!r}]")
            for name, inner in given.items()
        }
    if isinstance(wanted, (list, tuple)):
        items = cast("list[Any]", wanted)
        return [_condition(inner, f"{place}[{n}]") for n, inner in enumerate(items)]
    return dict(_NOTHING) if _is_unstorable(wanted) else _plain(place, wanted)


def _operators(given: Mapping[str, Any], place: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, operand in given.items():
        if name not in OPERATORS:
            raise ValueError(f"Unsupported operator: {name}")
        if not _is_unstorable(operand):
            found[name] = _plain(f"{place}[{name!r}]", operand)
        elif isinstance(operand, float) and not math.isnan(operand):
            # JSON has no infinity, and every number lies on this side of it.
            found[name] = math.copysign(_HUGE, operand)
        elif name != "$ne":
            return dict(_NOTHING)
        else:
            found.setdefault(name, None)  # whatever is there is something else
    return found


def _is_unstorable(operand: object) -> bool:
    """Whether no stored value can be equal to it."""
    if isinstance(operand, float):
        return not math.isfinite(operand)
    return isinstance(operand, str) and ("\0" in operand or not _is_unicode(operand))


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _key(name: object) -> str:
    if isinstance(name, str) and name.startswith("$"):
        raise ValueError(f"Unsupported operator: {name}")
    if not isinstance(name, str) or not name or _NOT_IN_A_KEY.search(name):
        raise ValueError(
            f"Invalid filter key: {name!r}. It must be the name of a field, or a path such as"
            " 'address.city', without quotes, backslashes and control characters."
        )
    return name


def _name(name: object, place: str) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{place} has the key {name!r:.80}, which is not a string")
    return name


# --- JSON ----------------------------------------------------------------------------------------


def _plain(name: str, value: object) -> Any:
    try:
        return _copy(value, 1)
    except _NotJSON as found:
        place = name + "".join(reversed(found.place))
        raise TypeError(f"{place} {found}; a store holds JSON only") from None
    except RecursionError:
        raise ValueError(f"{name} is nested deeper than {MAX_DEPTH} levels") from None


def _copy(value: object, depth: int) -> Any:
    kind = type(value)
    if value is None or kind is str or kind is int or kind is bool:
        return value
    if depth > MAX_DEPTH:
        raise RecursionError
    if isinstance(value, Mapping):
        return _object(cast("Mapping[object, object]", value), depth)
    if isinstance(value, (list, tuple)):
        return _list(cast("list[object]", value), depth)
    return _scalar(value)


def _object(value: Mapping[object, object], depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    name: object = None
    try:
        for name, inner in value.items():
            found[_text(name)] = _copy(inner, depth + 1)
    except _NotJSON as error:
        if isinstance(name, str):
            error.place.append(f"[{name!r:.80}]")
        raise
    return found


def _text(name: object) -> str:
    if not isinstance(name, str):
        raise _NotJSON(f"has the key {name!r:.80}, which is not a string")
    return str.__str__(name)


def _list(value: list[object], depth: int) -> list[Any]:
    found: list[Any] = []
    try:
        for inner in value:
            found.append(_copy(inner, depth + 1))  # noqa: PERF401 - its length says where it failed
    except _NotJSON as error:
        error.place.append(f"[{len(found)}]")
        raise
    return found


def _scalar(value: object) -> Any:
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        raise _NotJSON(f"is {value!r}, which is not JSON")
    # Members of enums that are strings or numbers are these.
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    raise _NotJSON(f"is not JSON: {type(value).__name__}")
