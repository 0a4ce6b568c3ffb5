"""From a query to the memories that may answer it: artifacts and events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocortex_core.types import ArtifactType, ReasoningSection, SynthesizeOptions
from hippocortex_engine.describe import describe
from hippocortex_engine.recall.index import RecallIndex
from hippocortex_engine.recall.knowledge import Knowledge
from hippocortex_engine.recall.query import Query
from hippocortex_engine.recall.search import (
    NOTHING,
    SHORTLIST,
    Hits,
    nearest,
    rarity,
    search,
    window_cosine,
)
from hippocortex_engine.storage.events import Excerptable
from hippocortex_engine.synthesizer.excerpt import excerpt
from hippocortex_engine.synthesizer.memory import Memory
from hippocortex_engine.synthesizer.pleasantries import without_pleasantries
from hippocortex_engine.text import unpack_terms
from hippocortex_engine.times import day

SECTION_OF: Mapping[ArtifactType, ReasoningSection] = {
    "task_schema": "procedures",
    "failure_playbook": "failures",
    "decision_policy": "decisions",
    "fact": "facts",
    "causal_pattern": "causal",
}

MOST: Mapping[ReasoningSection, int] = {
    "procedures": 3,
    "failures": 3,
    "decisions": 3,
    "facts": 10,
    "causal": 3,
}
"""Artifacts per section: few and fitting beat many."""

EVENTS = 64
"""Events looked at."""

EXCERPT = 480
"""Characters of a long event that are shown."""

SHARPNESS = 1.5
"""How much faster than its fused score an event's relevance falls behind the best one's."""

ASKING = 0.04
"""What an event that ends in a question loses: a question seldom holds an answer."""

OBSERVED = 0.5
"""Confidence in an event as such: it was said or seen, once."""

COSINE_FLOOR, COSINE_FULL = 0.2, 0.75
"""Cosines of static vectors: below the floor texts are unrelated, above the other the same."""

TITLE = 0.2
"""Share of an artifact's relevance that hangs on its title."""

LENT = 0.7
"""Share of a procedure's relevance that a failure of one of its tools inherits."""

GATE = 0.3
"""Relevance from which on an artifact is about the query at all."""

