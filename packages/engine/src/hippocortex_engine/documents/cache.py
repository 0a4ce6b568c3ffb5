"""Keeping the in-memory index of a tenant's documents in step with the database."""

from __future__ import annotations

import threading

from sqlalchemy import Connection

from hippocortex_engine.capturing import check_embedder
from hippocortex_engine.documents.index import DocumentIndex
from hippocortex_engine.recall.room import Room
from hippocortex_engine.storage import documents as document_store

_ROW = 700  # bytes that an event takes up in its index, by which the room is measured


class DocumentCache:
    """The documents of one tenant, caught up before every use.

    Whoever uses the index holds `lock`: a search reads arrays that catching up extends.
    """

    def __init__(self, tenant_id: str, dimensions: int, room: Room | None = None) -> None:
        self.lock = threading.RLock()
        self._tenant_id = tenant_id
        self._dimensions = dimensions
        self._room = room
        self._index = DocumentIndex(dimensions)

    def current(self, connection: Connection, embedder: str) -> DocumentIndex:
        """The index as of the connection's snapshot.  Call with `lock` held.

        Raises:
            ConfigurationError: another process gave the documents vectors of another model.
        """
        clock = document_store.clock(connection, self._tenant_id)
        check_embedder(clock.embedder, embedder)
        if self._index.now < clock.floor or self._index.is_worn or self._index.now > clock.now:
            self._index = DocumentIndex(self._dimensions)
        if self._index.now < clock.now:
            self._catch_up(connection, self._index)
            self._index.now = clock.now
        if self._room is not None:
            self._room.used(self, self._index.size // _ROW)
        return self._index

    def try_drop(self) -> bool:
        """Forget everything, unless somebody is searching; it comes back when it is needed."""
        if not self.lock.acquire(blocking=False):
            return False
        try:
            self._index = DocumentIndex(self._dimensions)
        finally:
            self.lock.release()
        return True

    def _catch_up(self, connection: Connection, index: DocumentIndex) -> None:
        since = index.now
        index.add(document_store.changed(connection, self._tenant_id, since))
        if since:
            for created_at in document_store.gone(connection, self._tenant_id, since):
                index.remove(created_at)
