"""A context provider: recalls before a run of an agent, and captures it."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from agent_framework import (
    AgentSession,
    ChatContext,
    ChatMiddleware,
    ChatResponse,
    ContextProvider,
    SessionContext,
)

from hippocortex_agent_framework import _events
from hippocortex_agent_framework._compat import message_id, takes_middleware
from hippocortex_core import marking
from hippocortex_core.guard import fail_open
from hippocortex_core.recorder import Source
from hippocortex_core.recorder.surface import RecallOptions, Surface, going
from hippocortex_core.scope import Scope
from hippocortex_core.steps import Failure
from hippocortex_core.types import ReasoningSection

_HOOKS = ("before_run", "after_run", "chat_middleware")
_RUNS = "hippocortex_agent_framework.runs"


class HippocortexContextProvider(ContextProvider):
    """Gives agents a memory.

    ```python
    agent = Agent(client, context_providers=[HippocortexContextProvider()])
    await agent.run("Deploy payments", session=agent.create_session())
    ```

    What is known about the user's words is added to the instructions of the run, and to nothing
    that is stored.  What the user, the model and the tools say and do is captured as it happens.
    One provider may serve any number of agents, sessions and users.

    Args:
        client: A recorder, a `SyncHippocortex` or a service; default: what is configured.
        source_id: Of the provider, for Agent Framework.
        session_id: Of everything; default: that of the surrounding `session(...)`, then the
            id of the run's `AgentSession`.
        user_id: Of everything; default: that of the surrounding `session(...)`.
        inject_memory: Whether the model is given what is recalled.
        max_tokens: Of what is recalled; default: the recorder's.
        sections: Of what is recalled; default: all.
        min_confidence: Of what is recalled, in 0..1.
        api_key: Default: `HIPPOCORTEX_API_KEY`, then `.hippocortex.json`.
        base_url: Default: `HIPPOCORTEX_BASE_URL`, then the file, then an embedded memory.
    """

    def __init__(
        self,
        client: Source | None = None,
        *,
        source_id: str = "hippocortex",
        session_id: str | None = None,
        user_id: str | None = None,
        inject_memory: bool = True,
        max_tokens: int | None = None,
        sections: Sequence[ReasoningSection] | None = None,
        min_confidence: float = 0.0,
        api_key: str | None = None,
        base_url: str | None = None,
    ) -> None:
        super().__init__(source_id)
        options = RecallOptions(
            max_tokens, None if sections is None else tuple(sections), min_confidence
        )
        self._memory = Surface(
            client,
            session_id=session_id,
            user_id=user_id,
            options=options,
            api_key=api_key,
            base_url=base_url,
        )
        self._injects = inject_memory
        self._runs: WeakKeyDictionary[SessionContext, _Run] = WeakKeyDictionary()

    @property
    def attached_hooks(self) -> Collection[str]:
        """What of a run is used."""
        return _HOOKS if self._memory.active else ()

    def detach(self) -> None:
        """Recall and capture nothing from now on."""
        self._memory.detach()

    async def before_run(
        self,
        *,
        agent: Any,
        session: AgentSession,
        context: SessionContext,
        state: dict[str, Any],  # noqa: ARG002 - nothing of ours is stored with a session
    ) -> None:
        """Capture what the user says, and recall for it; never raises."""
        if not self._memory.ready:
            return
        with fail_open("preparing a run"):
            if not _first(self, context):
                return
            run = _Run(self._memory, self._memory.scope(session.session_id), injects=self._injects)
            self._runs[context] = run
            run.begins(context.input_messages)
            if takes_middleware(agent):
                context.extend_middleware(self.source_id, [_Listener(run)])
            block = await run.recalled(context)
            if block:
                context.extend_instructions(self.source_id, block)

    async def after_run(
        self,
        *,
        agent: Any,  # noqa: ARG002
        session: AgentSession,  # noqa: ARG002
        context: SessionContext,
        state: dict[str, Any],  # noqa: ARG002
    ) -> None:
        """Capture what nobody has told of before; never raises."""
        run = self._runs.pop(context, None)
        if run is not None and self._memory.active and context.response is not None:
            with fail_open("capturing a response"):
                run.ends(context.response.messages)


class _Run:
    """One run of an agent: what it was asked, what was recalled, and what has been captured."""

    def __init__(self, memory: Surface, scope: Scope, *, injects: bool) -> None:
        self.scope = scope
        self.injects = injects
        self._memory = memory
        self._name = uuid.uuid4().hex
        self._tools: dict[str, str] = {}
        self._answered: set[str] = set()
        self._answers = 0

    def begins(self, messages: Iterable[Any]) -> None:
        """The user has said something."""
        for message in messages:
            for step in _events.said_by_user(message, message_id(message)):
                self._memory.record(step, self.scope)

    async def recalled(self, context: SessionContext) -> str:
        """The block for the instructions; "" if there is nothing, or it is there already."""
        question = _events.question_in(context.input_messages) if self.injects else ""
        if not question or any(marking.contains(text) for text in context.instructions):
            return ""
        return (await self._memory.arecall(question, self.scope)).text

    def asks(self, messages: Iterable[Any]) -> None:
        """A model is asked: with the results of the tools that it has called."""
        for content in _events.results_in(messages):
            call_id = str(content.call_id)
            if call_id in self._tools and call_id not in self._answered:
                self._answered.add(call_id)
                key = f"{self._name}/{call_id}"
                step = _events.result_of(content, self._tools[call_id], key)
                self._memory.record(step, self.scope)

    def answers(self, messages: Iterable[Any]) -> None:
        """A model has answered."""
        for message in messages:
            self._answers += 1
            for step in _events.said_by_agent(message, f"{self._name}/{self._answers}"):
                self._memory.record(step, self.scope)
            for content in _events.calls_in(message):
                self._called(content)

    def ends(self, messages: Sequence[Any]) -> None:
        """The run is over: what its middleware was told is known already."""
        if self._answers == 0:
            self.answers(messages)
        self.asks(messages)

    def broke(self, error: Exception) -> None:
        """A model has failed."""
        with fail_open("capturing a failure"):
            self._memory.record(Failure(error, where="model"), self.scope)

    def _called(self, content: Any) -> None:
        call_id = str(content.call_id)
        if call_id not in self._tools:
            self._tools[call_id] = content.name
            self._memory.record(_events.call_of(content, f"{self._name}/{call_id}"), self.scope)


class _Listener(ChatMiddleware):
    """Hears every request to a model in a run, and its answer."""

    def __init__(self, run: _Run) -> None:
        self._run = run

    async def process(self, context: ChatContext, call_next: Callable[[], Awaitable[None]]) -> None:
        """Capture around the request."""
        run = self._run
        with fail_open("reading a request"):
            run.asks(context.messages)
            if context.stream:
                context.stream_result_hooks.append(self._heard)
        try:
            with going(run.scope, recalls=run.injects):
                await call_next()
        except Exception as error:
            run.broke(error)
            raise
        if isinstance(context.result, ChatResponse):
            self._heard(context.result)

    def _heard(self, response: ChatResponse[Any]) -> None:
        with fail_open("capturing an answer"):
            self._run.answers(response.messages)


def _first(provider: HippocortexContextProvider, context: SessionContext) -> bool:
    """Whether no other provider of this kind serves the run already."""
    return context.metadata.setdefault(_RUNS, id(provider)) == id(provider)
