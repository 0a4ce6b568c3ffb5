"""Exported events, checked before they are stored under their own ids."""

from __future__ import annotations

from dataclasses import dataclass

from hippocortex_core.errors import ValidationError, invalid
from hippocortex_core.types import CaptureEvent, Event
from hippocortex_core.validation import CheckedEvent, check_event, check_id, parse_time

MAX_EVENT_ID = 64


@dataclass(frozen=True, slots=True)
class Imported:
    """A checked event with the id and the time of capture it had."""

    event: CheckedEvent
    event_id: str
    captured_at: int


def check_imported(event: Event) -> Imported | ValidationError:
    """The event, checked, or what is wrong with it."""
    try:
        if not isinstance(event, Event):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise invalid("event", f"must be an Event, got {type(event).__name__}")
        checked = check_event(
            CaptureEvent(
                type=event.type,
                session_id=event.session_id,
                payload=event.payload,
                metadata=event.metadata,
                idempotency_key=event.idempotency_key,
                occurred_at=event.occurred_at,
            )
        )
        identifier = check_id("id", event.id)
        if len(identifier) > MAX_EVENT_ID:
            raise invalid("id", f"must have at most {MAX_EVENT_ID} characters")
        return Imported(checked, identifier, parse_time("captured_at", event.captured_at))
    except ValidationError as fault:
        return fault
