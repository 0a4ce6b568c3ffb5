"""Copying what a step holds, cheaply, so that its owner may go on changing it.

`take` runs in the caller's thread and is as short as can be: no user code runs, and JSON-like data
is copied by one call into C, which other threads cannot interrupt.  `give` runs in the worker and
makes JSON data of it.
"""

from __future__ import annotations

import marshal
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

_ATOMS = frozenset((str, int, float, bool, type(None)))
_MAX_ITEMS = 100_000
_MAX_DEPTH = 64
_MAX_TEXT = 20_000
"""Characters kept of an object that is not JSON."""


@dataclass(frozen=True)
class Lost:
    """What could not be copied, and why."""

    reason: str


def take(payload: dict[str, Any]) -> dict[str, Any] | bytes | Lost:
    """A copy that no change of the original reaches; the payload itself must be fresh."""
    for value in payload.values():
        if type(value) not in _ATOMS:
            break
    else:
        return payload
    try:
        return marshal.dumps(payload)
    except ValueError:  # not only builtin types
        return _slowly(payload)


def give(taken: dict[str, Any] | bytes | Lost) -> dict[str, Any]:
    """The copy as JSON data.

    Raises:
        ValueError: It could not be copied, or holds itself.
    """
    if isinstance(taken, Lost):
        raise ValueError(taken.reason)  # noqa: TRY004 - one error for whatever is amiss
    # Made by `take` in this very process.
    data: Any = marshal.loads(taken) if isinstance(taken, bytes) else taken  # noqa: S302
    return _Json().convert(data, 0)


def _slowly(payload: dict[str, Any]) -> dict[str, Any] | Lost:
    try:
        return _Copy().convert(payload, 0)
    except Exception as error:  # noqa: BLE001 - mappings of the caller's may do anything
        return Lost(f"{type(error).__name__}: {error}"[:200])


class _Copy:
    """Copies containers and the fields of models; everything else stays what it is."""

    def __init__(self) -> None:
        self._left = _MAX_ITEMS

    def convert(self, value: Any, depth: int) -> Any:
        if type(value) in _ATOMS:
            return value
        self._left -= 1
        if self._left < 0 or depth > _MAX_DEPTH:
            raise ValueError("holds too much, or itself")
        if isinstance(value, Mapping):
            items = list(cast("Mapping[Any, Any]", value).items())
            return {name: self.convert(inner, depth + 1) for name, inner in items}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.convert(inner, depth + 1) for inner in list(cast("list[Any]", value))]
        return self.other(value, depth)

    def other(self, value: Any, depth: int) -> Any:
        fields = _fields(value)
        return value if fields is None else self.convert(fields, depth + 1)


class _Json(_Copy):
    """Makes JSON of the rest, in the worker: whatever it is, as text."""

    def convert(self, value: Any, depth: int) -> Any:
        if type(value) is float and not math.isfinite(value):
            return str(value)  # JSON has no such number
        copied = super().convert(value, depth)
        if isinstance(copied, dict):
            named = cast("dict[Any, Any]", copied)
            if all(type(name) is str for name in named):
                return named
            return {name if isinstance(name, str) else _text(name): v for name, v in named.items()}
        return copied

    def other(self, value: Any, depth: int) -> Any:  # noqa: ARG002
        # Subclasses: enums, numpy's float64.
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return self.convert(float(value), 0)
        return _text(value)


def _fields(value: Any) -> dict[str, Any] | None:
    """The fields of a dataclass or a pydantic model, without running its code."""
    kind = cast("type[Any]", type(value))
    if not hasattr(kind, "__dataclass_fields__") and not hasattr(kind, "__pydantic_fields__"):
        return None
    held: dict[str, Any] | None = getattr(value, "__dict__", None)
    return None if held is None else {k: v for k, v in list(held.items()) if k[:1] != "_"}


def _text(value: object) -> str:
    if isinstance(value, (bytes, bytearray)):
        return f"[{len(value)} bytes]"
    try:
        return str(value)[:_MAX_TEXT]
    except Exception:  # noqa: BLE001 - other people's __str__
        return f"[{type(value).__name__}]"
