"""Text that any database takes: no lone surrogates, no NUL."""

from __future__ import annotations

import json
import re
from typing import Any, cast

_UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")


def storable(value: dict[str, Any]) -> dict[str, Any]:
    """The JSON value, with a replacement character for each that cannot be stored."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return _replaced(value)
    return _replaced(value) if "\\u0000" in text else value


def _replaced(value: Any) -> Any:
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {_replaced(name): _replaced(inner) for name, inner in items}
    if isinstance(value, list):
        return [_replaced(inner) for inner in cast("list[Any]", value)]
    return value
