"""Items of the Agents SDK as steps: pure functions, without a memory and without a run.

An item is a dict in an input or a session, and a model of the `openai` package in a response; both
become the same steps.  Steps get their keys from the run that they belong to.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from hippocortex_core.marking import contains
from hippocortex_core.steps import (
    AnyStep,
    AssistantMessage,
    ToolCall,
    ToolResult,
    UserMessage,
    arguments_of,
)

_MEDIA = {
    "image": "[image]",
    "input_image": "[image]",
    "image_url": "[image]",
    "computer_screenshot": "[image]",
    "input_audio": "[audio]",
    "audio": "[audio]",
    "file": "[file]",
    "input_file": "[file]",
}
"""What a part that is not text is remembered as; its bytes are never kept."""

LOCAL_CALLS: Mapping[str, str] = {
    "function_call": "FunctionTool",
    "custom_tool_call": "CustomTool",
    "computer_call": "ComputerTool",
    "local_shell_call": "LocalShellTool",
    "shell_call": "ShellTool",
    "apply_patch_call": "ApplyPatchTool",
}
"""Calls that are carried out here, and the tools that do it; any other call is the provider's."""

_ANSWERS = ("output", "outputs", "results", "result")
_NOT_ARGUMENTS = frozenset(
    {"id", "type", "status", "call_id", "name", "server_label", "error", "caller", *_ANSWERS}
)
_FAILED = frozenset({"failed", "incomplete"})
_APOLOGIES = (
    "An error occurred while running the tool.",
    "An error occurred while parsing tool arguments.",
)
"""How the SDK begins what it tells a model of a tool that raised."""


def steps_in(items: Sequence[Any], speaker: str | None = None) -> Iterator[AnyStep]:
    """What was said and done, in order; instructions and reasoning are neither.

    Args:
        items: Of an input, a session or a response.
        speaker: The agent's name.
    """
    for item in items:
        kind = str(_get(item, "type") or "message")
        if kind == "message":
            yield from _said(item, speaker)
        elif kind.endswith("_call_output") or kind == "function_call_output":
            yield _answered(item)
        elif kind.endswith("_call"):
            yield from _called(item, kind)


def local_calls(items: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """The id and the tool's class of each call that is carried out here."""
    for item in items:
        tool = LOCAL_CALLS.get(str(_get(item, "type")))
        if tool is not None and (call_id := _get(item, "call_id")):
            yield str(call_id), tool


def said_now(items: Sequence[Any]) -> list[AnyStep]:
    """What the user says with an input: the messages at its end."""
    found: list[AnyStep] = []
    for item in reversed(items):
        role = _get(item, "role")
        if role == "user":
            found.append(UserMessage(text_of(_get(item, "content"))))
        elif role not in {"system", "developer"}:
            break
    return found[::-1]


def question_in(items: Sequence[Any]) -> tuple[int, str] | None:
    """How often the user spoke, and what they said last; None if that is no text."""
    said = [item for item in items if _get(item, "role") == "user"]
    text = text_of(_get(said[-1], "content"), media=False) if said else ""
    return (len(said), text) if text.strip() else None


def asks_now(items: Sequence[Any]) -> bool:
    """Whether nothing has been said or done since the user spoke."""
    return bool(items) and _get(items[-1], "role") == "user"


def holds_memory(items: Sequence[Any], instructions: str | None) -> bool:
    """Whether memory is in the instructions, or in what the user said last."""
    if contains(instructions or ""):
        return True
    for item in reversed(items):
        if _get(item, "role") in {"user", "system", "developer"}:
            return contains(text_of(_get(item, "content")))
    return False


def with_text(instructions: str | None, memory: str) -> str:
    """The instructions with a memory block at their end."""
    return f"{instructions}\n\n{memory}" if instructions else memory


def text_of(content: Any, *, media: bool = True) -> str:
    """Content as text: parts joined by lines, media as `[image]` or left out."""
    if isinstance(content, str):
        return content
    if not isinstance(content, (list, tuple)):
        content = [content]
    parts = (_part(part, media=media) for part in cast("Sequence[Any]", content))
    return "\n".join(text for text in parts if text)


def result_of(tool: str, call_id: str | None, result: Any, error: str | None) -> ToolResult:
    """A tool's answer; the SDK's own words for a failure are one, whoever noticed."""
    if error is None and isinstance(result, str):
        error = failure_in(result)
    return ToolResult(tool, None if error is not None else result, call_id=call_id, error=error)


def failure_in(text: str) -> str | None:
    """Why a tool failed, from what the SDK tells the model; None if it did not."""
    if not text.startswith(_APOLOGIES):
        return None
    _, found, reason = text.partition("Error: ")
    return reason if found else text


def digest(*parts: Any) -> str:
    """The same for the same parts, in every process."""
    text = json.dumps(parts, sort_keys=True, default=repr)
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=12).hexdigest()


def plain(value: Any) -> Any:
    """JSON data of a model of the `openai` package, also inside of lists."""
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in cast("Sequence[Any]", value)]
    dump = getattr(value, "model_dump", None)
    return dump(mode="json", exclude_none=True, warnings=False) if callable(dump) else value


def _said(item: Any, speaker: str | None) -> Iterator[AnyStep]:
    text, role = text_of(_get(item, "content")), _get(item, "role")
    if role == "user":
        yield UserMessage(text)
    elif role == "assistant" and text.strip():
        yield AssistantMessage(text, name=speaker)


def _called(item: Any, kind: str) -> Iterator[AnyStep]:
    tool = str(_get(item, "name") or kind.removesuffix("_call"))
    given = _get(item, "call_id") or _get(item, "id")
    call_id = None if given is None else str(given)
    yield ToolCall(tool, _arguments(item), call_id=call_id)
    if kind not in LOCAL_CALLS:
        yield ToolResult(tool, _answer(item), call_id=call_id, error=_error(item))


def _answered(item: Any) -> ToolResult:
    call_id, output = _get(item, "call_id"), _get(item, "output")
    result = text_of(plain(output)) or plain(output)
    found = None if call_id is None else str(call_id)
    return result_of("", found, result, _error(item))


def _arguments(item: Any) -> Mapping[str, Any] | str | None:
    """What the model wrote, or whatever else tells what is to be done."""
    for name in ("arguments", "input"):
        if isinstance(text := _get(item, name), str):
            return arguments_of(text)
    fields = cast("Mapping[str, Any]", item if isinstance(item, Mapping) else plain(item))
    return {
        name: value
        for name, value in fields.items()
        if name not in _NOT_ARGUMENTS and value is not None
    }


def _answer(item: Any) -> Any:
    return next((plain(found) for name in _ANSWERS if (found := _get(item, name))), None)


def _error(item: Any) -> str | None:
    error = _get(item, "error")
    if error:
        told = error if isinstance(error, str) else _get(error, "message")
        return str(told or json.dumps(plain(error), default=str))
    return "failed" if _get(item, "status") in _FAILED else None


def _part(part: Any, *, media: bool) -> str:
    if isinstance(part, str):
        return part
    shown = _MEDIA.get(str(_get(part, "type")))
    if shown is not None:
        return shown if media else ""
    return next(
        (text for name in ("text", "refusal") if isinstance(text := _get(part, name), str)), ""
    )


def _get(holder: Any, name: str) -> Any:
    if isinstance(holder, Mapping):
        return cast("Mapping[str, Any]", holder).get(name)
    return getattr(holder, name, None)
