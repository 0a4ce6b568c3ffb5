"""AgentChat's messages as steps: pure functions, without a memory and without an agent.

Messages are told by the name of their type, so nothing of the framework is imported.  What the
other generations pass around is translated in `_classic_events.py` and `_ag2_events.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from hippocortex_core.steps import (
    AnyStep,
    AssistantMessage,
    Failure,
    Observation,
    ToolCall,
    ToolResult,
    UserMessage,
    arguments_of,
)

USER = "user"
"""Who says what a task is given as."""

CODE = "code_executor"
"""The tool that code is run by, as far as memory is concerned."""

_Translation = Callable[[Any, str, bool], Iterator[AnyStep]]


def steps_of(message: Any, key: str, *, human: bool) -> Iterator[AnyStep]:
    """What a message or event says, if it is worth remembering.

    Args:
        message: Of AgentChat: a chat message or an agent's event.
        key: Identifies it.
        human: Whether whoever says it is a person.
    """
    kind = type(message).__name__.partition("[")[0]  # StructuredMessage[Plan]
    translate = _TRANSLATIONS.get(kind)
    if translate is None and callable(getattr(message, "to_model_text", None)):
        translate = _said  # a message type of the user's own
    if translate is not None:
        yield from translate(message, key, human)


def is_message(item: Any) -> bool:
    """Whether agents tell it each other: no event, no response."""
    return callable(getattr(item, "to_model_text", None))


def failure_of(error: BaseException, agent: str) -> Failure:
    """The agent's run ended with an exception."""
    return Failure(error, where=agent)


def text_of(content: Any) -> str:
    """Content as text: parts joined by lines, media as `[image]`, never their bytes."""
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        return _block(cast("Mapping[str, Any]", content))
    if isinstance(content, (list, tuple)):
        texts = (text_of(part) for part in cast("Sequence[Any]", content))
        return "\n".join(text for text in texts if text)
    return "" if content is None else _MEDIA.get(type(content).__name__, "")


def question_in(messages: Sequence[Any]) -> str:
    """What came in since the model spoke last, of an LLM's messages; "" for nothing."""
    asked: list[str] = []
    for message in reversed(messages):
        if message.type != "UserMessage":
            break
        asked.append(text_of(message.content))
    return "\n".join(reversed([text for text in asked if text.strip()]))


def _said(message: Any, key: str, human: bool) -> Iterator[AnyStep]:
    text = _words(message)
    if not text.strip():
        return
    name: str = message.source
    if human:
        yield UserMessage(text, name=None if name == USER else name, key=key)
    else:
        yield AssistantMessage(text, name=name, key=key)


def _words(message: Any) -> str:
    content = message.content
    return text_of(content) if isinstance(content, (str, list)) else message.to_model_text()


def _handed_over(message: Any, key: str, _: bool) -> Iterator[AnyStep]:
    to = {"from": message.source, "to": message.target}
    said = f"{message.source} handed over to {message.target}"
    yield Observation(f"{said}: {message.content}" if message.content else said, to, key=key)


def _called(event: Any, key: str, _: bool) -> Iterator[AnyStep]:
    for call in event.content:
        yield ToolCall(
            call.name, arguments_of(call.arguments), call_id=call.id, key=f"{key}/{call.id}"
        )


def _executed(event: Any, key: str, _: bool) -> Iterator[AnyStep]:
    for one in event.content:
        failed = bool(one.is_error)
        yield ToolResult(
            one.name,
            None if failed else one.content,
            call_id=one.call_id,
            error=one.content if failed else None,
            key=f"{key}/{one.call_id}",
        )


def _wrote_code(event: Any, key: str, _: bool) -> Iterator[AnyStep]:
    code = "\n\n".join(block.code for block in event.code_blocks)
    if code:
        yield ToolCall(CODE, {"code": code, "attempt": event.retry_attempt}, key=key)


def _ran_code(event: Any, key: str, _: bool) -> Iterator[AnyStep]:
    output, failed = event.result.output, event.result.exit_code != 0
    error = (output or f"exit code {event.result.exit_code}") if failed else None
    yield ToolResult(CODE, None if failed else output, error=error, key=key)


def _block(part: Mapping[str, Any]) -> str:
    kind = str(part.get("type", ""))
    for name in ("text", "refusal"):
        if isinstance(text := part.get(name), str):
            return text
    return next((shown for media, shown in _BLOCKS.items() if media in kind), "")


_BLOCKS = {"image": "[image]", "audio": "[audio]", "video": "[video]", "file": "[file]"}
_MEDIA = {"Image": "[image]"}

_TRANSLATIONS: Mapping[str, _Translation] = {
    "TextMessage": _said,
    "MultiModalMessage": _said,
    "StructuredMessage": _said,
    "StopMessage": _said,
    "ToolCallSummaryMessage": _said,
    "HandoffMessage": _handed_over,
    "ToolCallRequestEvent": _called,
    "ToolCallExecutionEvent": _executed,
    "CodeGenerationEvent": _wrote_code,
    "CodeExecutionEvent": _ran_code,
}
"""By type; of other events, such as chunks of a stream or recalled memory, nothing is kept."""
