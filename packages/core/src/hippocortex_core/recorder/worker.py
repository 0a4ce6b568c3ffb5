"""The one thread under a recorder: it writes down what was recorded, and sees it delivered.

    put() ──► queue ──(within milliseconds)──► spool ──(batches)──► service
              memory                            disk

A process that is killed loses what it recorded in its last milliseconds (`GATHER`, and the time of
one write); everything else is in the spool, and delivered by the next process.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from hippocortex_core.recorder.calls import Calls
from hippocortex_core.recorder.counters import Counters
from hippocortex_core.recorder.intake import Noted
from hippocortex_core.recorder.outbox import Outbox
from hippocortex_core.recorder.snapshot import Lost
from hippocortex_core.types import CaptureEventType

GATHER = 0.003
"""Seconds that the thread lets events gather before it writes them down."""

_LEAD_MS = 1_000
_JOIN = 5.0
"""Seconds that a close waits, at least, until what was recorded is on disk."""

NewOutbox = Callable[[Calls, Callable[[], None]], Outbox]


class Worker:
    """Takes events from any thread, and gets them to the service in the order they came.

    Args:
        outbox: Makes what the thread works on, in each process anew.
        counters: Where everything is counted.
        queue_size: Events in memory at most; while there are so many, further ones are refused:
            what was accepted is kept, and sessions lose their end rather than their middle.
        clock: Seconds since the epoch.
        timer: Seconds that only grow.
        on_start: Called when the thread starts.
    """

    def __init__(
        self,
        outbox: NewOutbox,
        counters: Counters,
        *,
        queue_size: int,
        clock: Callable[[], float],
        timer: Callable[[], float],
        on_start: Callable[[], None],
    ) -> None:
        self._on_start = on_start
        self._new_outbox = outbox
        self._counters = counters
        self._queue_size = queue_size
        self._clock = clock
        self._timer = timer
        self.calls = Calls("hippocortex-delivery", 1)
        self._begin()

    def _begin(self) -> None:
        # Re-entrant: a finalizer may record while its thread is in here, as the garbage collector
        # runs at any time.
        self._changed = threading.Condition(threading.RLock())
        self._queue: deque[Noted] = deque()
        self._thread: threading.Thread | None = None
        self._outbox: Outbox | None = None
        self._working = threading.Lock()  # held while the outbox is used
        self._ready = self._idle = self._hurry = self._stopping = self._closed = False
        self._accepted = self._written = self._seen_failures = 0
        self._last_at = 0

    # --- from any thread -------------------------------------------------------------------------

    def put(
        self,
        kind: str,
        type: CaptureEventType,  # noqa: A002
        payload: dict[str, Any] | bytes | Lost,
        metadata: dict[str, Any] | bytes | Lost | None,
        session_id: str,
        user_id: str | None,
        agent_id: str | None,
        key: str | None,
    ) -> bool:
        """Take an event in; False if there is no room, or this was closed."""
        with self._changed:
            if len(self._queue) >= self._queue_size or self._closed:
                return False
            at = self._stamp()
            self._queue.append(
                Noted(kind, type, payload, metadata, session_id, user_id, agent_id, key, at)
            )
            self._accepted += 1
            if self._idle:
                self._idle = False
                self._changed.notify_all()
            elif self._thread is None:
                self._start()
        return True

    def start(self) -> None:
        """Begin to deliver what an earlier process left, if anything."""
        if self._thread is None:
            with self._changed:
                self._start()

    def flush(self, timeout: float, *, patient: bool = True) -> bool:
        """Whether everything taken in so far is done with; waits for that as long as it may.

        Without patience, one failure of the service is enough to give up.
        """
        end = self._timer() + timeout
        with self._changed:
            self._start()
            if self._thread is not None and self._wait_until(self._caught_up(), end):
                outbox = self._outbox
                if outbox is None:
                    return not self._queue
                target = outbox.lines
                self._wait_until(self._delivered(outbox, target, end, patient=patient), end)
                return outbox.settled >= target
        return self._thread is None and self._save_here()

    def close(self, timeout: float) -> bool:
        """Flush, then end the thread; what is left waits in the spool."""
        done = self.flush(timeout, patient=False) if self.used else True
        self.abandon()
        if (thread := self._thread) is not None:
            thread.join(max(timeout, _JOIN))
        return done

    def abandon(self) -> None:
        """Have the thread end soon."""
        with self._changed:
            self._closed = self._stopping = True
            self._changed.notify_all()
        self.calls.close()

    def after_fork(self) -> None:
        """In the child: an empty queue and a thread of its own; the parent delivers the rest."""
        outbox = self._outbox
        self._begin()
        self.calls.reset()
        if outbox is not None:
            outbox.forsake()

    @property
    def used(self) -> bool:
        """Whether there ever was anything to do."""
        return self._thread is not None or bool(self._queue)

    @property
    def closed(self) -> bool:
        """Whether nothing is taken in any more."""
        return self._closed

    @property
    def accepted(self) -> int:
        """Events taken in so far."""
        return self._accepted

    @property
    def pending(self) -> int:
        """Events that are not done with."""
        outbox = self._outbox
        return self._accepted - self._written + (outbox.waiting if outbox else 0)

    def _stamp(self) -> int:
        """Milliseconds since the epoch, in the order of recording.

        Strictly growing, unless a burst would run ahead of the clock by more than a second; then
        events share a millisecond, and the order of delivery decides.
        """
        now = int(self._clock() * 1000)
        if now <= self._last_at:
            now = max(self._last_at, min(self._last_at + 1, now + _LEAD_MS))
        self._last_at = now
        return now

    def _start(self) -> None:
        if self._thread is not None or self._closed:
            return
        thread = threading.Thread(target=self._run, name="hippocortex-recorder", daemon=True)
        try:
            self._on_start()
            self.calls.prepare()
            thread.start()
        except RuntimeError:  # the interpreter shuts down: the flush at exit writes things down
            return
        self._thread = thread

    def _caught_up(self) -> Callable[[], bool]:
        """Everything recorded until now is in the outbox, behind what was there."""
        accepted = self._accepted
        self._hurry = True
        self._changed.notify_all()
        return lambda: (self._ready and self._written >= accepted) or self._closed

    def _delivered(
        self, outbox: Outbox, target: int, end: float, *, patient: bool
    ) -> Callable[[], bool]:
        failures = outbox.failures

        def finished() -> bool:
            if outbox.settled >= target or self._closed:
                return True
            hopeless = not patient or self._timer() + outbox.unreachable_for >= end
            return outbox.failures > failures and hopeless

        return finished

    def _wait_until(self, happened: Callable[[], bool], end: float) -> bool:
        return self._changed.wait_for(happened, max(0.0, end - self._timer()))

    def _save_here(self) -> bool:
        """Write down what is queued in this thread, as there can be no other."""
        with self._working:
            if not self._queue:
                return True
            self._open()
            self._write_down()
            self._shut()
            return False

    # --- in the thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            with self._working:
                self._open()
            while self._step():
                pass
        except Exception as error:  # noqa: BLE001 - a bug of ours must not show in an agent
            self._counters.failed(error, "the recorder stopped")
        finally:
            with self._working:
                self._shut()

    def _step(self) -> bool:
        stopping = self._wait()
        outbox = self._outbox
        assert outbox is not None
        with self._working:
            self._write_down()
            outbox.collect()
            failures = outbox.failures
            if not stopping:
                outbox.send(hurry=self._hurry)
        with self._changed:
            # A hurry is for one attempt, as long as attempts fail.
            more = bool(outbox.waiting or self._queue)
            self._hurry = self._hurry and more and failures == self._seen_failures
            self._seen_failures = failures
            self._changed.notify_all()
        return not stopping

    def _wait(self) -> bool:
        """Until there is something to do; returns whether to stop."""
        outbox = self._outbox
        assert outbox is not None
        with self._changed:
            if not self._has_work():
                self._idle = True
                self._changed.wait_for(self._has_work, outbox.pause())
                self._idle = False
            if self._queue and not (self._hurry or self._stopping):
                self._changed.wait_for(lambda: self._hurry or self._stopping, GATHER)
            return self._stopping

    def _has_work(self) -> bool:
        outbox = self._outbox
        assert outbox is not None
        if self._queue or self._stopping or outbox.done:
            return True
        pause = outbox.pause()
        return pause is not None and (self._hurry or pause == 0)

    def _write_down(self) -> None:
        outbox = self._outbox
        assert outbox is not None
        with self._changed:
            items = list(self._queue)
            self._queue.clear()
        outbox.write(items)
        self._written += len(items)

    def _open(self) -> None:
        outbox = self._new_outbox(self.calls, self._wake)
        outbox.open()
        with self._changed:
            self._outbox, self._ready = outbox, True
            self._changed.notify_all()

    def _shut(self) -> None:
        if self._outbox is not None:
            self._outbox.close()
        with self._changed:
            if self._thread is not None:
                self._closed = True
            self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
