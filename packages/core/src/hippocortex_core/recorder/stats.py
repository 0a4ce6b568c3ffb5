"""What a recorder did, in numbers."""

from __future__ import annotations

from dataclasses import dataclass

from hippocortex_core.recorder.breaker import BreakerState


@dataclass(frozen=True)
class RecorderStats:
    """What a recorder did in this process.

    Attributes:
        recorded: Steps taken down.
        repeated: Steps recognized as recorded before, and skipped.
        delivered: Events that the service has; `duplicates` of them it had already.
        duplicates: See `delivered`.
        echoes: Messages that said nothing, or nothing but injected memory.
        refused: Events that can never be stored.
        dropped: Events lost because the queue or the spool was full, or damaged.
        spooled: Events that had to wait on disk for the service.
        replayed: Events delivered after such a wait, also those of earlier processes.
        pending: Events on their way.
        recalls: Questions asked.
        recall_timeouts: Those not answered in time.
        recall_failures: Those answered with an error.
        recalls_skipped: Those not asked because the breaker was open.
        breaker: The state of recall's circuit breaker.
        last_error: The last thing that went wrong, without secrets.
    """

    recorded: int
    repeated: int
    delivered: int
    duplicates: int
    echoes: int
    refused: int
    dropped: int
    spooled: int
    replayed: int
    pending: int
    recalls: int
    recall_timeouts: int
    recall_failures: int
    recalls_skipped: int
    breaker: BreakerState
    last_error: str | None
