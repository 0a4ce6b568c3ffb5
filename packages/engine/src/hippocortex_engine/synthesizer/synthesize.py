"""Synthesize: candidates, signals, one score, and a pack within its budget."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass

from hippocortex_core.types import (
    ProvenanceRef,
    SynthesisEntry,
    SynthesizeOptions,
    SynthesizeResult,
)
from hippocortex_engine.identifiers import content_id
from hippocortex_engine.recall.corpus import NOTHING_BEYOND, Beyond, Corpus
from hippocortex_engine.recall.index import RecallIndex
from hippocortex_engine.recall.knowledge import Knowledge
from hippocortex_engine.recall.query import Query
from hippocortex_engine.recall.search import Part
from hippocortex_engine.recall.texts import Text
from hippocortex_engine.recall.visible import present
from hippocortex_engine.synthesizer.candidates import (
    EventHits,
    Weights,
    event_hits,
    from_events,
    from_knowledge,
    weigh,
)
from hippocortex_engine.synthesizer.memory import Memory
from hippocortex_engine.synthesizer.newest import facts_first, newest_first
from hippocortex_engine.synthesizer.packer import Ranked, pack
from hippocortex_engine.synthesizer.signals import evaluate, score
from hippocortex_engine.synthesizer.stated import Stated, unstated
from hippocortex_engine.tokens import TokenCounter

SHOWN_EVENTS = 3
"""Source events named in the provenance of an entry that rests on several."""


@dataclass(frozen=True, slots=True)
class Recall:
    """What is searched: indexes in memory, and what the database proposes of older events.

    `older`: candidates among events that are not in memory; `beyond`, `newest_beyond`: those
    events as a whole; `tokens_of`: tokens of events together, unless the index knows them all.
    """

    index: RecallIndex
    knowledge: Knowledge
    older: Part | None = None
    beyond: Beyond = NOTHING_BEYOND
    newest_beyond: int = 0
    tokens_of: Callable[[Sequence[int]], int] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: all that composing a pack needs, of indexes that may move on.

    `sequence`: the events whose payloads are needed; `read`: the events that facts were read from
    which hold; `stated`: what facts in the pack and superseded facts say of the events they were
    read from; `outdated`: events that say what no longer holds; `tokens_of`: tokens of events
    together.
    """

    memories: tuple[Memory, ...]
    hits: EventHits
    weights: Weights
    sequence: tuple[int, ...]
    read: frozenset[int]
    stated: Stated
    outdated: Container[int]
    tokens_of: Callable[[Sequence[int]], int]


def find(recall: Recall, query: Query, options: SynthesizeOptions) -> Found:
    """Search the indexes."""
    index, knowledge = recall.index, recall.knowledge
    corpus = Corpus(index, query, recall.beyond)
    weights = weigh(corpus)
    newest = present(index, options, max(index.newest, recall.newest_beyond))
    memories = from_knowledge(knowledge, query, weights, options, newest)
    hits = event_hits(index, recall.older, query, corpus, options, newest)
    cited = {seq for memory in memories for seq in memory.sources[-SHOWN_EVENTS:]}
    return Found(
        memories=tuple(memories),
        hits=hits,
        weights=weights,
        sequence=tuple(sorted(cited.union(hits.sequence))),
        read=knowledge.read,
        stated=_stated(memories, knowledge, query, options),
        outdated=knowledge.outdated,
        tokens_of=recall.tokens_of or index.token_sum(),
    )


def compose(
    found: Found,
    records: Mapping[int, Text],
    query: Query,
    options: SynthesizeOptions,
    counter: TokenCounter,
) -> SynthesizeResult:
    """The context pack of what was found."""
    events = from_events(found.hits, records, found.weights, options, counter)
    told = unstated(events, records, found.stated)
    ranked = _rank([*found.memories, *told], found, query, options)
    packed = pack(ranked, options.max_tokens, counter, found.tokens_of)
    entries = [_entry(one, options, records) for one in packed.entries]
    return SynthesizeResult(pack_id=_pack_id(query, entries), entries=entries, budget=packed.budget)


def _stated(
    memories: Sequence[Memory], knowledge: Knowledge, query: Query, options: SynthesizeOptions
) -> Stated:
    """What facts say of events: better than these, and whether it still holds."""
    if options.sections is not None and "facts" not in options.sections:
        return {}
    said: dict[int, list[str]] = {}
    for memory in memories:
        for seq in memory.sources if memory.section == "facts" else ():
            said.setdefault(seq, []).append(memory.text)
    if not query.past:
        for seq, facts in knowledge.outdated.items():
            said.setdefault(seq, []).extend(facts)
    return {seq: facts for seq, facts in said.items() if seq not in knowledge.endings}


def _rank(
    memories: Sequence[Memory], found: Found, query: Query, options: SynthesizeOptions
) -> list[Ranked]:
    """The memories that are wanted and trusted enough, highest score first."""
    wanted = set(options.sections) if options.sections is not None else None
    ranked = [
        Ranked(memory, score(memory))
        for memory in memories
        if wanted is None or memory.section in wanted
    ]
    ranked.sort(key=_order)
    if not query.past:
        ranked = facts_first(ranked, found.outdated)
        ranked = sorted(newest_first(ranked, query, found.read), key=_order)
    return [one for one in ranked if one.score >= options.min_confidence]


def _order(one: Ranked) -> tuple[float, str, str]:
    return -one.score, one.memory.section, one.memory.source_id


def _entry(one: Ranked, options: SynthesizeOptions, records: Mapping[int, Text]) -> SynthesisEntry:
    memory = one.memory
    return SynthesisEntry(
        section=memory.section,
        content=memory.text,
        confidence=one.score,
        provenance=_provenance(memory, records) if options.include_provenance else None,
        signals=evaluate(memory) if options.explain else None,
    )


def _provenance(memory: Memory, records: Mapping[int, Text]) -> list[ProvenanceRef]:
    """The artifact (if it is one) and the newest events behind the entry."""
    events = [
        ProvenanceRef(source_type="event", source_id=records[seq].event_id, evidence_count=1)
        for seq in memory.sources[-SHOWN_EVENTS:]
        if seq in records
    ]
    if memory.artifact_type is None:
        return events
    artifact = ProvenanceRef(
        source_type="artifact",
        source_id=memory.source_id,
        artifact_type=memory.artifact_type,
        evidence_count=memory.events,
    )
    return [artifact, *events]


def _pack_id(query: Query, entries: Sequence[SynthesisEntry]) -> str:
    said = [part for one in entries for part in (one.section, str(one.confidence), one.content)]
    return content_id("pack_", query.text, *said)
