"""The only place that knows what Agent Framework looks like inside."""

from __future__ import annotations

import uuid
import weakref
from typing import Any

from agent_framework import ChatMiddlewareLayer


def takes_middleware(agent: Any) -> bool:
    """Whether the agent's client runs chat middleware; agents of other services have no client."""
    return isinstance(getattr(agent, "client", None), ChatMiddlewareLayer)


class _Names:
    """Names for objects that have none, as long as they live."""

    def __init__(self) -> None:
        self._names: dict[int, tuple[weakref.ref[Any], str]] = {}

    def of(self, thing: Any) -> str:
        known = self._names.get(id(thing))
        if known is not None and known[0]() is thing:
            return known[1]
        number, name = id(thing), uuid.uuid4().hex
        gone = weakref.ref(thing, lambda _: self._names.pop(number, None))
        self._names[number] = (gone, name)
        return name


_names = _Names()


def message_id(message: Any) -> str:
    """Identifies a message: by its id, or as the object that a run which is repeated gets again."""
    return message.message_id or _names.of(message)