BESIDE = 0.6
"""Share of the best artifact's relevance that another needs beside it."""


Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each term of a query tells, by hash, and all of them together."""

    of: Mapping[int, float]
    total: float


def weigh(index: RecallIndex, query: Query) -> Weights:
    """Term weights (idf) in this memory; a word it never saw weighs most."""
    size = len(index)
    found = {term: rarity(size, index.postings.count(term)) for term in query.terms}
    return Weights(found, sum(found.values()))


def relevance(coverage: NDArray[Any], cosine: NDArray[Any]) -> Floats:
    """How surely texts are about the query, 0..1, from words covered and cosine."""
    above = cosine.astype(np.float64) - COSINE_FLOOR
    meant = np.clip(above / (COSINE_FULL - COSINE_FLOOR), 0.0, 1.0)
    # Either alone may mislead (a common word; a like-sounding topic): each is doubted a little.
    return 1.0 - (1.0 - 0.8 * coverage) * (1.0 - 0.7 * meant)


def from_knowledge(
    knowledge: Knowledge, query: Query, weights: Weights, options: SynthesizeOptions, newest: int
) -> list[Memory]:
    """The artifacts that are about the query, best first, at most so many of a section."""
    if not len(knowledge.index) or not weights.total:
        return []
    matches = _matches(knowledge, query, weights, options)
    scored = sorted(matches.items(), key=lambda item: (-round(item[1], 6), item[0]))
    left = dict(MOST)
    found: list[Memory] = []
    gate = max(GATE, BESIDE * scored[0][1]) if scored else GATE
    for row, match in scored:
        if match < gate:
            break
        memory = _artifact_memory(knowledge, row, round(match, 6), query, options, newest)
        if left[memory.section] > 0:
            left[memory.section] -= 1
            found.append(memory)
    return found


def _matches(
    knowledge: Knowledge, query: Query, weights: Weights, options: SynthesizeOptions
) -> dict[int, float]:
    """Row to relevance, of the artifacts that may be shown and are about the query."""
    index = knowledge.index
    allowed = knowledge.allowed(
        user_id=options.user_id,
        session_id=options.session_id,
        agent_id=options.agent_id,
        past=query.past,
    )
    covered = _covered(index, weights)
    rows = np.union1d(
        np.flatnonzero((covered > 0) & allowed),
        nearest(index, query, allowed, SHORTLIST),
    )
    if not len(rows):
        return {}
    plain = relevance(covered[rows], window_cosine(index, query, rows[None, :]))
    about = plain >= GATE  # a title that fits raises nothing, one that does not lowers
    matches = {
        int(row): float(match) * (1 - TITLE + TITLE * _titled(knowledge.titles[int(row)], weights))
        for row, match in zip(rows[about], plain[about], strict=True)
    }
    _warn(knowledge, matches, allowed)
    return matches


def _titled(title: frozenset[int], weights: Weights) -> float:
    """Share of a title that the query asks for."""
    return sum(term in weights.of for term in title) / len(title) if title else 0.0


def _warn(knowledge: Knowledge, matches: dict[int, float], allowed: NDArray[np.bool_]) -> None:
    """Let a procedure lend its relevance to what is known to fail in it.

    A query names the task, rarely the tool that will fail on the way.
    """
    tools: dict[str, float] = {}
    for row, match in matches.items():
        found = knowledge.records[row].candidate
        if found.type == "task_schema" and match >= GATE:
            for tool in found.entities:
                tools[tool] = max(match, tools.get(tool, 0.0))
    if not tools:
        return
    for row in knowledge.playbooks:
        if allowed[row]:
            content = knowledge.records[row].candidate.content
            lent = LENT * tools.get(str(content.get("tool")), 0.0)
            if lent >= GATE:
                matches[row] = max(matches.get(row, 0.0), lent)


@dataclass(frozen=True, slots=True)
class EventHits:
    """Events that may answer, best first: what speaks for them, and what the signals need."""

    hits: Hits
    sequence: tuple[int, ...]
    newest: int


def event_hits(index: RecallIndex, query: Query, options: SynthesizeOptions) -> EventHits:
    """The events that may answer, unless the context section is not wanted."""
    if options.sections is not None and "context" not in options.sections:
        return EventHits(NOTHING, (), index.newest)
    hits = search(index, query, _allowed(index, options), EVENTS)
    return EventHits(hits, tuple(index.columns["seq"][hits.rows].tolist()), index.newest)


def from_events(
    found: EventHits,
    records: Mapping[int, Excerptable],
    weights: Weights,
    options: SynthesizeOptions,
) -> list[Memory]:
    """The hits as memories, best first; each text and speaker once."""
    hits = found.hits
    if not len(hits.rows):
        return []
    surest = float(relevance(hits.coverage, hits.cosine).max())
    best = float(hits.fused[0]) or 1.0
    seen: set[str] = set()
    memories: list[Memory] = []
    for place, seq in enumerate(found.sequence):
        record = records.get(seq)
        if record is None:  # forgotten since the index was read
            continue
        text = _event_text(record, weights)
        said = text.split("] ", 1)[-1]
        if text and said not in seen:
            seen.add(said)
            fused = float(hits.fused[place]) / best - ASKING * said.endswith("?")
            match, named = surest * max(0.0, fused) ** SHARPNESS, float(hits.named[place])
            memories.append(_event_memory(record, text, match, named, found.newest, options))
    return memories


def _event_memory(
    record: Excerptable,
    text: str,
    match: float,
    named: float,
    newest: int,
    options: SynthesizeOptions,
) -> Memory:
    return Memory(
        source_id=record.event_id,
        section="context",
        text=text,
        relevance=match,
        named=named,
        age=newest - record.occurred_at,
        count=1,
        sessions=1,
        salience=record.salience,
        confidence=OBSERVED,
        same_session=record.session_id == options.active_session_id,
        sources=(record.seq,),
        states=record.type == "message",
    )


def _artifact_memory(
    knowledge: Knowledge,
    row: int,
    match: float,
    query: Query,
    options: SynthesizeOptions,
    newest: int,
) -> Memory:
    one = knowledge.records[row]
    found = one.candidate
    held = frozenset(int(term) for term in unpack_terms(one.terms)["term"])
    return Memory(
        source_id=one.artifact_id,
        section=SECTION_OF[found.type],
        text=found.text,
        relevance=match,
        named=_share(query.entities, held),
        age=newest - found.last_at,
        count=len(one.evidence),
        sessions=len(found.sessions),
        salience=found.salience,
        confidence=found.confidence,
        same_session=options.active_session_id in found.sessions,
        sources=one.evidence,
        artifact_type=found.type,
        states=found.type == "fact",
    )


def _covered(index: RecallIndex, weights: Weights) -> NDArray[np.float64]:
    covered = np.zeros(len(index), np.float64)
    for term, weight in weights.of.items():
        rows, _ = index.postings.find(term)
        covered[rows] += weight
    return covered / weights.total


def _event_text(record: Excerptable, weights: Weights) -> str:
    if record.payload is None:
        actor, text = record.actor, record.said or ""
    else:
        description = describe(record.type, json.loads(record.payload))
        actor, text = description.actor, description.text
    if not text.strip():
        return ""
    if record.type == "message":
        text = without_pleasantries(text)
    who = f"{actor}: " if actor else ""
    return f"[{day(record.occurred_at)}] {who}{excerpt(text, weights.of, EXCERPT)}"


def _share(wanted: frozenset[int], held: frozenset[int]) -> float:
    return len(wanted & held) / len(wanted) if wanted else 0.0


def _allowed(index: RecallIndex, options: SynthesizeOptions) -> NDArray[np.bool_] | None:
    mask: NDArray[np.bool_] | None = None
    for column, codes, wanted in (
        ("user", index.owners, options.user_id),
        ("agent", index.owners, options.agent_id),
        ("session", index.sessions, options.session_id),
    ):
        if wanted is not None:
            code = codes.find(wanted)
            fits = index.columns[column] == (-2 if code is None else code)
            mask = fits if mask is None else mask & fits
    return mask
