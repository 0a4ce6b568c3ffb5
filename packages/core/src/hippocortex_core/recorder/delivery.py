"""Handing events to a service: what it refuses is set aside, what fails is tried again later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hippocortex_core.errors import ConflictError, PayloadTooLargeError, ValidationError
from hippocortex_core.service import MemoryService
from hippocortex_core.types import BatchCaptureResult, CaptureEvent

_REFUSALS = (ValidationError, PayloadTooLargeError, ConflictError)


@dataclass
class Delivery:
    """What became of a batch: its first `settled` events are done with.

    `complaint` is why the last refused one was; `error` why the rest was not taken.
    """

    settled: int = 0
    stored: int = 0
    duplicates: int = 0
    refused: int = 0
    complaint: str = ""
    error: Exception | None = None

    def then(self, other: Delivery) -> Delivery:
        """Both, one after the other."""
        return Delivery(
            self.settled + other.settled,
            self.stored + other.stored,
            self.duplicates + other.duplicates,
            self.refused + other.refused,
            other.complaint or self.complaint,
            other.error,
        )


def deliver(service: MemoryService, events: Sequence[CaptureEvent]) -> Delivery:
    """Send the events in one request; if it is refused as a whole, in halves."""
    try:
        return _told(service.capture_batch(list(events)))
    except _REFUSALS as error:
        if len(events) == 1:
            return Delivery(settled=1, refused=1, complaint=f"{error.code}: {error.message}")
    except Exception as error:  # noqa: BLE001 - a service may fail in any way
        return Delivery(error=error)
    middle = len(events) // 2
    first = deliver(service, events[:middle])
    return first if first.error else first.then(deliver(service, events[middle:]))


def deliver_singly(service: MemoryService, events: Sequence[CaptureEvent]) -> Delivery:
    """Send the events one by one: for a batch on which the service keeps failing.

    An event that fails while a later one is taken is at fault itself, and refused.
    """
    total = Delivery()
    failing = 0
    error: Exception | None = None
    for event in events:
        one = deliver(service, [event])
        if one.error is not None:
            failing, error = failing + 1, one.error
            continue
        if failing:
            total = total.then(Delivery(failing, refused=failing, complaint=str(error)))
            failing = 0
        total = total.then(one)
    total.error = error if failing else None
    return total


def _told(result: BatchCaptureResult) -> Delivery:
    statuses = [one.status for one in result.results]
    reasons = [one.reason for one in result.results if one.status == "error" and one.reason]
    refused = statuses.count("error")
    duplicates = statuses.count("duplicate")
    stored = len(statuses) - refused - duplicates
    complaint = reasons[-1] if reasons else ""
    return Delivery(len(statuses), stored, duplicates, refused, complaint)
