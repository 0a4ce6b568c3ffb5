"""The keyed documents of one tenant: operations on them, in the order that a batch promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hippocortex_core.documents import CheckedListing, CheckedSearch, Namespace
from hippocortex_core.operations import (
    DeleteDocument,
    DocumentOperation,
    DocumentOutcome,
    GetDocument,
    PutDocument,
    SearchDocuments,
)
from hippocortex_core.operations.documents import each_operation
from hippocortex_core.types import Document, DocumentSearchResult, NamespaceListResult
from hippocortex_engine.clock import Clock
from hippocortex_engine.documents import reading
from hippocortex_engine.documents.cache import DocumentCache
from hippocortex_engine.documents.namespaces import document_id
from hippocortex_engine.documents.preparing import PreparedPut, prepare_puts
from hippocortex_engine.documents.reading import Found, Question
from hippocortex_engine.documents.writing import SWEEP, Writer
from hippocortex_engine.embeddings.base import Embedder
from hippocortex_engine.learning import Learner
from hippocortex_engine.recall.room import Room
from hippocortex_engine.recent import Recent
from hippocortex_engine.storage import documents as document_store
from hippocortex_engine.storage.database import Database
from hippocortex_engine.tokens import TokenCounter

Checked = tuple[DocumentOperation, Any]
"""An operation, and its arguments as `checked` returned them."""


@dataclass
class _Refreshed:
    """Documents whose time to live begins anew."""

    now: int
    documents: list[str]

    def shown(self, found: Found, *, refresh: bool) -> Document:
        if refresh and found.shown.ttl is not None:
            self.documents.append(found.shown.document_id)
        return found.document(refreshed_at=self.now if refresh else None)


class Documents:
    """Keeps and finds the documents of one tenant.

    Args:
        database: where they are kept.
        tenant_id: whose they are; the tenant is registered.
        embedder: what makes vectors.
        counter: counts the tokens of events.
        clock: milliseconds since the epoch.
        learner: unlearns what goes.
        room: bounds the index together with those of other tenants; default no bound.
    """

    def __init__(
        self,
        database: Database,
        tenant_id: str,
        *,
        embedder: Embedder,
        counter: TokenCounter,
        clock: Clock,
        learner: Learner,
        room: Room | None = None,
    ) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._embedder = embedder
        self._counter = counter
        self._clock = clock
        self._recent = Recent()
        self._room = room
        self._learner = learner
        self._writer = Writer(tenant_id, embedder.name, self._recent, learner)
        self._cache = DocumentCache(tenant_id, embedder.dimensions, room)

    def run(self, operation: DocumentOperation) -> DocumentOutcome:
        """The outcome of one operation.

        Raises:
            ValidationError: it is malformed.
        """
        return self._carry_out([(operation, operation.checked())])[0]

    def run_all(self, operations: Sequence[DocumentOperation]) -> list[DocumentOutcome]:
        """One outcome for each operation: reads see the state before all writes.

        Raises:
            ValidationError: one is malformed; then none is carried out.
        """
        arguments = each_operation(operations, lambda operation: operation.checked())
        return self._carry_out(list(zip(operations, arguments, strict=True)))

    def _carry_out(self, checked: Sequence[Checked]) -> list[DocumentOutcome]:
        writes = _last_writes(checked)
        now = self._clock()
        puts = self._prepare(writes, now)
        refreshed = _Refreshed(now * 1000, [])
        outcomes = self._read(checked, refreshed)
        existed = self._write(puts, [one for one in writes if one not in puts], refreshed)
        return [
            document_id(*argument) in existed if isinstance(operation, DeleteDocument) else outcome
            for (operation, argument), outcome in zip(checked, outcomes, strict=True)
        ]

    def forget(self, user_id: str, agent_id: str | None, session_id: str | None) -> int:
        """Remove what was last put for a user; how many documents."""
        with self._database.write(self._tenant_id) as connection:
            doomed = document_store.owned(
                connection, self._tenant_id, user_id, agent_id, session_id
            )
            affected = self._writer.remove(connection, doomed, self._clock() * 1000)
        self._learner.revise(affected)
        return len(doomed)

    def sweep(self) -> int:
        """Remove what has expired; how many documents."""
        total = 0
        while True:
            now = self._clock() * 1000
            with self._database.write(self._tenant_id) as connection:
                doomed = document_store.expired(connection, self._tenant_id, now, SWEEP)
                affected = self._writer.remove(connection, doomed, now)
            self._learner.revise(affected)
            total += len(doomed)
            if len(doomed) < SWEEP:
                return total

    def close(self) -> None:
        """Give the memory of the index back."""
        if self._room is not None:
            self._room.left(self._cache)

    def _prepare(self, writes: Mapping[str, Checked], now: int) -> dict[str, PreparedPut]:
        wanted = {
            name: put
            for name, (operation, put) in writes.items()
            if isinstance(operation, PutDocument)
        }
        return prepare_puts(wanted, self._embedder, self._counter, now) if wanted else {}

    def _read(self, checked: Sequence[Checked], refreshed: _Refreshed) -> list[DocumentOutcome]:
        outcomes: list[DocumentOutcome] = [None] * len(checked)
        reads = [
            (place, operation, argument)
            for place, (operation, argument) in enumerate(checked)
            if not isinstance(operation, (PutDocument, DeleteDocument))
        ]
        asked = {
            place: reading.question(argument, self._embedder)
            for place, operation, argument in reads
            if isinstance(operation, SearchDocuments)
        }
        if reads:
            with self._database.read() as connection:
                for place, operation, argument in reads:
                    if isinstance(operation, GetDocument):
                        outcomes[place] = self._get(connection, argument, operation, refreshed)
                    elif isinstance(operation, SearchDocuments):
                        outcomes[place] = self._search(
                            connection, argument, asked[place], refreshed
                        )
                    else:
                        outcomes[place] = self._list(connection, argument, refreshed.now)
        return outcomes

    def _get(
        self,
        connection: Connection,
        place: tuple[Namespace, str],
        operation: GetDocument,
        refreshed: _Refreshed,
    ) -> Document | None:
        found = reading.get(connection, self._tenant_id, document_id(*place), refreshed.now)
        return found and refreshed.shown(found, refresh=operation.refresh_ttl)

    def _search(
        self,
        connection: Connection,
        search: CheckedSearch,
        asked: Question | None,
        refreshed: _Refreshed,
    ) -> DocumentSearchResult:
        if asked is None:
            found = reading.newest(connection, self._tenant_id, search, refreshed.now)
        else:
            with self._cache.lock:
                index = self._cache.current(connection, self._embedder.name)
                best = reading.ranking_of(index, search.prefix, asked)
            found = reading.ranked(connection, self._tenant_id, search, best, refreshed.now)
        shown = [refreshed.shown(one, refresh=search.refresh_ttl) for one in found]
        return DocumentSearchResult(shown)

    def _list(
        self, connection: Connection, listing: CheckedListing, now: int
    ) -> NamespaceListResult:
        return NamespaceListResult(reading.listed(connection, self._tenant_id, listing, now))

    def _write(
        self, puts: Mapping[str, PreparedPut], deletes: Sequence[str], refreshed: _Refreshed
    ) -> set[str]:
        """Everything that changes, in one transaction; which documents were there before."""
        if not (puts or deletes or refreshed.documents):
            return set()
        try:
            with self._database.write(self._tenant_id) as connection:
                if refreshed.documents:
                    document_store.refresh(
                        connection, self._tenant_id, refreshed.documents, refreshed.now
                    )
                if not (puts or deletes):
                    return set()
                existed, affected = self._writer.write(connection, puts, deletes, refreshed.now)
        except BaseException:
            self._recent.clear()  # it may hold events that were not stored after all
            raise
        self._learner.revise(affected)
        return existed


def _last_writes(checked: Sequence[Checked]) -> dict[str, Checked]:
    """The last put or delete of each document, in the order of these."""
    writes: dict[str, Checked] = {}
    for operation, argument in checked:
        if isinstance(operation, PutDocument):
            name = document_id(argument.namespace, argument.key)
        elif isinstance(operation, DeleteDocument):
            name = document_id(*argument)
        else:
            continue
        writes.pop(name, None)
        writes[name] = (operation, argument)
    return writes
