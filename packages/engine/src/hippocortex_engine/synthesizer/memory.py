"""A memory that may enter a pack, and what the signals need to know of it."""

from __future__ import annotations

from typing import NamedTuple

from hippocortex_core.types import ArtifactType, ReasoningSection


class Memory(NamedTuple):
    """An event or an artifact that may answer a query.

    `relevance`: how well it matches the query, 0..1.  `named`: share of what the query names that
    it holds, 0..1.  `age`: milliseconds before the newest event that may be seen.  `events`: events
    behind it; `sessions`: distinct sessions behind it; `sources`: the sequence numbers of those
    events; `states`: it is what somebody said, or a fact read from it; `listed`: its tokens in a
    pack, 0 if nobody has counted them.
    """

    source_id: str
    section: ReasoningSection
    text: str
    relevance: float
    named: float
    age: int
    events: int
    sessions: int
    salience: float
    confidence: float
    same_session: bool
    sources: tuple[int, ...]
    artifact_type: ArtifactType | None = None
    states: bool = False
    listed: int = 0
