"""A conversation as a host passes it around: its messages, and what its turn knows."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast
from uuid import uuid4

from hippocortex_core.marking import contains, strip
from hippocortex_openclaw._words import text_of, user_words

_OPEN_CALLS = 64


class Turn(NamedTuple):
    """What is remembered of a conversation's turn.

    Attributes:
        known: What memory said to its question.
        calls: The calls of each tool that have no result yet.
    """

    known: dict[str, str]
    calls: dict[str, deque[str]]

    def open(self, name: str) -> str:
        """A name for a call that has none."""
        call_id = f"call_{uuid4().hex}"
        self.calls.setdefault(name, deque(maxlen=_OPEN_CALLS)).append(call_id)
        return call_id

    def close(self, name: str) -> str:
        """The first call of the tool that has no result yet."""
        waiting = self.calls.get(name)
        call_id = waiting.popleft() if waiting else f"call_{uuid4().hex}"
        if not waiting:
            self.calls.pop(name, None)
        return call_id


def last_words(messages: Sequence[Mapping[str, Any]]) -> str:
    """What the user said last."""
    said = [one.get("content") for one in messages if one.get("role") == "user"]
    return user_words(text_of(said[-1])) if said else ""


def without_memory(messages: Sequence[Mapping[str, Any]]) -> list[Any]:
    """The messages without recalled memory, those that held nothing else left out."""
    found = [(one, _stripped(one.get("content"))) for one in messages]
    return [
        one if content is one.get("content") else {**one, "content": content}
        for one, content in found
        if content or content == one.get("content")
    ]


def _stripped(content: Any) -> Any:
    if isinstance(content, str):
        return strip(content) if contains(content) else content
    if not isinstance(content, list):
        return content
    parts = cast("list[Any]", content)
    if not contains(text_of(parts)):
        return parts
    return [one for one in map(_stripped_part, parts) if one is not None]


def _stripped_part(part: Any) -> Any:
    text = text_of([part])
    if not contains(text):
        return part
    kept = strip(text)
    if not kept:
        return None
    return {**cast("Mapping[str, Any]", part), "text": kept} if isinstance(part, Mapping) else kept


def with_block(messages: list[Any], block: str) -> list[Any]:
    """The block stands after the host's own instructions, before the conversation."""
    if not block:
        return messages
    at = 0
    while at < len(messages) and messages[at].get("role") in {"system", "developer"}:
        at += 1
    return [*messages[:at], {"role": "system", "content": block}, *messages[at:]]
