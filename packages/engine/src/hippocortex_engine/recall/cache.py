"""Keeping the in-memory indexes of a tenant in step with the database."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from sqlalchemy import Connection

from hippocortex_engine.capturing import check_embedder
from hippocortex_engine.recall.index import RecallIndex
from hippocortex_engine.recall.knowledge import Knowledge
from hippocortex_engine.recall.room import Room
from hippocortex_engine.recall.texts import Text, Texts
from hippocortex_engine.storage import artifacts as artifact_store
from hippocortex_engine.storage import events as event_store
from hippocortex_engine.storage import tenants as tenant_store
from hippocortex_engine.storage.archive import Archive
from hippocortex_engine.storage.tenants import TenantState

_log = logging.getLogger("hippocortex")


class RecallCache:
    """The events and artifacts of one tenant, caught up before every use.

    Whoever uses them holds `lock`: a search reads arrays that catching up extends.  `is_behind`:
    the archive has yet to take in so many that memory holds too much.
    """

    def __init__(
        self,
        tenant_id: str,
        dimensions: int,
        room: Room | None = None,
        archive: Archive | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self._tenant_id = tenant_id
        self._dimensions = dimensions
        self._room = room
        self._archive = archive
        self._warned = False
        self.is_behind = False
        self._index = RecallIndex(dimensions)
        self._knowledge = Knowledge([], dimensions)
        self._texts = Texts()

    def current(self, connection: Connection, embedder: str) -> tuple[RecallIndex, Knowledge]:
        """Both indexes as of the connection's transaction.  Call with `lock` held.

        Raises:
            ConfigurationError: another process gave the events vectors of another model.
        """
        state = tenant_store.state(connection, self._tenant_id) or TenantState.nobody()
        check_embedder(state.embedder, embedder)
        floor = self._floor(connection, state)
        if self._is_stale(state, floor):
            self._index = RecallIndex(self._dimensions, state.generation, floor)
        if state.generation != self._texts.generation:
            self._texts = Texts(state.generation)
        if state.head > self._index.head:
            for rows in event_store.recall_rows(connection, self._tenant_id, self._index.head):
                self._index.add(rows)
            self._index.head = state.head
        if state.artifact_generation != self._knowledge.generation:
            records = artifact_store.load(connection, self._tenant_id)
            self._knowledge = Knowledge(records, self._dimensions, state.artifact_generation)
        if self._room is not None:
            self._room.used(self, len(self._index) + len(self._knowledge.records))
        return self._index, self._knowledge

    def released(self) -> None:
        """To be called when `lock` is no longer held: others may have waited for it to go."""
        if self._room is not None:
            self._room.settle()

    def texts(self, connection: Connection, sequence: Sequence[int]) -> dict[int, Text]:
        """What the events with some sequence numbers say.  Call with `lock` held, after `current`.

        Events that were forgotten meanwhile are left out.
        """
        return self._texts.of(connection, self._tenant_id, sequence)

    def _is_stale(self, state: TenantState, floor: int) -> bool:
        """Whether the index has to be made anew: what it holds has changed, or is too much."""
        index = self._index
        slack = 0 if self._archive is None else self._archive.limit // 4
        return (
            state.generation != index.generation
            or not index.floor <= floor <= index.floor + slack
            or not len(index)
        )

    def _floor(self, connection: Connection, state: TenantState) -> int:
        """The last event that need not be in memory."""
        archive = self._archive
        if archive is None or state.head <= archive.limit:
            return 0
        if not archive.is_ready:
            self._warn(archive.limit)
            return 0
        upto = archive.state(connection, self._tenant_id).upto
        self.is_behind = state.head - archive.limit - upto > archive.limit // 10
        return min(upto, state.head - archive.limit)

    def _warn(self, limit: int) -> None:
        if not self._warned:
            self._warned = True
            _log.warning(
                "a tenant has more than %s events, all kept in memory because PostgreSQL lacks "
                "pgvector; install it and run: hippocortex migrate",
                f"{limit:,}",
            )

    def try_drop(self) -> bool:
        """Forget everything, unless somebody is searching; it comes back when it is needed."""
        if not self.lock.acquire(blocking=False):
            return False
        try:
            self._index = RecallIndex(self._dimensions)
            self._knowledge = Knowledge([], self._dimensions)
            self._texts = Texts()
        finally:
            self.lock.release()
        return True
