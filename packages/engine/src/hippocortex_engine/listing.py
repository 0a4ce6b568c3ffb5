"""Listings: pages of artifacts and events, and the forms they are handed out in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass

from sqlalchemy import Connection

from hippocortex_core.errors import NotFoundError, invalid
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

ORDERS = ("asc", "desc")
DEFAULT_SORT = "updatedAt"
DEFAULT_ORDER = "desc"
_COLUMN_VALUE: dict[str, Callable[[ArtifactRecord], float]] = {
    "createdAt": lambda one: one.created_at,
    "updatedAt": lambda one: one.updated_at,
    "confidence": lambda one: one.candidate.confidence,
    "evidenceCount": lambda one: len(one.evidence),
}


_LISTING = "artifacts"
_TEXT_OR_NONE = (str, type(None))


@dataclass(frozen=True, slots=True)
class ArtifactQuestion:
    """Which artifacts, in which order; what is None the cursor says, else the default.

    `after` is the place of the last artifact shown: the sorted value and the id.
    """

    type: str | None
    status: str | None
    sort: str | None
    order: str | None
    after: tuple[float, str] | None = None

    def going_on(self, cursor: str) -> ArtifactQuestion:
        """The question that a cursor was given for, which this one must not contradict."""
        kinds = (_TEXT_OR_NONE, _TEXT_OR_NONE, str, str, (int, float), str)
        *asked, value, name = cursors.decode(_LISTING, cursor, kinds)
        before = ArtifactQuestion(*asked, after=(value, name))
        for said, known in zip(astuple(self), asked, strict=False):
            if said is not None and said != known:
                raise invalid("cursor", "belongs to a listing with other filters or another order")
        if before.sort not in _COLUMN_VALUE or before.order not in ORDERS:
            raise invalid("cursor", "is not a cursor returned by a previous page")
        return before


def list_artifacts(
    connection: Connection, tenant_id: str, question: ArtifactQuestion, limit: int
) -> ArtifactListResult:
    """A page of artifacts."""
    sort, order = question.sort or DEFAULT_SORT, question.order or DEFAULT_ORDER
    found, total = artifact_store.page(
        connection,
        tenant_id,
        artifact_type=question.type,
        status=question.status,
        sort=sort,
        descending=order == "desc",
        after=question.after,
        limit=limit + 1,
    )
    shown = found[:limit]
    cursor = None
    if len(found) > limit:
        last = shown[-1]
        place = [_COLUMN_VALUE[sort](last), last.artifact_id]
        cursor = cursors.encode(_LISTING, [question.type, question.status, sort, order, *place])
    return ArtifactListResult(
        artifacts=[artifact(one) for one in shown],
        pagination=Pagination(has_more=cursor is not None, cursor=cursor, total=total),
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
