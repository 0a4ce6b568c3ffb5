"""Threads for calls into the engine: enough for each kind of work, and none for one tenant alone.

Reads do not queue behind writes, nor anything behind learning.  A tenant gets half the threads of
a kind at most, so that one that is busy, or whose memory is being loaded, cannot hold up others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, TypeVar
from weakref import WeakValueDictionary

from hippocortex_core.errors import UnavailableError

T = TypeVar("T")
Work = Literal["key", "read", "write", "learn"]

THREADS: dict[Work, int] = {"key": 2, "read": 4, "write": 4, "learn": 2}
"""How many at once.  More would only take turns: Python runs one at a time."""

MOST_WAITING = 1_024
"""Calls of one kind that may wait for a thread; beyond, the server is not keeping up."""


class BusyError(UnavailableError):
    """The server, or its store, cannot answer now; nothing in the message is anybody's secret."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retry_after=1.0)


def late(timeout: float) -> BusyError:
    """What is said when an answer has not come in so many seconds."""
    return BusyError(f"no answer within {timeout:g} s; what was sent may yet be carried out")


@dataclass
class _Lane:
    threads: ThreadPoolExecutor
    share: int
    waiting: int = 0


class Pools:
    """The threads of one server process."""

    def __init__(self) -> None:
        self._lanes = {
            work: _Lane(ThreadPoolExecutor(count, f"hippocortex-{work}"), max(1, count // 2))
            for work, count in THREADS.items()
        }
        self._turns: WeakValueDictionary[tuple[Work, str], asyncio.Semaphore] = (
            WeakValueDictionary()
        )

    async def run(
        self, work: Work, tenant_id: str, call: Callable[[], T], timeout: float | None = None
    ) -> T:
        """The result of a call, made in a thread.

        Args:
            work: which threads.
            tenant_id: whose call it is.
            call: what to do; it is not interrupted once it runs.
            timeout: seconds to wait for it, waiting for a thread included; None: for ever.

        Raises:
            BusyError: Too many wait already, or it took too long.
        """
        lane = self._lanes[work]
        if lane.waiting >= MOST_WAITING:
            raise BusyError("the server is busy; try again")
        lane.waiting += 1
        try:
            return await asyncio.wait_for(self._in_turn(lane, work, tenant_id, call), timeout)
        except asyncio.TimeoutError:
            raise late(timeout or 0.0) from None
        finally:
            lane.waiting -= 1

    def close(self) -> None:
        """Wait for what runs."""
        for lane in self._lanes.values():
            lane.threads.shutdown()

    async def _in_turn(self, lane: _Lane, work: Work, tenant_id: str, call: Callable[[], T]) -> T:
        turn = self._turns.get((work, tenant_id))
        if turn is None:
            turn = self._turns[work, tenant_id] = asyncio.Semaphore(lane.share)
        await turn.acquire()
        try:
            running = lane.threads.submit(call)
        except BaseException:
            turn.release()
            raise
        loop = asyncio.get_running_loop()
        # The turn lasts as long as the thread does, also when nobody waits for it any more.
        running.add_done_callback(lambda _: _release(loop, turn))
        return await asyncio.wrap_future(running)


def _release(loop: asyncio.AbstractEventLoop, turn: asyncio.Semaphore) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(turn.release)
