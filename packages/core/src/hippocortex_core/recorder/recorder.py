"""The Recorder: the one engine room under `wrap`, `auto` and every adapter.

```python
recorder = shared_recorder()
with session("ticket-42", user_id="user-7"):
    memory = recorder.recall("the customer asks for a refund")
    ...  # give memory.text to the model
    recorder.record(UserMessage("I want my money back"))
```

An agent never breaks, slows down or leaks because of its memory: `record` and `recall` never raise
and never wait for long.  `HIPPOCORTEX_STRICT=1`, meant for tests, raises what they would swallow.
"""

from __future__ import annotations

import asyncio
import os
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as WaitedTooLong
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

from hippocortex_core.config import Settings, resolve
from hippocortex_core.errors import HippocortexError, UnavailableError
from hippocortex_core.recorder.places import home_id, load_home, open_home, spool_folder
from hippocortex_core.recorder.recalling import Recall, question
from hippocortex_core.recorder.room import Room, RoomOptions, abandon
from hippocortex_core.recorder.spool import SPOOL_BYTES
from hippocortex_core.recorder.stats import RecorderStats
from hippocortex_core.scope import Scope, current
from hippocortex_core.service import MemoryService
from hippocortex_core.steps import AnyStep
from hippocortex_core.types import NOBODY, ReasoningSection, SynthesizeOptions

__all__ = ["Recall", "Recorder", "RecorderStats", "shared_recorder"]

if TYPE_CHECKING:
    from typing_extensions import Self  # in typing from 3.11 on

T = TypeVar("T")
_ID_CHARS = 256


