"""Scores of documents for a query or a vector, and the order they are shown in.

A query is compared with each text of a document by meaning and by words, and the best text counts:
the cosine of the vectors and BM25 (Robertson & Zaragoza 2009), each in 0..1 by itself and not
relative to the best hit, so that a score means the same whatever else is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocortex_engine.documents.index import DocumentIndex, Floats, Mask, Pool, Rows, Texts
from hippocortex_engine.recall.query import MAX_TERMS

K1, B = 0.3, 0.75
"""BM25 for short statements: a word said twice matters little more than one said once."""

LEXICAL, DENSE = 1.0, 0.5
"""What words and meaning weigh: chosen by how many turns the questions of LoCoMo find."""

DIGITS = 6
"""Of a score that count: sums of floats may differ behind these from machine to machine."""

_AT_ONCE = 512  # vectors converted to floats together: as many as fit into the cache

NOTHING = np.float32(-2)
"""The score of a document that has nothing to compare: less than any cosine."""


def by_query(index: DocumentIndex, terms: Sequence[int], vector: NDArray[np.int8]) -> Floats:
    """A score for every row; `NOTHING` for a document without indexed text."""
    texts = index.texts
    owner = texts.vectors.owner
    living = index.alive.array[owner]
    words = _words(index, terms, living)
    meaning = np.maximum(_cosine(texts, vector), np.float32(0))
    fused = (LEXICAL * words + DENSE * meaning) / (LEXICAL + DENSE)
    return _best_of(fused.astype(np.float32), owner, len(index.alive.array))


def by_vector(index: DocumentIndex, vector: Sequence[float]) -> Floats:
    """The cosine for every row; `NOTHING` for a document without vectors of that size."""
    size = len(index.alive.array)
    pool = index.own.get(len(vector))
    if pool is None:
        return np.full(size, NOTHING)
    return _best_of(_product(pool, vector), pool.owner, size)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Documents from the best to the worst, the newer first among equals.

    `instants` says when they were last put; a score is `NOTHING` where there is nothing to rank.
    """

    instants: NDArray[np.int64]
    scores: Floats

    def __len__(self) -> int:
        return len(self.instants)

    def part(self, start: int, end: int) -> list[tuple[int, float | None]]:
        """Some of them, with their scores."""
        instants: list[int] = self.instants[start:end].tolist()
        exact = self.scores[start:end].astype(np.float64)
        scores: list[float] = np.round(exact, DIGITS).tolist()
        return [
            (instant, None if score == NOTHING else score)
            for instant, score in zip(instants, scores, strict=True)
        ]


def order(index: DocumentIndex, scores: Floats, among: Mask) -> Ranking:
    """All rows among those given, in the order they are shown in."""
    rows = np.flatnonzero(among)
    rounded = np.round(scores[rows], DIGITS)
    # Rows are in the order of the last put: backwards, the newer comes first among equals.
    best = np.argsort(rounded, kind="stable")[::-1]
    return Ranking(index.updated_at.array[rows[best]], rounded[best])


def _words(index: DocumentIndex, terms: Sequence[int], living: Mask) -> Floats:
    """BM25 of every text, divided by the most that the query could get."""
    length = index.texts.length.array
    scores = np.zeros(len(length), np.float32)
    count = int(living.sum())
    average = max(1.0, float(length[living].sum(dtype=np.float64)) / max(1, count))
    found = [(index.texts.postings.find(term), term) for term in terms]
    kept = [(rows[living[rows]], counts[living[rows]], term) for (rows, counts), term in found]
    total = 0.0
    for rows, counts, _ in sorted(kept, key=lambda one: (len(one[0]), one[2]))[:MAX_TERMS]:
        weight = float(np.log1p((count - len(rows) + 0.5) / (len(rows) + 0.5)))
        total += weight
        norm = K1 * (1 - B + B * length[rows] / np.float32(average))
        scores[rows] += np.float32(weight) * counts / (counts + norm)
    return (scores / np.float32(total or 1.0)).astype(np.float32)


def _cosine(texts: Texts, vector: NDArray[np.int8]) -> Floats:
    """Cosines of small whole numbers: sums below 2^24 are exact, in whatever order they add."""
    wanted = vector.astype(np.float32)
    length = np.sqrt(np.dot(wanted, wanted))
    vectors, norms = texts.vectors.vector, texts.norm.array * length
    found = np.zeros(len(vectors), np.float32)
    for start in range(0, len(vectors), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        product = vectors[part].astype(np.float32) @ wanted
        np.divide(product, norms[part], out=found[part], where=norms[part] > 0)
    return found


def _product(pool: Pool, vector: Sequence[float]) -> Floats:
    wanted = np.asarray(vector, np.float64)
    length = np.sqrt(np.dot(wanted, wanted))
    unit = (wanted / length if length else wanted).astype(np.float32)
    vectors: NDArray[Any] = pool.vector
    # In this thread: BLAS would wake others for it, and wait for them when the cores are busy.
    return np.einsum("ij,j->i", vectors, unit)


def _best_of(scores: Floats, owner: Rows, size: int) -> Floats:
    """The best score of each row's texts; those of one row stand next to each other."""
    best = np.full(size, NOTHING)
    if len(owner):
        starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
        best[owner[starts]] = np.maximum.reduceat(scores, starts)
    return best
