"""Putting one thing in place of another, and taking it away again."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, cast

_ORIGINAL = "__hippocortex_original__"
_NOTHING = object()


def replace(owner: Any, name: str, replacement: Any) -> None:
    """Put the replacement in the place of `owner.name`, looking as much like it as possible."""
    functools.update_wrapper(replacement, getattr(owner, name))
    # What was the owner's own must be put back; what came from its class shows again by itself.
    setattr(replacement, _ORIGINAL, own(owner).get(name, _NOTHING))
    setattr(owner, name, replacement)


def restore(owner: Any, name: str) -> None:
    """Undo `replace`; what someone else has put over ours since stays."""
    original = getattr(own(owner).get(name), _ORIGINAL, None)
    if original is _NOTHING:
        delattr(owner, name)
    elif original is not None:
        setattr(owner, name, original)


def is_replaced(owner: Any, name: str) -> bool:
    """Whether `replace` was done there and not undone."""
    return hasattr(own(owner).get(name), _ORIGINAL)


def own(owner: Any) -> Mapping[str, Any]:
    """The attributes that are the owner's own and not its class's."""
    return cast("Mapping[str, Any]", getattr(owner, "__dict__", {}))
