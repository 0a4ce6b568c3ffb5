"""What somebody said, without what OpenClaw and other memories put around it.

A prompt is the user's words in an envelope, behind blocks of metadata and recalled memory.  None
of that is evidence; captured, it would come back as memory of every turn.
`plugin/lib/words.js` does the same; tests/openclaw/words.json has the cases.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, cast

from hippocortex_core.marking import strip

MAX_RESULT = 4_000
"""Characters of a tool's result that are kept: how it begins, and how it ended."""

MAX_ERROR = 500
"""Characters of a message of failure that are kept."""

_MAX_DATA = 200_000  # bytes of JSON
_TEXT_LIMITS = (MAX_RESULT, 400, 40)
_MAX_DEPTH = 48
_MARKER = "⟦openclaw:ctx⟧"
_BLOCKS = (
    re.compile(
        r"<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>"
        r".*?(?:<<<END_OPENCLAW_INTERNAL_CONTEXT>>>|\Z)",
        re.DOTALL,
    ),
    # Memories of other plugins.
    re.compile(
        r"(?:^Context:[ \t]*\n)?"
        r"<(active_memory_plugin|relevant-memories|relevant_memories|supermemory-context)>"
        r".*?(?:</\1>|\Z)",
        re.DOTALL | re.MULTILINE,
    ),
)
# "Context: ⟦…⟧" says that everything from here on is the host's.
_TRAILING_CONTEXT = re.compile(rf"^[ \t]*Context: {_MARKER}[ \t]*$.*", re.DOTALL | re.MULTILINE)
_FENCED = (
    r"[ \t]*```json[ \t]*\n(?:(?!^[ \t]*```[ \t]*$)[^\n]*(?:\n|\Z))*(?:[ \t]*```[ \t]*(?:\n|\Z))?"
)
_CONTEXT_BLOCK = re.compile(
    rf"^[^\n]*{_MARKER}[ \t]*(?:\n|\Z)(?:{_FENCED}|(?:[^\n]*\S[^\n]*(?:\n|\Z))*)", re.MULTILINE
)
# As versions wrote it whose transcripts are files.
_OLDER_BLOCK = re.compile(
    rf"^[^\n]{{1,80}} \(untrusted (?:metadata|, for context)\):[ \t]*\n{_FENCED}", re.MULTILINE
)
_HOST_LINES = (
    re.compile(r"^System: \[\d{4}-\d{2}-\d{2} [^\]\n]*\][^\n]*(?:\n|\Z)", re.MULTILINE),
    re.compile(r"^[ \t]*\[message_id: [^\]\n]+\][ \t]*(?:\n|\Z)", re.IGNORECASE | re.MULTILINE),
)
_TRAILER = "\nRuntime: agent="
# As in "[Telegram Ann +30s Sun 2026-01-18 00:20:12 CST] hello".
_ENVELOPE = re.compile(r"\[[^\]\n]{0,200}\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}[^\]\n]{0,60}\]\s*")
_SILENCE = re.compile(r"(?:HEARTBEAT_OK|NO_REPLY)[.!]?")
_MEDIA = {kind: f"[{kind}]" for kind in ("image", "audio", "video", "file")} | {
    "document": "[file]"
}
# A subagent's first message, around its task.
_TASK = re.compile(r"\[Subagent Context\] .*?\n\[Subagent Task\]\s*", re.DOTALL)
_TASK_END = "\n\nBegin. Execute the assigned task to completion."
# Says that somebody else's message was passed on; stands before it or after it.
_PASSED_ON = re.compile(
    r"^\[Inter-session message\] [^\n]*"
    r"(?:\nThis content was routed by OpenClaw [^\n]*)?(?:\n|\Z)",
    re.MULTILINE,
)
_MACHINERY = re.compile(
    r"\s*(?:\[OpenClaw [a-z ]+\]\s*\Z|\[cron:|Read HEARTBEAT\.md|Pre-compaction memory flush)"
)
_EXIT_LINE = re.compile(r"\(Command exited with code (?P<code>-?\d{1,5})\)")
_LAST_LINES = 3


def text_of(content: Any) -> str:
    """The words of a message's content: a text, or a list of parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "\n".join(filter(None, map(_part, cast("list[Any]", content))))


def user_words(raw: str) -> str:
    """The words that a user said."""
    text = strip(raw)
    for block in _BLOCKS:
        text = block.sub("", text)
    if _MARKER in text:
        text = _CONTEXT_BLOCK.sub("", _TRAILING_CONTEXT.sub("", text))
    if "(untrusted " in text:
        text = _OLDER_BLOCK.sub("", text)
    for line in _HOST_LINES:
        text = line.sub("", text)
    text = _without_trailer(_PASSED_ON.sub("", text).strip())
    envelope = _ENVELOPE.match(text)
    return _task(text[envelope.end() if envelope else 0 :].strip())


def agent_words(raw: str) -> str:
    """The words that an agent said; "" if it only reported that there was nothing to say."""
    text = strip(raw).strip()
    return "" if _SILENCE.fullmatch(text) else text


def is_machinery(text: str) -> bool:
    """Whether a turn begins with words of OpenClaw's own: a heartbeat, a job, keeping memory."""
    return _MACHINERY.match(text) is not None


def head_and_tail(text: str, limit: int = MAX_RESULT) -> str:
    """The beginning and the end of a text that is too long."""
    if len(text) <= limit:
        return text
    half = limit // 2
    left = f"{len(text) - limit:,}"
    return f"{text[:half]}\n[… {left} characters left out …]\n{text[-half:]}"


def bounded(value: Any) -> Any:
    """JSON data with its texts cut so short that all of it is of a reasonable size."""
    for limit in _TEXT_LIMITS:
        found = _with_texts_of(value, limit, 0)
        if len(json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()) <= _MAX_DATA:
            return found
    return "[too large]"


def _with_texts_of(value: Any, limit: int, depth: int) -> Any:
    if isinstance(value, str):
        return head_and_tail(value, limit)
    if not isinstance(value, (Mapping, list)):
        return value
    if depth > _MAX_DEPTH:
        return "[left out]"
    if isinstance(value, list):
        return [_with_texts_of(one, limit, depth + 1) for one in cast("list[Any]", value)]
    items = cast("Mapping[str, Any]", value).items()
    return {
        head_and_tail(name, limit): _with_texts_of(one, limit, depth + 1) for name, one in items
    }


def exit_code_in(text: str) -> int | None:
    """The exit code that a command's output ends with."""
    last = text[-200:].strip().rpartition("\n")[2]
    found = _EXIT_LINE.fullmatch(last)
    return int(found["code"]) if found else None


def ended(how: str, output: str) -> str:
    """The failure of a command: how it ended, and the last lines of its output."""
    lines = [line.strip() for line in output.split("\n")]
    said = [line for line in lines if line and not _EXIT_LINE.fullmatch(line)]
    return head(": ".join(filter(None, [how, "\n".join(said[-_LAST_LINES:])])))


def head(text: str, limit: int = MAX_ERROR) -> str:
    """The beginning of a text that is too long."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _task(words: str) -> str:
    frame = _TASK.match(words)
    return words[frame.end() :].removesuffix(_TASK_END).strip() if frame else words


def _without_trailer(text: str) -> str:
    at = f"\n{text}".rfind(_TRAILER)
    return text if at < 0 or "\n" in text[at:] else text[: max(0, at - 1)]


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, Mapping):
        return ""
    fields = cast("Mapping[str, Any]", part)
    kind, text = fields.get("type", "text"), fields.get("text")
    if kind == "text" and isinstance(text, str):
        return text
    return _MEDIA.get(str(kind), "")
