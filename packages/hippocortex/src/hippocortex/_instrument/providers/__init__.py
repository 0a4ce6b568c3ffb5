"""The wire formats whose calls get memory, found by the path of the request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hippocortex._instrument.providers._reading import is_read_once
from hippocortex._instrument.providers._wire import Asked, Call, Reply, Result, Wire
from hippocortex._instrument.providers.anthropic_messages import MESSAGES
from hippocortex._instrument.providers.openai_chat import CHAT
from hippocortex._instrument.providers.openai_responses import RESPONSES

__all__ = [
    "CHAT",
    "MESSAGES",
    "RESPONSES",
    "Asked",
    "Call",
    "Reply",
    "Result",
    "Wire",
    "find_wire",
    "is_read_once",
]

_PATHS = {"/chat/completions": CHAT, "/responses": RESPONSES, "/v1/messages": MESSAGES}


def find_wire(method: str, url: str, body: Mapping[str, Any]) -> Wire | None:
    """The format of a request, or None if it is no call of a model that memory helps."""
    if method.upper() != "POST":
        return None
    path = url.partition("?")[0]
    for ending, wire in _PATHS.items():
        if path.endswith(ending):
            # A compaction request summarises the conversation: nothing is asked.
            return wire if wire.field in body and not body.get("compaction") else None
    return None
