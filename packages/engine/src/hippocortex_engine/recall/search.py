"""Searching the index: BM25 over windows, sign-bit and exact cosine, who is named.

A row's window is itself with its neighbours in the session.  Lexical evidence is BM25 (Robertson
& Zaragoza 2009) over windows; dense evidence the cosine to the window's mean vector, computed for
the rows that either leg proposes.  The legs are fused as a sum of scores normalised by their
maximum, which beats rank fusion when tuned lightly (Bruch et al. 2023).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocortex_engine.recall.index import NONE, RecallIndex, signs
from hippocortex_engine.recall.query import MAX_TERMS, Query

K1, B = 1.5, 0.75
LEXICAL, DENSE, ACTOR, LENGTH = 1.0, 0.8, 0.6, 0.4
"""Weights of the fused score: BM25, cosine, the actor is named, it is not a mere grunt."""

FULL_LENGTH = 24
"""Tokens from which on a text counts as a whole statement."""

SHORTLIST = 300
"""Rows that each leg proposes."""

NEIGHBOUR = 0.5
"""What a word or a vector next door counts, of one said here."""

WINDOW_TOKENS = 128
"""A long neighbour weighs no more than this in a window's vector."""

Rows = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Hits:
    """Rows that may answer, best first, with what speaks for each.

    `fused` is relative to the best row (0..1); `coverage` is the share of the query's terms, by
    weight, found in the row's window; `cosine` that of the window; `named` the share of what the
    query names that the row holds, 1 if the query names its actor.
    """

    rows: Rows
    fused: Floats
    coverage: Floats
    cosine: Floats
    named: Floats


NOTHING = Hits(
    np.zeros(0, np.int64),
    np.zeros(0, np.float32),
    np.zeros(0, np.float32),
    np.zeros(0, np.float32),
    np.zeros(0, np.float32),
)


def search(index: RecallIndex, query: Query, allowed: NDArray[np.bool_] | None, limit: int) -> Hits:
    """The best `limit` rows among those allowed (None: all)."""
    if not len(index):
        return NOTHING
    bm25, coverage = lexical(index, query)
    if allowed is not None:
        bm25 = np.where(allowed, bm25, np.float32(0))
    rows = np.union1d(_best(bm25, SHORTLIST), nearest(index, query, allowed, SHORTLIST))
    if not len(rows):
        return NOTHING
    cosine = window_cosine(index, query, rows)
    acting = np.isin(index.columns["actor"][rows], _named_actors(index, query))
    length = np.minimum(index.columns["tokens"][rows], FULL_LENGTH) / FULL_LENGTH
    fused = (
        LEXICAL * _relative(bm25[rows])
        + DENSE * _relative(np.maximum(cosine, 0))
        + ACTOR * acting
        + LENGTH * length
    ).astype(np.float32)
    fused /= np.float32(LEXICAL + DENSE + LENGTH + (ACTOR if acting.any() else 0))
    order = np.lexsort((rows, -np.round(fused, 6)))[:limit]
    best = rows[order]
    named = np.maximum(entity_share(index, query, best), acting[order]).astype(np.float32)
    return Hits(best, fused[order], coverage[best], cosine[order], named)


def lexical(index: RecallIndex, query: Query) -> tuple[Floats, Floats]:
    """BM25 of every row's window, and the share of the query's term weight it covers."""
    size = len(index)
    scores, covered = np.zeros(size, np.float32), np.zeros(size, np.float32)
    found = sorted(
        ((index.postings.find(term), term) for term in query.terms),
        key=lambda item: (len(item[0][0]), item[1]),
    )[:MAX_TERMS]
    average = index.average_window()
    total = 0.0
    frequency = np.zeros(size, np.float32)
    for (rows, counts), _ in found:
        touched = _spread(index, rows, counts, frequency)
        weight = np.float32(np.log1p((size - len(touched) + 0.5) / (len(touched) + 0.5)))
        total += float(weight)
        if len(touched):
            tf = frequency[touched]
            norm = K1 * (1 - B + B * index.window_length(touched) / average)
            scores[touched] += weight * tf * (K1 + 1) / (tf + norm)
            covered[touched] += weight
            frequency[touched] = 0
    return scores, (covered / np.float32(total or 1.0)).astype(np.float32)


