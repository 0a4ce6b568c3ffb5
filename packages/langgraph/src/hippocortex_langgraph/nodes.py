"""Nodes for graphs of your own, and a hook for `create_react_agent`.

```python
class State(MessagesState):
    memory: str

def agent(state: State):
    return {"messages": [model.invoke(with_memory(state["messages"], state["memory"]))]}

builder.add_node("recall", create_recall_node())
builder.add_node("agent", agent)
builder.add_node("capture", create_capture_node())
```
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig

from hippocortex_core.guard import fail_open
from hippocortex_core.recorder import RecallOptions, Source
from hippocortex_core.scope import Scope
from hippocortex_core.types import ReasoningSection
from hippocortex_langgraph import _events
from hippocortex_langgraph._compat import context_in
from hippocortex_langgraph._memory import Memory
from hippocortex_langgraph._prompts import with_memory


class MemoryNode(Runnable[Any, dict[str, Any]]):
    """A node of a graph, sync and async."""

    def __init__(self, memory: Memory, name: str) -> None:
        self._memory = memory
        self.name = name

    @property
    def attached_hooks(self) -> Collection[str]:
        """Its name, as long as it does anything."""
        return (str(self.name),) if self._memory.active else ()

    def detach(self) -> None:
        """Do nothing from now on."""
        self._memory.detach()

    def _read(self, state: Any, config: RunnableConfig | None) -> tuple[list[BaseMessage], Scope]:
        with fail_open("reading a state"):
            scope = self._memory.scope(cast("Mapping[str, Any] | None", config), context_in(config))
            return _events.messages_in(state), scope
        return [], Scope()


class RecallNode(MemoryNode):
    """Puts what memory knows about the user's last words into the state.

    Args:
        memory: To ask.
        output: The key of the state; None: the messages for the model, under the name that
            `create_react_agent` reads.
    """

    def __init__(self, memory: Memory, output: str | None) -> None:
        super().__init__(memory, "recall")
        self._output = output

    def invoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> dict[str, Any]:  # noqa: A002 - LangChain's name
        """The update of the state."""
        messages, scope = self._read(input, config)
        return self._update(messages, self._memory.recall(messages, scope))

    async def ainvoke(
        self,
        input: Any,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        """As `invoke`."""
        messages, scope = self._read(input, config)
        return self._update(messages, await self._memory.arecall(messages, scope))

    def _update(self, messages: list[BaseMessage], memory: str) -> dict[str, Any]:
        if self._output is None:
            return {"llm_input_messages": with_memory(messages, memory)}
        return {self._output: memory}


class CaptureNode(MemoryNode):
    """Captures what is new in the state's messages, and changes nothing."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory, "capture")

    def invoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> dict[str, Any]:  # noqa: A002 - LangChain's name
        """No update."""
        self._memory.capture(*self._read(input, config))
        return {}

    async def ainvoke(
        self,
        input: Any,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        """As `invoke`: capturing never waits."""
        return self.invoke(input, config)


def create_recall_node(
    client: Source | None = None,
    *,
    output_key: str = "memory",
    session_id: str | None = None,
    user_id_key: str = "user_id",
    max_tokens: int | None = None,
    sections: Sequence[ReasoningSection] | None = None,
    min_confidence: float = 0.0,
) -> RecallNode:
    """A node that puts what memory knows under `output_key`, a text of the graph's state.

    Give it to the model with `with_memory(messages, text)`.  It is replaced at every turn, and ""
    if there is nothing.

    Args:
        client: A recorder, a `SyncHippocortex` or a service; default: what is configured.
        output_key: Must be in the state's schema, or LangGraph drops the text.
        session_id: Default: the thread, then the surrounding `session(...)`.
        user_id_key: Where `config["configurable"]`, or else the run's context, names the user.
        max_tokens: Of the text; default: the recorder's.
        sections: Default: all.
        min_confidence: In 0..1.
    """
    options = _options(max_tokens, sections, min_confidence)
    memory = Memory(client, session_id=session_id, user_id_key=user_id_key, options=options)
    return RecallNode(memory, output_key)


def create_capture_node(
    client: Source | None = None,
    *,
    session_id: str | None = None,
    user_id_key: str = "user_id",
) -> CaptureNode:
    """A node that captures the messages of the state, each once; also a `post_model_hook`.

    Args:
        client: A recorder, a `SyncHippocortex` or a service; default: what is configured.
        session_id: Default: the thread, then the surrounding `session(...)`.
        user_id_key: Where `config["configurable"]`, or else the run's context, names the user.
    """
    return CaptureNode(Memory(client, session_id=session_id, user_id_key=user_id_key))


def create_pre_model_hook(
    client: Source | None = None,
    *,
    session_id: str | None = None,
    user_id_key: str = "user_id",
    max_tokens: int | None = None,
    sections: Sequence[ReasoningSection] | None = None,
    min_confidence: float = 0.0,
) -> RecallNode:
    """The `pre_model_hook` of `create_react_agent` that gives the model what memory knows.

    The memory is in the model's input only, never in the state.  To capture as well, add
    `post_model_hook=create_capture_node()`, or a `HippocortexSaver`.

    Args:
        client: A recorder, a `SyncHippocortex` or a service; default: what is configured.
        session_id: Default: the thread, then the surrounding `session(...)`.
        user_id_key: Where `config["configurable"]`, or else the run's context, names the user.
        max_tokens: Of the text; default: the recorder's.
        sections: Default: all.
        min_confidence: In 0..1.
    """
    options = _options(max_tokens, sections, min_confidence)
    memory = Memory(client, session_id=session_id, user_id_key=user_id_key, options=options)
    return RecallNode(memory, None)


def _options(
    max_tokens: int | None, sections: Sequence[ReasoningSection] | None, min_confidence: float
) -> RecallOptions:
    return RecallOptions(max_tokens, None if sections is None else tuple(sections), min_confidence)
