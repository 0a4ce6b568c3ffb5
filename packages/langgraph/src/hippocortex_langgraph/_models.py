"""Memory in the requests of chat models, for graphs that leave no other way in.

The one place where something of LangChain is replaced: the method through which every chat model
takes what it is asked.  It does nothing outside of the runs of wrapped graphs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import HumanMessage
from langchain_core.prompt_values import ChatPromptValue

from hippocortex_core.guard import fail_open, strict
from hippocortex_langgraph import _events
from hippocortex_langgraph._compat import CONVERT
from hippocortex_langgraph._prompts import holds_memory, with_memory


@dataclass(frozen=True)
class Recalled:
    """What the models of a run are to know.

    Attributes:
        memory: The block.
        question: The user's words: requests that do not hold them are about something else.
    """

    memory: str
    question: str


recalled: ContextVar[Recalled | None] = ContextVar("hippocortex_recalled", default=None)
_holders: set[int] = set()


def attach(holder: object) -> bool:
    """Let models take memory as long as anybody wants it; False if this version has no way.

    Raises:
        AttributeError: Only under `HIPPOCORTEX_STRICT=1`: there is no way.
    """
    if CONVERT is None:
        if strict():
            raise AttributeError("BaseChatModel has no _convert_input: memory cannot be injected")
        return False
    if not _holders:
        setattr(BaseChatModel, CONVERT, _with_memory(getattr(BaseChatModel, CONVERT)))
    _holders.add(id(holder))
    return True


def release(holder: object) -> None:
    """Undo `attach`; the last one puts the original back."""
    _holders.discard(id(holder))
    if CONVERT is not None and not _holders:
        current = getattr(BaseChatModel, CONVERT)
        setattr(BaseChatModel, CONVERT, getattr(current, "__wrapped__", current))


def _with_memory(original: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    @functools.wraps(original)
    def convert(self: Any, model_input: Any) -> Any:
        value = original(self, model_input)
        found = recalled.get()
        if found is not None and found.memory:
            with fail_open("injecting"):
                return _filled(value, found)
        return value

    return convert


def _filled(value: Any, found: Recalled) -> Any:
    messages = value.to_messages()
    asked = any(
        isinstance(message, HumanMessage) and found.question in _events.text_of(message.content)
        for message in messages
    )
    if not asked or holds_memory(messages):
        return value
    return ChatPromptValue(messages=with_memory(messages, found.memory))
