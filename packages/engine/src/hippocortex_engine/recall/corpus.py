"""What the words of a query tell: statistics over all events, wherever they are searched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from hippocortex_engine.recall.index import RecallIndex
from hippocortex_engine.recall.query import MAX_TERMS, Query


@dataclass(frozen=True, slots=True)
class Beyond:
    """Events that are not in memory: how many, how many terms in all, and of each term."""

    events: int = 0
    length: int = 0
    holding: Mapping[int, int] = field(default_factory=dict[int, int])


NOTHING_BEYOND = Beyond()


class Corpus:
    """Term weights of one query, the same for whatever part of the events is scored with it.

    The part in memory is scored first: it knows how many windows hold a term.
    """

    def __init__(self, index: RecallIndex, query: Query, beyond: Beyond = NOTHING_BEYOND) -> None:
        self._query = query
        self._index = index
        self._beyond = beyond
        self._terms: list[int] | None = None
        self._weights: dict[int, np.float32] = {}
        self.total = 0.0
        self.size = len(index) + beyond.events
        self.average = _average(index, beyond)

    def count(self, term: int) -> int:
        """How many events hold a term."""
        return self._index.postings.count(term) + self._beyond.holding.get(term, 0)

    def terms(self, held: Mapping[int, int]) -> list[int]:
        """The terms that are matched, rarest first, by how many events in memory hold each."""
        if self._terms is None:
            beyond = self._beyond.holding
            self._terms = sorted(
                self._query.terms, key=lambda term: (held[term] + beyond.get(term, 0), term)
            )[:MAX_TERMS]
        return self._terms

    def weight(self, term: int, windows: int, held: int) -> np.float32:
        """How much a term tells (idf), by the windows and events in memory that hold it."""
        known = self._weights.get(term)
        if known is None:
            # Beyond, only events are counted; their windows are supposed to overlap as here.
            ratio = windows / held if held else 3.0
            holding = windows + min(
                self._beyond.events, round(self._beyond.holding.get(term, 0) * ratio)
            )
            known = np.float32(np.log1p((self.size - holding + 0.5) / (holding + 0.5)))
            self._weights[term] = known
            self.total += float(known)
        return known


def _average(index: RecallIndex, beyond: Beyond) -> float:
    """Terms in an average window, of those in memory and those beyond together."""
    here = index.average_window()
    if not beyond.events:
        return here
    # As long as it is in memory: the events themselves differ, not how sessions are made.
    mean = float(index.columns["length"].mean()) if len(index) else 1.0
    there = here / max(mean, 1.0) * (beyond.length / beyond.events)
    size = len(index) + beyond.events
    return max(1.0, (here * len(index) + there * beyond.events) / size)
