"""What an event must be to be stored: the same rules in the client, the engine and the server."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, NoReturn, cast, get_args

from hippocortex_core.errors import invalid
from hippocortex_core.types import CaptureEvent, CaptureEventType

EVENT_TYPES: frozenset[str] = frozenset(get_args(CaptureEventType))
MAX_PAYLOAD_BYTES = 1_048_576
MAX_METADATA_BYTES = 65_536
MAX_ID_CHARS = 256
MAX_DEPTH = 64

# The calendar of Python, in milliseconds since the epoch.
_FIRST_TIME, _LAST_TIME = -62_135_596_800_000, 253_402_300_799_999

_FRACTION = re.compile(r"[.,](\d+)")


@dataclass(frozen=True, slots=True)
class CheckedEvent:
    """A valid event, ready to be stored: JSON as text, time as milliseconds since the epoch."""

    type: str
    session_id: str
    payload: dict[str, Any]
    payload_json: str
    metadata: dict[str, Any] | None
    metadata_json: str | None
    idempotency_key: str | None
    occurred_at: int | None
    user_id: str | None
    agent_id: str | None


def check_event(event: CaptureEvent) -> CheckedEvent:
    """The event, checked.

    Raises:
        ValidationError: `details` names the first field at fault.
    """
    if not isinstance(event, CaptureEvent):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise invalid("event", f"must be a CaptureEvent, got {type(event).__name__}")
    if not isinstance(event.type, str) or event.type not in EVENT_TYPES:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise invalid("type", f"unknown event type {event.type!r}; one of {_listed(EVENT_TYPES)}")
    metadata = event.metadata
    metadata_json = None
    if metadata is not None:
        metadata_json = encode_json("metadata", metadata, MAX_METADATA_BYTES)
    return CheckedEvent(
        type=event.type,
        session_id=check_id("session_id", event.session_id),
        payload=event.payload,
        payload_json=encode_json("payload", event.payload, MAX_PAYLOAD_BYTES),
        metadata=metadata,
        metadata_json=metadata_json,
        idempotency_key=_optional_id("idempotency_key", event.idempotency_key),
        occurred_at=None
        if event.occurred_at is None
        else parse_time("occurred_at", event.occurred_at),
        user_id=_owner(metadata, "user_id", "userId"),
        agent_id=_owner(metadata, "agent_id", "agentId"),
    )


def check_id(field: str, value: object) -> str:
    """A non-empty identifier of at most 256 characters.

    Raises:
        ValidationError: it is not one.
    """
    if not isinstance(value, str) or not value.strip():
        raise invalid(field, "must be a non-empty string")
    if len(value) > MAX_ID_CHARS:
        raise invalid(field, f"must have at most {MAX_ID_CHARS} characters, has {len(value)}")
    return check_text(field, value)


def check_text(field: str, value: str) -> str:
    """Text that can be stored: no lone surrogates and no NUL.

    Raises:
        ValidationError: it cannot.
    """
    if "\0" in value:
        raise invalid(field, "must not contain NUL characters")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise invalid(field, "must be valid Unicode (it holds a lone surrogate)") from None
    return value


def parse_time(field: str, value: object) -> int:
    """Milliseconds since the epoch of a datetime or an ISO 8601 string; naive means UTC.

    Raises:
        ValidationError: it is neither, or out of range.
    """
    if isinstance(value, str):
        try:
            # Python 3.10 reads fractions of exactly three or six digits only.
            text = _FRACTION.sub(lambda match: f".{match[1]:0<6.6}", value.strip())
            value = datetime.fromisoformat(text.replace("Z", "+00:00"))
        except ValueError:
            raise invalid(field, f"is not an ISO 8601 time: {value[:64]!r}") from None
    if not isinstance(value, datetime):
        raise invalid(field, "must be a datetime or an ISO 8601 string")
    if value.tzinfo is None:
        value = value.replace(tzinfo=timezone.utc)
    # Whole arithmetic: timestamp() rounds through a float and loses a millisecond now and then.
    delta = value - datetime(1970, 1, 1, tzinfo=timezone.utc)
    found = (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000
    if not _FIRST_TIME <= found <= _LAST_TIME:
        raise invalid(field, "must lie in the years 1 to 9999, in UTC")
    return found


def format_time(milliseconds: int) -> str:
    """ISO 8601 in UTC with milliseconds, the form of every timestamp on the wire."""
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def format_micros(microseconds: int) -> str:
    """ISO 8601 in UTC with microseconds, the form of the timestamps of documents."""
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=microseconds)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def encode_json(field: str, value: object, limit: int) -> str:
    """Compact JSON text of an object that strict JSON can hold.

    Raises:
        ValidationError: not an object, not JSON (the message names the place), too deep, too large.
    """
    if not isinstance(value, dict):
        raise invalid(field, f"must be an object, got {type(value).__name__}")
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        size = len(text) if text.isascii() else len(text.encode())
    except (TypeError, ValueError, RecursionError, OverflowError):
        _explain(field, value)  # pyright: ignore[reportUnknownArgumentType]
    if size > limit:
        raise invalid(field, f"is {size:,} bytes as JSON; at most {limit:,} are stored")
    # Counting brackets is far cheaper than walking, and almost always enough.
    if text.count("{") + text.count("[") > MAX_DEPTH or "\\u0000" in text:
        _walk(field, value, 1)  # pyright: ignore[reportUnknownArgumentType]
    return text


def check_json(field: str, value: object) -> None:
    """Raise a `ValidationError` that names the first place strict JSON cannot hold."""
    try:
        _walk(field, value, 1)
    except RecursionError:
        raise invalid(field, f"is nested deeper than {MAX_DEPTH} levels") from None


def _owner(metadata: dict[str, Any] | None, *names: str) -> str | None:
    if metadata is None:
        return None
    for name in names:
        if (value := metadata.get(name)) is not None:
            return check_id(f"metadata.{name}", value)
    return None


def _optional_id(field: str, value: str | None) -> str | None:
    return None if value is None else check_id(field, value)


def _explain(field: str, value: object) -> NoReturn:
    check_json(field, value)
    raise invalid(field, "is not JSON")


def _walk(path: str, value: object, depth: int) -> None:
    """Raise a `ValidationError` that names the first place JSON cannot hold."""
    if depth > MAX_DEPTH:
        raise invalid(path, f"is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, str):
        check_text(path, value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise invalid(path, "must be a finite number (NaN and Infinity are not JSON)")
    elif value is not None and not isinstance(value, (bool, int, float, dict, list, tuple)):
        raise invalid(path, f"is not JSON: {type(value).__name__}")
    for place, inner in _children(path, cast("object", value)):
        _walk(place, inner, depth + 1)


def _children(path: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, inner in cast("dict[object, object]", value).items():
            if not isinstance(key, str):
                raise invalid(path, f"has a key that is not a string but {type(key).__name__}")
            check_text(path, key)
            yield f"{path}.{key:.64}", inner
    elif isinstance(value, (list, tuple)):
        for position, inner in enumerate(cast("list[object]", value)):
            yield f"{path}[{position}]", inner


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
