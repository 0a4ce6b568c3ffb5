"""From records to events: naming sessions, keys that make imports repeatable, times in order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hippocortex.importers import tau_bench
from hippocortex.importers.formats import ChatFormat
from hippocortex.importers.records import Problem, Record, as_object
from hippocortex.importers.steps import Calls, Step, UnreadableError, time_of
from hippocortex_core.types import CaptureEvent, Event

_SESSION_NAMES = (
    "session_id",
    "sessionId",
    "conversation_id",
    "conversationId",
    "thread_id",
    "threadId",
)


@dataclass(frozen=True, slots=True)
class Located:
    """An event and where in the file it comes from (`file:line`)."""

    place: str
    event: CaptureEvent | Event


@dataclass(frozen=True, slots=True)
class Naming:
    """How sessions are named and whose the events are."""

    stem: str
    session: str | None = None
    user: str | None = None
    agent: str | None = None

    def metadata(self) -> dict[str, Any] | None:
        """The owners, as events carry them."""
        owners = {"user_id": self.user, "agent_id": self.agent}
        return {name: value for name, value in owners.items() if value is not None} or None


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages that belong together, in order, each with its place.

    `reference` identifies the conversation wherever its file lies; keys are derived from it.
    """

    session: str
    reference: str
    messages: Sequence[tuple[str, Any]]
    at: datetime | None = None


def only_conversation(
    messages: Sequence[tuple[str, Any]], named: str | None, naming: Naming
) -> Conversation:
    """The messages that stand in a file one by one: the file (or their session) is the chat."""
    session = naming.session or named or f"{naming.stem}-1"
    return Conversation(session, named or f"{naming.stem}#1", messages)


def conversation(
    record: Record, messages: Sequence[Any], index: int, naming: Naming
) -> Conversation:
    """The conversation of one record; `index` is the record's number in the file, from 1."""
    fields: Mapping[str, Any] = as_object(record.value) or {}
    session, reference = _name(fields, index, naming)
    if record.alone and naming.session is not None:
        session = naming.session
    placed = [(record.place, message) for message in messages]
    return Conversation(session, reference, placed, time_of(fields))


def session_named(record: Mapping[str, Any]) -> str | None:
    """The session a record says it belongs to."""
    found = (record[name] for name in _SESSION_NAMES if record.get(name) not in {None, ""})
    return next((str(value) for value in found if isinstance(value, (str, int))), None)


def events_of(
    chat: Conversation, reader: ChatFormat, naming: Naming, ending: Sequence[Step] = ()
) -> Iterator[Located | Problem]:
    """The events of a conversation; a message that cannot be read is a problem, not the end."""
    calls = Calls()
    at = _first_time(chat)
    metadata = naming.metadata()
    last = chat.messages[-1][0] if chat.messages else ""
    for position, (place, message) in enumerate(chat.messages):
        try:
            found = _object(message)
            steps = reader.read(found, calls)
        except UnreadableError as error:
            yield Problem(place, f"message {position + 1}: {error}")
            continue
        at = _later(at, time_of(found) or time_of(as_object(found.get("response_metadata")) or {}))
        for number, step in enumerate(steps):
            yield Located(place, _event(chat, step, (position, number), at, metadata))
    for number, step in enumerate(ending):
        yield Located(last, _event(chat, step, ("end", number), at, metadata))


def with_owner(event: CaptureEvent | Event, place: str, naming: Naming) -> Located:
    """An event of our own format: given a key if it has none, otherwise as it is.

    Raises:
        UnreadableError: another session or owner was asked for.
    """
    if naming.session is not None or naming.metadata():
        raise UnreadableError(
            "exported events keep their session and owner; import them without naming any"
        )
    if isinstance(event, Event) or event.idempotency_key is not None:
        return Located(place, event)
    number = place.rpartition(":")[2]
    return Located(place, replace(event, idempotency_key=_key(naming.stem, number, event.payload)))


def _name(record: Mapping[str, Any], index: int, naming: Naming) -> tuple[str, str]:
    """Session and reference: a tau run by its task and trial, else by id, else by position."""
    if tau_bench.matches(record):
        run = tau_bench.run_name(record)
        return f"{naming.session or 'tau'}-{run}", f"tau-{run}"
    named = session_named(record)
    given = record.get("id")
    if named is None and isinstance(given, (str, int)) and given != "":
        return f"{naming.session or naming.stem}-{given}", f"{naming.stem}#{given}"
    if named is not None:
        return (f"{naming.session}-{named}" if naming.session else named), named
    return f"{naming.session or naming.stem}-{index}", f"{naming.stem}#{index}"


def _object(message: Any) -> dict[str, Any]:
    found = as_object(message)
    if found is None:
        raise UnreadableError(f"is not an object but {type(message).__name__}")
    return found


def _event(
    chat: Conversation,
    step: Step,
    position: tuple[int | str, int],
    at: datetime | None,
    metadata: dict[str, Any] | None,
) -> CaptureEvent:
    return CaptureEvent(
        type=step.type,
        session_id=chat.session,
        payload=step.payload,
        metadata=metadata,
        idempotency_key=_key(chat.session, chat.reference, *position, step.type, step.payload),
        occurred_at=at,
    )


def _key(*parts: Any) -> str:
    """The same for the same content in the same place, however often it is imported."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return "import-" + hashlib.sha256(text.encode()).hexdigest()[:32]


def _first_time(chat: Conversation) -> datetime | None:
    """Where the clock starts: an untimed message before a timed one must not become "now"."""
    found = (time_of(as_object(message) or {}) for _, message in chat.messages)
    return chat.at or next((moment for moment in found if moment), None)


def _later(before: datetime | None, now: datetime | None) -> datetime | None:
    """Time never runs backwards in a conversation: the order of the file is its order."""
    if before is None or now is None:
        return before or now
    return max(before, now)
