"""What every message format comes down to: steps, and the small readers the formats share."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from hippocortex.importers.records import as_list, as_object
from hippocortex_core.errors import ValidationError
from hippocortex_core.types import CaptureEventType
from hippocortex_core.validation import parse_time

_TIMES = ("timestamp", "created_at", "createdAt", "created", "time", "ts", "date")
_MILLISECONDS_FROM = 1e11  # as seconds that is the year 5138
_LAST = 253_402_300_799  # 9999-12-31T23:59:59Z
_MEDIA = {
    "image_url": "[image]",
    "input_image": "[image]",
    "image": "[image]",
    "input_audio": "[audio]",
    "audio": "[audio]",
    "video": "[video]",
    "file": "[file]",
    "input_file": "[file]",
    "document": "[document]",
}


class UnreadableError(ValueError):
    """A message that does not follow its format; says why."""


@dataclass(frozen=True, slots=True)
class Step:
    """One event to be: its type and payload."""

    type: CaptureEventType
    payload: dict[str, Any]


@dataclass(slots=True)
class Calls:
    """Which tool each call id of a conversation belongs to."""

    tools: dict[str, str] = field(default_factory=dict[str, str])

    def call(self, tool: object, args: Any, call_id: object) -> Step:
        """A tool call; its id is remembered for the result."""
        if not isinstance(tool, str) or not tool:
            raise UnreadableError("a tool call without a name")
        payload: dict[str, Any] = {"tool": tool, "args": _parsed(args)}
        if call_id is not None:
            self.tools[str(call_id)] = tool
            payload["call_id"] = str(call_id)
        return Step("tool_call", payload)

    def result(self, message: Mapping[str, Any], call_id: object, content: Any) -> Step:
        """A tool's answer, under the name the message gives or the one its call had."""
        tool = message.get("name") or self.tools.get(str(call_id)) or ""
        payload: dict[str, Any] = {"tool": str(tool), "result": text_of(content)}
        if call_id is not None:
            payload["call_id"] = str(call_id)
        for name in ("error", "is_error"):
            if message.get(name):
                payload[name] = message[name]
        return Step("tool_result", payload)


def said(role: str, content: Any, message: Mapping[str, Any]) -> list[Step]:
    """A message step, or nothing if nothing was said."""
    text = text_of(content)
    if not text.strip():
        return []
    payload: dict[str, Any] = {"role": role, "content": text}
    if isinstance(message.get("name"), str) and message["name"]:
        payload["name"] = message["name"]
    return [Step("message", payload)]


def text_of(content: Any) -> str:
    """Content as text: parts joined by lines, media as `[image]`, other JSON as JSON."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    parts = as_list(content)
    if parts is not None:
        return "\n".join(text for part in parts if (text := _part(part)))
    return json.dumps(content, ensure_ascii=False)


def time_of(record: Mapping[str, Any]) -> datetime | None:
    """When it happened, if the record says so in a way that can be read."""
    values = (record[name] for name in _TIMES if record.get(name) is not None)
    return next((moment for value in values if (moment := _moment(value))), None)


def objects(value: Any, what: str) -> Iterable[dict[str, Any]]:
    """The objects of a JSON array; None is an empty one.

    Raises:
        UnreadableError: it is not an array of objects.
    """
    for item in () if value is None else _listed(value, what):
        found = as_object(item)
        if found is None:
            raise UnreadableError(f"{what} holds {type(item).__name__} instead of an object")
        yield found


def _listed(value: Any, what: str) -> list[Any]:
    found = as_list(value)
    if found is None:
        raise UnreadableError(f"{what} is not a list")
    return found


def _part(part: Any) -> str:
    block = as_object(part)
    if block is None:
        return text_of(part)
    for name in ("text", "refusal", "transcript"):
        if isinstance(block.get(name), str):
            return str(block[name])
    return _MEDIA.get(str(block.get("type")), "") or text_of(block.get("content") or block)


def _parsed(args: Any) -> Any:
    """Arguments as an object where they are the JSON text of one."""
    if not isinstance(args, str):
        return {} if args is None else args
    try:
        found = as_object(json.loads(args or "{}"))
    except (ValueError, RecursionError):
        return args
    return args if found is None else found


def _moment(value: object) -> datetime | None:
    if isinstance(value, str):
        return _iso(value)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    seconds = value / 1000 if value >= _MILLISECONDS_FROM else value
    return datetime.fromtimestamp(seconds, tz=timezone.utc) if 0 < seconds <= _LAST else None


def _iso(text: str) -> datetime | None:
    try:
        milliseconds = parse_time("time", text)
        return datetime.fromtimestamp(milliseconds / 1000, tz=timezone.utc)
    except (ValidationError, OverflowError, OSError, ValueError):
        return None
