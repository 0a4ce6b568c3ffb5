"""What happens around one call of a model: recall before it, capture after it.

Written once for every way in (`wrap`, `auto`) and every wire format.  Nothing here may disturb the
call: a fault of ours is logged, and raised only under `HIPPOCORTEX_STRICT=1`.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import Token
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from hippocortex._instrument.providers import Asked, Reply, Result, Wire
from hippocortex._instrument.turns import Turn, Turns
from hippocortex_core.errors import ConfigurationError, MissingExtraError
from hippocortex_core.guard import captured_as, fail_open, inside, say
from hippocortex_core.recorder import Recorder
from hippocortex_core.scope import Scope, current
from hippocortex_core.steps import AnyStep, AssistantMessage, ToolCall, ToolResult, UserMessage


def new_session() -> str:
    """A session id for a client that was not given one."""
    return f"session-{uuid.uuid4().hex}"


class Interceptor:
    """The memory of one client, or of all clients under `auto`.

    Args:
        opener: Gives the recorder, on the first call; there is no memory if it says that nothing
            is configured.
        session_id: The session of every call, whatever scope it is made in.

    Attributes:
        active: Whether calls get memory; switched off for good when nothing is configured.
    """

    def __init__(self, opener: Callable[[], Recorder], session_id: str | None = None) -> None:
        self._opener = opener
        self._explicit = Scope(session_id)
        self._turns = Turns()
        self._recorder: Recorder | None = None
        self._pid = os.getpid()
        self.active = True

    @property
    def wanted(self) -> bool:
        """Whether calls made here and now get this memory: not if they have one already."""
        return self.active and not inside.get()

    def plan(self, wire: Wire, body: Mapping[str, Any], session_id: str) -> Exchange | None:
        """What to do around this call; None if there is nothing to do."""
        recorder = self._open()
        if recorder is None:
            return None
        asked = wire.read(body)
        if not asked.user and not asked.results:
            return None
        elsewhere = captured_as()
        scope = elsewhere or self._scope(session_id)
        turn = self._turns.of(scope.session_id or session_id, asked)
        captures = elsewhere is None
        return Exchange(wire, body, asked, turn, scope, recorder, self._turns, captures)

    def _scope(self, session_id: str) -> Scope:
        """To whom a call made here and now belongs: as given, as in scope, or the client's own."""
        scope = self._explicit.over(current())
        if scope.session_id is not None:
            return scope
        if scope.user_id is not None:
            session_id = f"{session_id}:{scope.user_id}"
        if os.getpid() != self._pid:  # the children of a fork are sessions of their own
            session_id = f"{session_id}:{os.getpid()}"
        return Scope(session_id).over(scope)

    def _open(self) -> Recorder | None:
        if self.active and (self._recorder is None or self._recorder.closed):
            try:
                self._recorder = self._opener()
            except (ConfigurationError, MissingExtraError) as error:
                self.active = False
                say(f"no memory: {error.message}")
        return self._recorder


@dataclass
class Exchange:
    """One request and its answer.

    Attributes:
        wire: Their format.
        body: The request; with the memory in it once that was recalled.
        injected: Whether there is memory in it.

    As a context manager it goes around the original call.
    """

    wire: Wire
    body: Mapping[str, Any]
    _asked: Asked
    _turn: Turn
    _scope: Scope
    _recorder: Recorder
    _turns: Turns
    _captures: bool
    injected: bool = field(default=False, init=False)
    _done: bool = field(default=False, init=False)
    _token: Token[bool] | None = field(default=None, init=False)

    def __enter__(self) -> None:
        self._token = inside.set(True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._token is not None:
            inside.reset(self._token)
        # The model did not answer: the caller may ask again.
        self._turn.failed = error is not None

    def recall(self) -> None:
        """Ask memory, put what it says into the body, and record what is new in the request."""
        with fail_open("recalling"):
            if self._asks:
                self._turn.memory = self._recorder.recall(self._asked.query, scope=self._scope).text
            self._enter()

    async def arecall(self) -> None:
        """`recall` without blocking the event loop."""
        with fail_open("recalling"):
            if self._asks:
                found = await self._recorder.arecall(self._asked.query, scope=self._scope)
                self._turn.memory = found.text
            self._enter()

    def answered(self, reading: Callable[[], Reply]) -> bool:
        """Record the answer, the first time that there is one; whether there is or was."""
        with fail_open("recording an answer"):
            if not self._done and (reply := reading()):
                self._done = True
                self._turns.answered(self._turn, reply.answer_id)
                self._record(_steps_of_reply(reply, self._asked, self._turn))
        return self._done

    @property
    def _asks(self) -> bool:
        """Memory is asked at the beginning of a turn; its later requests repeat the answer."""
        wanted = self._asked.fresh or self._turn.memory is None
        return wanted and bool(self._asked.query.strip()) and not self._asked.marked

    def _enter(self) -> None:
        if self._turn.memory and not self._asked.marked:
            self.body = self.wire.inject(self.body, self._turn.memory)
            self.injected = True
        self._record(_steps_of_request(self._asked, self._turn))
        self._turn.known = True

    def _record(self, steps: Iterable[AnyStep]) -> None:
        for step in steps if self._captures else ():
            self._recorder.record(step, self._scope)


def _steps_of_request(asked: Asked, turn: Turn) -> Iterator[AnyStep]:
    if asked.user and not turn.known:
        yield UserMessage(asked.user, key=f"user {turn.key}")
    for result in asked.results:
        yield _tool_result(result, asked, turn)


def _steps_of_reply(reply: Reply, asked: Asked, turn: Turn) -> Iterator[AnyStep]:
    if reply.text.strip():
        yield AssistantMessage(reply.text)
    for call in reply.calls:
        key = turn.call_key(asked, call.call_id)
        yield ToolCall(call.tool, call.args, call_id=call.call_id or None, key=key)
    for result in reply.results:
        yield _tool_result(result, asked, turn)


def _tool_result(result: Result, asked: Asked, turn: Turn) -> ToolResult:
    return ToolResult(
        result.tool,
        None if result.failed else result.text,
        call_id=result.call_id or None,
        error=result.text if result.failed else None,
        key=turn.call_key(asked, result.call_id),
    )
