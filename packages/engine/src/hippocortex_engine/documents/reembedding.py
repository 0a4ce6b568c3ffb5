"""Giving documents new vectors when the embedding model has changed."""

from __future__ import annotations

import json

from sqlalchemy import Connection

from hippocortex_engine.documents.preparing import vectors_of
from hippocortex_engine.documents.texts import texts
from hippocortex_engine.embeddings.base import Embedder
from hippocortex_engine.storage import documents as document_store

_CHUNK = 100


def reembed_documents(connection: Connection, tenant_id: str, embedder: Embedder) -> None:
    """Embed every document again that has no vectors of its caller; caches start anew."""
    last = 0
    while chunk := document_store.embedded(connection, tenant_id, last, _CHUNK):
        document_store.set_vectors(
            connection,
            tenant_id,
            [
                (
                    one.document_id,
                    vectors_of(texts(json.loads(one.value), json.loads(one.indexed)), embedder),
                )
                for one in chunk
            ],
        )
        last = chunk[-1].updated_at
    clock = document_store.take(connection, tenant_id, 0, 1)
    document_store.start_anew(connection, tenant_id, clock.now)
