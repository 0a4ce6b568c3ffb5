"""Giving a tenant's events and artifacts new vectors when the embedding model has changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection

from hippocortex_engine.describe import describe
from hippocortex_engine.documents.reembedding import reembed_documents
from hippocortex_engine.embeddings.base import Embedder, quantize
from hippocortex_engine.storage import artifacts as artifact_store
from hippocortex_engine.storage import events as event_store
from hippocortex_engine.storage import tenants as tenant_store
from hippocortex_engine.storage.database import Database

_CHUNK = 1_000

Progress = Callable[[int, int], None]
"""Called with the events done and the events in all."""


def reembed(
    database: Database, tenant_id: str, embedder: Embedder, progress: Progress | None = None
) -> int:
    """Embed everything again; the number of events.

    One transaction, so that no query ever compares vectors of two models.
    """
    done, last = 0, 0
    with database.write(tenant_id) as connection:
        state = tenant_store.state(connection, tenant_id)
        total = 0 if state is None else state.head
        while chunk := event_store.after(connection, tenant_id, last, _CHUNK):
            lines = [describe(one.type, one.payload).line for one in chunk]
            vectors = quantize(embedder.embed(lines))
            event_store.set_vectors(
                connection,
                tenant_id,
                [(one.seq, row.tobytes()) for one, row in zip(chunk, vectors, strict=True)],
            )
            done, last = done + len(chunk), chunk[-1].seq
            if progress is not None:
                progress(done, max(total, done))
        if database.backend.archive is not None:
            database.backend.archive.clear(connection, tenant_id)
        _reembed_artifacts(connection, tenant_id, embedder)
        reembed_documents(connection, tenant_id, embedder)
        tenant_store.set_embedder(connection, tenant_id, embedder.name)
        tenant_store.events_changed(connection, tenant_id)
        tenant_store.artifacts_changed(connection, tenant_id)
    return done


def _reembed_artifacts(connection: Connection, tenant_id: str, embedder: Embedder) -> None:
    stored = artifact_store.load(connection, tenant_id)
    if stored:
        vectors = quantize(embedder.embed([one.candidate.index_text for one in stored]))
        artifact_store.save(
            connection,
            tenant_id,
            [replace(one, vector=row.tobytes()) for one, row in zip(stored, vectors, strict=True)],
        )
