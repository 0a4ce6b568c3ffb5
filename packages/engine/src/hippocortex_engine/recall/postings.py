"""An inverted index over the terms of events, kept in sorted segments.

New events make a small segment; segments of like size are merged, as in a log-structured merge
tree (O'Neil et al., 1996), so that adding stays cheap and a query looks at few segments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hippocortex_engine.text import unpack_terms

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]

_NO_ROWS: Ints = np.zeros(0, np.int32)
_NO_COUNTS: NDArray[np.uint8] = np.zeros(0, np.uint8)


@dataclass(frozen=True, slots=True)
class Segment:
    """Postings sorted by term, then by row."""

    terms: NDArray[np.uint32]
    rows: Ints
    counts: NDArray[np.uint8]

    def find_all(self, wanted: NDArray[np.uint32]) -> list[tuple[Ints, NDArray[np.uint8]]]:
        """Of each term the rows that hold it, and how often."""
        starts = self.terms.searchsorted(wanted, side="left").tolist()
        ends = self.terms.searchsorted(wanted, side="right").tolist()
        return [
            (self.rows[start:end], self.counts[start:end])
            for start, end in zip(starts, ends, strict=True)
        ]


class Postings:
    """Which rows hold a term."""

    def __init__(self) -> None:
        self._segments: list[Segment] = []

    def add(self, first_row: int, packed: Sequence[bytes]) -> Ints:
        """Index new rows, numbered from `first_row`; the number of terms of each."""
        lengths = np.zeros(len(packed), dtype=np.int32)
        parts = [unpack_terms(data) for data in packed]
        sizes = [len(part) for part in parts]
        for position, part in enumerate(parts):
            lengths[position] = int(part["count"].sum())
        merged = np.concatenate(parts) if parts else unpack_terms(b"")
        rows = np.repeat(np.arange(first_row, first_row + len(packed), dtype=np.int32), sizes)
        self._segments.append(_sorted(merged["term"], rows, merged["count"]))
        self._compact()
        return lengths

    def find(self, term: int) -> tuple[Ints, Floats]:
        """Rows that hold the term, and how often, in the order of rows."""
        return self.find_all([term])[term]

    def find_all(self, terms: Sequence[int]) -> dict[int, tuple[Ints, Floats]]:
        """The same for several terms at once."""
        wanted = np.array(terms, np.uint32)
        found = [segment.find_all(wanted) for segment in self._segments]
        return {term: _joined([parts[at] for parts in found]) for at, term in enumerate(terms)}

    def _compact(self) -> None:
        while len(self._segments) > 1:
            older, newer = self._segments[-2:]
            if len(older.rows) > 2 * len(newer.rows):
                return
            self._segments[-2:] = [
                _sorted(
                    np.concatenate((older.terms, newer.terms)),
                    np.concatenate((older.rows, newer.rows)),
                    np.concatenate((older.counts, newer.counts)),
                )
            ]


def _joined(parts: Sequence[tuple[Ints, NDArray[np.uint8]]]) -> tuple[Ints, Floats]:
    """What several segments hold of a term."""
    rows = np.concatenate([_NO_ROWS, *(rows for rows, _ in parts)])
    counts = np.concatenate([_NO_COUNTS, *(counts for _, counts in parts)])
    return rows, counts.astype(np.float32)


def _sorted(terms: NDArray[np.uint32], rows: Ints, counts: NDArray[np.uint8]) -> Segment:
    order = np.argsort(terms, kind="stable")
    return Segment(terms[order], rows[order], counts[order])
