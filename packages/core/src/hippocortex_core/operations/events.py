"""The operations on events: capturing, listing, forgetting and importing them."""

# ruff: noqa: ARG003, D102 - these methods and their arguments are documented on Operation

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar
from uuid import uuid4

from hippocortex_core.codec import decode, encode
from hippocortex_core.errors import InternalError, ValidationError, invalid
from hippocortex_core.operations.base import Operation, Request
from hippocortex_core.service import MemoryService
from hippocortex_core.types import (
    BatchCaptureResult,
    BatchSummary,
    CaptureEvent,
    CaptureEventType,
    CaptureResult,
    Event,
    EventListResult,
    ForgetResult,
    Pagination,
    SortOrder,
)
from hippocortex_core.validation import check_event, check_id, parse_time

E = TypeVar("E", CaptureEvent, Event)
MAX_BATCH = 1000
"""Events per request; the clients split longer batches."""


def new_key() -> str:
    """A fresh idempotency key."""
    return uuid4().hex


@dataclass(frozen=True)
class Capture(Operation[CaptureResult]):
    """Store one event.

    On the wire it always carries an idempotency key, so that a retry cannot store it twice: the
    caller's, or a fresh one per call, so that two calls are two events.
    """

    name = "capture"
    method = "POST"
    path = "/capture"
    scope = "write"

    event: CaptureEvent
    new_id: Callable[[], str] = field(default=new_key, repr=False, compare=False)

    def apply(self, service: MemoryService) -> CaptureResult:
        return service.capture(self.event)

    def parse(self, data: object) -> CaptureResult:
        return decode(CaptureResult, data, strict=False)

    def request(self) -> Request:
        body = _wire_event(self.event, self.new_id)
        return Request(self.method, self.path, body=body, idempotency_key=body["idempotencyKey"])

    @classmethod
    def from_request(
        cls, params: Mapping[str, str], query: Mapping[str, Sequence[str]], body: object
    ) -> Capture:
        return cls(decode(CaptureEvent, body))


@dataclass(frozen=True)
class _Batch(Operation[BatchCaptureResult], Generic[E]):
    """Store many events: one that cannot be sent or read does not sink the others.

    `unreadable` is for the server: by position in the request, the events that could not be
    decoded and why; `events` then holds the others.
    """

    method = "POST"
    scope = "write"
    kind: ClassVar[type[Any]]

    events: Sequence[E]
    unreadable: Mapping[int, str] = field(default_factory=dict[int, str])
    new_id: Callable[[], str] = field(default=new_key, repr=False, compare=False)

    @abstractmethod
    def _encode(self, event: E) -> dict[str, Any]:
        """The event as JSON data.

        Raises:
            ValidationError: It cannot be sent.
        """

    @cached_property
    def _sendable(self) -> tuple[list[Any], dict[int, str]]:
        return _sort_out(self.events, self._encode)

    def parse(self, data: object) -> BatchCaptureResult:
        good, refused = self._sendable
        result = decode(BatchCaptureResult, data, strict=False)
        if len(result.results) != len(good):
            raise InternalError(
                f"the service answered {len(result.results)} results for {len(good)} events"
            )
        return _with_refused(result, refused)

    def answered(self) -> BatchCaptureResult | None:
        good, refused = self._sendable
        return None if good else _with_refused(_nothing(), refused)

    def request(self) -> Request:
        good, _ = self._sendable
        return Request(self.method, self.path, body={"events": good})

    @classmethod
    def from_request(
        cls, params: Mapping[str, str], query: Mapping[str, Sequence[str]], body: object
    ) -> _Batch[E]:
        events = decode(_EventList, body).events
        if len(events) > MAX_BATCH:
            raise invalid("events", f"at most {MAX_BATCH:,} per request, got {len(events):,}")
        good, unreadable = _sort_out(events, lambda event: decode(cls.kind, event))
        return cls(good, unreadable)


@dataclass(frozen=True)
class CaptureBatch(_Batch[CaptureEvent]):
    """Store many events; every one carries an idempotency key, as in `Capture`."""

    name = "capture_batch"
    path = "/capture/batch"
    kind = CaptureEvent

    def apply(self, service: MemoryService) -> BatchCaptureResult:
        return _with_refused(service.capture_batch(self.events), self.unreadable)

    def _encode(self, event: CaptureEvent) -> dict[str, Any]:
        return _wire_event(event, self.new_id)