class Recorder:
    """Records what an agent does, and recalls what helps it.  May be shared by threads and loops.

    Steps belong to the session, user and agent that, in this order, the `scope` argument, the
    surrounding `session(...)`, or the recorder itself names.

    Args:
        service: The memory, left open by `close`; or what opens one, called in the background.
        session_id: Default: one generated for this recorder, per process and user.
        user_id: Default: none.
        agent_id: Default: none.
        recall_deadline: Seconds that a recall takes at most.
        max_tokens: Of a recalled text.
        queue_size: Events in memory at most; while it is full, further ones are dropped.
        batch_size: Events per request.
        flush_interval: Seconds between requests while there are fewer events than that.
        spool_dir: Where events wait on disk; several processes may share it.  None: in memory.
        spool_bytes: On disk at most, default 64 MiB; beyond that the oldest events are dropped.
        on_exit_deadline: Seconds that delivering may hold up the end of the process.
        strict: Raise what would be swallowed; default: whether `HIPPOCORTEX_STRICT=1`.
        clock: Seconds since the epoch.
        timer: Seconds that only grow.
        new_id: Makes session ids and idempotency keys.
        load: Loads the code that the service needs: once, before the first recall and outside of
            its deadline, for at most 10 s.
    """

    def __init__(
        self,
        service: MemoryService | Callable[[], MemoryService],
        *,
        session_id: str | None = None,
        user_id: str | None = None,
        agent_id: str | None = None,
        recall_deadline: float = 2.0,
        max_tokens: int = 1500,
        queue_size: int = 10_000,
        batch_size: int = 100,
        flush_interval: float = 0.2,
        spool_dir: Path | None = None,
        spool_bytes: int = SPOOL_BYTES,
        on_exit_deadline: float = 2.0,
        strict: bool | None = None,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
        new_id: Callable[[], str] = lambda: uuid4().hex,
        load: Callable[[], object] | None = None,
    ) -> None:
        options = RoomOptions(
            recall_deadline=recall_deadline,
            queue_size=queue_size,
            batch_size=batch_size,
            flush_interval=flush_interval,
            spool_dir=spool_dir,
            spool_bytes=spool_bytes,
            on_exit_deadline=on_exit_deadline,
            clock=clock,
            timer=timer,
            new_id=new_id,
        )
        room = Room(service, options, load)
        self._leaving = weakref.finalize(room, abandon, room.worker, room.recaller.calls)
        self._leaving.atexit = False
        self._owns_room = True
        self._set_up(room, Scope(session_id, user_id, agent_id), max_tokens, strict=strict)

    def _set_up(self, room: Room, defaults: Scope, max_tokens: int, *, strict: bool | None) -> None:
        self._room = room
        self._defaults = defaults
        self._max_tokens = max_tokens
        self._strict = os.environ.get("HIPPOCORTEX_STRICT") == "1" if strict is None else strict
        self._session = (room.forks, room.options.new_id())
        self._complaints = 0

    def scoped(
        self,
        session_id: str | None = None,
        *,
        user_id: str | None = None,
        agent_id: str | None = None,
    ) -> Recorder:
        """A recorder for another session, user or agent, on the same thread, spool and breaker.

        What is not given is as in this recorder; closing the new one only flushes.
        """
        sibling = object.__new__(Recorder)
        sibling._owns_room = False
        defaults = Scope(session_id, user_id, agent_id).over(self._defaults)
        sibling._set_up(self._room, defaults, self._max_tokens, strict=self._strict)
        return sibling

    def scope(self, scope: Scope | None = None) -> Scope:
        """To whom a step recorded here and now belongs; the session is always set."""
        found = current().over(self._defaults)
        if scope is not None:
            found = scope.over(found)
        if found.session_id is not None:
            return found
        return Scope(self._generated_session(found.user_id), found.user_id, found.agent_id)

    def record(self, step: AnyStep, scope: Scope | None = None) -> None:
        """Take the step down; what it holds may be changed afterwards.

        A step with a key that was recorded before is skipped.

        Raises:
            Exception: Only in strict mode: the queue is full, or the step is no step.
        """
        try:
            whose = self.scope(scope)
            room = self._room
            if room.record(step, whose.session_id or "", whose.user_id, whose.agent_id):
                return
            room.counters.dropped(1, "the queue is full, or the recorder closed")
            problem: Exception = UnavailableError("the queue is full, or the recorder closed")
        except Exception as error:  # noqa: BLE001 - an agent never breaks because of its memory
            self._room.counters.failed(error, "a step could not be recorded")
            problem = error
        if self._strict:
            raise problem

    def recall(
        self,
        query: str,
        *,
        max_tokens: int | None = None,
        sections: Sequence[ReasoningSection] | None = None,
        scope: Scope | None = None,
    ) -> Recall:
        """What helps with the query: of the user and agent in scope.

        Without a user it is what belongs to no user in particular, and what several users' runs
        taught; without an agent, that of all agents.

        Raises:
            Exception: Only in strict mode: whatever kept the memory from answering.
        """
        try:
            asked = self._question(query, max_tokens, sections, scope)
            if asked is None:
                return _NOTHING
            recaller = self._room.recaller
            return Recall.of(recaller.wait(recaller.ask(*asked)))
        except Exception as error:  # noqa: BLE001 - an agent never breaks because of its memory
            return self._nothing(error)

    async def arecall(
        self,
        query: str,
        *,
        max_tokens: int | None = None,
        sections: Sequence[ReasoningSection] | None = None,
        scope: Scope | None = None,
    ) -> Recall:
        """As `recall`; the event loop goes on meanwhile."""
        try:
            asked = self._question(query, max_tokens, sections, scope)
            if asked is None:
                return _NOTHING
            recaller = self._room.recaller
            return Recall.of(await recaller.wait_async(recaller.ask(*asked)))
        except Exception as error:  # noqa: BLE001 - an agent never breaks because of its memory
            return self._nothing(error)

    def call(self, ask: Callable[[MemoryService], T], timeout: float = 5.0) -> T:
        """As `acall`, for callers that wait."""
        future = self._asked(ask)
        try:
            return future.result(timeout)
        except WaitedTooLong:
            if future.done():
                raise  # the memory's own
            raise UnavailableError(f"the memory did not answer within {timeout:g} s") from None

    async def acall(self, ask: Callable[[MemoryService], T], timeout: float = 5.0) -> T:
        """What the memory itself answers: for an adapter that keeps things of its own there.

        The event loop goes on meanwhile.  Unlike the rest of this it raises what goes wrong.

        Args:
            ask: Called with the memory, in a thread that a hanging memory may keep for long.
            timeout: Seconds to wait for it.

        Raises:
            UnavailableError: There is no answer in time, or the recorder is closed.
        """
        future = self._asked(ask)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), timeout)
        except asyncio.TimeoutError:
            raise UnavailableError(f"the memory did not answer within {timeout:g} s") from None

    def flush(self, timeout: float = 5.0) -> bool:
        """Deliver everything recorded so far; False if some of it still waits after `timeout` s.

        What earlier processes left comes first.

        Raises:
            Exception: Only in strict mode: what keeps events from being delivered, or that some
                were refused or dropped since the last flush.
        """
        done = self._room.worker.flush(timeout)
        if self._strict:
            self._complain(done=done)
        return done

    async def aflush(self, timeout: float = 5.0) -> bool:
        """As `flush`; the event loop goes on meanwhile."""
        try:
            future = self._room.recaller.calls.submit(lambda: self.flush(timeout))
        except RuntimeError:
            return self.flush(0.0)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), timeout + 1.0)
        except asyncio.TimeoutError:
            return False

    def close(self, timeout: float = 2.0) -> bool:
        """Flush and end; what could not be delivered waits in the spool for the next process."""
        if not self._owns_room:
            return self._room.worker.flush(timeout, patient=False)
        self._leaving.detach()
        return self._room.close(timeout)

    @property
    def closed(self) -> bool:
        """Whether nothing can be recorded any more."""
        return self._room.worker.closed

    def stats(self) -> RecorderStats:
        """What happened so far; a recorder and its `scoped` ones count together."""
        return self._room.stats()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- parts -----------------------------------------------------------------------------------

    def _generated_session(self, user_id: str | None) -> str:
        """A session of this process; users who share a recorder do not share a session."""
        forks, name = self._session
        if forks != self._room.forks:
            # In the child of a fork; two threads may both get here, and the last one wins.
            self._session = (self._room.forks, self._room.options.new_id())
            name = self._session[1]
        return name if user_id is None else f"{name}:{user_id}"[:_ID_CHARS]

    def _asked(self, ask: Callable[[MemoryService], T]) -> Future[T]:
        room = self._room
        try:
            return room.recaller.calls.submit(lambda: ask(room.home.open()))
        except RuntimeError as error:
            raise UnavailableError("the recorder is closed") from error

    def _question(
        self,
        query: str,
        max_tokens: int | None,
        sections: Sequence[ReasoningSection] | None,
        scope: Scope | None,
    ) -> tuple[str, SynthesizeOptions] | None:
        self._room.worker.start()
        text = question(query)
        if not text:
            return None
        whose = self.scope(scope)
        return text, SynthesizeOptions(
            max_tokens=self._max_tokens if max_tokens is None else max_tokens,
            sections=None if sections is None else list(sections),
            # Who is nobody in particular is not told what others said.
            user_id=NOBODY if whose.user_id is None else whose.user_id,
            agent_id=whose.agent_id,
            active_session_id=whose.session_id,
        )

    def _nothing(self, error: Exception) -> Recall:
        if not isinstance(error, HippocortexError):
            self._room.counters.failed(error, "nothing can be recalled")
        if self._strict:
            raise error
        return _NOTHING

    def _complain(self, *, done: bool) -> None:
        counters = self._room.counters
        complaints = counters["refused"] + counters["dropped"]
        fresh, self._complaints = complaints - self._complaints, complaints
        if not done:
            raise counters.error or UnavailableError("not everything was delivered in time")
        if fresh:
            raise UnavailableError(f"{fresh} events were lost: {counters.loss}")


_NOTHING = Recall()
_shared: dict[str, Recorder] = {}


def shared_recorder(settings: Settings | None = None) -> Recorder:
    """The one recorder of this process for a home and key: everything shares thread and spool.

    It opens the home when it is first used.  Use `scoped()` to give it a session, user or agent.

    Args:
        settings: Default: what `resolve()` finds.

    Raises:
        ConfigurationError: Nothing names a home and no engine is installed, or the configuration
            is broken.
    """
    settings = settings or resolve()
    home = home_id(settings)
    known = _shared.get(home)
    if known is None or known.closed:
        fresh = Recorder(
            partial(open_home, settings),
            spool_dir=spool_folder(settings),
            load=partial(load_home, settings),
        )
        if known is not None:
            _shared.pop(home, None)
        # Two threads may get here at once: one recorder wins, the other never starts anything.
        known = _shared.setdefault(home, fresh)
    return known


def close_shared(timeout: float = 2.0) -> None:
    """Close every shared recorder: at the end of a test, so that the next one opens its own."""
    while _shared:
        _shared.popitem()[1].close(timeout)
