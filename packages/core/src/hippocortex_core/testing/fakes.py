"""A memory that keeps events in a list and learns nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from hippocortex_core.errors import NotFoundError, UnavailableError, ValidationError, invalid
from hippocortex_core.operations import (
    DeleteDocument,
    DocumentOperation,
    DocumentOutcome,
    GetDocument,
    ListNamespaces,
    PutDocument,
    SearchDocuments,
)
from hippocortex_core.operations.documents import each_operation
from hippocortex_core.testing.documents import KeptDocuments
from hippocortex_core.types import (
    Artifact,
    ArtifactListResult,
    ArtifactSort,
    ArtifactStats,
    ArtifactStatus,
    ArtifactType,
    BatchCaptureResult,
    BatchSummary,
    BudgetInfo,
    CaptureEvent,
    CaptureEventType,
    CaptureResult,
    CompilationStats,
    Document,
    DocumentSearchResult,
    Event,
    EventListResult,
    EventUsage,
    ForgetResult,
    HealthResult,
    LearnOptions,
    LearnResult,
    MetricsGranularity,
    MetricsPeriod,
    MetricsPeriodName,
    MetricsResult,
    NamespaceListResult,
    NamespaceMatch,
    Pagination,
    QuotaInfo,
    SortOrder,
    SynthesisEntry,
    SynthesizeOptions,
    SynthesizeResult,
    UsageMetrics,
)
from hippocortex_core.validation import check_event, format_time

_TIME = format_time(0)


class InMemoryService:
    """A `MemoryService` for tests of what surrounds a memory; every event happens at the epoch.

    Attributes:
        events: What was captured, oldest first.
        documents: What was put; its `now` (microseconds) may be moved on, for what expires.
        closed: Whether `close` was called.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.closed = False
        self.documents = KeptDocuments(self.capture, self._drop)
        self._duplicates = 0
        self._numbers = count()

    def capture(self, event: CaptureEvent) -> CaptureResult:
        """Store one event."""
        self._check_open()
        checked = check_event(event)
        key = checked.idempotency_key
        for known in self.events:
            if key is not None and known.idempotency_key == key:
                self._duplicates += 1
                return CaptureResult(known.id, "duplicate", reason="idempotency_key")
        stored = Event(
            id=f"evt-{next(self._numbers)}",
            type=event.type,
            session_id=event.session_id,
            payload=event.payload,
            occurred_at=_TIME if checked.occurred_at is None else format_time(checked.occurred_at),
            captured_at=_TIME,
            metadata=event.metadata,
            idempotency_key=key,
        )
        self.events.append(stored)
        return CaptureResult(stored.id, "ingested", salience_score=0.5)

    def capture_batch(self, events: Sequence[CaptureEvent]) -> BatchCaptureResult:
        """Store many events."""
        return _batch([self._try_capture(event) for event in events])

    def learn(self, options: LearnOptions | None = None) -> LearnResult:  # noqa: ARG002
        """Learn nothing."""
        self._check_open()
        stats = CompilationStats(len(self.events), patterns_found=0, compilation_ms=0)
        return LearnResult("run-0", "completed", ArtifactStats(0, 0, 0, {}), stats)

    def synthesize(self, query: str, options: SynthesizeOptions | None = None) -> SynthesizeResult:
        """The texts of the events that hold the query."""
        self._check_open()
        texts = [str(event.payload.get("content", "")) for event in self.events]
        entries = [SynthesisEntry("context", text, 0.5) for text in texts if query in text]
        limit = (options or SynthesizeOptions()).max_tokens
        return SynthesizeResult("pack-0", entries, BudgetInfo(limit, 0, 1.0, len(entries), 0))

    def list_artifacts(
        self,
        type: ArtifactType | None = None,  # noqa: A002, ARG002
        status: ArtifactStatus | None = None,  # noqa: ARG002
        sort: ArtifactSort | None = None,  # noqa: ARG002
        order: SortOrder | None = None,  # noqa: ARG002
        limit: int | None = None,  # noqa: ARG002
        cursor: str | None = None,  # noqa: ARG002
    ) -> ArtifactListResult:
        """None."""
        self._check_open()
        return ArtifactListResult([], Pagination(has_more=False, cursor=None, total=0))

    def get_artifact(self, artifact_id: str) -> Artifact:
        """There is none."""
        self._check_open()
        raise NotFoundError(f"no artifact {artifact_id!r}")

    def deprecate_artifact(self, artifact_id: str) -> Artifact:
        """There is none."""
        return self.get_artifact(artifact_id)

    def get_metrics(
        self,
        period: MetricsPeriodName | None = None,  # noqa: ARG002
        granularity: MetricsGranularity | None = None,
    ) -> MetricsResult:
        """How many events there are."""
        self._check_open()
        count = len(self.events)
        usage = EventUsage(count + self._duplicates, count, self._duplicates)
        return MetricsResult(
            period=MetricsPeriod(_TIME, _TIME, granularity or "hour"),
            usage=UsageMetrics(usage, syntheses=0, compilations=0),
            quota=QuotaInfo("test", count),
        )

    def list_events(
        self,
        *,
        event_ids: Sequence[str] | None = None,
        session_id: str | None = None,
        agent_id: str | None = None,
        user_id: str | None = None,
        type: CaptureEventType | None = None,  # noqa: A002
        order: SortOrder | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> EventListResult:
        """A page of events; the cursor is a position."""
        self._check_open()
        if cursor is not None and not cursor.isdigit():
            raise invalid("cursor", "is not one of ours")
        found = self._matching(event_ids, session_id, agent_id, user_id)
        found = [event for event in found if type in {None, event.type}]
        ordered = found if order == "asc" else found[::-1]
        start, size = int(cursor or 0), 20 if limit is None else limit
        end = start + size
        more = end < len(found)
        return EventListResult(
            ordered[start:end], Pagination(more, str(end) if more else None, len(found))
        )

    def forget(
        self,
        *,
        event_ids: Sequence[str] | None = None,
        session_id: str | None = None,
        agent_id: str | None = None,
        user_id: str | None = None,
    ) -> ForgetResult:
        """Delete the events that match all that is given."""
        self._check_open()
        if event_ids is session_id is agent_id is user_id is None:
            raise invalid("event_ids", "say what to forget")
        gone = self._matching(event_ids, session_id, agent_id, user_id)
        if user_id is not None and event_ids is None:
            self.documents.forget(user_id, agent_id, session_id)
        self.events = [event for event in self.events if event not in gone]
        return ForgetResult(len(gone), artifacts_deleted=0, artifacts_updated=0)

    def import_events(self, events: Sequence[Event]) -> BatchCaptureResult:
        """Store events under their own ids."""
        self._check_open()
        results: list[CaptureResult] = []
        for event in events:
            known = any(event.id == other.id for other in self.events)
            results.append(CaptureResult(event.id, "duplicate" if known else "ingested"))
            if not known:
                self.events.append(replace(event))
        return _batch(results)

    def put_document(
        self,
        namespace: Sequence[str],
        key: str,
        value: Mapping[str, Any],
        *,
        index: bool | Sequence[str] | None = None,
        ttl: float | None = None,
        vectors: Sequence[Sequence[float]] | None = None,
        user_id: str | None = None,
        agent_id: str | None = None,
        session_id: str | None = None,
        capture: bool = True,
    ) -> None:
        """Keep a document."""
        given = (index, ttl, vectors, user_id, agent_id, session_id, capture)
        self._documents(PutDocument(namespace, key, value, *given))

    def get_document(
        self, namespace: Sequence[str], key: str, *, refresh_ttl: bool = True
    ) -> Document | None:
        """One document."""
        return self._documents(GetDocument(namespace, key, refresh_ttl))

    def delete_document(self, namespace: Sequence[str], key: str) -> bool:
        """Remove a document."""
        return self._documents(DeleteDocument(namespace, key))

    def search_documents(
        self,
        namespace_prefix: Sequence[str] = (),
        *,
        query: str | None = None,
        vector: Sequence[float] | None = None,
        filter: Mapping[str, Any] | None = None,  # noqa: A002
        limit: int = 10,
        offset: int = 0,
        refresh_ttl: bool = True,
    ) -> DocumentSearchResult:
        """The documents that share the most words with the query, or the nearest, or the newest."""
        given = (namespace_prefix, query, vector, filter, limit, offset, refresh_ttl)
        return self._documents(SearchDocuments(*given))

    def list_namespaces(
        self,
        *,
        match: Sequence[NamespaceMatch] | None = None,
        max_depth: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> NamespaceListResult:
        """The namespaces that hold documents."""
        return self._documents(ListNamespaces(match, max_depth, limit, offset))

    def batch_documents(self, operations: Sequence[DocumentOperation]) -> list[DocumentOutcome]:
        """Several at once."""
        self._check_open()
        each_operation(operations, lambda operation: operation.checked())
        return self.documents.run(operations)

    def sweep_documents(self) -> int:
        """Delete what has expired."""
        self._check_open()
        return self.documents.sweep()

    def health(self) -> HealthResult:
        """Well."""
        self._check_open()
        return HealthResult("ok", "0", "memory")

    def close(self) -> None:
        """Refuse further calls."""
        self.closed = True

    def _check_open(self) -> None:
        if self.closed:
            raise UnavailableError("this memory is closed")

    def _documents(self, operation: Any) -> Any:
        self._check_open()
        return self.documents.run([operation])[0]

    def _drop(self, event_ids: Sequence[str]) -> None:
        self.events = [event for event in self.events if event.id not in event_ids]

    def _try_capture(self, event: CaptureEvent) -> CaptureResult:
        try:
            return self.capture(event)
        except ValidationError as error:
            return CaptureResult("", "error", reason=error.message)

    def _matching(
        self,
        event_ids: Sequence[str] | None,
        session_id: str | None,
        agent_id: str | None,
        user_id: str | None,
    ) -> list[Event]:
        return [
            event
            for event in self.events
            if (event_ids is None or event.id in event_ids)
            and session_id in {None, event.session_id}
            and agent_id in {None, (event.metadata or {}).get("agent_id")}
            and user_id in {None, (event.metadata or {}).get("user_id")}
        ]


def _batch(results: list[CaptureResult]) -> BatchCaptureResult:
    statuses = [result.status for result in results]
    return BatchCaptureResult(
        results,
        BatchSummary(
            total=len(results),
            ingested=statuses.count("ingested"),
            duplicates=statuses.count("duplicate"),
            errors=statuses.count("error"),
        ),
    )