@dataclass(frozen=True)
class ImportEvents(_Batch[Event]):
    """Store exported events under their own ids."""

    name = "import_events"
    path = "/import"
    kind = Event
    extension = True

    def apply(self, service: MemoryService) -> BatchCaptureResult:
        return _with_refused(service.import_events(self.events), self.unreadable)

    def _encode(self, event: Event) -> dict[str, Any]:
        return _wire_stored_event(event)


@dataclass(frozen=True)
class ListEvents(Operation[EventListResult]):
    """A page of events."""

    name = "list_events"
    method = "GET"
    path = "/events"
    scope = "read"
    extension = True

    event_ids: Sequence[str] | None = None
    session_id: str | None = None
    agent_id: str | None = None
    user_id: str | None = None
    type: CaptureEventType | None = None
    order: SortOrder | None = None
    limit: int | None = None
    cursor: str | None = None

    def apply(self, service: MemoryService) -> EventListResult:
        return service.list_events(**vars(self))

    def answered(self) -> EventListResult | None:
        # A query cannot tell no ids from ids that were not given.
        if self.event_ids not in ([], ()):
            return None
        return EventListResult([], Pagination(has_more=False, cursor=None, total=0))

    def parse(self, data: object) -> EventListResult:
        return decode(EventListResult, data, strict=False)


@dataclass(frozen=True)
class Forget(Operation[ForgetResult]):
    """Delete events, and what was learned from nothing else."""

    name = "forget"
    method = "POST"
    path = "/forget"
    scope = "admin"
    extension = True

    event_ids: Sequence[str] | None = None
    session_id: str | None = None
    agent_id: str | None = None
    user_id: str | None = None

    def apply(self, service: MemoryService) -> ForgetResult:
        return service.forget(**vars(self))

    def parse(self, data: object) -> ForgetResult:
        return decode(ForgetResult, data, strict=False)


# --- events on the wire --------------------------------------------------------------------------


@dataclass
class _EventList:
    events: list[Any]


def _wire_event(event: CaptureEvent, new_id: Callable[[], str]) -> dict[str, Any]:
    check_event(event)
    return encode(replace(event, idempotency_key=event.idempotency_key or new_id()))


def _wire_stored_event(event: Event) -> dict[str, Any]:
    if not isinstance(event, Event):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise invalid("event", f"must be an Event, got {type(event).__name__}")
    check_id("id", event.id)
    parse_time("captured_at", event.captured_at)
    check_event(
        CaptureEvent(
            type=event.type,
            session_id=event.session_id,
            payload=event.payload,
            metadata=event.metadata,
            idempotency_key=event.idempotency_key,
            occurred_at=event.occurred_at,
        )
    )
    return encode(event)


# --- batches -------------------------------------------------------------------------------------


def _sort_out(
    events: Sequence[Any], convert: Callable[[Any], Any]
) -> tuple[list[Any], dict[int, str]]:
    """The converted events, and by position why the others could not be converted."""
    good: list[Any] = []
    refused: dict[int, str] = {}
    for position, event in enumerate(events):
        try:
            good.append(convert(event))
        except ValidationError as error:  # noqa: PERF203 - each event stands for itself
            refused[position] = error.message
    return good, refused


def _nothing() -> BatchCaptureResult:
    return BatchCaptureResult([], BatchSummary(total=0, ingested=0, duplicates=0, errors=0))


def _with_refused(result: BatchCaptureResult, refused: Mapping[int, str]) -> BatchCaptureResult:
    """The result with the refused events counted and put where they were in the batch."""
    summary = result.summary
    answers = iter(result.results)
    total = len(result.results) + len(refused)
    results = [
        CaptureResult("", "error", reason=refused[position])
        if position in refused
        else next(answers)
        for position in range(total)
    ]
    return BatchCaptureResult(
        results, replace(summary, total=total, errors=summary.errors + len(refused))
    )


def merge_batches(parts: Sequence[BatchCaptureResult]) -> BatchCaptureResult:
    """The results of the pieces of one long batch, in order."""
    summaries = [part.summary for part in parts]
    return BatchCaptureResult(
        [result for part in parts for result in part.results],
        BatchSummary(
            total=sum(summary.total for summary in summaries),
            ingested=sum(summary.ingested for summary in summaries),
            duplicates=sum(summary.duplicates for summary in summaries),
            errors=sum(summary.errors for summary in summaries),
        ),
    )
