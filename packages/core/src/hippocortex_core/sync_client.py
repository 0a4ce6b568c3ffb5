"""The blocking client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from hippocortex_core.config import DEFAULT_TIMEOUT, resolve
from hippocortex_core.home import EXPORT_PAGE, Lazy, fixed, open_transport, pieces
from hippocortex_core.operations import (
    BatchDocuments,
    Capture,
    CaptureBatch,
    DeleteDocument,
    DeprecateArtifact,
    DocumentOperation,
    DocumentOutcome,
    Forget,
    GetArtifact,
    GetDocument,
    GetMetrics,
    Health,
    ImportEvents,
    Learn,
    ListArtifacts,
    ListEvents,
    ListNamespaces,
    Operation,
    PutDocument,
    SearchDocuments,
    SweepDocuments,
    Synthesize,
    merge_batches,
)
from hippocortex_core.service import MemoryService
from hippocortex_core.transports.base import Transport
from hippocortex_core.transports.local import LocalTransport
from hippocortex_core.types import (
    Artifact,
    ArtifactListResult,
    ArtifactSort,
    ArtifactStatus,
    ArtifactType,
    BatchCaptureResult,
    CaptureEvent,
    CaptureEventType,
    CaptureResult,
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

if TYPE_CHECKING:
    from typing_extensions import Self  # in typing from 3.11 on

T = TypeVar("T")


class SyncHippocortex:
    """A memory, wherever it lives, for blocking code; it satisfies `MemoryService`.

    The home is opened on first use.  Every method raises `HippocortexError` subclasses only.

    Args:
        api_key: Default: `HIPPOCORTEX_API_KEY`, then `.hippocortex.json`.
        base_url: `https://…`, `sqlite:///path` or `postgresql://…`; default:
            `HIPPOCORTEX_BASE_URL`, then `.hippocortex.json`, then the cloud if there is a key, and
            else the embedded engine in `./.hippocortex`.
        timeout: Seconds to wait for a service; default: 30.
        transport: Carries the calls instead; closed with the client.
        service: Answers the calls instead, in this process; left open by `close`.

    Raises:
        ConfigurationError: Nothing names a home and no engine is installed, or the configuration
            is broken.
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        *,
        transport: Transport | None = None,
        service: MemoryService | None = None,
    ) -> None:
        if service is not None:
            transport = LocalTransport(service, owned=False)
        self._home: Lazy[Transport]
        if transport is not None:
            self._home = fixed(transport)
        else:
            self._home = Lazy(partial(open_transport, resolve(api_key, base_url, timeout)))

    def capture(self, event: CaptureEvent) -> CaptureResult:
        """Store one event; it is durable when this returns."""
        return self._send(Capture(event))

    def capture_batch(self, events: Sequence[CaptureEvent]) -> BatchCaptureResult:
        """Store many events; a bad one does not hinder the others.

        More than 1,000 are sent as several requests, in order; when one of these fails, the
        earlier ones are stored.
        """
        parts = [self._send(CaptureBatch(piece)) for piece in pieces(events)]
        return merge_batches(parts)

    def learn(self, options: LearnOptions | None = None) -> LearnResult:
        """Run the Memory Compiler."""
        return self._send(Learn(options))

    def synthesize(self, query: str, options: SynthesizeOptions | None = None) -> SynthesizeResult:
        """A context pack for the query, within its token budget."""
        return self._send(Synthesize(query, options))

    def list_artifacts(
        self,
        type: ArtifactType | None = None,  # noqa: A002 - the reference's name
        status: ArtifactStatus | None = None,
        sort: ArtifactSort | None = None,
        order: SortOrder | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> ArtifactListResult:
        """A page of artifacts; default: 20, newest update first.

        A cursor keeps the filters and the order of its listing.
        """
        return self._send(ListArtifacts(type, status, sort, order, limit, cursor))

    def get_artifact(self, artifact_id: str) -> Artifact:
        """One artifact with the ids of its evidence.

        Raises:
            NotFoundError: There is none with this id.
        """
        return self._send(GetArtifact(artifact_id))

    def deprecate_artifact(self, artifact_id: str) -> Artifact:
        """Retire an artifact by hand; learning does not bring it back.

        Raises:
            NotFoundError: There is none with this id.
        """
        return self._send(DeprecateArtifact(artifact_id))

    def get_metrics(
        self,
        period: MetricsPeriodName | None = None,
        granularity: MetricsGranularity | None = None,
    ) -> MetricsResult:
        """Usage over 24h (default), 7d or 30d."""
        return self._send(GetMetrics(period, granularity))

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
        return self._send(
            ListEvents(event_ids, session_id, agent_id, user_id, type, order, limit, cursor)
        )

    def export(
        self,
        *,
        session_id: str | None = None,
        agent_id: str | None = None,
        user_id: str | None = None,
    ) -> Iterator[Event]:
        """Every event that matches all that is given, oldest first."""
        cursor = None
        while True:
            page = self.list_events(
                session_id=session_id,
                agent_id=agent_id,
                user_id=user_id,
                order="asc",
                limit=EXPORT_PAGE,
                cursor=cursor,
            )
            yield from page.events
            cursor = page.pagination.cursor
            if not page.pagination.has_more or cursor is None:
                return

    def forget(
        self,
        *,
        event_ids: Sequence[str] | None = None,
        session_id: str | None = None,
        agent_id: str | None = None,
        user_id: str | None = None,
    ) -> ForgetResult:
        """Delete the events that match all that is given; artifacts lose that evidence too.

        With a `user_id`, the documents that were put for that user go as well.

        Raises:
            ValidationError: Nothing was given.
        """
        return self._send(Forget(event_ids, session_id, agent_id, user_id))

    def import_events(self, events: Sequence[Event]) -> BatchCaptureResult:
        """Store exported events under their own ids; known ids are duplicates."""
        parts = [self._send(ImportEvents(piece)) for piece in pieces(events)]
        return merge_batches(parts)

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
        """Keep a JSON object under a namespace and a key, in place of what is there.

        Args:
            namespace: 1 to 32 labels, each 1 to 256 characters, none of them a control
                character but tabs and line breaks.
            key: 1 to 1,024 characters.
            value: A JSON object, at most 1 MiB.
            index: What a query searches: nothing (False), the whole value (True, the default), or
                the text at these paths (`"a.b"`, `"a[0]"`, `"a[*].b"`, `"$"`).
            ttl: Seconds until it expires; default: never.
            vectors: The caller's own embeddings, in place of the engine's.
            user_id: Whose document it is: `forget(user_id=...)` removes it.  Default: whose it was.
            agent_id: Whose event the put is, as `user_id`.
            session_id: The session of that event; default: one for each document.
            capture: Whether the put is also an event, an "observation" to learn from and to recall.
                Overwriting a document with the value it has is none.

        Raises:
            ValidationError: An argument is malformed or too large.
        """
        self._send(
            PutDocument(
                namespace,
                key,
                value,
                index,
                ttl,
                vectors,
                user_id,
                agent_id,
                session_id,
                capture,
            )
        )

    def get_document(
        self, namespace: Sequence[str], key: str, *, refresh_ttl: bool = True
    ) -> Document | None:
        """The document, if there is one; by default its time to live begins anew."""
        return self._send(GetDocument(namespace, key, refresh_ttl))

    def delete_document(self, namespace: Sequence[str], key: str) -> bool:
        """Remove a document and the events that its puts were; returns whether there was one."""
        return self._send(DeleteDocument(namespace, key))

    def search_documents(
        self,
        namespace_prefix: Sequence[str] = (),
        *,
        query: str | None = None,
        vector: Sequence[float] | None = None,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - the name of the field's search APIs
        limit: int = 10,
        offset: int = 0,
        refresh_ttl: bool = True,
    ) -> DocumentSearchResult:
        """The documents below a namespace: the best for a query or a vector, else the newest.

        Args:
            namespace_prefix: Whole labels that the namespace begins with; default: all.
            query: Ranks by meaning and words, scored 0..1; what is not indexed comes last.
            vector: Ranks by the cosine to the vectors that were put; not together with a query.
            filter: What fields of the value must be: `{"status": "open", "cost.usd": {"$lt": 5}}`;
                operators `$eq $ne $gt $gte $lt $lte` (docs/python-sdk.md).
            limit: At most 10,000.
            offset: How many to leave out before the first.
            refresh_ttl: Whether the time to live of what is found begins anew.

        Raises:
            ValidationError: An argument is malformed, or the filter has an unknown operator.
        """
        return self._send(
            SearchDocuments(namespace_prefix, query, vector, filter, limit, offset, refresh_ttl)
        )

    def list_namespaces(
        self,
        *,
        match: Sequence[NamespaceMatch] | None = None,
        max_depth: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> NamespaceListResult:
        """The namespaces that hold documents, sorted.

        Args:
            match: Conditions that all must hold.
            max_depth: How many labels to keep of each; what is then the same is listed once.
            limit: At most 10,000.
            offset: How many to leave out before the first.
        """
        return self._send(ListNamespaces(match, max_depth, limit, offset))

    def batch_documents(self, operations: Sequence[DocumentOperation]) -> list[DocumentOutcome]:
        """Carry out several operations on documents; one outcome each, in their order.

        Reads see the state before the writes of the batch.  Of several writes to one document the
        last wins.  All writes are one transaction.

        Args:
            operations: At most 1,000 of `PutDocument`, `GetDocument`, `DeleteDocument`,
                `SearchDocuments` and `ListNamespaces` of `hippocortex_core.operations`.

        Raises:
            ValidationError: One of them is malformed; then none is carried out.
        """
        return self._send(BatchDocuments(operations))

    def sweep_documents(self) -> int:
        """Delete the documents that have expired; returns how many there were.

        They are invisible in any case, and deleted by and by whenever something is written.
        """
        return self._send(SweepDocuments())

    def health(self) -> HealthResult:
        """Whether the service can answer."""
        return self._send(Health())

    def close(self) -> None:
        """Release what is held; further calls raise `UnavailableError`."""
        if (transport := self._home.close()) is not None:
            transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _send(self, operation: Operation[T]) -> T:
        return self._home.get().send(operation)
