"""Who takes part in a conversation: what is captured in it is theirs, and only theirs is recalled.

OpenClaw's session keys say so:

    agent:main:main                                 the owner, wherever they write from
    agent:main:telegram:direct:123                  a direct chat that is kept apart
    agent:main:telegram:group:-100:topic:5          a group; its topics share a memory
    agent:main:openai-user:bob                      a user of the HTTP interface
    agent:main:subagent:5f0c…                       whoever had the subagent started

`plugin/lib/conversation.js` does the same; tests/openclaw/conversations.json has the cases.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any, Literal, get_args

Scope = Literal["conversation", "agent", "shared"]
"""How far a memory reaches: one audience, all conversations of an agent, or all agents."""

SCOPES: tuple[Scope, ...] = get_args(Scope)

_AGENT = re.compile(r"agent:([^:]+):", re.IGNORECASE)
_SUBAGENT = re.compile(r"subagent:", re.IGNORECASE)
_INCOGNITO = re.compile(
    r"agent:[^:]+:(?:dashboard|subagent|internal-session-effects):incognito-[^:]", re.IGNORECASE
)
_SCHEDULED = re.compile(r"(?:cron|heartbeat):", re.IGNORECASE)
_THREAD = re.compile(r":(?:thread|topic):.*\Z", re.IGNORECASE | re.DOTALL)
_AUDIENCES = tuple(
    re.compile(shape, re.IGNORECASE | re.DOTALL)
    for shape in (
        r"(?:direct|dm):.",
        r"[^:]+:(?:group|channel|room|slash|direct|dm):.",
        r"[^:]+:[^:]+:(?:direct|dm):.",
        r"(?:openai-user|openresponses-user|voice):.",
        r"acp:binding:.",
    )
)
# OpenClaw keeps the case of these ids, as two that differ in it are two.
_OPAQUE = re.compile(r"(matrix:(?:channel|group):|signal:group:)(.*)", re.IGNORECASE | re.DOTALL)
_DM = re.compile(r"(^|:)dm:")
_MAX_ID_BYTES = 256
_OWNER = "owner"


@dataclass(frozen=True)
class Settings:
    """Whose memory it is, as the plugin's settings of the same names.

    Attributes:
        scope: How far a memory reaches.
        user_id: What the owner is called.
    """

    scope: Scope = "conversation"
    user_id: str = _OWNER


@dataclass(frozen=True)
class Conversation:
    """To whom what is said in a session belongs."""

    agent_id: str
    user_id: str
    session_id: str


def conversation_of(
    agent_id: Any, session_key: Any, session_id: Any, settings: Settings, requester_key: Any = None
) -> Conversation:
    """The conversation of a session.

    Args:
        agent_id: Default: what the key says.
        session_key: OpenClaw's.
        session_id: Default: the key.
        settings: Whose memory it is.
        requester_key: The session that started a subagent.
    """
    key = _text(session_key)
    found = _AGENT.match(key)
    agent = _text(agent_id) or (found[1] if found else "main")
    session = _text(session_id) or key or f"agent:{agent}:main"
    apart = settings.scope == "conversation"
    audience = _audience(key, _text(requester_key)) if apart else ""
    return Conversation(
        storable_id(agent),
        storable_id(audience or settings.user_id.strip() or _OWNER),
        storable_id(session),
    )


def is_subagent(session_key: str) -> bool:
    """Whether the session was started by an agent, for a task."""
    return _SUBAGENT.match(_without_agent(session_key)) is not None


def is_private(session_key: str) -> bool:
    """Whether OpenClaw promised to leave no trace of the session."""
    return _INCOGNITO.match(session_key) is not None


def is_scheduled(session_key: str) -> bool:
    """Whether nobody speaks in the session: it works by the clock."""
    return _SCHEDULED.match(_without_agent(session_key)) is not None


def storable_id(value: str) -> str:
    """An id that can be stored: valid text of at most 256 bytes, else its hash."""
    clean = value.replace("\0", "\ufffd").encode("utf-8", "replace")
    if len(clean) <= _MAX_ID_BYTES:
        return clean.decode()
    return f"sha256-{hashlib.sha256(clean).hexdigest()}"


def _audience(key: str, requester_key: str) -> str:
    """Who takes part; "" for the owner."""
    rest = _without_agent(key)
    if _SUBAGENT.match(rest):
        # Of unknown origin: it may work for a group, which must not learn what the owner said.
        return _audience(requester_key, "") if requester_key else rest.lower()
    if not any(shape.match(rest) for shape in _AUDIENCES):
        return ""
    return _DM.sub(r"\1direct:", _folded(_THREAD.sub("", rest)), count=1)


def _without_agent(key: str) -> str:
    while found := _AGENT.match(key):
        key = key[found.end() :]
    return key


def _folded(audience: str) -> str:
    opaque = _OPAQUE.match(audience)
    return opaque[1].lower() + opaque[2] if opaque else audience.lower()


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
