"""Synthesize: candidates, signals, one score, and a pack within its budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hippocortex_core.types import (
    ProvenanceRef,
    SynthesisEntry,
    SynthesizeOptions,
    SynthesizeResult,
)
from hippocortex_engine.identifiers import content_id
from hippocortex_engine.recall.index import RecallIndex
from hippocortex_engine.recall.knowledge import Knowledge
from hippocortex_engine.recall.query import Query
from hippocortex_engine.storage.events import Excerptable
from hippocortex_engine.synthesizer.candidates import (
    event_hits,
    from_events,
    from_knowledge,
    weigh,
)
from hippocortex_engine.synthesizer.memory import Memory
from hippocortex_engine.synthesizer.packer import Ranked, pack
from hippocortex_engine.synthesizer.signals import evaluate, score
from hippocortex_engine.tokens import TokenCounter

SHOWN_EVENTS = 3
"""Source events named in the provenance of an entry that rests on several."""

Fetch = Callable[[Sequence[int]], Mapping[int, Excerptable]]
"""Events by sequence number, from the database."""


def synthesize(
    index: RecallIndex,
    knowledge: Knowledge,
    query: Query,
    options: SynthesizeOptions,
    counter: TokenCounter,
    fetch: Fetch,
) -> SynthesizeResult:
    """The context pack for a query."""
    weights = weigh(index, query)
    memories = from_knowledge(knowledge, query, weights, options, index.newest)
    wants_events = options.sections is None or "context" in options.sections
    hits = event_hits(index, query, options) if wants_events else None
    shown = [int(index.columns["seq"][row]) for row in hits.rows] if hits else []
    cited = [seq for memory in memories for seq in memory.sources[-SHOWN_EVENTS:]]
    records = fetch(sorted({*shown, *cited}))
    if hits is not None:
        memories += from_events(index, hits, records, weights, options)
    packed = pack(_rank(memories, options), options.max_tokens, counter, _tokens_of(index))
    entries = [_entry(one, options, records) for one in packed.entries]
    return SynthesizeResult(pack_id=_pack_id(query, entries), entries=entries, budget=packed.budget)


def _rank(memories: Sequence[Memory], options: SynthesizeOptions) -> list[Ranked]:
    """The memories that are wanted and trusted enough, highest score first."""
    wanted = set(options.sections) if options.sections is not None else None
    stated = {
        memory.sources for memory in memories if memory.section == "facts"
    }  # the fact says it better than the message it was read from
    ranked = [
        Ranked(memory, signals, score(signals))
        for memory in memories
        if (wanted is None or memory.section in wanted)
        and not (memory.section == "context" and memory.sources in stated)
        for signals in (evaluate(memory),)
    ]
    kept = [one for one in ranked if one.score >= options.min_confidence]
    return sorted(kept, key=lambda one: (-one.score, one.memory.section, one.memory.source_id))


def _entry(
    one: Ranked, options: SynthesizeOptions, records: Mapping[int, Excerptable]
) -> SynthesisEntry:
    memory = one.memory
    return SynthesisEntry(
        section=memory.section,
        content=memory.text,
        confidence=one.score,
        provenance=_provenance(memory, records) if options.include_provenance else None,
        signals=dict(one.signals) if options.explain else None,
    )


def _provenance(memory: Memory, records: Mapping[int, Excerptable]) -> list[ProvenanceRef]:
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
        evidence_count=memory.count,
    )
    return [artifact, *events]


def _tokens_of(index: RecallIndex) -> Callable[[Sequence[int]], int]:
    tokens = index.columns["tokens"]
    return lambda sequence: int(tokens[index.rows_of(sequence)].sum())


def _pack_id(query: Query, entries: Sequence[SynthesisEntry]) -> str:
    said = [part for one in entries for part in (one.section, str(one.confidence), one.content)]
    return content_id("pack_", query.text, *said)
