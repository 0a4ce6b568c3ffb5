"""What a graph's callbacks tell of a run: its messages as soon as they have their ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage, ToolMessage

from hippocortex_core.guard import fail_open
from hippocortex_core.scope import Scope
from hippocortex_core.steps import AssistantMessage, Failure, UserMessage
from hippocortex_langgraph import _events
from hippocortex_langgraph._compat import GraphBubbleUp
from hippocortex_langgraph._memory import Memory

_NODE = "graph:step:"
"""How LangGraph tags the run of a node."""


class Listener(BaseCallbackHandler):
    """Captures one run of a graph.

    What enters a node has been through the state's reducer: every message has its id.  What leaves
    it may not, so only what does is captured at once, and the rest with the next node, or with
    the graph's result.
    """

    run_inline = True

    def __init__(self, memory: Memory, scope: Scope, given: Sequence[BaseMessage]) -> None:
        self._memory = memory
        self._scope = scope
        self._given = given
        self._root: UUID | None = None
        self._met = False
        self._calls: _events.Calls = {}
        self._failed = False

    def on_chain_start(
        self,
        serialized: dict[str, Any],
        inputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **_: Any,
    ) -> None:
        """The graph begins, or one of its nodes."""
        del serialized
        if self._root is None:
            self._root = run_id
        elif self._is_node(parent_run_id, tags):
            with fail_open("listening to a node"):
                self._see(_state_of(inputs))

    def on_chain_end(
        self,
        outputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **_: Any,
    ) -> None:
        """A node has ended, or the graph."""
        with fail_open("listening to a node"):
            if run_id == self._root:
                self._ended(outputs)
            elif self._is_node(parent_run_id, tags):
                found = [m for one in _updates(outputs) for m in _events.messages_in(one)]
                self._see([m for m in found if m.id or isinstance(m, ToolMessage)], whole=False)

    def on_tool_error(self, error: BaseException, *, tags: Any = None, **details: Any) -> None:
        """A tool raised."""
        del tags
        with fail_open("listening to a tool"):
            call_id = details.get("tool_call_id")
            if call_id is None and len(self._calls) == 1:
                (call_id,) = self._calls
            call = self._calls.get(str(call_id))
            if call is not None and not isinstance(error, GraphBubbleUp):
                self._failed = True
                self._memory.record(_events.failure_of(str(call_id), call, error), self._scope)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        """A node failed, or the graph."""
        with fail_open("listening to a failure"):
            if run_id != self._root or isinstance(error, GraphBubbleUp):
                return
            self._ended({})
            if not self._failed:
                self._memory.record(Failure(error, where="graph"), self._scope)

    def _is_node(self, parent: UUID | None, tags: list[str] | None) -> bool:
        return parent == self._root and any(tag.startswith(_NODE) for tag in tags or ())

    def _see(self, messages: list[BaseMessage], *, whole: bool = True) -> None:
        if not messages:
            return
        self._met = True
        before = {} if whole else self._calls
        self._calls = _events.open_calls(messages, before)
        self._memory.capture(messages, self._scope, before)

    def _ended(self, outputs: Any) -> None:
        """The result holds everything; of a graph without messages, only words are known."""
        messages = [] if isinstance(outputs, str) else _events.messages_in(outputs)
        if messages or self._met:
            self._memory.capture(messages, self._scope)
            return
        for message in self._given:
            text = _events.text_of(message.content)
            self._memory.record(UserMessage(text, key=f"user {self._root}"), self._scope)
        said = _words(outputs, {_events.text_of(message.content) for message in self._given})
        if said:
            self._memory.record(AssistantMessage(said, key=f"answer {self._root}"), self._scope)


def _state_of(inputs: Any) -> list[BaseMessage]:
    """The messages of a node's state; one that runs a single call has the state beside it."""
    if isinstance(inputs, Mapping) and "tool_call" in inputs and "state" in inputs:
        inputs = cast("Mapping[str, Any]", inputs)["state"]
    return [m for m in _events.messages_in(inputs) if m.id or isinstance(m, ToolMessage)]


def _updates(outputs: Any) -> list[Any]:
    """What a node writes: a state, commands, or a list of either."""
    listed = cast("Sequence[Any]", outputs if isinstance(outputs, (list, tuple)) else ())
    if listed and not any(isinstance(one, BaseMessage) for one in listed):
        return [found for one in listed for found in _updates(one)]
    update: Any = getattr(cast("object", outputs), "update", None)
    return [outputs if callable(update) or update is None else update]


def _words(outputs: Any, known: set[str]) -> str:
    """The texts of a result that were not in the input."""
    if isinstance(outputs, str):
        return outputs
    values: list[Any] = (
        list(cast("Mapping[str, Any]", outputs).values()) if isinstance(outputs, Mapping) else []
    )
    return "\n".join(v for v in values if isinstance(v, str) and v and v not in known)
