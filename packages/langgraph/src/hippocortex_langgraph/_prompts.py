"""Memory in what a model is asked: where it goes, and whether it is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from hippocortex_core.marking import contains
from hippocortex_langgraph._events import text_of


def with_memory(messages: Sequence[Any], memory: str) -> list[Any]:
    """The messages with a memory block in front: in their system prompt, or as one.

    Args:
        messages: For the model; not changed.
        memory: Of `create_recall_node`; if it is empty, the messages come back as they are.
    """
    if not memory:
        return list(messages)
    if messages and isinstance(first := messages[0], SystemMessage):
        return [system_with(first, memory), *messages[1:]]
    return [SystemMessage(memory), *messages]


def system_with(system: SystemMessage | None, memory: str) -> SystemMessage:
    """A system prompt with a memory block at its end."""
    if system is None:
        return SystemMessage(memory)
    content: Any = system.content
    if isinstance(content, str):
        return _like(system, f"{content}\n\n{memory}" if content else memory)
    return _like(system, [*content, {"type": "text", "text": memory}])


def holds_memory(messages: Sequence[BaseMessage]) -> bool:
    """Whether memory is in the system prompt, or in what was said since the user spoke last."""
    for message in reversed(messages):
        if contains(text_of(message.content)):
            return not isinstance(message, (AIMessage, ToolMessage))
        if isinstance(message, HumanMessage):
            break
    return any(
        isinstance(message, SystemMessage) and contains(text_of(message.content))
        for message in messages
    )


def _like(system: SystemMessage, content: Any) -> SystemMessage:
    return system.model_copy(update={"content": content})
