"""Storing what several threads capture at the same time in one transaction.

A commit costs more than storing an event.  Whoever comes while another's transaction is under way
waits for its end, and all who waited go together in the next one (group commit; DeWitt et al.,
1984).  A caller alone never waits.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from hippocortex_core.errors import UnavailableError
from hippocortex_engine.capturing import Prepared, Stored, store, store_at_once
from hippocortex_engine.clock import Clock
from hippocortex_engine.recent import Recent
from hippocortex_engine.storage.database import Database

TOGETHER = 1_000
"""Events of several callers that one transaction takes at most."""

_CAUTIOUS = 16  # transactions after which storing at once is tried again when it did not work


_Given = tuple[str, Sequence[Prepared], Recent, str, int]


@dataclass(slots=True, eq=False)
class _Waiting:
    """One caller's events, and what became of them."""

    prepared: Sequence[Prepared]
    turn: threading.Event = field(default_factory=threading.Event)
    stored: list[Stored] | None = None
    fault: Exception | None = None

    @property
    def is_done(self) -> bool:
        return self.stored is not None or self.fault is not None

    def result(self) -> list[Stored]:
        if self.fault is not None:
            raise self.fault
        assert self.stored is not None
        return self.stored


class Intake:
    """Takes in the events of one tenant.  Safe to use from several threads."""

    def __init__(self, database: Database, tenant_id: str, embedder: str, clock: Clock) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._embedder = embedder
        self._clock = clock
        self._recent = Recent()
        self._cautious = 0
        self._lock = threading.Lock()
        self._busy = False
        self._queue: deque[_Waiting] = deque()

    def store(self, prepared: Sequence[Prepared]) -> list[Stored]:
        """Store events in one transaction, alone or with those of other threads.

        Raises:
            QuotaExceededError: the tenant may not capture so many more this month.
            UnavailableError: the database cannot answer; nothing of these events was stored, or
                the connection broke while they were committed.
        """
        mine = _Waiting(prepared)
        with self._lock:
            self._queue.append(mine)
            leads, self._busy = not self._busy, True
        if not leads:
            self._wait(mine)
        if not mine.is_done:
            self._lead()
        return mine.result()

    def _wait(self, mine: _Waiting) -> None:
        """Until it is stored, or our turn to lead."""
        try:
            mine.turn.wait()
        except BaseException:  # an interrupt: whoever leads must not count on us
            with self._lock:
                if mine in self._queue:
                    self._queue.remove(mine)
                    if mine.turn.is_set():
                        self._hand_over()
            raise

    def _hand_over(self) -> None:
        self._busy = bool(self._queue)
        if self._queue:
            self._queue[0].turn.set()

    def _lead(self) -> None:
        """Store what waits, from the front, then let the next one lead."""
        taken = self._take()
        try:
            self._store_together(taken)
        finally:
            with self._lock:
                # Whom an interrupt has left without an answer goes first next time.
                self._queue.extendleft(one for one in reversed(taken[1:]) if not one.is_done)
                self._hand_over()
            for one in taken:
                if one.is_done:
                    one.turn.set()

    def _take(self) -> list[_Waiting]:
        with self._lock:
            taken = [self._queue.popleft()]
            size = len(taken[0].prepared)
            while self._queue and size + len(self._queue[0].prepared) <= TOGETHER:
                taken.append(self._queue.popleft())
                size += len(taken[-1].prepared)
        return taken

    def _store_together(self, taken: Sequence[_Waiting]) -> None:
        try:
            stored = iter(self._transact([one for each in taken for one in each.prepared]))
        except UnavailableError as fault:
            for each in taken:
                each.fault = UnavailableError(fault.message)
                each.fault.__cause__ = fault.__cause__
        except Exception as fault:  # noqa: BLE001 - raised to the one whose fault it is
            self._store_each(taken, fault)
        else:
            for each in taken:
                each.stored = [next(stored) for _ in each.prepared]

    def _store_each(self, taken: Sequence[_Waiting], fault: Exception) -> None:
        """What failed together is tried one by one: the fault may be another's."""
        if len(taken) == 1:
            taken[0].fault = fault
            return
        for each in taken:
            self._store_together([each])

    def _transact(self, prepared: Sequence[Prepared]) -> list[Stored]:
        given = (self._tenant_id, prepared, self._recent, self._embedder, self._clock())
        try:
            if (stored := self._try_at_once(given)) is not None:
                return stored
            with self._database.write(self._tenant_id) as connection:
                return store(connection, *given)
        except BaseException:
            self._recent.clear()  # it may hold events that were not stored after all
            raise

    def _try_at_once(self, given: _Given) -> list[Stored] | None:
        """Store in a single round trip, where that is worth it and has worked of late."""
        if self._cautious or self._recent.place is None:
            self._cautious = max(0, self._cautious - 1)
            return None
        if not self._database.backend.stores_at_once:
            return None
        with self._database.at_once() as connection:
            stored = store_at_once(connection, *given)
        if stored is None:
            self._recent.clear()
            self._cautious = _CAUTIOUS
        return stored
