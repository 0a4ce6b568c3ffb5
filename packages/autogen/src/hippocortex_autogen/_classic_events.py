"""Messages of classic AutoGen as steps: pure functions, without a memory and without an agent."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from hippocortex_autogen._events import CODE, text_of
from hippocortex_core.steps import (
    AnyStep,
    AssistantMessage,
    ToolCall,
    ToolResult,
    UserMessage,
    arguments_of,
)

Message = Mapping[str, Any]

_FAILED = "Error: "
"""How a tool's answer begins when it raised, was not found, or got what is no JSON."""

_EXECUTED = re.compile(r"exitcode: (-?\d+) \(execution (?:succeeded|failed)[^)]*\)\n?")
"""How an agent begins that has run code."""


def steps_of(
    message: Message | str, speaker: str, key: str, *, human: bool, tools: Mapping[str, str]
) -> Iterator[AnyStep]:
    """What a message says, calls and answers.

    Args:
        message: As one agent sends it to another.
        speaker: Who says it.
        key: Identifies it.
        human: Whether the speaker has no model: whatever they say is what models are asked.
        tools: Names of tools that were called, by the ids of the calls.
    """
    message = {"content": message} if isinstance(message, str) else message
    results = list(_results(message, key, tools))
    if results:
        yield from results
        return
    yield from _said(text_of(message.get("content")), speaker, key, human=human)
    yield from _calls(message, key)


def calls_in(messages: Sequence[Message]) -> dict[str, str]:
    """The names of the tools called in a conversation, by the ids of the calls."""
    return {
        str(call.get("id")): str(_function(call).get("name", ""))
        for message in messages
        for call in message.get("tool_calls") or ()
    }


def digest(message: Message | str) -> str:
    """The same for what two agents keep of one message."""
    message = {"content": message} if isinstance(message, str) else message
    parts = [message.get(name) or None for name in _SAYS]
    text = json.dumps(parts, sort_keys=True, default=repr)
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=12).hexdigest()


def asked_in(messages: Sequence[Message]) -> int | None:
    """The position of what the agent was told last, in words; None if it was not."""
    for position in range(len(messages) - 1, -1, -1):
        message = messages[position]
        if message.get("role") == "user" and text_of(message.get("content")).strip():
            return position
    return None


def with_block(messages: Sequence[Message], block: str) -> list[Message]:
    """The messages with the block before what the agent was told last."""
    at = asked_in(messages)
    if at is None:
        return list(messages)
    return [*messages[:at], {"role": "user", "content": block}, *messages[at:]]


def _said(text: str, speaker: str, key: str, *, human: bool) -> Iterator[AnyStep]:
    ran = _EXECUTED.match(text)
    if ran is not None:
        output = text[ran.end() :].removeprefix("Code output:").strip()
        failed = ran[1] != "0"
        error = (output or f"exit code {ran[1]}") if failed else None
        yield ToolResult(CODE, None if failed else output, error=error, key=key)
    elif not text.strip():
        return
    elif human:
        yield UserMessage(text, name=speaker, key=key)
    else:
        yield AssistantMessage(text, name=speaker, key=key)


def _calls(message: Message, key: str) -> Iterator[AnyStep]:
    for call in message.get("tool_calls") or ():
        function, call_id = _function(call), call.get("id")
        name, args = str(function.get("name", "")), arguments_of(function.get("arguments"))
        yield ToolCall(name, args, call_id=call_id, key=f"{key}/{call_id}")
    old = message.get("function_call")
    if isinstance(old, Mapping):
        called = cast("Message", old)
        yield ToolCall(str(called.get("name", "")), arguments_of(called.get("arguments")), key=key)


def _results(message: Message, key: str, tools: Mapping[str, str]) -> Iterator[AnyStep]:
    answers: Any = message.get("tool_responses")
    if not answers:
        answers = [message] if message.get("role") in {"tool", "function"} else ()
    for number, answer in enumerate(answers):
        call_id = answer.get("tool_call_id")
        name = tools.get(str(call_id)) or str(answer.get("name") or "")
        text = text_of(answer.get("content"))
        failed = text.startswith(_FAILED)
        yield ToolResult(
            name,
            None if failed else text,
            call_id=call_id,
            error=text if failed else None,
            key=f"{key}/{number}",
        )


def _function(call: Message) -> Message:
    return call.get("function") or {}


_SAYS = ("content", "tool_calls", "tool_responses", "function_call")
"""What of a message is what it says; the rest is about whose it is."""
