"""A row's window: itself and what stands around it in its session.

An answer often stands next to the words of the question, and a tool's result next to its call: a
row is matched with its neighbours, which count the less the further away they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from hippocortex_engine.recall.index import RecallIndex

NONE = -1
"""In a column of row or code numbers: nothing."""

K1, B = 1.5, 0.75
"""Of BM25 (Robertson & Zaragoza 2009)."""

WORDS = (1.0, 0.6, 0.3)
"""What a word counts that is said here, next door, and two doors away."""

LENT = 64
"""Terms that a neighbour lends at most: of a longer one each counts less."""

MEANING = (1.0, 0.7, 0.5, 0.3)
"""The same for vectors: what a talk is about changes more slowly than its words."""

Rows = NDArray[np.int64]
Floats = NDArray[np.float32]


def around(index: RecallIndex, rows: Rows, reach: int) -> NDArray[np.int64]:
    """The windows of some rows, shape (1 + 2 reach, n): self, before, after, two before and so on.

    Where a session has no such row stands the number of rows, one more than the last.
    """
    places = np.empty((1 + 2 * reach, len(rows)), np.int64)
    places[0] = rows
    for first, side in enumerate(("before", "after"), 1):
        place = rows
        for line in range(first, len(places), 2):
            place = places[line] = _step(index.columns[side], place)
    places[places == NONE] = len(index)
    return places


def spread(index: RecallIndex, scores: Floats) -> Floats:
    """Scores of all rows, each with what its window lends it."""
    total = np.append(scores, np.float32(0))  # the last place takes what goes to no row
    lending = np.flatnonzero(scores)
    worth = scores[lending]
    # What a row lends to the one before it comes, seen from there, from the one after it.
    for side in ("before", "after"):
        place = lending
        for weight in WORDS[1:]:
            place = _step(index.columns[side], place)
            total[place] += np.float32(weight) * worth
    return total[:-1]


def weighted(values: Floats, weights: Sequence[float]) -> Floats:
    """Sums over windows of values laid out as `around` does, always in one order.

    A single line of values stands for rows without neighbours.
    """
    total = np.float32(weights[0]) * values[0]
    for place in range(1, len(values), 2):
        both = values[place] + values[place + 1]
        both *= np.float32(weights[(place + 1) // 2])
        total += both
    return total


def norm(length: NDArray[Any], average: float) -> Floats:
    """How much a text of some length must hold of a word to be half as good as can be."""
    return (K1 * (1 - B + B * length / average)).astype(np.float32)


class Lengths:
    """Terms in windows and sessions, which BM25 measures lengths against; as of one index size."""

    def __init__(self, index: RecallIndex) -> None:
        columns = index.columns
        self.size, sessions = len(index), len(index.sessions.names)
        self._of_row: Floats = np.append(columns["length"], np.float32(0)).astype(np.float32)
        self.of_session = np.bincount(columns["session"], columns["length"], sessions)
        total = float(self.of_session.sum())
        self.average_row = max(1.0, total / max(1, self.size))
        self.average_session = max(1.0, total / max(1, sessions))
        # As if all sessions were of one length: each has so many rows without such a neighbour.
        shares = [
            weight * max(0, self.size - distance * sessions) / max(1, self.size)
            for distance, weight in enumerate(WORDS)
        ]
        self.average_window = self.average_row * (2 * sum(shares) - shares[0])
        self._norms: tuple[float, Floats] | None = None

    def norms(self, average: float) -> Floats:
        """Each row's length as BM25 sees it, beside an average; kept for the next query."""
        if self._norms is None or self._norms[0] != average:
            self._norms = average, norm(self._of_row[:-1], average)
        return self._norms[1]

    def of_windows(self, places: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """What each part of the windows given by `around` counts, and the terms in all of it."""
        length: Floats = self._of_row[places]
        scale: Floats = (LENT / np.maximum(length, LENT)).astype(np.float32)
        scale[0] = 1
        return scale, weighted(length * scale, WORDS)


def _step(column: NDArray[np.int32], rows: Rows) -> Rows:
    """One row further, `NONE` for those that have none."""
    stepped = column[rows].astype(np.int64)
    stepped[rows == NONE] = NONE
    return stepped
