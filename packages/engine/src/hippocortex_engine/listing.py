"""Listings: pages of artifacts and events, and the forms they are handed out in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from hippocortex_core.errors import NotFoundError
from hippocortex_core.types import (
    Artifact,
    ArtifactListResult,
    Event,
    EventListResult,
    Pagination,
)
from hippocortex_core.validation import format_time
from hippocortex_engine import cursors
from hippocortex_engine.records import EventRecord
from hippocortex_engine.storage import artifacts as artifact_store
from hippocortex_engine.storage import events as event_store
from hippocortex_engine.storage.artifacts import ArtifactRecord
from hippocortex_engine.storage.events import EventFilter

_COLUMN_VALUE: dict[str, Callable[[ArtifactRecord], float]] = {
    "createdAt": lambda one: one.created_at,
    "updatedAt": lambda one: one.updated_at,
    "confidence": lambda one: one.candidate.confidence,
    "evidenceCount": lambda one: len(one.evidence),
}


@dataclass(frozen=True, slots=True)
class ArtifactQuestion:
    """Which artifacts, in which order."""

    type: str | None
    status: str | None
    sort: str
    order: str

    @property
    def name(self) -> str:
        """What a cursor is bound to."""
        return f"artifacts:{self.type}:{self.status}:{self.sort}:{self.order}"


def list_artifacts(
    connection: Connection,
    tenant_id: str,
    question: ArtifactQuestion,
    limit: int,
    cursor: str | None,
) -> ArtifactListResult:
    """A page of artifacts."""
    after: tuple[float, str] | None = None
    if cursor is not None:
        value, name = cursors.decode(question.name, cursor, ((int, float), str))
        after = (value, name)
    found, total = artifact_store.page(
        connection,
        tenant_id,
        artifact_type=question.type,
        status=question.status,
        sort=question.sort,
        descending=question.order == "desc",
        after=after,
        limit=limit + 1,
    )
    shown = found[:limit]
    more = len(found) > limit
    place = [_COLUMN_VALUE[question.sort](shown[-1]), shown[-1].artifact_id] if more else None
    return ArtifactListResult(
        artifacts=[artifact(one) for one in shown],
        pagination=Pagination(
            has_more=more,
            cursor=None if place is None else cursors.encode(question.name, place),
            total=total,
        ),
    )


def get_artifact(connection: Connection, tenant_id: str, artifact_id: str) -> Artifact:
    """One artifact with the ids of its evidence.

    Raises:
        NotFoundError: there is none with that id.
    """
    found = artifact_store.get(connection, tenant_id, artifact_id)
    if found is None:
        raise NotFoundError(f"no artifact {artifact_id!r}")
    ids = event_store.ids_by_sequence(connection, tenant_id, found.evidence)
    result = artifact(found)
    result.evidence = [ids[seq] for seq in found.evidence if seq in ids]
    return result


def list_events(
    connection: Connection,
    tenant_id: str,
    wanted: EventFilter,
    *,
    order: str,
    limit: int,
    cursor: str | None,
) -> EventListResult:
    """A page of events in the order of arrival."""
    question = f"events:{wanted!r}:{order}"
    after = None if cursor is None else cursors.decode(question, cursor, (int,))[0]
    found, total = event_store.page(
        connection, tenant_id, wanted, descending=order == "desc", after=after, limit=limit + 1
    )
    shown = found[:limit]
    more = len(found) > limit
    return EventListResult(
        events=[event(one) for one in shown],
        pagination=Pagination(
            has_more=more,
            cursor=cursors.encode(question, [shown[-1].seq]) if more else None,
            total=total,
        ),
    )


def artifact(one: ArtifactRecord) -> Artifact:
    """An artifact as callers know it."""
    found = one.candidate
    return Artifact(
        id=one.artifact_id,
        type=found.type,
        status="deprecated" if one.retired else found.status,
        title=found.title,
        content=dict(found.content),
        confidence=found.confidence,
        evidence_count=len(one.evidence),
        created_at=format_time(one.created_at),
        updated_at=format_time(one.updated_at),
        version=one.version,
    )


def event(one: EventRecord) -> Event:
    """An event as callers know it."""
    return Event(
        id=one.event_id,
        type=one.type,  # pyright: ignore[reportArgumentType] - checked when it was stored
        session_id=one.session_id,
        payload=dict(one.payload),
        occurred_at=format_time(one.occurred_at),
        captured_at=format_time(one.captured_at),
        metadata=None if one.metadata is None else dict(one.metadata),
        idempotency_key=one.idempotency_key,
        salience_score=one.salience,
    )
