"""Keeping the in-memory indexes of a tenant in step with the database."""

from __future__ import annotations

import threading

from sqlalchemy import Connection

from hippocortex_engine.capturing import check_embedder
from hippocortex_engine.recall.index import RecallIndex
from hippocortex_engine.recall.knowledge import Knowledge
from hippocortex_engine.storage import artifacts as artifact_store
from hippocortex_engine.storage import events as event_store
from hippocortex_engine.storage import tenants as tenant_store
from hippocortex_engine.storage.tenants import TenantState


class RecallCache:
    """The events and artifacts of one tenant, caught up before every use.

    Whoever uses them holds `lock`: a search reads arrays that catching up extends.
    """

    def __init__(self, tenant_id: str, dimensions: int) -> None:
        self.lock = threading.RLock()
        self._tenant_id = tenant_id
        self._dimensions = dimensions
        self._index = RecallIndex(dimensions)
        self._knowledge = Knowledge([], dimensions)

    def current(self, connection: Connection, embedder: str) -> tuple[RecallIndex, Knowledge]:
        """Both indexes as of the connection's transaction.  Call with `lock` held.

        Raises:
            ConfigurationError: another process gave the events vectors of another model.
        """
        state = tenant_store.state(connection, self._tenant_id) or TenantState.nobody()
        check_embedder(state.embedder, embedder)
        if state.generation != self._index.generation:
            self._index = RecallIndex(self._dimensions, state.generation)
        if state.head > self._index.head:
            rows = event_store.recall_rows(connection, self._tenant_id, self._index.head)
            self._index.add(rows)
            self._index.head = state.head
        if state.artifact_generation != self._knowledge.generation:
            records = artifact_store.load(connection, self._tenant_id)
            self._knowledge = Knowledge(records, self._dimensions, state.artifact_generation)
        return self._index, self._knowledge
