"""Anthropic Messages: `system` and `messages` in, `content` blocks out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hippocortex._instrument.providers._reading import (
    arguments,
    each,
    get,
    hold_memory,
    text_of,
    word,
)
from hippocortex._instrument.providers._wire import Asked, Call, Item, Reply, Result, Wire, newest


def read(body: Mapping[str, Any]) -> Asked:
    """What is new in the request."""
    messages = each(get(body, "messages"))
    contents = (get(message, "content") for message in messages)
    marked = hold_memory((get(body, "system"), *contents))
    return newest(_backwards(reversed(messages)), marked=marked)


def inject(body: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The request with a text block after its own, so that their cached prefix stays as it is."""
    system = get(body, "system")
    own: list[Any] = list(each(system))
    if isinstance(system, str) and system.strip():
        own = [{"type": "text", "text": system}]
    return {**body, "system": [*own, {"type": "text", "text": text}] if own else text}


def reply(answer: Any) -> Reply:
    """What the content blocks say."""
    found = Reply()
    texts: list[str] = []
    for block in each(get(answer, "content")):
        kind = word(block, "type")
        if kind == "text":
            texts.append(word(block, "text"))
        elif kind.endswith("tool_use"):
            args = arguments(get(block, "input"))
            found.calls.append(Call(word(block, "id"), word(block, "name"), args))
        elif kind.endswith("tool_result"):
            tool = kind.removesuffix("_tool_result")
            found.results.append(_result(block, tool))
    found.text = "\n".join(text for text in texts if text)
    return found


def reduce(chunks: Iterable[Any]) -> Reply:
    """What the blocks say as far as their events came."""
    blocks: dict[int, dict[str, Any]] = {}
    for event in chunks:
        kind, index = word(event, "type"), get(event, "index", 0)
        if kind == "content_block_start":
            blocks[index] = _opened(get(event, "content_block"))
        elif kind == "content_block_delta" and index in blocks:
            delta, block = get(event, "delta"), blocks[index]
            block["text"] += word(delta, "text")
            block["json"] += word(delta, "partial_json")
    for block in blocks.values():
        block["input"] = block["json"] or block["input"]
    return reply({"content": [blocks[index] for index in sorted(blocks)]})


def _opened(block: Any) -> dict[str, Any]:
    known = {name: get(block, name) for name in ("type", "id", "name", "input", "content")}
    result = {name: get(block, name) for name in ("tool_use_id", "is_error")}
    return {**known, **result, "text": word(block, "text"), "json": ""}


def _backwards(messages: Iterable[Any]) -> Iterator[Item]:
    for message in messages:
        content = get(message, "content")
        if word(message, "role") == "assistant":
            uses = [block for block in each(content) if word(block, "type").endswith("tool_use")]
            yield Item("model", calls={word(use, "id"): word(use, "name") for use in uses})
        elif word(message, "role") == "user":
            yield from _said(content)
        else:
            yield Item("other")


def _said(content: Any) -> Iterator[Item]:
    """A user's message holds what the user says and what tools answered, in any order."""
    blocks = [block for block in each(content) if word(block, "type").endswith("tool_result")]
    rest = content if isinstance(content, str) else [b for b in each(content) if b not in blocks]
    if text := text_of(rest):
        yield Item("user", text, text_of(rest, media=False))
    for block in reversed(blocks):
        found = _result(block, "")
        yield Item("result", found.text, call_id=found.call_id, failed=found.failed)


def _result(block: Any, tool: str) -> Result:
    content = get(block, "content")
    inner = word(content, "error_code")  # the provider's own tools fail inside their content
    failed = get(block, "is_error") is True or bool(inner)
    return Result(word(block, "tool_use_id"), tool, text_of(content) or inner, failed)


MESSAGES = Wire("messages", "messages", read, inject, reply, reduce)
