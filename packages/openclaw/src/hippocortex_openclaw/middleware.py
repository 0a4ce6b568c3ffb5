"""A memory for agent loops that speak OpenClaw's language but are not its gateway.

Inside OpenClaw use the plugin: `hippocortex openclaw install`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any

from hippocortex_core.guard import fail_open
from hippocortex_core.recorder import RecallOptions, Source, Surface
from hippocortex_core.recorder.surface import identifier
from hippocortex_core.scope import Scope
from hippocortex_core.steps import AnyStep, AssistantMessage, ToolCall, UserMessage, arguments_of
from hippocortex_core.types import ReasoningSection
from hippocortex_openclaw._events import tool_result
from hippocortex_openclaw._messages import Turn, last_words, with_block, without_memory
from hippocortex_openclaw._words import agent_words, text_of, user_words

if TYPE_CHECKING:
    from typing_extensions import Self  # in typing from 3.11 on

_HOOKS = ("on_message", "on_response", "on_tool_call", "on_tool_result", "inject_into_messages")
_CONVERSATIONS = 1_024
_FLUSH_SECONDS = 5.0
_MESSAGE_IDS = ("message_id", "messageId", "id")
_CALL_IDS = ("tool_call_id", "toolCallId", "call_id", "id")


class OpenClawMemoryMiddleware:
    """Recalls for what the user says, and captures what is said and done.

    ```python
    memory = create_middleware(session_id="ticket-42", user_id="ann")
    context = await memory.on_message("Deploy payments")
    messages = await memory.inject_into_messages(messages, "Deploy payments")
    ...  # the model answers, tools run
    await memory.on_tool_call("deploy", {"service": "payments"})
    await memory.on_tool_result("deploy", "live")
    await memory.on_response("It is live")
    ```

    Nothing here raises because of the memory, or waits for it longer than a recall's deadline.
    `metadata` is kept with the event.  In it, `user_id` and `agent_id` say whose it is; with a
    `message_id` or a `tool_call_id`, what is delivered twice is captured once.

    Args:
        api_key: Default: `HIPPOCORTEX_API_KEY`, then `.hippocortex.json`.
        base_url: Default: `HIPPOCORTEX_BASE_URL`, then the file, then an embedded memory.
        session_id: Of the conversation; default: the surrounding `session(...)`, else one for
            this object and each of its users.
        inject_memory: Whether anything is recalled.
        capture_messages: Whether what user and agent say is captured.
        capture_tools: Whether calls and results of tools are captured.
        user_id: Whose memory it is; default: that of the surrounding `session(...)`.
        max_tokens: Of what is recalled.
        sections: Of what is recalled; default: all.
        min_confidence: Of what is recalled, in 0..1.
        client: A recorder, a `SyncHippocortex` or a service; default: what is configured.
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        session_id: str | None = None,
        inject_memory: bool = True,
        capture_messages: bool = True,
        capture_tools: bool = True,
        *,
        user_id: str | None = None,
        max_tokens: int = 4_000,
        sections: Sequence[ReasoningSection] | None = None,
        min_confidence: float = 0.0,
        client: Source | None = None,
    ) -> None:
        wanted = None if sections is None else tuple(sections)
        self._memory = Surface(
            client,
            session_id=session_id,
            user_id=user_id,
            options=RecallOptions(max_tokens, wanted, min_confidence),
            api_key=api_key,
            base_url=base_url,
        )
        self._recalls = inject_memory
        self._messages = capture_messages
        self._tools = capture_tools
        self._turns: OrderedDict[Scope, Turn] = OrderedDict()

    # --- what the host tells ---------------------------------------------------------------------

    async def on_message(
        self, message: Any, role: str = "user", metadata: Mapping[str, Any] | None = None
    ) -> str | None:
        """Capture a message of "user" or "assistant"; give what memory knows about the user's.

        Args:
            message: A text, or content in parts.
            role: Who spoke.
            metadata: See the class.
        """
        if role == "assistant":
            await self.on_response(message, metadata)
        if role != "user":
            return None
        with fail_open("taking a message"):
            scope, text = self._scope(metadata), user_words(text_of(message))
            turn = self._turn(scope, fresh=True)
            try:
                return (await self._known(turn, text, scope) or None) if self._recalls else None
            finally:
                # Afterwards: what was only just said is nothing to remember.
                if self._messages and text:
                    self._record(UserMessage(text), scope, metadata, _MESSAGE_IDS)
        return None

    async def get_context(self, query: str, max_tokens: int = 4_000) -> str | None:
        """What memory knows about the query, as a marked text for the model; None for nothing.

        Args:
            query: What it is about.
            max_tokens: Of the text.
        """
        with fail_open("recalling"):
            recorder = self._memory.recorder
            if recorder is not None:
                options = replace(self._memory.options, max_tokens=max_tokens)
                return (await options.arecall(recorder, query, self._scope(None))).text or None
        return None

    async def on_response(self, text: Any, metadata: Mapping[str, Any] | None = None) -> None:
        """Capture what the agent said: its turn ends."""
        with fail_open("taking an answer"):
            scope, said = self._scope(metadata), agent_words(text_of(text))
            self._turn(scope).known.clear()
            if self._messages and said:
                self._record(AssistantMessage(said), scope, metadata, _MESSAGE_IDS)

    async def on_tool_call(
        self,
        name: str,
        input: Any = None,  # noqa: A002 - the reference's name
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Capture that the agent calls a tool; the input is an object, or JSON text of one."""
        with fail_open("taking a call"):
            if self._tools:
                scope = self._scope(metadata)
                call_id = _given(metadata, _CALL_IDS) or self._turn(scope).open(name)
                step = ToolCall(name, arguments_of(input), call_id=call_id)
                self._record(step, scope, metadata)

    async def on_tool_result(
        self, name: str, result: Any = None, metadata: Mapping[str, Any] | None = None
    ) -> None:
        """Capture what a tool answered.

        It failed if the result is an exception, or an object with `error`, `isError`, an exit code
        other than 0, or `success: false`.

        Args:
            name: Of the tool.
            result: What it answered.
            metadata: See the class.
        """
        with fail_open("taking a result"):
            if self._tools:
                scope = self._scope(metadata)
                call_id = _given(metadata, _CALL_IDS) or self._turn(scope).close(name)
                self._record(tool_result(name, result, call_id), scope, metadata)

    async def inject_into_messages(
        self, messages: Sequence[Mapping[str, Any]], query: str | None = None
    ) -> list[Any]:
        """The messages with what memory knows as a system message; yours stay as they are.

        Memory is asked once for what the user said once.  What an earlier turn was given is taken
        out.

        Args:
            messages: As dicts with `role` and `content`.
            query: What it is about; default: what the user said last.
        """
        with fail_open("giving memory to a model"):
            if self._recalls and self._memory.ready:
                scope = self._scope(None)
                asked = user_words(query) if query is not None else last_words(messages)
                block = await self._known(self._turn(scope), asked, scope)
                return with_block(without_memory(messages), block)
        return list(messages)

    async def close(self) -> None:
        """Deliver what is captured; what cannot be delivered now is kept and sent later."""
        with fail_open("delivering what was captured"):
            recorder = self._memory.recorder
            if recorder is not None:
                await recorder.aflush(_FLUSH_SECONDS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # --- about it --------------------------------------------------------------------------------

    @property
    def session_id(self) -> str:
        """The session that what happens here and now belongs to."""
        return self._scope(None).session_id or ""

    @property
    def attached_hooks(self) -> Collection[str]:
        """What is listened to."""
        return _HOOKS if self._memory.active else ()

    def detach(self) -> None:
        """Recall and capture nothing from now on."""
        self._memory.detach()

    # --- parts -----------------------------------------------------------------------------------

    def _scope(self, metadata: Mapping[str, Any] | None) -> Scope:
        user = _given(metadata, ("user_id", "userId"))
        agent = _given(metadata, ("agent_id", "agentId"))
        return Scope(None, user, agent).over(self._memory.scope())

    def _turn(self, scope: Scope, *, fresh: bool = False) -> Turn:
        turn = self._turns.setdefault(scope, Turn({}, {}))
        self._turns.move_to_end(scope)
        while len(self._turns) > _CONVERSATIONS:
            self._turns.popitem(last=False)
        if fresh:
            turn.known.clear()
        return turn

    async def _known(self, turn: Turn, query: str, scope: Scope) -> str:
        if query and query not in turn.known:
            found = (await self._memory.arecall(query, scope)).text
            turn.known.clear()
            turn.known[query] = found
        return turn.known.get(query, "")

    def _record(
        self,
        step: AnyStep,
        scope: Scope,
        metadata: Mapping[str, Any] | None,
        ids: Sequence[str] = (),
    ) -> None:
        about = {"source": "openclaw", **(metadata or {})}
        self._memory.record(replace(step, key=_given(metadata, ids), metadata=about), scope)


create_middleware = OpenClawMemoryMiddleware
"""A memory for an agent loop; the name that the reference gives its maker."""


def create_skill(**options: Any) -> dict[str, Any]:
    """The middleware with a name and a description, for hosts that list what they have.

    Args:
        options: As for `create_middleware`.
    """
    return {
        "name": "hippocortex-memory",
        "description": "Recalls what was learned from past runs, and captures what happens.",
        "middleware": create_middleware(**options),
    }


def _given(metadata: Mapping[str, Any] | None, names: Sequence[str]) -> str | None:
    """The first of the names that says something."""
    found = (identifier((metadata or {}).get(name)) for name in names)
    return next(filter(None, found), None)
