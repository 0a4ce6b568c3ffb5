"""From a query to the memories that may answer it: artifacts and events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocortex_core.types import ArtifactType, ReasoningSection, SynthesizeOptions
from hippocortex_engine.recall.corpus import Corpus
from hippocortex_engine.recall.index import RecallIndex
from hippocortex_engine.recall.knowledge import Knowledge
from hippocortex_engine.recall.query import Query
from hippocortex_engine.recall.search import (
    NOTHING,
    SHORTLIST,
    Hits,
    Part,
    nearest,
    search,
    window_cosine,
)
from hippocortex_engine.recall.texts import Text
from hippocortex_engine.recall.visible import foreign, visible
from hippocortex_engine.synthesizer.excerpt import excerpt
from hippocortex_engine.synthesizer.matching import (
    Known,
    about,
    met,
    names_tool,
    reports_failure,
    says_little,
    task_terms,
    tells,
    trade,
)
from hippocortex_engine.synthesizer.memory import Memory
from hippocortex_engine.tokens import TokenCounter

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

HALF = 0.5
"""Least share of a query that the sentence stating the task is taken to be."""

LENT = 0.7
"""Share of a procedure's relevance that a failure of one of its tools inherits."""

MET = 0.9
"""Relevance of a playbook whose very error the query reports."""

GATE = 0.3
"""Relevance from which on an artifact is about the query at all."""

BESIDE = 0.6
"""Share of the best artifact's relevance that another needs beside it."""


Floats = NDArray[np.float64]
Holding = Mapping[int, tuple[NDArray[np.int32], NDArray[np.float32]]]
"""Which artifacts hold each term of a query, and how often."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each term of a query tells, by hash, and all of them together."""

    of: Mapping[int, float]
    total: float


def weigh(corpus: Corpus) -> Weights:
    """The weights of the query's terms in this memory; a word it never saw weighs most."""
    found = {term: corpus.share(term) for term in corpus.counts}
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
    holding = index.postings.find_all(list(weights.of))
    covered = np.where(
        trade(knowledge).procedures,
        _asked(holding, len(index), query, weights),
        _covered(holding, len(index), weights),
    )
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
    _settle(knowledge, matches, allowed, query)
    return matches


def _asked(holding: Holding, size: int, query: Query, weights: Weights) -> Floats:
    """How much of what a query asks to be done each artifact covers.

    The sentence covered best counts, but for no more than if it were half of what is said.
    """
    told = [
        {term: weights.of[term] for term in weights.of if term in wanted}
        for wanted in task_terms(query.text)
    ]
    least = HALF * sum(told[0].values())
    covered = [
        _covered(holding, size, Weights(of, max(total, least)))
        for of in told
        if (total := sum(of.values())) > 0
    ]
    return np.maximum.reduce(covered) if covered else _covered(holding, size, weights)


def _titled(title: frozenset[int], weights: Weights) -> float:
    """Share of a title that the query asks for."""
    return len(title & weights.of.keys()) / len(title) if title else 0.0


def _settle(
    knowledge: Knowledge,
    matches: dict[int, float],
    allowed: NDArray[np.bool_],
    query: Query,
) -> None:
    """Which playbooks belong in: of a failure that is reported its own, else those of a task."""
    known = [one for one in trade(knowledge).failures if allowed[one.row]]
    named = {
        tool
        for tool, rows in trade(knowledge).tools.items()
        if names_tool(query.text, tool) and allowed[rows].any()
    }
    fitting = [one for one in known if not named or one.tool in named]
    own = met(
        # A few words that may stand in any text must come with the tool or with its matter.
        (one for one in fitting if one.tool in named or one.row in matches or tells(one.error)),
        query.text,
    )
    if own or (named and reports_failure(query.text)):
        wanted = frozenset(query.terms)
        kept = own or {one.row for one in fitting if about(one.error, wanted)}
        for one in known:
            if one.row not in kept:
                matches.pop(one.row, None)
        matches.update({row: max(MET, matches.get(row, 0.0)) for row in own})
    else:
        _warn(knowledge, matches, known)
        for one in known:
            if says_little(knowledge, one.row):
                matches.pop(one.row, None)


