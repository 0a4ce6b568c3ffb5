"""A model context of AgentChat with recalled memory in what it gives, and not in what it holds.

The block is put in when an agent reads its messages, whatever the context does to bound them.  So
it is there once and whole, it does not count as one of the messages that a context keeps, and it
is not part of a saved state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

from hippocortex_autogen._compat import own
from hippocortex_core.render import OPENING

_READ = "get_messages"


class View:
    """Reads a context's messages, with a block before the user's last words.

    Args:
        context: Any of AgentChat's model contexts, or somebody's own.

    Attributes:
        block: The text; "" for none.
        turn: What it was recalled for.
    """

    def __init__(self, context: Any) -> None:
        self.context = context
        self.block = ""
        self.turn: object = None
        # Something else may have replaced the method before.
        self._own: Callable[..., Any] | None = own(context, _READ)

    async def __call__(self) -> list[Any]:
        """The context's messages, as the model is to read them."""
        return with_block(await self.read(), self.block)

    async def read(self) -> list[Any]:
        """The context's messages, without memory of any kind."""
        reading = self._own or partial(cast("Any", type(self.context)).get_messages, self.context)
        found: list[Any] = await reading()
        return [message for message in found if not _is_memory(message)]

    def detach(self) -> None:
        """The context is as it was, unless somebody else has replaced the method since."""
        self.block = ""
        if own(self.context, _READ) is not self:
            return
        if self._own is None:
            delattr(self.context, _READ)
        else:
            setattr(self.context, _READ, self._own)


def view_of(context: Any) -> View:
    """The view of the context, which from now on is read through it."""
    found = own(context, _READ)
    if isinstance(found, View) and found.context is context:
        return found
    view = View(context)
    setattr(context, _READ, view)
    return view


def with_block(messages: Sequence[Any], block: str) -> list[Any]:
    """The messages with the block before the last one of a user, else before all of them."""
    if not block:
        return list(messages)
    from autogen_core.models import UserMessage  # noqa: PLC0415 - there if there is a context

    at = max((n for n, one in enumerate(messages) if one.type == "UserMessage"), default=0)
    return [*messages[:at], UserMessage(content=block, source="memory"), *messages[at:]]


def _is_memory(message: Any) -> bool:
    """Whether it is a block of memory: of an older state, or that was handed over."""
    content = message.content
    return isinstance(content, str) and content.startswith(OPENING.splitlines()[0])
