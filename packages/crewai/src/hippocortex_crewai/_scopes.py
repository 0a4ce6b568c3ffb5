"""Scope paths as CrewAI writes them: `/project/alpha`; "/" is everything."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

_ROOT = "crewai"
_CHARS = 256
_DEPTH = 24
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def joined(*paths: str | None) -> str:
    """The paths one below the other, as one that begins with a slash and ends without."""
    return "/" + "/".join(label for path in paths for label in labels(path))


def labels(path: str | None) -> list[str]:
    """The names in a path, outermost first."""
    found = (_CONTROL.sub(" ", label).strip() for label in (path or "").split("/"))
    return [_short(label) for label in found if label][:_DEPTH]


def is_within(path: str, where: str) -> bool:
    """Whether a path is a scope or one below it."""
    outer = labels(where)
    return labels(path)[: len(outer)] == outer


def namespace(path: str, user_id: str | None) -> list[str]:
    """Where a home keeps what was remembered under a scope, by or for a user."""
    return [_ROOT, _short("nobody" if user_id is None else f"user:{user_id}"), *labels(path)]


def path_of(found: Sequence[str]) -> str:
    """The scope of a namespace."""
    return joined(*found[2:])


def agent_of(path: str | None) -> str | None:
    """What tells apart what runs do under different scopes: it stands for the agent's id."""
    return identifier(path) if labels(path) else None


def identifier(text: str | None) -> str | None:
    """As an id that can be stored; None if it says nothing."""
    return _short((text or "").replace("\0", "").strip()) or None


def _short(text: str) -> str:
    """At most as long as an id may be; long ones that differ stay different."""
    if len(text) <= _CHARS:
        return text
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
    return f"{text[: _CHARS - len(digest) - 1]}-{digest}"
