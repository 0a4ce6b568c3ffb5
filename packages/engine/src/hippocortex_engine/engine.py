"""The embedded engine: a `MemoryService` on a database, for one tenant."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import Connection

from hippocortex_core.errors import UnavailableError, ValidationError, invalid
from hippocortex_core.operations import (
    DeleteDocument,
    DocumentOperation,
    DocumentOutcome,
    GetDocument,
    ListNamespaces,
    PutDocument,
    SearchDocuments,
)
from hippocortex_core.types import (
    Artifact,
    ArtifactListResult,
    ArtifactSort,
    ArtifactStats,
    ArtifactStatus,
    ArtifactType,
    BatchCaptureResult,
    BatchSummary,
    CaptureEvent,
    CaptureEventType,
    CaptureResult,
    CompilationStats,
    Document,
    DocumentSearchResult,
    Event,
    EventListResult,
    ForgetResult,
    HealthResult,
    LearnOptions,
    LearnResult,
    MetricsGranularity,
    MetricsPeriodName,
    MetricsResult,
    NamespaceListResult,
    NamespaceMatch,
    SortOrder,
    SynthesizeOptions,
    SynthesizeResult,
)
from hippocortex_core.validation import CheckedEvent, check_event, check_id
from hippocortex_engine import checks, listing
from hippocortex_engine.capturing import Prepared, Stored, prepare
from hippocortex_engine.clock import Clock, system_clock
from hippocortex_engine.documents.documents import Documents
from hippocortex_engine.embeddings.base import Embedder
from hippocortex_engine.embeddings.static import StaticEmbedder
from hippocortex_engine.forking import renew_after_fork
from hippocortex_engine.identifiers import content_id
from hippocortex_engine.importing import Imported, check_imported
from hippocortex_engine.intake import Intake
from hippocortex_engine.learning import Learner
from hippocortex_engine.listing import ArtifactQuestion
from hippocortex_engine.metrics import GRANULES, PERIODS, Meter, metrics
from hippocortex_engine.once import once, unmake
from hippocortex_engine.recall.archivist import Archivist
from hippocortex_engine.recall.cache import RecallCache
from hippocortex_engine.recall.older import propose
from hippocortex_engine.recall.query import Query, understand
from hippocortex_engine.recall.room import Room
from hippocortex_engine.reembedding import reembed
from hippocortex_engine.storage import artifacts as artifact_store
from hippocortex_engine.storage import tenants as tenant_store
from hippocortex_engine.storage.archive import Archive
from hippocortex_engine.storage.database import Database
from hippocortex_engine.storage.events import EventFilter
from hippocortex_engine.synthesizer.synthesize import Recall, compose, find
from hippocortex_engine.tokens import TokenCounter
from hippocortex_engine.version import VERSION

BATCH = 1_000
"""Events stored in one transaction."""

MAX_IDS = 1_000
"""Ids in one filter."""


class Engine:
    """A memory in a database.  Safe to use from several threads, processes and after a fork.

    Args:
        database: where it is kept; closed by `close`.
        tenant_id: whose memory it is; tenants never see each other's.
        embedder: what makes vectors; default the static one.
        clock: milliseconds since the epoch; default the machine's clock.
        owns_database: whether `close` closes the database too.
        counter: what counts tokens; default one of its own.
        room: bounds the index together with those of other tenants; default no bound.

    Raises:
        UnavailableError: from every method, when the database cannot answer.
    """

    def __init__(
        self,
        database: Database,
        *,
        tenant_id: str = "default",
        embedder: Embedder | None = None,
        clock: Clock = system_clock,
        owns_database: bool = True,
        counter: TokenCounter | None = None,
        room: Room | None = None,
    ) -> None:
        self._database = database
        self._owns_database = owns_database
        self._tenant_id = check_id("tenant_id", tenant_id)
        self._given_embedder = embedder
        self._given_counter = counter
        self._room = room
        self._clock = clock
        self._meter = Meter()
        self._lock = threading.Lock()
        self._closed = False
        self._registered = False
        renew_after_fork(self)

    def capture(self, event: CaptureEvent) -> CaptureResult:
        """Store one event; it is durable when this returns."""
        self._ensure_open()
        (stored,) = self._store([check_event(event)])
        return _captured(stored)

    def capture_batch(self, events: Sequence[CaptureEvent]) -> BatchCaptureResult:
        """Store events, 1,000 to a transaction; a bad one does not hinder the others."""
        self._ensure_open()
        if not isinstance(events, (list, tuple)):
            raise invalid("events", "must be a list of CaptureEvent")
        checked = [_checked(event) for event in events]
        good = [event for event in checked if isinstance(event, CheckedEvent)]
        stored = iter(
            [
                result
                for start in range(0, len(good), BATCH)
                for result in self._store(good[start : start + BATCH])
            ]
        )
        results = [
            _captured(next(stored)) if isinstance(event, CheckedEvent) else _refused(event)
            for event in checked
        ]
        return BatchCaptureResult(results, _summary(results))

    def import_events(self, events: Sequence[Event]) -> BatchCaptureResult:
        """Store exported events under their own ids; known ids are duplicates."""
        self._ensure_open()
        if not isinstance(events, (list, tuple)):
            raise invalid("events", "must be a list of Event")
        checked = [check_imported(event) for event in events]
        good = [one for one in checked if isinstance(one, Imported)]
        stored = iter(self._store_imported(good))
        results = [
            _captured(next(stored)) if isinstance(one, Imported) else _refused(one)
            for one in checked
        ]
        return BatchCaptureResult(results, _summary(results))

    def learn(self, options: LearnOptions | None = None) -> LearnResult:
        """Run the Memory Compiler over what is new (default) or everything."""
        self._ensure_open()
        wanted = checks.check_learn(LearnOptions() if options is None else options)
        started = time.perf_counter()
        self._register()
        learned = self._learner.learn(wanted)
        self._count(compilations=1)
        return LearnResult(
            run_id=content_id("run_", self._tenant_id, str(self._clock()), repr(wanted)),
            status="completed",
            artifacts=ArtifactStats(
                created=learned.merge.created,
                updated=learned.merge.updated,
                unchanged=learned.merge.unchanged,
                by_type=learned.by_type,
            ),
            stats=CompilationStats(
                memories_processed=learned.events,
                patterns_found=learned.patterns,
                compilation_ms=round((time.perf_counter() - started) * 1000),
            ),
        )

    def synthesize(self, query: str, options: SynthesizeOptions | None = None) -> SynthesizeResult:
        """A context pack for the query, within its token budget."""
        self._ensure_open()
        wanted = checks.check_synthesize(SynthesizeOptions() if options is None else options)
        understood = understand(checks.check_query(query), self._embedder)
        # The lock before a connection: nobody waits for it holding one.
        with self._cache.lock, self._database.read() as connection:
            found = find(self._recall(connection, understood, wanted), understood, wanted)
            records = self._cache.texts(connection, found.sequence)
        self._cache.released()
        result = compose(found, records, understood, wanted, self._counter)
        self._meter.count(self._clock(), syntheses=1)
        return result

    def list_artifacts(
        self,
        type: ArtifactType | None = None,  # noqa: A002 - the reference's name
        status: ArtifactStatus | None = None,
        sort: ArtifactSort | None = None,
        order: SortOrder | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> ArtifactListResult:
        """A page of artifacts; default: 20, newest update first; at most 100.

        With a cursor, what is not given is as it was for the page before, but for the limit.
        """
        self._ensure_open()
        question = ArtifactQuestion(
            type=None if type is None else checks.check_name("type", type, checks.ARTIFACT_TYPES),
            status=None if status is None else checks.check_name("status", status, checks.STATUSES),
            sort=checks.check_name("sort", sort, tuple(artifact_store.SORTS)) if sort else None,
            order=checks.check_name("order", order, listing.ORDERS) if order else None,
        )
        if cursor is not None:
            question = question.going_on(cursor)
        size = checks.check_whole("limit", 20 if limit is None else limit, 1, 100)
        with self._database.read() as connection:
            return listing.list_artifacts(connection, self._tenant_id, question, size)

    def get_artifact(self, artifact_id: str) -> Artifact:
        """One artifact with the ids of its evidence.

        Raises:
            NotFoundError: there is none with that id.
        """
        self._ensure_open()
        checked = check_id("artifact_id", artifact_id)
        with self._database.read() as connection:
            return listing.get_artifact(connection, self._tenant_id, checked)

    def deprecate_artifact(self, artifact_id: str) -> Artifact:
        """Retire an artifact by hand; learning does not bring it back.

        Raises:
            NotFoundError: there is none with that id.
        """
        self._ensure_open()
        checked = check_id("artifact_id", artifact_id)
        with self._database.write(self._tenant_id) as connection:
            found = listing.get_artifact(connection, self._tenant_id, checked)
            if found.status == "deprecated":
                return found
            artifact_store.retire(connection, self._tenant_id, checked, self._clock())
            tenant_store.artifacts_changed(connection, self._tenant_id)
            return listing.get_artifact(connection, self._tenant_id, checked)

    def get_metrics(
        self,
        period: MetricsPeriodName | None = None,
        granularity: MetricsGranularity | None = None,
    ) -> MetricsResult:
        """Usage over 24h (default), 7d or 30d; by the hour for 24h, else by the day."""
        self._ensure_open()
        span = checks.check_name("period", period or "24h", tuple(PERIODS))
        default = "hour" if span == "24h" else "day"
        step = checks.check_name("granularity", granularity or default, tuple(GRANULES))
        self.write_meter()
        with self._database.read() as connection:
            return metrics(
                connection, self._tenant_id, period=span, granularity=step, now=self._clock()
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
        """A page of events; default: 20, newest first; at most 1,000."""
        self._ensure_open()
        if type is not None:
            checks.check_name("type", type, checks.EVENT_TYPES)
        wanted = _filter(event_ids, session_id, agent_id, user_id, type)
        direction = checks.check_name("order", order or listing.DEFAULT_ORDER, listing.ORDERS)
        size = checks.check_whole("limit", 20 if limit is None else limit, 1, 1_000)
        with self._database.read() as connection:
            return listing.list_events(
                connection, self._tenant_id, wanted, order=direction, limit=size, cursor=cursor
            )

    def forget(
        self,
        *,
        event_ids: Sequence[str] | None = None,
        session_id: str | None = None,
        agent_id: str | None = None,
        user_id: str | None = None,
    ) -> ForgetResult:
        """Delete the events that match all that is given, and what was learned from them alone.

        With a `user_id`, the documents of that user go too (whose last put that named one did), and
        events that name no user where that user was the last to be named in their session.
        What is deleted is overwritten in the database file (SQLite).

        Raises:
            ValidationError: nothing was given.
        """
        self._ensure_open()
        wanted = _filter(event_ids, session_id, agent_id, user_id, None)
        if wanted.is_empty:
            raise invalid(
                "event_ids", "say what to forget: event_ids, session_id, agent_id or user_id"
            )
        self._register()
        gone = self._learner.forget(wanted)
        if user_id is not None and event_ids is None:
            self._documents.forget(user_id, agent_id, session_id)
        self._database.scrub()
        return ForgetResult(gone.events, gone.artifacts_deleted, gone.artifacts_updated)

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
        """Keep a JSON object under a namespace and a key, in place of what is there."""
        given = (index, ttl, vectors, user_id, agent_id, session_id, capture)
        self._run(PutDocument(namespace, key, value, *given))

    def get_document(
        self, namespace: Sequence[str], key: str, *, refresh_ttl: bool = True
    ) -> Document | None:
        """The document, if there is one; by default its time to live begins anew."""
        return self._run(GetDocument(namespace, key, refresh_ttl))

    def delete_document(self, namespace: Sequence[str], key: str) -> bool:
        """Remove a document and the events that its puts were; returns whether there was one."""
        return self._run(DeleteDocument(namespace, key))

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
        """The documents below a namespace: the best for a query or a vector, else the newest."""
        given = (namespace_prefix, query, vector, filter, limit, offset, refresh_ttl)
        return self._run(SearchDocuments(*given))

    def list_namespaces(
        self,
        *,
        match: Sequence[NamespaceMatch] | None = None,
        max_depth: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> NamespaceListResult:
        """The namespaces that hold documents, sorted."""
        return self._run(ListNamespaces(match, max_depth, limit, offset))

    def batch_documents(self, operations: Sequence[DocumentOperation]) -> list[DocumentOutcome]:
        """Carry out several operations on documents; one outcome each, in their order."""
        self._ensure_open()
        return self._documents.run_all(operations)

    def sweep_documents(self) -> int:
        """Remove what has expired, which nobody sees any more; how many documents that were.

        Writing documents does this too, now and then.
        """
        self._ensure_open()
        return self._documents.sweep()

    def health(self) -> HealthResult:
        """Whether the database answers."""
        self._ensure_open()
        with self._database.read() as connection:
            tenant_store.state(connection, self._tenant_id)
        return HealthResult(status="ok", version=VERSION, store=self._database.kind)

    def close(self) -> None:
        """Write down what is counted and close the database; closing twice does nothing."""
        if self._closed:
            return
        self._closed = True
        if "_archivist" in self.__dict__:
            self._archivist.close()
        try:
            self.write_meter()
        finally:
            if self._room is not None and "_cache" in self.__dict__:
                self._room.left(self._cache)
            if "_documents" in self.__dict__:
                self._documents.close()
            if self._owns_database:
                self._database.close()

    @once
    def _embedder(self) -> Embedder:
        return self._given_embedder or StaticEmbedder()

    @once
    def _counter(self) -> TokenCounter:
        return self._given_counter or TokenCounter()

    @once
    def _intake(self) -> Intake:
        return Intake(self._database, self._tenant_id, self._embedder.name, self._clock)

    @once
    def _learner(self) -> Learner:
        return Learner(self._database, self._tenant_id, self._embedder, self._clock)

    @once
    def _cache(self) -> RecallCache:
        self._register()
        return RecallCache(
            self._tenant_id,
            self._embedder.dimensions,
            self._room,
            self._database.backend.archive,
        )

    @once
    def _archivist(self) -> Archivist:
        return Archivist(self._database, self._tenant_id)

    @once
    def _documents(self) -> Documents:
        self._register()
        return Documents(
            self._database,
            self._tenant_id,
            embedder=self._embedder,
            counter=self._counter,
            clock=self._clock,
            learner=self._learner,
            room=self._room,
        )

    def _run(self, operation: DocumentOperation) -> Any:
        self._ensure_open()
        return self._documents.run(operation)

    def _recall(self, connection: Connection, query: Query, options: SynthesizeOptions) -> Recall:
        """What is to be searched, as of the connection's snapshot; call with the cache's lock."""
        index, knowledge = self._cache.current(connection, self._embedder.name)
        archive = self._database.backend.archive
        if self._cache.is_behind:
            self._archivist.wake()
        if archive is None or not index.floor:
            return Recall(index, knowledge)
        older = propose(
            connection, archive, self._tenant_id, index.floor, query, options, index.dimensions
        )
        return Recall(
            index,
            knowledge,
            older.part,
            older.beyond,
            older.newest,
            partial(self._tokens_of, archive),
        )

    def _tokens_of(self, archive: Archive, sequence: Sequence[int]) -> int:
        with self._database.read() as connection:
            return archive.tokens(connection, self._tenant_id, sequence)

    def _store(self, checked: Sequence[CheckedEvent]) -> list[Stored]:
        return self._insert(prepare(checked, self._embedder, self._counter, self._clock()))

    def _store_imported(self, imported: Sequence[Imported]) -> list[Stored]:
        results: list[Stored] = []
        for start in range(0, len(imported), BATCH):
            chunk = imported[start : start + BATCH]
            prepared = prepare(
                [one.event for one in chunk], self._embedder, self._counter, self._clock()
            )
            results += self._insert(
                [
                    replace(one, event_id=origin.event_id, captured_at=origin.captured_at)
                    for one, origin in zip(prepared, chunk, strict=True)
                ]
            )
        return results

    def _insert(self, prepared: Sequence[Prepared]) -> list[Stored]:
        if not prepared:
            return []
        self._register()
        stored = self._intake.store(prepared)
        if duplicates := sum(one.duplicate for one in stored):
            self._meter.count(self._clock(), duplicates=duplicates)
        return stored

    def _register(self) -> None:
        """Make sure that the tenant exists and that its vectors are of our embedder."""
        if self._registered:
            return
        with self._lock:
            with self._database.read() as connection:
                state = tenant_store.state(connection, self._tenant_id)
            if state is None:
                with self._database.write() as connection:
                    tenant_store.create(
                        connection, self._tenant_id, self._embedder.name, self._clock()
                    )
                    state = tenant_store.state(connection, self._tenant_id)
            if state is not None and state.embedder != self._embedder.name:
                reembed(self._database, self._tenant_id, self._embedder)
            self._registered = True

    def _count(self, *, compilations: int = 0) -> None:
        self._meter.count(self._clock(), compilations=compilations)
        self.write_meter()

    def write_meter(self) -> None:
        """Write the counters down if the database can be written now; they are not worth more."""
        if self._meter.is_empty:
            return
        taken = self._meter.take()
        try:
            self._register()
            with self._database.write() as connection:  # sums need no turn of the tenant's
                taken.write(connection, self._tenant_id)
        except UnavailableError:
            self._meter.put_back(taken)

    def after_fork(self) -> None:
        """In a child process: locks held by other threads of the parent would be held for ever."""
        self._lock = threading.Lock()
        self._meter = Meter()
        unmake(self, "_archivist", "_cache", "_documents", "_intake")

    def _ensure_open(self) -> None:
        if self._closed:
            raise UnavailableError("the memory is closed; open it again")


def _checked(event: CaptureEvent) -> CheckedEvent | ValidationError:
    try:
        return check_event(event)
    except ValidationError as fault:
        return fault


def _captured(stored: Stored) -> CaptureResult:
    return CaptureResult(
        event_id=stored.event_id,
        status="duplicate" if stored.duplicate else "ingested",
        salience_score=stored.salience,
        trace_id="trc_" + stored.event_id.removeprefix("evt_"),
        reason="its idempotency key was captured before" if stored.duplicate else None,
    )


def _refused(fault: ValidationError) -> CaptureResult:
    return CaptureResult(event_id="", status="error", reason=fault.message)


def _summary(results: Sequence[CaptureResult]) -> BatchSummary:
    return BatchSummary(
        total=len(results),
        ingested=sum(one.status == "ingested" for one in results),
        duplicates=sum(one.status == "duplicate" for one in results),
        errors=sum(one.status == "error" for one in results),
    )


def _filter(
    event_ids: Sequence[str] | None,
    session_id: str | None,
    agent_id: str | None,
    user_id: str | None,
    event_type: str | None,
) -> EventFilter:
    for name, value in (("session_id", session_id), ("agent_id", agent_id), ("user_id", user_id)):
        checks.check_optional_id(name, value)
    ids = checks.check_ids("event_ids", event_ids, MAX_IDS)
    return EventFilter(
        event_ids=None if ids is None else tuple(ids),
        session_id=session_id,
        agent_id=agent_id,
        user_id=user_id,
        type=event_type,
    )
