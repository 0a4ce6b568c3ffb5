"""Whose documents are: by the run's configuration, or by the labels of the namespace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from hippocortex_core.scope import Scope, current
from hippocortex_langgraph._compat import config_here, context_in

_MAX_CHARS = 256
_FIELDS = {"{user_id}": "user_id", "{agent_id}": "agent_id", "{session_id}": "session_id"}


class Whose:
    """Reads scopes.

    What the namespace says comes first, then the run's `configurable` and its context, then the
    surrounding `hippocortex_core.session(...)`.

    Args:
        user_id_key: Where `configurable`, or else the run's context, names the user.
        template: Labels such as `("users", "{user_id}")`: a namespace that begins so names the
            user; `{agent_id}` and `{session_id}` likewise, and `*` is any label.

    Raises:
        ValueError: The template names nobody.
    """

    def __init__(self, user_id_key: str, template: Sequence[str] | None) -> None:
        self._user_id_key = user_id_key
        self._template = tuple(template or ())
        if template is not None and not _FIELDS.keys() & set(self._template):
            raise ValueError(
                f"namespace_template {tuple(template)!r} names nobody: it must hold '{{user_id}}',"
                " '{agent_id}' or '{session_id}'"
            )

    def of_run(self) -> Scope:
        """The scope of the run that calls, else of the surrounding session."""
        config = config_here()
        given = cast("Mapping[str, Any]", config.get("configurable") or {})
        user = given.get(self._user_id_key)
        if user is None:
            user = _field(context_in(config), self._user_id_key)
        return Scope(_identifier(given.get("thread_id")), _identifier(user)).over(current())

    def of(self, namespace: Sequence[str], run: Scope) -> Scope:
        """The scope of a document under the namespace."""
        found: dict[str, str | None] = {}
        for pattern, label in zip(self._template, namespace, strict=False):
            if pattern in _FIELDS:
                found[_FIELDS[pattern]] = _identifier(label)
            elif pattern not in ("*", label):
                return run
        return Scope(**found).over(run) if found else run


def _field(holder: Any, name: str) -> Any:
    if isinstance(holder, Mapping):
        return cast("Mapping[str, Any]", holder).get(name)
    return getattr(holder, name, None)


def _identifier(value: object) -> str | None:
    """The value as an id that can be stored; None if it says nothing."""
    if value is None:
        return None
    text = str(value).replace("\0", "").encode("utf-8", "replace").decode()
    return text[:_MAX_CHARS] if text.strip() else None
