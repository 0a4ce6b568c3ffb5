"""Reading payloads: one view of the spellings that agents in the wild use.

A tool's name is read from `tool`, `tool_name` or `name`; its arguments from `args`, `arguments`
or `input` (an object, or JSON text of one); its result from `result` or `output` (or `content`);
the id that pairs a call with its result from `call_id`, `callId`, `tool_call_id` or `id`.
A failure shows as `success: false`, `error`, `is_error`, a non-zero `exit_code`, or a result text
shaped like an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from hippocortex_core.errors import ValidationError
from hippocortex_core.validation import MAX_DEPTH, check_json

_TOOL = ("tool", "tool_name", "toolName", "name", "function")
_ARGS = ("args", "arguments", "input", "parameters")
_RESULT = ("result", "output", "content", "response", "stdout")
_CALL_ID = ("call_id", "callId", "tool_call_id", "toolCallId", "tool_use_id", "id")
_ERROR = ("error", "error_message", "errorMessage", "stderr")
_EXIT = ("exit_code", "exitCode", "returncode", "status_code", "statusCode")
_SPEAKER = ("speaker", "name", "author", "user_name")
_TEXT = ("content", "text", "message", "body")

_FAILED = frozenset({"error", "failed", "failure"})
_MEDIA = frozenset({"image_url", "image", "input_image", "input_audio", "file"})

_PASSING_SCORE = 0.5  # rewards and scores lie in 0..1
_GOOD = frozenset(
    "success succeeded successful ok passed pass completed complete done solved resolved "
    "accepted positive good approved true yes".split()
)
_BAD = frozenset(
    "failure failed fail error errored timeout timed_out aborted cancelled unresolved rejected "
    "negative bad incomplete false no".split()
)

_ERROR_SHAPE = re.compile(
    r"\s*(?:\[?(?:error|fatal|failed|failure|exception|panic)"
    r"(?:\]|\s*[:!(]|\s+[\-\u2013]|\s*\d|\s*(?:$|\n)|"
    r" (?:in thread|executing|calling|running|while|when|in tool|occurred|code|to|with)\b)|"
    r"(?:access|permission) denied\b|"
    r"[\w.]*(?:Error|Exception)\b\s*[:(]|"
    r"(?:\d{3}\s+)?(?:not found|forbidden|unauthorized|bad request|internal server error)\b|"
    r"(?:bash|sh|zsh): .*(?:not found|denied|no such)|Traceback \(most recent call last\))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool call or its result, whichever the event is."""

    tool: str
    call_id: str | None
    args: Mapping[str, Any]
    result: Any
    failed: bool
    error: str


