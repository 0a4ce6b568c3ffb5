"""Chat Completions: `messages` in, `choices` out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hippocortex._instrument.providers._reading import (
    SYSTEM_ROLES,
    arguments,
    each,
    get,
    hold_memory,
    text_of,
    word,
)
from hippocortex._instrument.providers._wire import Asked, Call, Item, Reply, Wire, newest


def read(body: Mapping[str, Any]) -> Asked:
    """What is new in the request."""
    messages = each(get(body, "messages"))
    marked = hold_memory(get(message, "content") for message in messages)
    return newest(_backwards(reversed(messages)), marked=marked)


def inject(body: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The request with a system message after its leading ones, in the role that they have."""
    messages = list(each(get(body, "messages")))
    at = next(
        (i for i, each_ in enumerate(messages) if word(each_, "role") not in SYSTEM_ROLES),
        len(messages),
    )
    role = word(messages[at - 1], "role") if at else "system"
    messages.insert(at, {"role": role, "content": text})
    return {**body, "messages": messages}


def reply(answer: Any) -> Reply:
    """What the first choice says."""
    choices = each(get(answer, "choices"))
    message = get(choices[0], "message") if choices else None
    said = text_of(get(message, "content")) or word(message, "refusal")
    said = said or word(get(message, "audio"), "transcript")
    return Reply(said, [_call(call) for call in _calls(message)])


def reduce(chunks: Iterable[Any]) -> Reply:
    """What the first choice says in the chunks so far."""
    texts: list[str] = []
    calls: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for choice in each(get(chunk, "choices")):
            if not get(choice, "index", 0):
                delta = get(choice, "delta")
                texts.append(word(delta, "content") or word(delta, "refusal"))
                for part in _calls(delta):
                    _extend(calls.setdefault(get(part, "index", 0), {}), part)
    return Reply("".join(texts), [_call(calls[index]) for index in sorted(calls)])


def _backwards(messages: Iterable[Any]) -> Iterator[Item]:
    for message in messages:
        role, content = word(message, "role"), get(message, "content")
        if role == "user":
            yield Item("user", text_of(content), text_of(content, media=False))
        elif role == "assistant":
            calls = [_call(call) for call in _calls(message)]
            yield Item("model", calls={call.call_id: call.tool for call in calls})
        elif role in {"tool", "function"}:
            call_id, name = word(message, "tool_call_id"), word(message, "name")
            yield Item("result", text_of(content), call_id=call_id or name, tool=name)
        else:
            yield Item("other")


def _calls(message: Any) -> list[Any]:
    calls = list(each(get(message, "tool_calls")))
    if (legacy := get(message, "function_call")) is not None:
        calls.append({"id": word(legacy, "name"), "function": legacy})
    return calls


def _call(call: Any) -> Call:
    function = get(call, "function") or get(call, "custom")
    args = get(function, "arguments", get(function, "input"))
    return Call(word(call, "id"), word(function, "name"), arguments(args))


def _extend(call: dict[str, Any], part: Any) -> None:
    """Add a piece of a streamed tool call to what came before."""
    function = get(part, "function") or get(part, "custom")
    known = call.setdefault("function", {"name": "", "arguments": ""})
    call["id"] = word(part, "id") or call.get("id", "")
    known["name"] += word(function, "name")
    known["arguments"] += word(function, "arguments") or word(function, "input")


CHAT = Wire("chat", "messages", read, inject, reply, reduce)
