"""The table of formats, and how a record shows which one it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hippocortex.importers import anthropic_messages, langchain_messages, openai_chat
from hippocortex.importers.records import as_list, as_object
from hippocortex.importers.steps import Calls, Step

TAU_BENCH = "tau-bench"
OWN = "hippocortex"

_Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChatFormat:
    """How the messages of one kind of chat are recognised and read."""

    name: str
    matches: Callable[[_Message], bool]
    read: Callable[[_Message, Calls], list[Step]]


# The narrowest comes first: every Anthropic message also looks like an OpenAI one.
CHATS: tuple[ChatFormat, ...] = (
    ChatFormat("langchain", langchain_messages.matches, langchain_messages.read),
    ChatFormat("anthropic", anthropic_messages.matches, anthropic_messages.read),
    ChatFormat("openai", openai_chat.matches, openai_chat.read),
)

FORMATS: dict[str, str] = {
    "openai": 'OpenAI chat messages: a list, {"messages": […]}, or one of these per line',
    "anthropic": "Anthropic messages with content blocks, in the same shapes",
    "langchain": "LangChain messages (messages_to_dict, model_dump or serialised)",
    TAU_BENCH: "tau-bench trajectories: {task_id, trial, reward, traj}",
    OWN: "Hippocortex events, as `hippocortex export` writes them",
}
"""Name of every format that can be imported, and what it looks like."""


def chat_format(messages: Sequence[object], name: str | None = None) -> ChatFormat | None:
    """The format named, or the one these messages are in; None if it is none of them."""
    if name == TAU_BENCH:
        name = "openai"
    known = [message for item in messages if (message := as_object(item)) is not None]
    for chat in CHATS:
        if chat.name == name or (name is None and any(map(chat.matches, known))):
            return chat
    return None


def is_message(record: _Message) -> bool:
    """Whether a record is a single chat message rather than a conversation."""
    return any(chat.matches(record) for chat in CHATS) and "messages" not in record


def messages_of(value: Any) -> list[Any] | None:
    """The messages of a conversation: a list, or an object with `messages` (or `traj`)."""
    record = as_object(value)
    if record is None:
        return as_list(value)
    return as_list(record.get("traj") if "traj" in record else record.get("messages"))