def first(payload: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """The first of the names that is present and not None."""
    for name in names:
        if (value := payload.get(name)) is not None:
            return value
    return None


def tool_use(payload: Mapping[str, Any]) -> ToolUse:
    """The payload of a `tool_call`, `tool_result`, `command_exec` or `api_result`."""
    tool = first(payload, _TOOL)
    if isinstance(tool, Mapping):  # OpenAI's {"function": {"name": …, "arguments": …}}
        inner = cast("Mapping[str, Any]", tool)
        payload = {**payload, **inner}
        tool = inner.get("name")
    result = _parsed(first(payload, _RESULT))
    error = error_text(payload, result)
    call_id = first(payload, _CALL_ID)
    return ToolUse(
        tool=str(tool) if tool is not None else "",
        call_id=None if call_id is None else str(call_id),
        args=_arguments(first(payload, _ARGS)),
        result=result,
        failed=bool(error),
        error=error,
    )


def error_text(payload: Mapping[str, Any], result: Any) -> str:
    """What went wrong in words, or "" when nothing did."""
    stated = first(payload, _ERROR[:3])
    if stated and stated is not True:
        return flatten(stated)
    exit_code = first(payload, _EXIT)
    bad_exit = (
        isinstance(exit_code, int) and not isinstance(exit_code, bool) and _failing(exit_code)
    )
    flagged = (
        payload.get("success") is False
        or payload.get("is_error") is True
        or payload.get("isError") is True
        or stated is True
        or payload.get("passed") is False
        or bad_exit
    )
    if flagged:
        said = flatten(first(payload, ("stderr",)) or result)
        return said or (f"exit code {exit_code}" if bad_exit else "failed")
    if isinstance(result, Mapping):
        inner = cast("Mapping[str, Any]", result)
        stated = first(inner, _ERROR[:3])
        if stated and stated is not True:
            return flatten(stated)
        if _says_failed(inner):
            return flatten(inner.get("message") or inner)
    if isinstance(result, str) and _ERROR_SHAPE.match(result):
        return result.strip()
    return ""


def _says_failed(result: Mapping[str, Any]) -> bool:
    return (
        result.get("success") is False
        or result.get("ok") is False
        or result.get("is_error") is True
        or result.get("isError") is True
        or _is(result.get("status"), _FAILED)
    )


def succeeded(payload: Mapping[str, Any]) -> bool | None:
    """Whether an `outcome` event reports success; None when it does not say."""
    for name in ("success", "passed", "resolved", "succeeded", "ok"):
        if isinstance(value := payload.get(name), bool):
            return value
    for name in ("reward", "score"):
        value = payload.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return value >= _PASSING_SCORE
    said = flatten(first(payload, ("status", "outcome", "result", "verdict"))).strip().lower()
    return True if said in _GOOD else False if said in _BAD else None


def message_text(payload: Mapping[str, Any]) -> str:
    """What a message says: plain text, or the text parts of multimodal content."""
    return flatten(first(payload, _TEXT))


def role(payload: Mapping[str, Any]) -> str:
    """Who speaks, in the field's terms: user (default), assistant, system or tool."""
    said = str(payload.get("role") or "user").lower()
    return {"human": "user", "ai": "assistant", "model": "assistant", "developer": "system"}.get(
        said, said
    )


def speaker(payload: Mapping[str, Any]) -> str | None:
    """The speaker's name, where the payload gives one."""
    named = first(payload, _SPEAKER)
    return named.strip() if isinstance(named, str) and named.strip() else None


def is_kept_document(event_type: str, payload: Mapping[str, Any]) -> bool:
    """Whether an observation is the put of a keyed document: what somebody wants remembered."""
    return event_type == "observation" and {"namespace", "key", "text"} <= payload.keys()


def flatten(value: Any) -> str:
    """Readable text of any JSON value: strings as they are, parts joined, objects as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)):
        parts = [_part(item) for item in cast("list[Any]", value)]
        return "\n".join(part for part in parts if part)
    if isinstance(value, Mapping):
        text = first(cast("Mapping[str, Any]", value), ("text", "message"))
        if isinstance(text, str):
            return text
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def _part(item: Any) -> str:
    if isinstance(item, Mapping):
        part = cast("Mapping[str, Any]", item)
        if _is(part.get("type"), _MEDIA):
            return f"[{str(part['type']).replace('_url', '').replace('input_', '')}]"
    return flatten(item)


def _arguments(value: Any) -> Mapping[str, Any]:
    parsed = _parsed(value)
    if isinstance(parsed, Mapping):
        return cast("Mapping[str, Any]", parsed)
    return {} if parsed is None else {"input": parsed}


def _parsed(value: Any) -> Any:
    """JSON text as what it stands for; anything else as it is."""
    if isinstance(value, str) and value[:1] in "{[" and value:
        try:
            parsed = json.loads(value)
            # Text may hold what an event may not: lone surrogates, NaN, a thousand levels.
            if "\\u" in value or "N" in value or value.count("[") + value.count("{") > MAX_DEPTH:
                check_json("value", parsed)
        except (ValueError, RecursionError, ValidationError):
            return value
        return parsed
    return value


def _is(value: Any, known: frozenset[str]) -> bool:
    return isinstance(value, str) and value in known


def _failing(code: int) -> bool:
    return code >= 400 if code >= 100 else code != 0  # noqa: PLR2004 - HTTP status or exit code
