"""Writing documents within one transaction: puts, deletes, and what has expired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hippocortex_engine.capturing import Prepared, check_embedder, store
from hippocortex_engine.documents.preparing import PreparedPut
from hippocortex_engine.learning import UNCHANGED, Learner, Unlearned
from hippocortex_engine.recent import Recent
from hippocortex_engine.storage import documents as document_store
from hippocortex_engine.storage.documents import Doomed, Old

SWEEP = 500
"""Expired documents that one write removes."""

LINGER = 60_000_000
"""Microseconds for which an expired document may stay where nobody sees it.

Removing events makes recall start anew, so what expires now and then goes together.
"""

LOOK = 1_000_000
"""Microseconds between two looks at what has expired."""

REMEMBERED = 3_600_000_000
"""Microseconds for which caches can catch up with a deletion."""


_OWNERS = ("user_id", "agent_id", "session_id")  # a put that names none leaves them as they are


@dataclass(slots=True)
class Writer:
    """Writes one tenant's documents.

    Attributes:
        embedder: the name of the embedder that made the vectors.
        recent: the last vectors of sessions.
    """

    tenant_id: str
    embedder: str
    recent: Recent
    learner: Learner
    _looked_at: int = 0

    def write(
        self,
        connection: Connection,
        puts: Mapping[str, PreparedPut],
        deletes: Sequence[str],
        now: int,
    ) -> tuple[set[str], Unlearned]:
        """Put and delete documents; which of them were there before, by id."""
        old = document_store.old(connection, self.tenant_id, [*puts, *deletes])
        living = {name for name, one in old.items() if not _expired(one, now)}
        doomed = [
            Doomed(name, one.created_at)
            for name, one in old.items()
            if name not in puts or name not in living
        ]
        affected = self._remove_with_expired(connection, doomed, now)
        if puts:
            kept = {name: one for name, one in old.items() if name in living}
            self._put(connection, puts, kept, now)
        return living, affected

    def remove(self, connection: Connection, doomed: Sequence[Doomed], now: int) -> Unlearned:
        """Delete documents, and the events that their puts were."""
        if not doomed:
            return UNCHANGED
        tenant_id = self.tenant_id
        taken = document_store.take(connection, tenant_id, now, len(doomed))
        events = document_store.events_of(connection, tenant_id, [one.created_at for one in doomed])
        document_store.remove(connection, tenant_id, doomed, taken.now)
        if document_store.forget_removed(connection, tenant_id, now - REMEMBERED):
            document_store.start_anew(connection, tenant_id, now - REMEMBERED)
        return self.learner.unlearn(connection, events)

    def _remove_with_expired(
        self, connection: Connection, doomed: Sequence[Doomed], now: int
    ) -> Unlearned:
        """Delete documents, and what has expired, if some of it did long enough ago."""
        expired: list[Doomed] = []
        if abs(now - self._looked_at) >= LOOK:
            self._looked_at = now
            expired = document_store.expired(connection, self.tenant_id, now - LINGER, 1)
        if expired:
            expired = document_store.expired(connection, self.tenant_id, now, SWEEP)
        known = {one.document_id for one in doomed}
        rest = [one for one in expired if one.document_id not in known]
        return self.remove(connection, [*doomed, *rest], now)

    def _put(
        self,
        connection: Connection,
        puts: Mapping[str, PreparedPut],
        old: Mapping[str, Old],
        now: int,
    ) -> None:
        taken = document_store.take(connection, self.tenant_id, now, len(puts))
        check_embedder(taken.embedder, self.embedder)
        fresh: list[dict[str, Any]] = []
        known: list[dict[str, Any]] = []
        events: list[tuple[int, Prepared]] = []
        for instant, one in enumerate(puts.values(), taken.now - len(puts) + 1):
            before = old.get(one.document_id)
            created = instant if before is None else before.created_at
            row = one.row(self.tenant_id, created_at=created, updated_at=instant, now=now)
            for name in _OWNERS if before is not None else ():
                row[name] = row[name] or getattr(before, name)
            said = before is not None and before.captured and before.value == row["value"]
            if one.event is not None and not said:
                events.append((created, one.event))
            row["captured"] = int(bool(said or one.event))
            (fresh if before is None else known).append(row)
        document_store.add(connection, fresh)
        document_store.overwrite(connection, known)
        self._capture(connection, events, now)

    def _capture(
        self, connection: Connection, events: Sequence[tuple[int, Prepared]], now: int
    ) -> None:
        if not events:
            return
        prepared = [event for _, event in events]
        stored = store(
            connection, self.tenant_id, prepared, self.recent, self.embedder, now // 1000
        )
        document_store.link(
            connection,
            self.tenant_id,
            [
                (created, result.event_id)
                for (created, _), result in zip(events, stored, strict=True)
            ],
        )


def _expired(one: Old, now: int) -> bool:
    return one.expires_at is not None and one.expires_at <= now
