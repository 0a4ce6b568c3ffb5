"""The one protocol of the product: what every home of a memory can do.

The engine implements it, the sync client satisfies it, the HTTP server is it turned inside out.
Every method raises `HippocortexError` subclasses only; invalid arguments raise `ValidationError`
whose `details` name the field.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

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

        Raises:
            ValidationError: nothing was given.
        """
        ...

    def import_events(self, events: Sequence[Event]) -> BatchCaptureResult:
        """Store exported events under their own ids; known ids are duplicates."""
        ...

    def health(self) -> HealthResult:
        """Whether the service can answer."""
        ...

    def close(self) -> None:
        """Release what is held; further calls raise `UnavailableError`."""
        ...
