"""AG2 1.0 and newer: middleware that recalls and captures, and leaves the agent untouched."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from contextvars import ContextVar
from typing import Any

from ag2 import Plugin
from ag2.middleware import BaseMiddleware

from hippocortex_autogen import _ag2_events as _events
from hippocortex_core import marking
from hippocortex_core.guard import fail_open
from hippocortex_core.recorder import Source
from hippocortex_core.recorder.surface import RecallOptions, Surface, going
from hippocortex_core.scope import Scope
from hippocortex_core.steps import AnyStep
from hippocortex_core.types import ReasoningSection

_HOOKS = ("on_turn", "on_llm_call", "on_tool_execution", "on_human_input")

_turn: ContextVar[Any] = ContextVar("hippocortex_ag2_turn", default=None)
"""The context of the turn that is captured already, here."""


class HippocortexMiddleware:
    """Gives an AG2 agent a memory, or one of its turns.

    ```python
    agent = Agent("deployer", config=config, middleware=[HippocortexMiddleware()])
    await agent.ask("Deploy payments", middleware=[HippocortexMiddleware()])  # this call only
    ```

    What is known about the words of a turn stands at the end of the system prompt while the
    model is asked, and not in the conversation.

    Args:
        client: A recorder, a `SyncHippocortex` or a service; default: what is configured.
        session_id: Of everything; default: that of the surrounding `session(...)`, then the
            conversation's stream.
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
        session_id: str | None = None,
        user_id: str | None = None,
        inject_memory: bool = True,
        max_tokens: int | None = None,
        sections: Sequence[ReasoningSection] | None = None,
        min_confidence: float = 0.0,
        api_key: str | None = None,
        base_url: str | None = None,
    ) -> None:
        options = RecallOptions(
            max_tokens, None if sections is None else tuple(sections), min_confidence
        )
        self.memory = Surface(
            client,
            session_id=session_id,
            user_id=user_id,
            options=options,
            api_key=api_key,
            base_url=base_url,
        )
        self.injects = inject_memory

    def __call__(self, event: Any, context: Any) -> BaseMiddleware:
        """What AG2 makes for each turn."""
        return _Turn(event, context, self)

    def plugin(self) -> Plugin:
        """As a plugin: of an agent, or, since AG2 1.2, of one of its turns."""
        return Plugin(middleware=[self])

    @property
    def attached_hooks(self) -> Collection[str]:
        """The hooks of a turn that are used."""
        return _HOOKS if self.memory.active else ()

    def detach(self) -> None:
        """Recall and capture nothing from now on."""
        self.memory.detach()


class _Turn(BaseMiddleware):
    """One turn of an agent: what it is asked, and everything until it has answered."""

    def __init__(self, event: Any, context: Any, surface: HippocortexMiddleware) -> None:
        super().__init__(event, context)
        self._memory = surface.memory
        self._injects = surface.injects
        self._key = uuid.uuid4().hex
        self._scope: Scope | None = None
        self._block = ""
        self._answers: list[Any] = []
        self._open: dict[str, Any] = {}

    async def on_turn(self, call_next: Any, event: Any, context: Any) -> Any:
        """Capture what the user says, recall for it, and go on."""
        scope = self._begin(event, context)
        if scope is None:
            return await call_next(event, context)
        token = _turn.set(context)
        try:
            with fail_open("recalling"):
                await self._recall(event, scope)
            with going(scope, recalls=self._injects):
                response = await call_next(event, context)
        except Exception as error:
            self._note(_events.failure_of(error, self._key))
            raise
        finally:
            _turn.reset(token)
        with fail_open("capturing an answer"):
            self._answered(response)
        return response

    async def on_llm_call(self, call_next: Any, events: Any, context: Any) -> Any:
        """Put what was recalled into the prompt while the model answers."""
        if self._scope is None:
            return await call_next(events, context)
        with fail_open("capturing results"):
            self._note(*_events.results_in(events, self._open, self._key))
        own = context.prompt
        given = self._prompt(own)
        context.prompt = given
        try:
            response = await call_next(events, context)
        finally:
            if context.prompt is given:
                context.prompt = own
        with fail_open("capturing an answer"):
            self._answered(response)
        return response

    async def on_tool_execution(self, call_next: Any, event: Any, context: Any) -> Any:
        """Capture what the tool gives, or why it does not."""
        if self._scope is None:
            return await call_next(event, context)
        try:
            result = await call_next(event, context)
        except Exception as error:
            self._open.pop(event.id, None)
            self._note(_events.broken(event, error, self._key))
            raise
        with fail_open("capturing a result"):
            self._open.pop(event.id, None)
            self._note(*_events.results_of(event, result, self._key))
        return result

    async def on_human_input(self, call_next: Any, event: Any, context: Any) -> Any:
        """Capture what a person is asked in between, and answers."""
        answer = await call_next(event, context)
        with fail_open("capturing a person's answer"):
            self._note(*_events.dialogue(event, answer))
        return answer

    # --- parts -----------------------------------------------------------------------------------

    def _begin(self, event: Any, context: Any) -> Scope | None:
        """To whom the turn belongs; None if it is captured already, further out, or by nobody."""
        if _turn.get() is context or not self._memory.ready:
            return None
        with fail_open("reading a turn"):
            self._scope = self._memory.scope(f"stream-{context.stream.id}")
            self._note(*_events.said_by_user(event, self._key))
        return self._scope

    async def _recall(self, event: Any, scope: Scope) -> None:
        question = _events.text_in(event) if self._injects else ""
        if question.strip():
            self._block = (await self._memory.arecall(question, scope)).text

    def _prompt(self, own: list[str]) -> list[str]:
        if not self._block or any(marking.contains(text) for text in own):
            return own
        return [*own, self._block]

    def _answered(self, response: Any) -> None:
        if not any(known is response for known in self._answers):
            key = f"{self._key}/{len(self._answers)}"
            self._answers.append(response)
            self._open.update((call.id, call) for call in _events.calls_in(response))
            self._note(*_events.answer_of(response, key))

    def _note(self, *steps: AnyStep) -> None:
        with fail_open("capturing a step"):
            for step in steps:
                if self._scope is not None:
                    self._memory.record(step, self._scope)
