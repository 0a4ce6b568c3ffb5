"""Events of AG2 1.0 as steps: pure functions, without a memory and without an agent.

Events are told by what they hold, so nothing of the framework is imported.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from hippocortex_autogen._events import text_of
from hippocortex_core.steps import (
    AnyStep,
    AssistantMessage,
    Failure,
    ToolCall,
    ToolResult,
    UserMessage,
    arguments_of,
)


def text_in(event: Any) -> str:
    """The text that a turn begins with, without media; "" if it begins with something else."""
    return "\n".join(text for part in _parts(event) if (text := _text(part, media=False)))


def said_by_user(event: Any, key: str) -> Iterator[AnyStep]:
    """What a turn begins with."""
    text = "\n".join(text for part in _parts(event) if (text := _text(part, media=True)))
    if text.strip():
        yield UserMessage(text, key=key)


def answer_of(response: Any, key: str) -> Iterator[AnyStep]:
    """What a model says, and the tools that it calls."""
    text = getattr(response, "content", None)
    if isinstance(text, str) and text.strip():
        yield AssistantMessage(text, key=key)
    for call in calls_in(response):
        call_key = f"{key}/{call.id}"
        yield ToolCall(call.name, arguments_of(call.arguments), call_id=call.id, key=call_key)


def calls_in(response: Any) -> Sequence[Any]:
    """The tools that a model calls."""
    return getattr(getattr(response, "tool_calls", None), "calls", None) or ()


def results_in(events: Sequence[Any], calls: dict[str, Any], turn: str) -> Iterator[AnyStep]:
    """Results that nobody has executed, such as that there is no such tool.

    Args:
        events: That a model is given next; the last one may hold results.
        calls: By their ids, those without a result so far; the ones that have one now go.
        turn: Identifies the turn.
    """
    for result in getattr(events[-1], "results", None) or () if events else ():
        call = calls.pop(result.parent_id, None)
        if call is not None:
            yield from results_of(call, result, turn)


def results_of(call: Any, result: Any, turn: str) -> Iterator[AnyStep]:
    """What a tool has given; a tool that the client runs has given nothing yet."""
    error = getattr(result, "error", None)
    if isinstance(error, BaseException):
        yield broken(call, error, turn)
        return
    found = getattr(result, "result", None)
    if found is not None:
        texts = [_text(part, media=True) for part in found.parts]
        value = "\n".join(text for text in texts if text)
        yield ToolResult(call.name, value, call_id=call.id, key=f"{turn}/{call.id}")


def broken(call: Any, error: BaseException, turn: str) -> ToolResult:
    """A tool has raised."""
    said = f"{type(error).__name__}: {error}"
    return ToolResult(call.name, call_id=call.id, error=said, key=f"{turn}/{call.id}")


def failure_of(error: BaseException, turn: str) -> Failure:
    """A turn has ended with an exception."""
    return Failure(error, where="agent", key=turn)


def dialogue(question: Any, answer: Any) -> Iterator[AnyStep]:
    """What a person was asked in the middle of a turn, and answered."""
    if text := text_of(getattr(question, "content", None)):
        yield AssistantMessage(text)
    if text := text_of(getattr(answer, "content", None)):
        yield UserMessage(text)


def _parts(event: Any) -> Sequence[Any]:
    return getattr(event, "parts", None) or ()


def _text(part: Any, *, media: bool) -> str:
    content = getattr(part, "content", None)
    if isinstance(content, str):
        return content
    if (data := getattr(part, "data", None)) is not None and not isinstance(data, bytes):
        return data if isinstance(data, str) else json.dumps(data, default=str, ensure_ascii=False)
    kind = getattr(getattr(part, "kind", None), "value", "file")
    return (f"[{kind}]" if kind in _MEDIA else "[file]") if media else ""


_MEDIA = frozenset({"image", "audio", "video", "document"})
