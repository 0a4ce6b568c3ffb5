"""Asking a memory that may be slow, wrong or gone: a deadline, a circuit breaker, no exceptions.

A memory that hangs costs one deadline.  Then the breaker is open and recall returns at once with
nothing; after the cool-down one question is asked in the background, without anybody waiting for
its answer, and a good one closes the breaker.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future, wait
from concurrent.futures import TimeoutError as WaitedTooLong
from dataclasses import dataclass
from functools import partial

from hippocortex_core.errors import HippocortexError, UnavailableError, ValidationError
from hippocortex_core.recorder.breaker import Breaker
from hippocortex_core.recorder.calls import Calls
from hippocortex_core.recorder.counters import Counters
from hippocortex_core.recorder.intake import clean_text
from hippocortex_core.render import render_pack
from hippocortex_core.service import MemoryService
from hippocortex_core.types import SynthesizeOptions, SynthesizeResult

THREADS = 16
"""Recalls under way at a time; more wait for a thread, within their deadline."""

LOADING = 10.0
"""Seconds, at most, that the first recall waits for code to be loaded, before its deadline begins:
importing is the work of this process, not of a memory that hangs."""

_QUERY_CHARS = 8_000
_MEANING = "nothing can be recalled"

Answer = SynthesizeResult | Exception


@dataclass(frozen=True)
class Recall:
    """What the memory has to say.

    Attributes:
        text: The marked block to give to the model; "" for nothing.
        result: The pack it was rendered from; None if there is none.
    """

    text: str = ""
    result: SynthesizeResult | None = None

    def __bool__(self) -> bool:
        return bool(self.text)

    @classmethod
    def of(cls, result: SynthesizeResult) -> Recall:
        """A pack, as text for a model."""
        return cls(render_pack(result), result)


def question(query: str) -> str:
    """The query as it may leave the process: without secrets, and not too long; "" if blank."""
    text = clean_text(query).strip()
    if len(text) <= _QUERY_CHARS:
        return text
    half = _QUERY_CHARS // 2
    return f"{text[:half]}\n{text[-half:]}"  # a task is stated first or last


def _tried(load: Callable[[], object]) -> None:
    with contextlib.suppress(Exception):  # the question will say what is wrong
        load()


class Recaller:
    """Asks a memory, within a deadline of so many seconds.

    `load` is what has to be loaded once before anything can be asked; it does not count.
    """

    def __init__(
        self,
        service: Callable[[], MemoryService],
        counters: Counters,
        deadline: float,
        timer: Callable[[], float],
        load: Callable[[], object] | None = None,
    ) -> None:
        self._service = service
        self._load = load
        self._loading: Future[None] | None = None
        self._counters = counters
        self._deadline = deadline
        self._timer = timer
        self.breaker = Breaker(timer=timer)
        self.calls = Calls("hippocortex-recall", THREADS)

    def ask(self, query: str, options: SynthesizeOptions) -> Future[Answer]:
        """The answer to come.

        Raises:
            UnavailableError: The memory is left alone for a while.
        """
        self._counters.add("recalls")
        permit = self.breaker.permit()
        if permit == "no":
            raise self._skipped()
        call = partial(self._call, query, options, probe=permit == "probe")
        try:
            if self._load is not None and self._loading is None:
                self._loading = self.calls.submit(partial(_tried, self._load))
            future = self.calls.submit(call)
        except RuntimeError as error:  # no more threads: the interpreter is shutting down
            raise UnavailableError("the recorder is closed") from error
        if permit == "probe":
            raise self._skipped()
        return future

    def wait(self, future: Future[Answer]) -> SynthesizeResult:
        """The answer.

        Raises:
            Exception: There is none, or not in time.
        """
        if self._loading is not None:
            wait([self._loading], LOADING)
        try:
            return self._good(future.result(self._deadline))
        except WaitedTooLong:
            # The call returns exceptions, so this one is about waiting.
            raise self._too_late(future) from None

    async def wait_async(self, future: Future[Answer]) -> SynthesizeResult:
        """The answer; the event loop goes on meanwhile."""
        if self._loading is not None and not self._loading.done():
            await asyncio.wait([asyncio.wrap_future(self._loading)], timeout=LOADING)
        try:
            answer = await asyncio.wait_for(asyncio.wrap_future(future), self._deadline)
        except asyncio.TimeoutError:
            raise self._too_late(future) from None
        return self._good(answer)

    def after_fork(self) -> None:
        """In the child: none of the threads is left."""
        self.calls.reset()
        self.breaker.reset()
        self._loading = None

    def _call(self, query: str, options: SynthesizeOptions, *, probe: bool) -> Answer:
        begin = self._timer()
        try:
            result = self._service().synthesize(query, options)
        except ValidationError as error:
            self.breaker.success()  # it answers; the question was wrong
            return error
        except Exception as error:  # noqa: BLE001 - a service may fail in any way
            retry_after = error.retry_after if isinstance(error, HippocortexError) else None
            self.breaker.failure(retry_after)
            return error
        if self._timer() - begin <= self._deadline:
            self.breaker.success()
        elif probe:
            self.breaker.failure()
        return result

    def _good(self, answer: Answer) -> SynthesizeResult:
        if isinstance(answer, Exception):
            self._counters.add("recall_failures")
            self._counters.failed(answer, _MEANING)
            raise answer
        return answer

    def _too_late(self, future: Future[Answer]) -> UnavailableError:
        future.cancel()
        self.breaker.trip()
        self._counters.add("recall_timeouts")
        error = UnavailableError(f"the memory did not answer within {self._deadline:g} s")
        self._counters.failed(error, _MEANING)
        return error

    def _skipped(self) -> UnavailableError:
        self._counters.add("recalls_skipped")
        return UnavailableError("the memory failed lately and is left alone for a while")