def window_cosine(index: RecallIndex, query: Query, rows: Rows) -> Floats:
    """Cosine of the query to each row's window, exact in integers up to the final division."""
    columns = index.columns
    total = np.zeros((len(rows), columns["vector"].shape[1]), np.float32)
    for place, share in (
        (rows, 1.0),
        (columns["before"][rows], NEIGHBOUR),
        (columns["after"][rows], NEIGHBOUR),
    ):
        length = np.minimum(columns["tokens"][place], WINDOW_TOKENS)
        scaled = np.round(length * (1024 * share) / columns["norm"][place])
        weight = np.where(place == NONE, 0, scaled).astype(np.float32)
        total += columns["vector"][place] * weight[:, None]
    vector = query.vector.astype(np.float32)
    # einsum adds in a fixed order; a BLAS product may not, from one machine to the next.
    norms = np.sqrt(np.einsum("ij,ij->i", total, total)) * np.sqrt(np.dot(vector, vector))
    return np.divide(
        np.einsum("ij,j->i", total, vector), norms, out=np.zeros_like(norms), where=norms > 0
    )


def entity_share(index: RecallIndex, query: Query, rows: Rows) -> Floats:
    """Share of what the query names that each row holds."""
    held = np.zeros(len(rows), np.float32)
    for term in sorted(query.entities):
        held += _among(rows, index.postings.find(term)[0])
    return (held / np.float32(max(1, len(query.entities)))).astype(np.float32)


def _among(rows: Rows, known: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which rows are among those known, which are sorted."""
    if not len(known):
        return np.zeros(len(rows), np.bool_)
    places = np.minimum(np.searchsorted(known, rows), len(known) - 1)
    return known[places] == rows


def _spread(index: RecallIndex, rows: Any, counts: Floats, frequency: Floats) -> Rows:
    """Add a term's counts to the windows of its rows; which rows were touched."""
    frequency[rows] += counts
    for side in ("before", "after"):
        neighbours = index.columns[side][rows]
        inside = neighbours != NONE
        frequency[neighbours[inside]] += np.float32(NEIGHBOUR) * counts[inside]
    return np.flatnonzero(frequency)


def nearest(
    index: RecallIndex, query: Query, allowed: NDArray[np.bool_] | None, count: int
) -> Rows:
    """The rows whose sign bits differ least from the query's."""
    if not query.vector.any():
        return np.zeros(0, np.int64)
    wanted = signs(query.vector[None, :])[:, 0]
    codes = index.columns["sign"]
    rows = None if allowed is None else np.flatnonzero(allowed)
    distance = np.zeros(codes.shape[1] if rows is None else len(rows), np.uint16)
    for word, bits in zip(codes, wanted, strict=True):
        distance += np.bitwise_count((word if rows is None else word[rows]) ^ bits)
    if len(distance) > count:
        # A tie at the edge is broken by the row, whatever partition does.
        edge = np.partition(distance, count - 1)[count - 1]
        closer = np.flatnonzero(distance < edge)
        best = np.concatenate((closer, np.flatnonzero(distance == edge)[: count - len(closer)]))
    else:
        best = np.arange(len(distance))
    return best if rows is None else rows[best]


def _best(scores: Floats, count: int) -> Rows:
    """The rows with the highest positive scores."""
    positive = np.flatnonzero(scores > 0)
    if len(positive) <= count:
        return positive
    edge = np.partition(scores[positive], len(positive) - count)[len(positive) - count]
    above = positive[scores[positive] > edge]
    level = positive[scores[positive] == edge]
    return np.concatenate((above, level[: count - len(above)]))


def _relative(scores: Floats) -> Floats:
    peak = float(scores.max(initial=0.0))
    return (scores / np.float32(peak)).astype(np.float32) if peak > 0 else scores


def _named_actors(index: RecallIndex, query: Query) -> list[int]:
    """The actors whose whole name, or first word of it, stands in the query."""
    return [code for code, words in index.actor_words() if words and words[0] in query.words]
