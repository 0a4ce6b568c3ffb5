"""What can be said about arguments and results in a few short words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

_MAX_VALUE = 40
_MAX_NAME = 60
_MAX_BITS = 128
_MAX_ARGS = 16
_MAX_FEATURES = 10
_MAX_DEPTH = 2
_MAX_WORDS_IN_VALUE = 3
_EMPTY_TEXT = re.compile(
    r"\s*(?:|\[\]|\{\}|null|none|n/a|no (?:results?|matches|records?|rows|items|data)\b.*|"
    r"nothing found.*|0 (?:results|matches|rows).*)\s*\.?\s*",
    re.IGNORECASE,
)
_WORDLIKE = re.compile(r"[A-Za-z][A-Za-z_\- ]*\Z")


def arguments(args: Mapping[str, Any]) -> dict[str, str]:
    """Arguments as short text by name; members of objects and lists under their own names.

    A value that is long, or that a list gives several of, is "": the name says it was given.
    """
    found: dict[str, str] = {}
    for name, value in _flat(args, 0):
        if not _is_name(name):
            continue
        if name in found:
            found[name] = found[name] if found[name] == value else ""
        elif len(found) < _MAX_ARGS:
            found[name] = value
    return found


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and len(name) <= _MAX_NAME and "\n" not in name


def _flat(args: Mapping[str, Any], depth: int) -> Iterator[tuple[str, str]]:
    for name, value in args.items():
        if isinstance(value, Mapping) and depth < _MAX_DEPTH:
            yield from _flat(cast("Mapping[str, Any]", value), depth + 1)
        elif isinstance(value, list):
            yield from _flat_list(name, cast("list[Any]", value), depth)
        else:
            yield name, _scalar(value)


def _flat_list(name: str, items: list[Any], depth: int) -> Iterator[tuple[str, str]]:
    if not items:
        yield name, "[]"
    elif isinstance(items[0], Mapping) and depth < _MAX_DEPTH:
        yield name, ""
        for item in items[:4]:
            if isinstance(item, Mapping):
                yield from _flat(cast("Mapping[str, Any]", item), depth + 1)
    else:
        yield name, _scalar(items[0]) if len(items) == 1 else ""


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return ""  # Python refuses to write out the hugest
    text = (
        value if isinstance(value, str) else str(value) if isinstance(value, (int, float)) else ""
    )
    return text if len(text) <= _MAX_VALUE and "\n" not in text else ""


def of_result(result: Any) -> list[str]:
    """Features of a result: `empty`, `error`-free fields such as `status=open`, at most ten.

    Only fields with few values in the world are worth keeping: truth values and short words.
    Names, numbers, ids and texts are left out here already.
    """
    if result is None or (isinstance(result, str) and _is_empty(result)):
        return ["empty"]
    if isinstance(result, (list, Mapping)) and not result:
        return ["empty"]
    if isinstance(result, Mapping):
        return list(_fields(cast("Mapping[str, Any]", result), 0))[:_MAX_FEATURES]
    return []


def _is_empty(text: str) -> bool:
    return len(text) < 80 and _EMPTY_TEXT.fullmatch(text) is not None  # noqa: PLR2004 - a phrase


def _fields(result: Mapping[str, Any], depth: int) -> Iterator[str]:
    for name, value in result.items():
        if not _is_name(name):
            continue
        if isinstance(value, bool) or value is None:
            yield f"{name}={_scalar(value)}"
        elif isinstance(value, str):
            if len(value) <= 24 and _is_category(value):  # noqa: PLR2004 - one or two words
                yield f"{name}={value}"
        elif isinstance(value, list) and not value:
            yield f"{name}=[]"
        elif isinstance(value, Mapping) and depth == 0 and len(cast("Any", value)) <= _MAX_ARGS:
            yield from _fields(cast("Mapping[str, Any]", value), 1)


def _is_category(value: str) -> bool:
    return _WORDLIKE.match(value) is not None and value.count(" ") < _MAX_WORDS_IN_VALUE


def origins(
    args: Mapping[str, str], said: str, results: Iterable[tuple[str, str]]
) -> dict[str, str]:
    """Who had mentioned each argument's value before: `user`, or the action that returned it.

    `results` holds (action, text) pairs, newest first.
    """
    known = list(results)
    found: dict[str, str] = {}
    for name, value in args.items():
        if len(value) < 3 or value in {"true", "false", "null"}:  # noqa: PLR2004 - says nothing
            continue
        if value in said:
            found[name] = "user"
        else:
            source = next((action for action, text in known if value in text), "")
            if source:
                found[name] = source
    return found
