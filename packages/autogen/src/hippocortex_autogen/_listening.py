"""What listens to an agent of AgentChat: around its two ways of answering, on the instance.

Teams and `run_stream` call one of them, `run` the other, and agents one from the other; a message
that is met twice has the same key, and belongs to the conversation in which it was met first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from hippocortex_autogen import _events
from hippocortex_autogen._compat import is_person, message_id, own
from hippocortex_core.guard import fail_open
from hippocortex_core.recent import Recent
from hippocortex_core.recorder.surface import Surface, going
from hippocortex_core.scope import Scope

HOOKS = ("on_messages", "on_messages_stream")
_MESSAGES = 8192
_KNOWN = "_hippocortex_known"


class _Met(NamedTuple):
    """Where a message was met first: in which session, and whether a person said it."""

    session_id: str | None
    human: bool


_met: Recent[str, _Met] = Recent(_MESSAGES)


class Listener:
    """Captures what an agent is told, says and does.

    Args:
        agent: Of AgentChat.
        memory: That captures.
        recalls: Whether the agent is given its memory.

    Attributes:
        lent: The list of memories that the agent was given, and the one that it had; None: none.
    """

    def __init__(self, agent: Any, memory: Surface, recalls: Callable[[], bool]) -> None:
        self.agent = agent
        self.memory = memory
        self.recalls = recalls
        self.lent: tuple[Sequence[Any], Sequence[Any] | None] | None = None
        self._detached = False

    def attach(self) -> None:
        """Listen from now on."""
        agent = self.agent
        agent.on_messages = _Replaced(self, _answering(self, agent.on_messages), agent.on_messages)
        agent.on_messages_stream = _Replaced(
            self, _streaming(self, agent.on_messages_stream), agent.on_messages_stream
        )

    def detach(self) -> None:
        """The agent is as before; what something else has replaced since does nothing more."""
        self._detached = True
        for name in self.attached_hooks:
            replaced: _Replaced = own(self.agent, name)
            delattr(self.agent, name)
            if getattr(self.agent, name) != replaced.own:  # it was somebody's own before
                setattr(self.agent, name, replaced.own)

    @property
    def attached_hooks(self) -> list[str]:
        """The methods of the agent through which it listens."""
        return [name for name in HOOKS if _listener(self.agent, name) is self]

    def begin(self, messages: Sequence[Any]) -> Turn | None:
        """A turn of the agent that starts with what it is told; None: nobody is to listen."""
        if self._detached or not self.memory.ready:
            return None
        with fail_open("reading messages"):
            turn = Turn(self, messages)
            for message in messages:
                turn.heard(message)
            return turn
        return None


class Turn:
    """From what an agent is told to its response."""

    def __init__(self, listener: Listener, told: Sequence[Any]) -> None:
        self._memory = listener.memory
        self._agent = listener.agent
        self._human = is_person(listener.agent)
        self._told = {message_id(message) for message in told}
        self._heard: set[str] = set()
        known = (_met.get(name) for name in self._told)
        conversation = next((met.session_id for met in known if met is not None), None)
        self.scope: Scope = self._memory.scope(conversation)
        self._recalls = listener.recalls()

    def going(self) -> AbstractContextManager[None]:
        """Around what the agent does."""
        return going(self.scope, recalls=self._recalls)

    def heard(self, item: Any) -> None:
        """A message, an event, or the response that holds some."""
        with fail_open("capturing a message"):
            answer = getattr(item, "chat_message", None)
            if answer is None:
                self._note(item)
                return
            for inner in item.inner_messages or ():
                self._note(inner)
            self._note(answer)

    def broke(self, error: Exception) -> None:
        """The agent raised."""
        with fail_open("capturing a failure"):
            if not _is_known(error):
                self._memory.record(_events.failure_of(error, self._agent.name), self.scope)

    def _note(self, item: Any) -> None:
        name = message_id(item)
        if name in self._heard:
            return
        self._heard.add(name)
        for step in _events.steps_of(item, name, human=self._is_human(item, name)):
            self._memory.record(step, self.scope)

    def _is_human(self, item: Any, name: str) -> bool:
        if not _events.is_message(item):
            return False
        met = _met.get(name)
        if met is None:
            said_here = name not in self._told
            human = self._human if said_here else item.source == _events.USER
            _met[name] = met = _Met(self.scope.session_id, human)
        return met.human


class _Replaced:
    """Stands for a method of an agent."""

    def __init__(self, listener: Listener, call: Callable[..., Any], own: Any) -> None:
        self.listener = listener
        self.own = own
        self._call = call

    def __call__(self, messages: Sequence[Any], cancellation_token: Any) -> Any:
        return self._call(messages, cancellation_token)


def listener_of(agent: Any) -> Listener | None:
    """Who listens to the agent, if anybody does."""
    return next((found for name in HOOKS if (found := _listener(agent, name))), None)


def _is_known(error: BaseException) -> bool:
    """Whether the exception was met before, as an agent of an agent lets it pass."""
    known = own(error, _KNOWN) is not None
    setattr(error, _KNOWN, True)
    return known


def _listener(agent: Any, name: str) -> Listener | None:
    found = own(agent, name)
    return found.listener if isinstance(found, _Replaced) else None


def _answering(listener: Listener, answer: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
    async def on_messages(messages: Sequence[Any], token: Any) -> Any:
        turn = listener.begin(messages)
        if turn is None:
            return await answer(messages, token)
        try:
            with turn.going():
                response = await answer(messages, token)
        except Exception as error:
            turn.broke(error)
            raise
        turn.heard(response)
        return response

    return on_messages


def _streaming(
    listener: Listener, stream_of: Callable[..., AsyncIterator[Any]]
) -> Callable[..., Any]:
    async def on_messages_stream(messages: Sequence[Any], token: Any) -> AsyncIterator[Any]:
        turn = listener.begin(messages)
        stream: Any = stream_of(messages, token)
        try:
            while True:
                try:
                    item = await _next(stream, turn)
                except StopAsyncIteration:
                    return
                if turn is not None:
                    turn.heard(item)
                yield item
        finally:
            # Whoever leaves this stream early leaves the agent's own, too.
            if (close := getattr(stream, "aclose", None)) is not None:
                await close()

    return on_messages_stream


async def _next(stream: AsyncIterator[Any], turn: Turn | None) -> Any:
    """The next item; the turn's scope does not show between two of them."""
    if turn is None:
        return await anext(stream)
    try:
        with turn.going():
            return await anext(stream)
    except Exception as error:
        if not isinstance(error, StopAsyncIteration):
            turn.broke(error)
        raise
