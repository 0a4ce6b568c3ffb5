"""The one protocol of the product: what every home of a memory can do.

The engine implements it, the sync client satisfies it, the HTTP server is it turned inside out.
Every method raises `HippocortexError` subclasses only; invalid arguments raise `ValidationError`
whose `details` name the field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

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
    from hippocortex_core.operations.documents import DocumentOperation, DocumentOutcome


class MemoryService(Protocol):
    """A memory, wherever it lives."""

    def capture(self, event: CaptureEvent) -> CaptureResult:
        """Store one event; it is durable when this returns."""
        ...

    def capture_batch(self, events: Sequence[CaptureEvent]) -> BatchCaptureResult:
        """Store many events; a bad one does not hinder the others."""
        ...

    def learn(self, options: LearnOptions | None = None) -> LearnResult:
        """Run the Memory Compiler."""
        ...

    def synthesize(self, query: str, options: SynthesizeOptions | None = None) -> SynthesizeResult:
        """A context pack for the query, within its token budget."""
        ...

    def list_artifacts(
        self,
        type: ArtifactType | None = None,  # noqa: A002 - the reference's name
        status: ArtifactStatus | None = None,
        sort: ArtifactSort | None = None,
        order: SortOrder | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> ArtifactListResult:
        """A page of artifacts; default: 20, newest update first."""
        ...

    def get_artifact(self, artifact_id: str) -> Artifact:
        """One artifact with the ids of its evidence."""
        ...

    def deprecate_artifact(self, artifact_id: str) -> Artifact:
        """Retire an artifact by hand; learning does not bring it back."""
        ...

    def get_metrics(
        self,
        period: MetricsPeriodName | None = None,
        granularity: MetricsGranularity | None = None,
    ) -> MetricsResult:
        """Usage over 24h (default), 7d or 30d."""
        ...

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
        ...

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
            ValidationError: nothing was given.
        """
        ...

    def import_events(self, events: Sequence[Event]) -> BatchCaptureResult:
        """Store exported events under their own ids; known ids are duplicates."""
        ...

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
        ...

    def get_document(
        self, namespace: Sequence[str], key: str, *, refresh_ttl: bool = True
    ) -> Document | None:
        """The document, if there is one; by default its time to live begins anew."""
        ...

    def delete_document(self, namespace: Sequence[str], key: str) -> bool:
        """Remove a document and the events that its puts were; returns whether there was one."""
        ...

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
        ...

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
        ...

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
        ...

    def sweep_documents(self) -> int:
        """Delete the documents that have expired; returns how many there were.

        They are invisible in any case, and deleted by and by whenever something is written.
        """
        ...

    def health(self) -> HealthResult:
        """Whether the service can answer."""
        ...

    def close(self) -> None:
        """Release what is held; further calls raise `UnavailableError`."""
        ...
