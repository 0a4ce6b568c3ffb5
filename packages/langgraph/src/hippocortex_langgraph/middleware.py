"""Memory for `create_agent`: recalled into every model call, captured from models and tools."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from langchain.agents.middleware.types import AgentMiddleware, ModelRequest
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from hippocortex_core.guard import fail_open, with_memory
from hippocortex_core.recorder import RecallOptions, Source
from hippocortex_core.scope import Scope
from hippocortex_core.steps import Failure
from hippocortex_core.types import ReasoningSection
from hippocortex_langgraph import _events
from hippocortex_langgraph._compat import GraphBubbleUp, context_of, system_of, with_system
from hippocortex_langgraph._memory import Memory
from hippocortex_langgraph._prompts import system_with

if TYPE_CHECKING:
    _Middleware = AgentMiddleware[Any, Any, Any]
else:
    _Middleware = AgentMiddleware  # of fewer parameters before langchain 1.1

_HOOKS = ("wrap_model_call", "awrap_model_call", "wrap_tool_call", "awrap_tool_call")


class HippocortexMiddleware(_Middleware):
    """Gives an agent a memory.

    ```python
    agent = create_agent(model, tools, middleware=[HippocortexMiddleware()])
    agent.invoke(inputs, {"configurable": {"thread_id": "42", "user_id": "ann"}})
    ```

    What memory knows about the user's last words stands in the system prompt of the model's
    requests, never in the agent's state.  What the user, the model and the tools say, and every
    failure, is captured in the background.  It adds no steps to the graph.

    Args:
        client: A recorder, a `SyncHippocortex` or a service; default: what is configured.
        session_id: Of everything; default: the thread, then the surrounding `session(...)`.
        user_id_key: Where `config["configurable"]`, or else the run's context, names the user.
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
        user_id_key: str = "user_id",
        max_tokens: int | None = None,
        sections: Sequence[ReasoningSection] | None = None,
        min_confidence: float = 0.0,
        api_key: str | None = None,
        base_url: str | None = None,
    ) -> None:
        super().__init__()
        options = RecallOptions(
            max_tokens, None if sections is None else tuple(sections), min_confidence
        )
        self._memory = Memory(
            client,
            session_id=session_id,
            user_id_key=user_id_key,
            options=options,
            api_key=api_key,
            base_url=base_url,
        )

    @property
    def attached_hooks(self) -> Collection[str]:
        """The hooks of the agent that are used."""
        return _HOOKS if self._memory.active else ()

    def detach(self) -> None:
        """Recall and capture nothing from now on."""
        self._memory.detach()

    # --- models ----------------------------------------------------------------------------------

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Any]
    ) -> Any:
        """Recall before the call, capture around it."""
        if not self._memory.ready:
            return handler(request)
        scope = self._begin(request)
        memory = self._memory.recall(_asked(request), scope)
        try:
            with with_memory():
                response = handler(_filled(request, memory))
        except Exception as error:
            self._broke(error, scope)
            raise
        self._answered(response, scope)
        return response

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[Any]]
    ) -> Any:
        """As `wrap_model_call`."""
        if not self._memory.ready:
            return await handler(request)
        scope = self._begin(request)
        memory = await self._memory.arecall(_asked(request), scope)
        try:
            with with_memory():
                response = await handler(_filled(request, memory))
        except Exception as error:
            self._broke(error, scope)
            raise
        self._answered(response, scope)
        return response

    def _begin(self, request: ModelRequest[Any]) -> Scope:
        """To whom the call belongs; what was said before it is captured."""
        scope = Scope()
        with fail_open("reading a request"):
            scope = self._memory.scope(context=context_of(request.runtime))
            messages = _events.messages_in(request.state) or list(request.messages)
            self._memory.capture(messages, scope)
        return scope

    def _answered(self, response: Any, scope: Scope) -> None:
        with fail_open("reading an answer"):
            self._memory.capture(_results(response), scope)

    def _broke(self, error: Exception, scope: Scope) -> None:
        if not isinstance(error, GraphBubbleUp):
            self._memory.record(Failure(error, where="model"), scope)

    # --- tools -----------------------------------------------------------------------------------

    def wrap_tool_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        """Capture the result, or the failure."""
        try:
            result = handler(request)
        except Exception as error:
            self._failed(request, error)
            raise
        self._used(request, result)
        return result

    async def awrap_tool_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        """As `wrap_tool_call`."""
        try:
            result = await handler(request)
        except Exception as error:
            self._failed(request, error)
            raise
        self._used(request, result)
        return result

    def _used(self, request: Any, result: Any) -> None:
        with fail_open("reading a result"):
            if isinstance(result, ToolMessage):
                step = _events.result_of(result, _call(request))
                self._memory.record(step, self._scope_of_tool(request))

    def _failed(self, request: Any, error: Exception) -> None:
        with fail_open("reading a failure"):
            if not isinstance(error, GraphBubbleUp):
                step = _events.failure_of(request.tool_call["id"], _call(request), error)
                self._memory.record(step, self._scope_of_tool(request))

    def _scope_of_tool(self, request: Any) -> Scope:
        runtime: Any = request.runtime
        config = cast("Mapping[str, Any] | None", getattr(runtime, "config", None))
        return self._memory.scope(config, context_of(runtime))


def _asked(request: ModelRequest[Any]) -> list[BaseMessage]:
    """What the model is given, with the system prompt."""
    system = system_of(request)
    return [*([] if system is None else [system]), *request.messages]


def _filled(request: ModelRequest[Any], memory: str) -> ModelRequest[Any]:
    """The request with the memory in its system prompt; itself if there is none."""
    with fail_open("injecting"):
        if memory:
            return with_system(request, system_with(system_of(request), memory))
    return request


def _results(response: Any) -> list[BaseMessage]:
    """The messages of an answer, in whatever an inner middleware has put them."""
    if isinstance(response, AIMessage):
        return [response]
    response = getattr(response, "model_response", response)
    return list(response.result)


def _call(request: Any) -> _events.Issued:
    """The call that a tool answers, as every other surface tells it."""
    call = request.tool_call
    messages = _events.messages_in(request.state)
    known = _events.open_calls(messages, {}).get(call["id"])
    return known or _events.Issued(call["name"], None)
