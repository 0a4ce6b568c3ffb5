"""Threads for calls that may hang: expendable, so that nobody else ever waits for one."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from types import FrameType
from typing import Any, TypeVar, cast

T = TypeVar("T")
_MOMENT = 0.02
_Job = tuple["Future[Any]", Callable[[], Any]]


class Calls:
    """Runs calls in at most `limit` daemon threads, started when there is need.

    Unlike those of `ThreadPoolExecutor` they never keep the interpreter from exiting.
    """

    def __init__(self, name: str, limit: int) -> None:
        self._name = name
        self._limit = limit
        self.reset()

    def reset(self) -> None:
        """Begin anew: for the child of a fork, which has none of the threads."""
        self._lock = threading.RLock()  # a finalizer may submit while its thread is in here
        self._moved = threading.Condition(self._lock)
        self._active = 0
        self._held = False
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._free = 0
        self._closed = False

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """Run the call soon.

        Raises:
            RuntimeError: No thread can be started any more, or this was closed.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("closed")
            if self._free > 0:
                self._free -= 1
            elif len(self._threads) < self._limit:
                self._spawn()
            else:
                self._free -= 1  # the next thread that gets free is taken already
            self._jobs.put((cast("Future[Any]", future), call))
        return future

    def prepare(self) -> None:
        """Start a thread ahead of need: from some moment on, a process cannot start any more."""
        with self._lock:
            if not self._threads:
                self._spawn()
                self._free += 1

    def hold(self, seconds: float, importing: float) -> None:
        """Begin no call until `release`, and wait so long for those under way.

        A fork in the middle of a call may leave the child with locks that nobody will release.
        For a call that is importing modules we wait `importing` seconds: without their locks the
        child could never import them.
        """
        with self._moved:
            self._held = True
            self._moved.wait_for(lambda: not self._active, seconds)
            for _ in range(int(importing / _MOMENT)):
                if not self._active or not self._importing():
                    return
                self._moved.wait(_MOMENT)

    def release(self) -> None:
        """Go on."""
        with self._moved:
            self._held = False
            self._moved.notify_all()

    def close(self) -> None:
        """Let the threads end when they are done."""
        with self._lock:
            self._closed = True
            for _ in self._threads:
                self._jobs.put(None)

    def _spawn(self) -> None:
        thread = threading.Thread(target=self._work, name=self._name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _importing(self) -> bool:
        frames = sys._current_frames()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - it is public
        return any(_is_import(frames.get(thread.ident or 0)) for thread in self._threads)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            with self._moved:
                self._moved.wait_for(lambda: not self._held)
                self._active += 1
            _run(*job)
            del job  # hold nothing while idle
            with self._moved:
                self._active -= 1
                self._free += 1
                self._moved.notify_all()


def _is_import(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _run(future: Future[Any], call: Callable[[], Any]) -> None:
    if future.set_running_or_notify_cancel():
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - belongs to whoever waits
            future.set_exception(error)
