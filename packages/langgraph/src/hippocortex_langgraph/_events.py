"""LangChain messages as steps: pure functions, without a memory and without a graph.

A message is the same step wherever it is met: in a checkpoint, in a request, in a callback.  Its
key is made of the id that LangChain gives it and of a digest of what it says, so that an edit by a
person is news while a replay is not.  A tool's result has the key of its call, since the message
that holds it gets an id only later.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    ToolMessage,
    convert_to_messages,
)

from hippocortex_core.steps import AnyStep, AssistantMessage, ToolCall, ToolResult, UserMessage

_MEDIA = {
    "image": "[image]",
    "image_url": "[image]",
    "input_image": "[image]",
    "audio": "[audio]",
    "input_audio": "[audio]",
    "video": "[video]",
    "file": "[file]",
    "input_file": "[file]",
    "document": "[document]",
}
"""What a block that is not text is remembered as; its bytes are never kept."""


def messages_in(value: Any) -> list[BaseMessage]:
    """The messages in whatever stands for some: a message, a list, text, dicts, a state.

    Anything that is none of these has no messages in it.
    """
    value = _field(value, "messages") if _has_messages(value) else value
    if isinstance(value, (str, BaseMessage)):
        value = [value]
    if not isinstance(value, (list, tuple)):
        return []
    items = cast("Sequence[Any]", value)
    if all(isinstance(item, BaseMessage) for item in items):
        return list(items)
    return [message for item in items for message in _converted(item)]


@dataclass(frozen=True)
class Issued:
    """A call of a tool: its name, and the id of the message that calls it."""

    tool: str
    message_id: str | None


Calls = dict[str, Issued]
"""Calls of tools by their ids."""


def steps_of(
    messages: Sequence[BaseMessage],
    fresh: Container[int] | None = None,
    calls: Mapping[str, Issued] | None = None,
) -> Iterator[AnyStep]:
    """What was said and done, in order; a system prompt is neither.

    Args:
        messages: A conversation, or the end of one.
        fresh: Positions of the messages that are wanted; default: all.
        calls: Tools called before the first of the messages.
    """
    times: Counter[str] = Counter()
    known = dict(calls or {})
    for position, message in enumerate(messages):
        wanted = fresh is None or position in fresh
        if isinstance(message, AIMessage):
            known.update(_calls(message))
        if not wanted:
            continue
        if isinstance(message, HumanMessage):
            key = key_of(message, times)
            yield UserMessage(text_of(message.content), name=message.name, key=key)
        elif isinstance(message, AIMessage):
            yield from _said(message, key_of(message, times))
        elif isinstance(message, ToolMessage):
            yield result_of(message, known.get(message.tool_call_id))


def result_of(message: ToolMessage, call: Issued | None) -> ToolResult:
    """A tool's answer, whose status says whether it failed; and its call, if that is known."""
    failed = message.status == "error"
    text = text_of(message.content)
    issuer = None if call is None else call.message_id
    return ToolResult(
        message.name or ("" if call is None else call.tool),
        None if failed else text,
        call_id=message.tool_call_id,
        error=text if failed else None,
        key=result_key(issuer, message.tool_call_id, failed=failed),
    )


def failure_of(call_id: str | None, call: Issued, error: BaseException) -> ToolResult:
    """A tool that raised; what LangGraph makes of it later is the same step."""
    said = f"{type(error).__name__}: {error}"
    key = result_key(call.message_id, call_id, failed=True) if call_id else None
    return ToolResult(call.tool, call_id=call_id, error=said, key=key)


def result_key(issuer: str | None, call_id: str | None, *, failed: bool) -> str:
    """Identifies a result within its session; a failure and a later success are two."""
    return f"{issuer or ''}/{call_id}/{'failed' if failed else 'done'}"


def open_calls(messages: Sequence[BaseMessage], before: Mapping[str, Issued]) -> Calls:
    """The calls that nobody has answered after these messages, given those before them."""
    calls = dict(before)
    for message in messages:
        if isinstance(message, ToolMessage):
            calls.pop(message.tool_call_id, None)
        elif isinstance(message, (AIMessage, HumanMessage)):
            calls = _calls(message) if isinstance(message, AIMessage) else {}
    return calls


def question_in(messages: Sequence[BaseMessage]) -> tuple[str, str] | None:
    """The key and the text of what the user said last; None if that is no text."""
    said = [message for message in messages if isinstance(message, HumanMessage)]
    text = text_of(said[-1].content, media=False) if said else ""
    if not text.strip():
        return None
    times: Counter[str] = Counter()
    # Only a message without an id needs to be counted among its equals.
    keys = [key_of(message, times) for message in (said[-1:] if said[-1].id else said)]
    return keys[-1], text


def key_of(message: BaseMessage, times: Counter[str]) -> str:
    """Identifies the message within its thread.

    Args:
        message: Without an id, its content and its place among equal ones must do.
        times: How often each content was met before in this list; counted on.
    """
    digest = _digest(message)
    if message.id:
        return f"{message.id}/{digest}"
    times[digest] += 1
    return f"{digest}#{times[digest]}"


def fingerprint(message: BaseMessage) -> int:
    """Changes with what the message says; cheap, and only comparable within this process."""
    content: Any = message.content
    said = hash(content if isinstance(content, str) else repr(content))
    calls = message.tool_calls if isinstance(message, AIMessage) else None
    return hash((said, repr(calls))) if calls else said


def text_of(content: Any, *, media: bool = True) -> str:
    """Content as text: blocks joined by lines, media as `[image]` or left out."""
    if isinstance(content, str):
        return content
    if not isinstance(content, (list, tuple)):
        return ""
    blocks = (_block(block, media=media) for block in cast("Sequence[Any]", content))
    return "\n".join(text for text in blocks if text)


def _calls(message: AIMessage) -> Calls:
    return {call["id"] or "": Issued(call["name"], message.id) for call in message.tool_calls}


def _said(message: AIMessage, key: str) -> Iterator[AnyStep]:
    text = text_of(message.content)
    if text.strip():
        yield AssistantMessage(text, name=message.name, key=key)
    for call in message.tool_calls:
        call_key = f"{message.id or ''}/{call['id']}/{_hash(call['name'], call['args'])}"
        yield ToolCall(call["name"], call["args"], call_id=call["id"], key=call_key)


def _block(block: Any, *, media: bool) -> str:
    if isinstance(block, str):
        return block
    if not isinstance(block, Mapping):
        return ""
    found = cast("Mapping[str, Any]", block)
    shown = _MEDIA.get(str(found.get("type")))
    if shown is not None:
        return shown if media else ""
    for name in ("text", "refusal"):
        if isinstance(text := found.get(name), str):
            return text
    return ""


def _has_messages(value: Any) -> bool:
    if isinstance(value, Mapping):
        return "messages" in value
    return not isinstance(value, BaseMessage) and hasattr(value, "messages")


def _field(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return cast("Mapping[str, Any]", value)[name]
    return getattr(value, name)


def _converted(item: Any) -> list[BaseMessage]:
    if isinstance(item, BaseMessage):
        return [item]
    try:
        return convert_to_messages([item])
    except (ValueError, TypeError, NotImplementedError, KeyError):
        return []


def _digest(message: BaseMessage) -> str:
    calls = message.tool_calls if isinstance(message, AIMessage) else []
    return _hash(message.type, message.content, [(call["name"], call["args"]) for call in calls])


def _hash(*parts: Any) -> str:
    text = json.dumps(parts, sort_keys=True, default=repr)
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=12).hexdigest()
