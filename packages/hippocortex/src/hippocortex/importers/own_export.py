"""Our own JSON lines: exported events, and events as one would send them to capture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hippocortex.importers.steps import UnreadableError
from hippocortex_core import codec
from hippocortex_core.errors import ValidationError
from hippocortex_core.types import CaptureEvent, Event


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the record is an event in wire form."""
    return "sessionId" in record and "payload" in record and "type" in record


def read(record: Mapping[str, Any]) -> Event | CaptureEvent:
    """The event; an exported one keeps its id and times.

    Raises:
        UnreadableError: a field is missing or not what it should be.
    """
    try:
        return codec.decode(CaptureEvent if record.get("id") is None else Event, record)
    except ValidationError as error:
        raise UnreadableError(error.message) from None
