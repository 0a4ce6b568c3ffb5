"""Answers of a model as OpenAI's and Anthropic's services write them, whole and as streams."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Calls = Sequence[tuple[str, str, Mapping[str, Any]]]
Frame = tuple[str, dict[str, Any] | str]
"""An event of a stream: its name, if it has one, and its data."""

_numbers = itertools.count(1)


@dataclass(frozen=True)
class LlmWire:
    """How one protocol writes an answer: (model, text, calls) to JSON, or to the events of it."""

    whole: Callable[[str, str, Calls], dict[str, Any]]
    stream: Callable[[str, str, Calls], Iterator[Frame]]


def _pieces(text: str) -> list[str]:
    return re.findall(r"\S+\s*", text)


# --- Chat Completions ----------------------------------------------------------------------------


def _chat(model: str, text: str, calls: Calls) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text or None, "refusal": None}
    if calls:
        message["tool_calls"] = [_chat_call(call) for call in calls]
    reason = "tool_calls" if calls else "stop"
    choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return {**_chat_head("chat.completion", model), "choices": [choice], "usage": usage}


def _chat_stream(model: str, text: str, calls: Calls) -> Iterator[Frame]:
    head = _chat_head("chat.completion.chunk", model)

    def chunk(delta: dict[str, Any], reason: str | None = None) -> Frame:
        choice = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}
        return "", {**head, "choices": [choice]}

    yield chunk({"role": "assistant", "content": ""})
    for piece in _pieces(text):
        yield chunk({"content": piece})
    for index, call in enumerate(calls):
        whole = _chat_call(call)
        args = whole["function"]["arguments"]
        whole["function"] = {**whole["function"], "arguments": ""}
        yield chunk({"tool_calls": [{"index": index, **whole}]})
        for half in (args[: len(args) // 2], args[len(args) // 2 :]):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": half}}]})
    yield chunk({}, "tool_calls" if calls else "stop")
    yield "", "[DONE]"


def _chat_head(kind: str, model: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{next(_numbers)}", "object": kind, "created": 0, "model": model}


def _chat_call(call: tuple[str, str, Mapping[str, Any]]) -> dict[str, Any]:
    call_id, name, args = call
    function = {"name": name, "arguments": json.dumps(args)}
    return {"id": call_id, "type": "function", "function": function}


# --- Responses -----------------------------------------------------------------------------------


def _response(model: str, text: str, calls: Calls) -> dict[str, Any]:
    return _response_of(model, f"resp_{next(_numbers)}", _output(text, calls), "completed")


def _response_stream(model: str, text: str, calls: Calls) -> Iterator[Frame]:
    answer_id, output = f"resp_{next(_numbers)}", _output(text, calls)
    numbers = itertools.count()

    def event(kind: str, **data: Any) -> Frame:
        return kind, {"type": kind, "sequence_number": next(numbers), **data}

    begun = _response_of(model, answer_id, [], "in_progress")
    yield event("response.created", response=begun)
    for index, item in enumerate(output):
        at: dict[str, Any] = {"output_index": index}
        empty = {**item, "status": "in_progress"}
        empty.update({"content": []} if item["type"] == "message" else {"arguments": ""})
        yield event("response.output_item.added", item=empty, **at)
        at["item_id"] = item["id"]
        if item["type"] == "message":
            part: dict[str, Any] = {"type": "output_text", "text": "", "annotations": []}
            at["content_index"] = 0
            yield event("response.content_part.added", part=part, **at)
            for piece in _pieces(text):
                yield event("response.output_text.delta", delta=piece, logprobs=[], **at)
            yield event("response.output_text.done", text=text, logprobs=[], **at)
            yield event("response.content_part.done", part={**part, "text": text}, **at)
        else:
            args = item["arguments"]
            yield event("response.function_call_arguments.delta", delta=args, **at)
            name = item["name"]
            yield event("response.function_call_arguments.done", arguments=args, name=name, **at)
        yield event("response.output_item.done", output_index=index, item=item)
    done = _response_of(model, answer_id, output, "completed")
    yield event("response.completed", response=done)


def _response_of(
    model: str, answer_id: str, output: list[dict[str, Any]], status: str
) -> dict[str, Any]:
    return {
        "id": answer_id,
        "object": "response",
        "created_at": 0,
        "status": status,
        "model": model,
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
    }


def _output(text: str, calls: Calls) -> list[dict[str, Any]]:
    output: list[dict[str, Any]] = []
    if text:
        part: dict[str, Any] = {"type": "output_text", "text": text, "annotations": []}
        message: dict[str, Any] = {"type": "message", "role": "assistant", "content": [part]}
        output.append({"id": f"msg_{next(_numbers)}", "status": "completed", **message})
    for call_id, name, args in calls:
        call = {"call_id": call_id, "name": name, "arguments": json.dumps(args)}
        item_id = f"fc_{next(_numbers)}"
        output.append({"id": item_id, "type": "function_call", "status": "completed", **call})
    return output


# --- Anthropic Messages --------------------------------------------------------------------------


def _message(model: str, text: str, calls: Calls) -> dict[str, Any]:
    blocks: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
    blocks += [_use(call) for call in calls]
    reason = "tool_use" if calls else "end_turn"
    return {**_message_head(model), "content": blocks, "stop_reason": reason}


def _message_stream(model: str, text: str, calls: Calls) -> Iterator[Frame]:
    def event(kind: str, **data: Any) -> Frame:
        return kind, {"type": kind, **data}

    yield event("message_start", message={**_message_head(model), "content": []})
    yield event("ping")
    if text:
        index = 0
        opened = {"type": "text", "text": ""}
        yield event("content_block_start", index=index, content_block=opened)
        for piece in _pieces(text):
            delta = {"type": "text_delta", "text": piece}
            yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)
    for index, call in enumerate(calls, start=1 if text else 0):
        args = json.dumps(call[2])
        yield event("content_block_start", index=index, content_block={**_use(call), "input": {}})
        for half in (args[: len(args) // 2], args[len(args) // 2 :]):
            delta = {"type": "input_json_delta", "partial_json": half}
            yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)
    reason = {"stop_reason": "tool_use" if calls else "end_turn", "stop_sequence": None}
    yield event("message_delta", delta=reason, usage={"output_tokens": 1})
    yield event("message_stop")


def _message_head(model: str) -> dict[str, Any]:
    return {
        "id": f"msg_{next(_numbers)}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


def _use(call: tuple[str, str, Mapping[str, Any]]) -> dict[str, Any]:
    return {"type": "tool_use", "id": call[0], "name": call[1], "input": dict(call[2])}


_MESSAGES = LlmWire(_message, _message_stream)
WIRES: Mapping[str, LlmWire] = {
    "/chat/completions": LlmWire(_chat, _chat_stream),
    "/responses": LlmWire(_response, _response_stream),
    "/messages": _MESSAGES,
    "rawPredict": _MESSAGES,
    "RawPredict": _MESSAGES,
    "/invoke": _MESSAGES,
}
"""The protocols, by a part of the path."""
