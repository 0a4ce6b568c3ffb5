"""What the engine's parts hand to each other: stored events and compiled artifacts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hippocortex_core.types import ArtifactStatus, ArtifactType


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event as stored.  Times are milliseconds since the epoch, UTC.

    `seq` is the tenant's running number: gap-free, in commit order.  `tokens` counts the text of
    the event as the token counter sees it.
    """

    seq: int
    event_id: str
    session_id: str
    type: str
    payload: Mapping[str, Any]
    occurred_at: int
    captured_at: int
    salience: float = 0.0
    tokens: int = 0
    user_id: str | None = None
    agent_id: str | None = None
    metadata: Mapping[str, Any] | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a miner found: an artifact before it is stored.

    `key` identifies the pattern within its type whatever its evidence, so that more evidence
    revises an artifact instead of making another.  `text` is what a pack shows; `index_text` is
    what a query is matched against.  `evidence` holds event ids in the order they happened;
    `sessions` and `users` whose they are (a None among `users` stands for events of nobody).
    `personal`: a fact or a stated rule, shown only to its `owner` (None: of nobody in particular).
    `salience` is that of the evidence (mean, 0..1).  `strength` (0..1) is what
    `min_pattern_strength` is compared with.
    """

    type: ArtifactType
    key: str
    title: str
    content: Mapping[str, Any]
    text: str
    index_text: str
    confidence: float
    strength: float
    evidence: tuple[str, ...]
    sessions: tuple[str, ...]
    users: tuple[str | None, ...]
    agents: tuple[str | None, ...]
    entities: tuple[str, ...]
    first_at: int
    last_at: int
    salience: float = 0.5
    status: ArtifactStatus = "active"
    personal: bool = False
    owner: str | None = None
