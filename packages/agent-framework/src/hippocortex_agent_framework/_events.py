"""Messages of Agent Framework as steps: pure functions, without a memory and without an agent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from hippocortex_core.steps import (
    AnyStep,
    AssistantMessage,
    ToolCall,
    ToolResult,
    UserMessage,
    arguments_of,
)

_MEDIA = {"image": "[image]", "audio": "[audio]", "video": "[video]"}


def question_in(messages: Iterable[Any]) -> str:
    """What the user says in the messages, as text; "" for nothing."""
    texts = (text_of(message, media=False) for message in messages if message.role == "user")
    return "\n".join(text for text in texts if text.strip())


def said_by_user(message: Any, key: str) -> Iterator[AnyStep]:
    """What the user says, if it is the user."""
    text = text_of(message) if message.role == "user" else ""
    if text.strip():
        yield UserMessage(text, name=message.author_name, key=key)


def said_by_agent(message: Any, key: str) -> Iterator[AnyStep]:
    """What an agent says, and the tools that it calls."""
    if message.role != "assistant":
        return
    text = text_of(message)
    if text.strip():
        yield AssistantMessage(text, name=message.author_name, key=key)


def calls_in(message: Any) -> Iterator[Any]:
    """The calls of tools that a message holds."""
    return (content for content in message.contents if content.type == "function_call")


def results_in(messages: Iterable[Any]) -> Iterator[Any]:
    """The results of tools that messages hold."""
    return (
        content
        for message in messages
        for content in message.contents
        if content.type == "function_result"
    )


def call_of(content: Any, key: str) -> ToolCall:
    """A call of a tool."""
    arguments = arguments_of(content.arguments)
    return ToolCall(content.name, arguments, call_id=content.call_id, key=key)


def result_of(content: Any, tool: str, key: str) -> ToolResult:
    """What a tool has given, or why it has not."""
    if content.exception:
        return ToolResult(tool, call_id=content.call_id, error=str(content.exception), key=key)
    return ToolResult(tool, _value(content.result), call_id=content.call_id, key=key)


def text_of(message: Any, *, media: bool = True) -> str:
    """What a message says; media as `[image]` or left out, never their bytes."""
    texts: list[str] = []
    for content in message.contents:
        if content.type == "text":
            texts.append(content.text or "")
        elif media and content.type in {"data", "uri", "hosted_file"}:
            texts.append(_shown(content))
    return "\n".join(text for text in texts if text)


def _shown(content: Any) -> str:
    kind = str(getattr(content, "media_type", None) or "").partition("/")[0]
    return _MEDIA.get(kind, "[file]")


def _value(result: Any) -> Any:
    """A result as JSON would have it; content items as their texts."""
    if isinstance(result, list):
        items = cast("list[Any]", result)
        if items and all(hasattr(item, "type") for item in items):
            return "\n".join(str(getattr(item, "text", None) or _shown(item)) for item in items)
        return items
    return result
