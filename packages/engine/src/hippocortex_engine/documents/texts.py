"""What a document says: the texts at its index paths, and the whole of it as a reader would see it.

A path is a chain of names and places: `a.b`, `a[0]`, `a[-1]`, `a[*].b`; `*` is every field or
item, `a.{b,c}` is `a.b` and `a.c`, and `$` is the whole value.  A path that leads nowhere gives
no text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

WHOLE = "$"
MAX_TEXTS = 256
"""Texts indexed of one document."""

MAX_TEXT_CHARS = 100_000
"""Characters of a text; the rest says nothing new about what the document is about."""

_PLAIN = frozenset({"text", "content", "memory", "message", "value", "data", "body"})
"""Fields whose name adds nothing to what they hold."""

_CHOICE = re.compile(r"\{([^{}]*)\}")
_STEP = re.compile(r"\[([^\[\]]*)\]|([^.\[\]]+)")


def texts(value: Mapping[str, object], paths: Sequence[str]) -> list[str]:
    """The texts at the paths, none of them blank and none twice."""
    found = (
        statement(part)
        for path in paths
        for steps in _steps(path)
        for part in _parts(cast("object", value), steps)
    )
    distinct: dict[str, None] = {}
    for text in found:
        if text:
            distinct[text] = None
        if len(distinct) == MAX_TEXTS:
            break
    return list(distinct)


def statement(value: object) -> str:
    """Any JSON value in plain words: `content: likes tea`, one line for each field that has one."""
    return "\n".join(_lines("", value))[:MAX_TEXT_CHARS].strip()


def _lines(name: str, value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for inner, part in cast("dict[str, object]", value).items():
            yield from _lines(inner, part)
    elif isinstance(value, list):
        items = cast("list[object]", value)
        if any(isinstance(item, (dict, list)) for item in items):
            for item in items:
                yield from _lines(name, item)
        else:
            yield from _line(name, ", ".join(_words(items)))
    else:
        yield from _line(name, "".join(_words([value])))


def _line(name: str, said: str) -> Iterator[str]:
    if said:
        yield said if not name or name.lower() in _PLAIN else f"{name}: {said}"


def _words(values: Iterable[object]) -> Iterator[str]:
    for value in values:
        if isinstance(value, bool):
            yield "true" if value else "false"
        elif value is not None:
            yield str(value).strip()


# --- paths ---------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _steps(path: str) -> tuple[tuple[str | int, ...], ...]:
    """The chains that a path stands for; a step is a name, a place, or `*`."""
    choice = _CHOICE.search(path)
    if choice is None:
        return (_chain(path),)
    before, after = path[: choice.start()], path[choice.end() :]
    return tuple(_chain(before + name.strip() + after) for name in choice[1].split(","))


def _chain(path: str) -> tuple[str | int, ...]:
    steps = [_place(match[1]) if match[2] is None else match[2] for match in _STEP.finditer(path)]
    return tuple(steps[1:] if steps[:1] == [WHOLE] else steps)


def _place(inside: str) -> str | int:
    return int(inside) if re.fullmatch(r"-?\d{1,9}", inside) else inside


def _parts(value: object, steps: Sequence[str | int]) -> Iterator[object]:
    if not steps:
        yield value
        return
    step, rest = steps[0], steps[1:]
    for inner in _below(value, step):
        yield from _parts(inner, rest)


def _below(value: object, step: Any) -> Iterable[object]:
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        if step == "*":
            return fields.values()
        return [fields[step]] if step in fields else ()
    if isinstance(value, list):
        items = cast("list[object]", value)
        if step == "*":
            return items
        if isinstance(step, int) and -len(items) <= step < len(items):
            return [items[step]]
    return ()
