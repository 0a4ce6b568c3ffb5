"""From what `record` took down to a line of the journal: cleaned, checked, keyed.

Runs in the worker, before anything leaves the process or touches the disk.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from hippocortex_core.codec import decode, encode
from hippocortex_core.errors import ValidationError, invalid
from hippocortex_core.marking import strip
from hippocortex_core.recorder.snapshot import Lost, give
from hippocortex_core.redaction import redact_text, walk
from hippocortex_core.steps import idempotency_key
from hippocortex_core.types import CaptureEvent, CaptureEventType
from hippocortex_core.validation import check_event, format_time

MAX_TEXT = 200_000
"""Characters of one text that are kept; a page of a book has 2,000."""

_MEDIA_FROM = 512
_DATA_URL = re.compile(r"data:(?P<kind>[\w.+/-]{0,80})[^,]{0,80};base64,")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}\s*")
_SAMPLE = 4_096


class Noted(NamedTuple):
    """A step as `record` took it down; `at` is in milliseconds since the epoch."""

    kind: str
    type: CaptureEventType
    payload: dict[str, Any] | bytes | Lost
    metadata: dict[str, Any] | bytes | Lost | None
    session_id: str
    user_id: str | None
    agent_id: str | None
    key: str | None
    at: int


def prepare(noted: Noted, new_key: Callable[[], str]) -> bytes | None:
    """The journal's line; None if the step says nothing (or nothing but injected memory).

    Raises:
        ValidationError: The step can never be stored.
    """
    payload = _cleaned("payload", noted.payload)
    if noted.type == "message" and _says_nothing(payload.get("content")):
        return None
    key = noted.key
    event = CaptureEvent(
        type=noted.type,
        session_id=noted.session_id,
        payload=payload,
        metadata=_metadata(noted),
        idempotency_key=new_key()
        if key is None
        else idempotency_key(noted.session_id, noted.kind, key),
        occurred_at=format_time(noted.at),
    )
    check_event(event)
    return to_line(event)


def to_line(event: CaptureEvent) -> bytes:
    """The event as one line of JSON."""
    text = json.dumps(encode(event), ensure_ascii=False, separators=(",", ":"))
    return text.encode() + b"\n"


def from_line(line: bytes) -> CaptureEvent | None:
    """The event of a line; None if the line is damaged."""
    try:
        return decode(CaptureEvent, json.loads(line))
    except (ValueError, RecursionError, ValidationError):
        return None


def clean_text(text: str) -> str:
    """The text as it may leave the process: no injected memory, no secrets, no media."""
    if len(text) > _MEDIA_FROM and (media := _media(text)):
        return media
    # Cut twice: a secret must not be cut in half before it is found.
    text = redact_text(strip(text[: 2 * MAX_TEXT]))
    if len(text) > MAX_TEXT:
        text = f"{text[:MAX_TEXT]}… [cut at {MAX_TEXT:,} characters]"
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _cleaned(field: str, taken: dict[str, Any] | bytes | Lost) -> dict[str, Any]:
    try:
        return cast("dict[str, Any]", walk(give(taken), clean_text))
    except (ValueError, TypeError, RecursionError) as error:
        raise invalid(field, f"cannot be stored: {error}") from error


def _metadata(noted: Noted) -> dict[str, Any] | None:
    metadata = {} if noted.metadata is None else _cleaned("metadata", noted.metadata)
    if noted.user_id is not None:
        metadata["user_id"] = noted.user_id
    if noted.agent_id is not None:
        metadata["agent_id"] = noted.agent_id
    return metadata or None


def _says_nothing(content: Any) -> bool:
    if isinstance(content, str):
        return not content.strip()
    if isinstance(content, list):
        return all(_says_nothing(_part_text(part)) for part in cast("list[Any]", content))
    return content is None


def _part_text(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    return cast("dict[str, Any]", part).get("text", part)


def _media(text: str) -> str:
    """What stands for encoded media, which no memory can use; "" for a text."""
    if url := _DATA_URL.match(text):
        return f"[{url['kind'] or 'data'}, {(len(text) - url.end()) * 3 // 4:,} bytes]"
    if _BASE64.fullmatch(text[:_SAMPLE]) and _BASE64.fullmatch(text):
        return f"[base64, {len(text) * 3 // 4:,} bytes]"
    return ""
