"""The blocking client."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from hippocortex_core.config import DEFAULT_TIMEOUT, resolve
from hippocortex_core.home import EXPORT_PAGE, Lazy, fixed, open_transport, pieces
from hippocortex_core.operations import (
    Capture,
    CaptureBatch,
    DeprecateArtifact,
    Forget,
    GetArtifact,
    GetMetrics,
    Health,
    ImportEvents,
    Learn,
    ListArtifacts,
    ListEvents,
    Operation,
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
    Event,
    EventListResult,
    ForgetResult,
    HealthResult,
    LearnOptions,
    LearnResult,
    MetricsGranularity,
    MetricsPeriodName,
    MetricsResult,
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
        timeout: Seconds to wait for a service.
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
        """A page of artifacts; default: 20, newest update first."""
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

        Raises:
            ValidationError: Nothing was given.
        """
        return self._send(Forget(event_ids, session_id, agent_id, user_id))

    def import_events(self, events: Sequence[Event]) -> BatchCaptureResult:
        """Store exported events under their own ids; known ids are duplicates."""
        parts = [self._send(ImportEvents(piece)) for piece in pieces(events)]
        return merge_batches(parts)

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
