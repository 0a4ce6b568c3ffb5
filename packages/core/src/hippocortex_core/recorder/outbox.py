"""What stands between the queue and the service: written down, sent in batches, accounted for.

All of it happens in the recorder's thread, which never waits for the service: the call itself is
made by an expendable thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial

from hippocortex_core.errors import HippocortexError, InternalError, ValidationError
from hippocortex_core.recorder.breaker import Breaker
from hippocortex_core.recorder.calls import Calls
from hippocortex_core.recorder.counters import Counters
from hippocortex_core.recorder.delivery import Delivery, deliver, deliver_singly
from hippocortex_core.recorder.intake import Noted, from_line, prepare
from hippocortex_core.recorder.spool import Spool
from hippocortex_core.service import MemoryService
from hippocortex_core.types import CaptureEvent

BATCH_BYTES = 1 << 20
SUSPICIOUS = 3
"""Failures of the service on the same batch, until its events are tried one by one."""

_MAYBE_THE_EVENT = (InternalError, TypeError, ValueError, KeyError, AttributeError)


class Outbox:
    """Events in the order they came, on their way to the service.

    Attributes:
        lines: Events written down so far, with those that an earlier process left.
        settled: How many of these are done with: delivered, refused or lost.
        failures: How often the service failed to take a batch.
    """

    def __init__(
        self,
        service: Callable[[], MemoryService],
        spool: Spool,
        counters: Counters,
        calls: Calls,
        *,
        batch_size: int,
        interval: float,
        new_key: Callable[[], str],
        timer: Callable[[], float],
        wake: Callable[[], None],
    ) -> None:
        self._service = service
        self._spool = spool
        self._counters = counters
        self._calls = calls
        self._batch_size = batch_size
        self._interval = interval
        self._new_key = new_key
        self._timer = timer
        self._wake = wake
        self._breaker = Breaker(1, 0.5, 60.0, timer)
        self._sending: Future[Delivery] | None = None
        self._next_send = 0.0
        self._failing = 0
        self._late = 0  # what stands before this position had to wait for the service
        self._lost = 0
        self.lines = self.settled = self.failures = 0

    def open(self) -> None:
        """Take over what earlier processes left."""
        torn = self._spool.open()
        if torn:
            self._counters.dropped(torn, "a process died while it wrote to the spool")
        self._check_disk()
        self.lines = self._late = self._spool.pending

    def write(self, items: Sequence[Noted]) -> None:
        """Write events down."""
        lines = [line for line in map(self._prepared, items) if line is not None]
        if not lines:
            return
        self._spool.append(lines)
        self.lines += len(lines)
        if self._breaker.state != "closed":
            self._hold_back()
        self._check_disk()
        self._count_lost()

    @property
    def done(self) -> bool:
        """Whether a batch under way has come to an end."""
        return self._sending is not None and self._sending.done()

    @property
    def waiting(self) -> int:
        """Events that are written down and not done with."""
        return self.lines - self.settled

    @property
    def unreachable_for(self) -> float:
        """Seconds until a service that failed is tried again."""
        return self._breaker.remaining

    def pause(self) -> float | None:
        """Seconds until the next batch may be sent; None: not before something happens."""
        if self._sending is not None or not self.waiting:
            return None
        early = 0.0 if self.waiting >= self._batch_size else self._next_send - self._timer()
        return max(0.0, early, self._breaker.remaining)

    def send(self, *, hurry: bool) -> None:
        """Begin to send the next batch, if it is time or there is a hurry."""
        pause = self.pause()
        if pause is None or (pause and not hurry):
            return
        found = [from_line(line) for line in self._spool.peek(self._batch_size, BATCH_BYTES)]
        good = [event for event in found[: found.index(None) if None in found else None] if event]
        if good:
            self._sending = self._submit(good)
        else:
            self._spool.ack(len(found[:1]))
            self._spool.dropped += len(found[:1])
        self._count_lost()

    def collect(self) -> None:
        """Account for the batch that has come to an end, if one has."""
        sending = self._sending
        if sending is None or not sending.done():
            return
        self._sending = None
        problem = sending.exception()  # the service could not even be opened
        delivery = Delivery() if problem else sending.result()
        error = problem or delivery.error
        self._spool.ack(delivery.settled)
        self._count(delivery)
        self.settled += delivery.settled
        self._next_send = self._timer() + self._interval
        self._failing = self._failing + 1 if isinstance(error, _MAYBE_THE_EVENT) else 0
        if error is None:
            self._breaker.success()
        else:
            self._failed(error)

    def close(self) -> None:
        """Let go of the disk; what waits is taken over by the next process."""
        self.collect()
        self._spool.close()

    def forsake(self) -> None:
        """In the child of a fork: all this is the parent's."""
        self._spool.forsake()

    # --- parts -----------------------------------------------------------------------------------

    def _prepared(self, noted: Noted) -> bytes | None:
        try:
            line = prepare(noted, self._new_key)
        except ValidationError as error:
            self._counters.refused(1, f"{error.code}: {error.message}")
            return None
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not stop the others
            self._counters.refused(1, f"{type(error).__name__}: {error}")
            return None
        if line is None:
            self._counters.add("echoes")
        return line

    def _submit(self, events: list[CaptureEvent]) -> Future[Delivery]:
        call = deliver_singly if self._failing >= SUSPICIOUS else deliver
        try:
            sending = self._calls.submit(partial(_deliver, call, self._service, events))
        except RuntimeError as error:  # no more threads: the interpreter is shutting down
            sending = Future[Delivery]()
            sending.set_result(Delivery(error=error))
        sending.add_done_callback(lambda _: self._wake())
        return sending

    def _count(self, delivery: Delivery) -> None:
        taken = delivery.stored + delivery.duplicates
        self._counters.add("delivered", taken)
        self._counters.add("duplicates", delivery.duplicates)
        self._counters.add("replayed", max(0, min(taken, self._late - self.settled)))
        if delivery.refused:
            self._counters.refused(delivery.refused, delivery.complaint)

    def _failed(self, error: BaseException) -> None:
        retry_after = error.retry_after if isinstance(error, HippocortexError) else None
        self._breaker.failure(retry_after)
        self._counters.failed(error, "events wait until the memory answers")
        self._hold_back()
        self.failures += 1

    def _hold_back(self) -> None:
        """What waits will wait for long: it must survive a power cut, too."""
        self._spool.sync()
        begin = max(self._late, self.settled)
        self._counters.add("spooled", max(0, self.lines - begin))
        self._late = max(begin, self.lines)

    def _check_disk(self) -> None:
        if self._spool.error is not None:
            self._counters.failed(self._spool.error, "the spool cannot be used")

    def _count_lost(self) -> None:
        lost, self._lost = self._spool.dropped - self._lost, self._spool.dropped
        if lost:
            self.settled += lost
            self._counters.dropped(lost, "the spool is full or damaged")


def _deliver(
    call: Callable[[MemoryService, Sequence[CaptureEvent]], Delivery],
    service: Callable[[], MemoryService],
    events: Sequence[CaptureEvent],
) -> Delivery:
    return call(service(), events)
