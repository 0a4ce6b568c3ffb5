"""Names for objects that have none."""

from __future__ import annotations

import uuid
import weakref
from typing import Any


class Names:
    """Gives each object a name, the same as long as it lives."""

    def __init__(self) -> None:
        self._names: dict[int, tuple[weakref.ref[Any], str]] = {}

    def of(self, thing: Any) -> str:
        """The object's name."""
        known = self._names.get(id(thing))
        if known is not None and known[0]() is thing:
            return known[1]
        number, name = id(thing), uuid.uuid4().hex
        gone = weakref.ref(thing, lambda _: self._names.pop(number, None))
        self._names[number] = (gone, name)
        return name
