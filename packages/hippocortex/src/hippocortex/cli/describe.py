"""One line about an event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hippocortex_core.types import Event

_TOOL = ("tool", "tool_name", "name")
_TEXT = ("result", "output", "error", "content", "text", "message", "summary")
_CONTROLS = {code: None for code in [*range(32), *range(127, 160)] if chr(code) not in "\n\t"}


def event_line(event: Event, width: int = 160) -> str:
    """Who said what, which tool was called with what, or the payload as it is."""
    return shortened(_said(event.type, event.payload), width)


def moment(timestamp: str) -> str:
    """`2024-05-01 12:30:00` from ISO 8601."""
    return timestamp[:19].replace("T", " ")


def clean(text: str) -> str:
    """The text without control characters: what was captured must not steer a terminal."""
    return text.translate(_CONTROLS)


def shortened(text: str, width: int) -> str:
    """One clean line of at most `width` characters."""
    line = clean(" ".join(text.split()))
    return line if len(line) <= width else f"{line[: width - 1]}…"


def _said(kind: str, payload: Mapping[str, Any]) -> str:
    tool = _first(payload, _TOOL)
    if kind == "message":
        return f"{payload.get('role', 'user')}: {_first(payload, ('content', 'text', 'message'))}"
    if kind == "tool_call" and tool:
        args = payload.get("args", payload.get("arguments", payload.get("input", {})))
        return f"{tool} {_text(args)}"
    if kind == "tool_result" and tool:
        return f"{tool} → {_first(payload, _TEXT)}"
    return _text(payload)


def _first(payload: Mapping[str, Any], names: tuple[str, ...]) -> str:
    found = (payload[name] for name in names if payload.get(name) is not None)
    return _text(next(found, ""))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
