"""Group commit: single captures that arrive while a transaction is under way share the next one.

A transaction costs about as much for one event as for thirty.  Nobody waits for company: an
event that finds no transaction under way is stored at once.  Each caller gets what it would have
got alone, and not before the transaction that holds its event is committed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from hippocortex_core.errors import HippocortexError, UnavailableError
from hippocortex_core.types import BatchCaptureResult, CaptureEvent, CaptureResult
from hippocortex_server.pools import BusyError, late

MOST_EVENTS = 1_000
"""Events in one transaction."""

MOST_BYTES = 4 << 20
"""Bytes of request bodies in one transaction; a single larger event goes alone."""

MOST_WAITING = 10_000
"""Events of one tenant that may wait; beyond, the store is not keeping up."""

Outcome = CaptureResult | Exception


class Captures(Protocol):
    """What stores events: a tenant's engine."""

    def capture(self, event: CaptureEvent) -> CaptureResult:
        """Store one event."""
        ...

    def capture_batch(self, events: Sequence[CaptureEvent]) -> BatchCaptureResult:
        """Store many events."""
        ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    event: CaptureEvent
    size: int
    answer: asyncio.Future[CaptureResult]


class Gatherer:
    """The single captures of one tenant in one process.

    Args:
        store: stores a group and says what became of each event; never raises on account of one.
        timeout: seconds that an event waits, for its turn and in its transaction.
    """

    def __init__(
        self, store: Callable[[list[CaptureEvent]], Awaitable[list[Outcome]]], timeout: float
    ) -> None:
        self._store = store
        self._timeout = timeout
        self._waiting: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None

    async def capture(self, event: CaptureEvent, size: int) -> CaptureResult:
        """What became of the event, once it is durable.

        Args:
            event: the event.
            size: bytes that it took on the wire.

        Raises:
            HippocortexError: what `Engine.capture` raises.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise BusyError("the store is busy; try again")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[CaptureResult] = loop.create_future()
        self._waiting.append(_Waiting(event, size, answer))
        if self._task is None:
            self._task = loop.create_task(self._run())
        timer = loop.call_later(self._timeout, self._give_up, answer)
        try:
            return await answer
        finally:
            timer.cancel()

    def _give_up(self, answer: asyncio.Future[CaptureResult]) -> None:
        if not answer.done():
            answer.set_exception(late(self._timeout))

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._commit(self._next())
        finally:
            self._task = None

    def _next(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        size = 0
        while self._waiting and len(group) < MOST_EVENTS:
            size += self._waiting[0].size
            if group and size > MOST_BYTES:
                break
            one = self._waiting.popleft()
            if not one.answer.done():  # else its caller has gone
                group.append(one)
        return group

    async def _commit(self, group: list[_Waiting]) -> None:
        outcomes: Sequence[Outcome]
        try:
            outcomes = await self._store([one.event for one in group])
        except Exception as error:  # noqa: BLE001 - it belongs to those who wait
            outcomes = [error] * len(group)
        for one, outcome in zip(group, outcomes, strict=True):
            if one.answer.done():
                continue
            if isinstance(outcome, Exception):
                one.answer.set_exception(outcome)
            else:
                one.answer.set_result(outcome)


def store_together(service: Captures, events: Sequence[CaptureEvent]) -> list[Outcome]:
    """Store events in one transaction; each gets what it would have got alone."""
    if len(events) == 1:
        return [_alone(service, events[0])]
    try:
        results = service.capture_batch(events).results
    except UnavailableError as error:
        return [error] * len(events)
    except Exception:  # noqa: BLE001 - one of them is to blame, or the quota ends among them
        return [_alone(service, event) for event in events]
    return [
        _alone(service, event) if result.status == "error" else result
        for event, result in zip(events, results, strict=True)
    ]


def _alone(service: Captures, event: CaptureEvent) -> Outcome:
    try:
        return service.capture(event)
    except HippocortexError as error:
        return error
    except Exception as error:  # noqa: BLE001 - it must not meet the others
        return error
