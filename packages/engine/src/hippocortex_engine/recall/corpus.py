"""What the words of a query tell: statistics over all events, wherever they are searched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocortex_engine.recall.index import RecallIndex
from hippocortex_engine.recall.postings import Floats, Ints
from hippocortex_engine.recall.query import MAX_TERMS, Query

CLUSTER = 4
"""Windows in which a word is found for each event that holds it: fewer than a window has events,
because words come in clusters.  How many windows hold a word is inferred from it, not counted."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """Events that are not in memory: how many, how many terms in all, and of each term."""

    events: int = 0
    length: int = 0
    holding: Mapping[int, int] = field(default_factory=dict[int, int])


NOTHING_BEYOND = Beyond()


class Corpus:
    """Term weights of one query, the same for whatever part of the events is scored with it.

    `held`: where in memory each term of the query stands; `terms`: those that are matched, rarest
    first; `row`, `window`: terms in an average event and in an average window.
    """

    def __init__(self, index: RecallIndex, query: Query, beyond: Beyond = NOTHING_BEYOND) -> None:
        self.index = index
        self.size = len(index) + beyond.events
        self.held: dict[int, tuple[Ints, Floats]] = index.postings.find_all(query.terms)
        self.counts = {
            term: len(rows) + beyond.holding.get(term, 0) for term, (rows, _) in self.held.items()
        }
        self.terms = sorted(query.terms, key=lambda term: (self.counts[term], term))[:MAX_TERMS]
        self.row, self.window = _averages(index, beyond)

    def weight(self, term: int) -> float:
        """How much a term tells one window from another (idf)."""
        share = self.counts[term] / max(1, self.size)
        return idf(self.size, self.size * (1 - (1 - min(1.0, share)) ** CLUSTER))

    def session_weight(self, term: int, often: NDArray[Any] | None = None) -> float:
        """How much a term tells one session from another, by those in memory.

        Args:
            term: the term.
            often: how often each of them holds it, if that is known.
        """
        sessions = len(self.index.sessions.names)
        if often is None:
            rows, _ = self.held[term]
            often = np.bincount(self.index.columns["session"][rows], minlength=sessions)
        return idf(sessions, int(np.count_nonzero(often)))

    def share(self, term: int) -> float:
        """The weight of a term in the query: the rarer the more, most if no event holds it."""
        return self.rarity(self.counts[term])

    def rarity(self, holding: int) -> float:
        """The weight of what so many events hold."""
        return float(np.log1p((self.size + 0.5) / (holding + 0.5)))


def idf(size: int, holding: float) -> float:
    """What a term tells that so many of `size` texts hold: little, if most of them do."""
    return float(np.log1p((size - holding + 0.5) / (holding + 0.5)))


def _averages(index: RecallIndex, beyond: Beyond) -> tuple[float, float]:
    """Terms in an average event and window, of those in memory and those beyond together."""
    here = index.lengths()
    if not beyond.events:
        return here.average_row, here.average_window
    # Beyond, the events themselves may differ, not how sessions are made.
    total = here.average_row * len(index) + beyond.length
    row = max(1.0, total / (len(index) + beyond.events))
    return row, row * here.average_window / here.average_row
