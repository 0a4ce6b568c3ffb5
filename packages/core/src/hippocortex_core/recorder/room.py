"""What the recorders of one home share: the thread, the spool, the breaker, the counts."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from hippocortex_core.home import Lazy, fixed
from hippocortex_core.recorder import exit as at_exit
from hippocortex_core.recorder.calls import Calls
from hippocortex_core.recorder.counters import Counters
from hippocortex_core.recorder.outbox import Outbox
from hippocortex_core.recorder.recalling import Recaller
from hippocortex_core.recorder.snapshot import take
from hippocortex_core.recorder.spool import Spool
from hippocortex_core.recorder.stats import RecorderStats
from hippocortex_core.recorder.worker import Worker
from hippocortex_core.service import MemoryService
from hippocortex_core.steps import AnyStep, step_key

_REMEMBERED = 8_192
"""Keys of recent steps, at least, that are known without asking the service."""


_FORK_PATIENCE = 1.0
"""Seconds that a fork waits for calls under way."""

_IMPORT_PATIENCE = 20.0
"""Seconds that a fork, and the end of the process, wait for imports under way."""


@dataclass(frozen=True)
class RoomOptions:
    """See `Recorder`."""

    recall_deadline: float
    queue_size: int
    batch_size: int
    flush_interval: float
    spool_dir: Path | None
    spool_bytes: int
    on_exit_deadline: float
    clock: Callable[[], float]
    timer: Callable[[], float]
    new_id: Callable[[], str]


class Home:
    """The service, opened on first use if it is not given."""

    def __init__(self, service: MemoryService | Callable[[], MemoryService]) -> None:
        # A service may be callable, too, as mocks are.
        self._given = hasattr(service, "capture_batch")
        self._opener = cast("Callable[[], MemoryService]", service)
        self.after_fork()

    def open(self) -> MemoryService:
        """The service."""
        return self._lazy.get()

    def close(self) -> None:
        """Close the service, if it was opened here."""
        service = self._lazy.close()
        if service is not None and not self._given:
            with contextlib.suppress(Exception):
                service.close()

    def after_fork(self) -> None:
        """In the child: somebody may have been opening it."""
        given = cast("MemoryService", self._opener)
        self._lazy: Lazy[MemoryService] = fixed(given) if self._given else Lazy(self._opener)


class Room:
    """Records and recalls for any number of recorders."""

    def __init__(
        self,
        service: MemoryService | Callable[[], MemoryService],
        options: RoomOptions,
        load: Callable[[], object] | None = None,
    ) -> None:
        self.options = options
        self.counters = Counters()
        self.home = Home(service)
        self.forks = 0
        self._young: dict[int, None] = {}
        self._old: dict[int, None] = {}
        self.recaller = Recaller(
            self.home.open, self.counters, options.recall_deadline, options.timer, load
        )
        self.worker = Worker(
            _outbox_of(self.home.open, options, self.counters),
            self.counters,
            queue_size=options.queue_size,
            clock=options.clock,
            timer=options.timer,
            on_start=at_exit.arm,
        )
        at_exit.register(self)

    def record(
        self, step: AnyStep, session_id: str, user_id: str | None, agent_id: str | None
    ) -> bool:
        """Take the step down; False if that was not possible."""
        key = step_key(step)
        mark = None if key is None else hash((session_id, step.kind, key))
        if mark is not None and self._known(mark):
            self.counters.add("repeated")
            return True
        metadata = step.metadata
        taken = self.worker.put(
            step.kind,
            step.type,
            take(step.payload()),
            None if metadata is None else take(dict(metadata)),
            session_id,
            user_id,
            agent_id,
            key,
        )
        if not taken:
            self._young.pop(mark, None)  # type: ignore[arg-type]
        return taken

    def stats(self) -> RecorderStats:
        """What happened so far."""
        counters, worker = self.counters, self.worker
        return RecorderStats(
            recorded=worker.accepted,
            repeated=counters["repeated"],
            delivered=counters["delivered"],
            duplicates=counters["duplicates"],
            echoes=counters["echoes"],
            refused=counters["refused"],
            dropped=counters["dropped"],
            spooled=counters["spooled"],
            replayed=counters["replayed"],
            pending=worker.pending,
            recalls=counters["recalls"],
            recall_timeouts=counters["recall_timeouts"],
            recall_failures=counters["recall_failures"],
            recalls_skipped=counters["recalls_skipped"],
            breaker=self.recaller.breaker.state,
            last_error=counters.last_error,
        )

    def close(self, timeout: float) -> bool:
        """Flush, and release what is held."""
        done = self.worker.close(timeout)
        self.recaller.calls.close()
        self.home.close()
        return done

    def at_exit(self) -> None:
        """The process ends: deliver what can be delivered in time; the rest is on disk.

        What is still being asked may use the rest of the time: a thread that the interpreter stops
        in the middle of native code can take the process down with it.
        """
        deadline, timer = self.options.on_exit_deadline, self.options.timer
        end = timer() + deadline
        if self.worker.used:
            self.worker.close(deadline)
        for calls in (self.worker.calls, self.recaller.calls):
            calls.hold(max(0.0, end - timer()), _IMPORT_PATIENCE)
            calls.release()

    def before_fork(self) -> None:
        """Let calls under way end first, as far as they do so soon."""
        self.worker.calls.hold(_FORK_PATIENCE, _IMPORT_PATIENCE)
        self.recaller.calls.hold(_FORK_PATIENCE, _IMPORT_PATIENCE)

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self.worker.calls.release()
        self.recaller.calls.release()

    def after_fork(self) -> None:
        """In the child: what was queued is the parent's."""
        if self.worker.closed:
            return  # and stays closed
        self.forks += 1
        self.home.after_fork()
        self.counters.reset()
        self.worker.after_fork()
        self.recaller.after_fork()

    def _known(self, mark: int) -> bool:
        """Whether this step was recorded lately; from now on it was."""
        if mark in self._young or mark in self._old:
            return True
        if len(self._young) >= _REMEMBERED:
            self._old, self._young = self._young, {}
        self._young[mark] = None
        return False


def abandon(worker: Worker, calls: Calls) -> None:
    """Let the threads of a recorder end that nobody uses any more."""

    def end() -> None:
        worker.abandon()
        calls.close()

    # The garbage collector may run this in the middle of anything, even under the worker's lock.
    with contextlib.suppress(RuntimeError):
        threading.Thread(target=end, daemon=True).start()


def _outbox_of(
    service: Callable[[], MemoryService], options: RoomOptions, counters: Counters
) -> Callable[[Calls, Callable[[], None]], Outbox]:
    def make(calls: Calls, wake: Callable[[], None]) -> Outbox:
        return Outbox(
            service,
            Spool(options.spool_dir, options.spool_bytes, options.queue_size, options.clock),
            counters,
            calls,
            batch_size=options.batch_size,
            interval=options.flush_interval,
            new_key=options.new_id,
            timer=options.timer,
            wake=wake,
        )

    return make
