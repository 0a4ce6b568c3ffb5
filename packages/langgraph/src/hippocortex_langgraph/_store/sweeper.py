"""Deleting what has expired, now and then."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable, Generator
from typing import Any

logger = logging.getLogger("hippocortex")


class Answer(int):
    """A number that may also be awaited.

    LangGraph has its stores in pairs, such as `SqliteStore` and `AsyncSqliteStore`, whose
    maintenance calls differ in an `await`.  One class stands in for both.
    """

    __slots__ = ()

    def __await__(self) -> Generator[Any, None, int]:
        return int(self)
        yield


class Sweeper:
    """Calls `sweep` every so many minutes, in a thread that does not keep its owner alive.

    Args:
        sweep: A bound method; returns how many were deleted.
    """

    def __init__(self, sweep: Callable[[], int]) -> None:
        self._sweep = weakref.WeakMethod(sweep)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, minutes: float) -> bool:
        """Begin, unless it runs already; returns whether it runs."""
        if self._thread is None or not self._thread.is_alive():
            self._stop = threading.Event()
            run = (self._sweep, self._stop, minutes * 60)
            self._thread = threading.Thread(
                target=_sweep_loop, args=run, daemon=True, name="hippocortex-ttl"
            )
            self._thread.start()
        return True

    def stop(self, timeout: float | None = None) -> bool:
        """End; False if it still runs after `timeout` seconds (None: wait as long as it takes)."""
        thread = self._thread
        self._stop.set()
        if thread is None or thread is threading.current_thread():
            return True
        thread.join(timeout)
        return not thread.is_alive()


def _sweep_loop(
    method: weakref.WeakMethod[Callable[[], int]], stop: threading.Event, seconds: float
) -> None:
    while not stop.wait(seconds):
        sweep = method()
        if sweep is None:
            return
        try:
            sweep()
        except Exception as error:  # noqa: BLE001 - the next one may succeed
            logger.warning("expired documents could not be deleted: %s", error)
        del sweep