def _warn(knowledge: Knowledge, matches: dict[int, float], known: Sequence[Known]) -> None:
    """Let a procedure lend its relevance to what is known to fail in it.

    A query names the task, rarely the tool that will fail on the way.
    """
    tools: dict[str, float] = {}
    for row, match in matches.items():
        found = knowledge.records[row].candidate
        if found.type == "task_schema" and match >= GATE:
            for tool in found.entities:
                tools[tool] = max(match, tools.get(tool, 0.0))
    for one in known:
        lent = LENT * tools.get(one.tool, 0.0)
        if lent >= GATE:
            matches[one.row] = max(matches.get(one.row, 0.0), lent)


@dataclass(frozen=True, slots=True)
class EventHits:
    """Events that may answer, best first: what speaks for them, and what the signals need."""

    hits: Hits
    sequence: tuple[int, ...]
    newest: int


def wants_events(options: SynthesizeOptions) -> bool:
    """Whether the context section is wanted at all."""
    return options.sections is None or "context" in options.sections


def event_hits(
    index: RecallIndex,
    older: Part | None,
    query: Query,
    corpus: Corpus,
    options: SynthesizeOptions,
    newest: int,
) -> EventHits:
    """The events that may answer, unless the context section is not wanted."""
    if not wants_events(options):
        return EventHits(NOTHING, (), newest)
    part = Part(index, visible(index, options), foreign(index, options))
    parts = [part, *([] if older is None else [older])]
    hits = search(parts, query, corpus, newest, EVENTS)
    return EventHits(hits, tuple(hits.sequence.tolist()), newest)


def from_events(
    found: EventHits,
    records: Mapping[int, Text],
    weights: Weights,
    options: SynthesizeOptions,
    counter: TokenCounter,
) -> list[Memory]:
    """The hits as memories, best first; each text and speaker once."""
    hits = found.hits
    if not len(hits.sequence):
        return []
    surest = float(relevance(hits.coverage, hits.cosine).max())
    fused, named = hits.fused.tolist(), hits.named.tolist()
    best = fused[0] or 1.0
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
            relative = fused[place] / best - ASKING * said.endswith("?")
            memory = Memory(
                source_id=record.event_id,
                section="context",
                text=text,
                relevance=surest * max(0.0, relative) ** SHARPNESS,
                named=named[place],
                age=found.newest - record.occurred_at,
                events=1,
                sessions=1,
                salience=record.salience,
                confidence=OBSERVED,
                same_session=record.session_id == options.active_session_id,
                sources=(record.seq,),
                states=record.is_message,
                listed=record.listed(counter) if len(record.text) <= EXCERPT else 0,
            )
            memories.append(memory)
    return memories


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
    return Memory(
        source_id=one.artifact_id,
        section=SECTION_OF[found.type],
        text=found.text,
        relevance=match,
        named=_share(query.entities, knowledge.terms(row)),
        age=newest - found.last_at,
        events=len(one.evidence),
        sessions=len(found.sessions),
        salience=found.salience,
        confidence=found.confidence,
        same_session=options.active_session_id in found.sessions,
        sources=one.evidence,
        artifact_type=found.type,
        states=found.type == "fact",
    )


def _covered(holding: Holding, size: int, weights: Weights) -> Floats:
    """Share of the terms, by weight, that each artifact holds."""
    covered = np.zeros(size, np.float64)
    for term, weight in weights.of.items():
        covered[holding[term][0]] += weight
    return covered / weights.total


def _event_text(record: Text, weights: Weights) -> str:
    text = record.text.strip()
    return record.line(excerpt(text, weights.of, EXCERPT)) if text else ""


def _share(wanted: frozenset[int], held: frozenset[int]) -> float:
    return len(wanted & held) / len(wanted) if wanted else 0.0
