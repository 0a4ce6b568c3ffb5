"""From a question of CrewAI's to what its agents are told: matches with one marked block."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from crewai.memory.types import MemoryMatch, MemoryRecord
from pydantic import PrivateAttr

from hippocortex_core.recorder import Opener, RecallOptions
from hippocortex_core.render import render_pack
from hippocortex_core.scope import Scope
from hippocortex_core.types import (
    BudgetInfo,
    SynthesisEntry,
    SynthesizeResult,
)
from hippocortex_crewai._records import Records, new_record
from hippocortex_crewai._scopes import labels


class RecalledMatch(MemoryMatch):
    """One thing that was recalled.

    For a prompt, CrewAI joins what `format` gives of each match.  Memory must stand in one block
    between marks, or it would be captured back: the first match gives the block of all of them,
    and the others give nothing more.
    """

    _block: str = PrivateAttr(default="")

    def format(self) -> str:
        """The block of all that was recalled together, from the first; else nothing."""
        return self._block

    def carry(self, block: str) -> None:
        """Be the one that gives the block."""
        self._block = block


@dataclass(frozen=True)
class Question:
    """What is asked of memory.

    Attributes:
        query: In words.
        where: The scope path; "/" is everything.
        categories: Records of none of these are left out, and what was learned; None: of any.
        limit: Of matches.
        source: Who asks: private records of this source are found too.
        include_private: All private records are found.
    """

    query: str
    where: str
    categories: tuple[str, ...] | None
    limit: int
    source: str | None
    include_private: bool

    def wants(self, record: MemoryRecord) -> bool:
        """Whether whoever asks may see the record, and wants to."""
        if record.private and not self.include_private and not self._is_from(record):
            return False
        return not self.categories or not set(self.categories).isdisjoint(record.categories)

    def _is_from(self, record: MemoryRecord) -> bool:
        return self.source is not None and record.source == self.source

    @property
    def wants_records(self) -> bool:
        """Whether records must be looked up; without conditions they are recalled with the rest."""
        asks_for_private = self.include_private or self.source is not None
        return bool(labels(self.where) or self.categories or asks_for_private)


def recalled(
    question: Question, scope: Scope, opener: Opener, records: Records, options: RecallOptions
) -> list[MemoryMatch]:
    """What memory knows about a question: what was learned and captured, and records."""
    recorder = opener()
    if recorder is None or not question.query.strip() or question.limit < 1:
        return []
    records.settle()
    learned: SynthesizeResult | None = None
    if not question.categories:
        learned = recorder.recall(
            question.query, max_tokens=options.max_tokens, sections=options.sections, scope=scope
        ).result
    found: list[tuple[MemoryRecord, float]] = []
    if question.wants_records:
        found = records.find(
            question.query, question.where, scope.user_id, question.limit, question.wants
        )
    return _matches(question, learned, found, options.min_confidence)


def _matches(
    question: Question,
    learned: SynthesizeResult | None,
    found: Sequence[tuple[MemoryRecord, float]],
    least: float,
) -> list[MemoryMatch]:
    entries = [one for one in (learned.entries if learned else ()) if one.confidence >= least]
    # A record is also an event: it is told once, as what was remembered.
    said = [record.content for record, _ in found]
    news = [one for one in entries if not any(text in one.content for text in said)]
    pairs = [(one, _record(one, question.where)) for one in news]
    pairs += [(_entry(record, score), record) for record, score in found if score >= least]
    pairs.sort(key=lambda pair: -pair[0].confidence)
    kept = pairs[: question.limit]
    matches = [
        RecalledMatch(record=record, score=entry.confidence, match_reasons=[entry.section])
        for entry, record in kept
    ]
    if matches:
        pack = replace(learned or _EMPTY, entries=[entry for entry, _ in kept])
        matches[0].carry(render_pack(pack))
    return list(matches)


def _entry(record: MemoryRecord, score: float) -> SynthesisEntry:
    """A record as an entry of a pack."""
    return SynthesisEntry("context", record.content, score)


def _record(entry: SynthesisEntry, where: str) -> MemoryRecord:
    """An entry as a record, which has the id of where it comes from."""
    sources = [one.source_id for one in entry.provenance or ()]
    digest = hashlib.blake2b(entry.content.encode("utf-8", "replace"), digest_size=12).hexdigest()
    about: dict[str, Any] = {"section": entry.section, "sources": sources}
    record = new_record(
        entry.content, where, {"metadata": about, "importance": min(1.0, entry.confidence)}
    )
    return record.model_copy(update={"id": sources[0] if len(sources) == 1 else digest})


_EMPTY = SynthesizeResult("", [], BudgetInfo(0, 0, 0.0, 0, 0))
