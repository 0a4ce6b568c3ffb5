"""Searching the index: BM25 over windows, sign-bit and exact cosine, who is named.

A row's window is itself with its neighbours in the session.  Lexical evidence is BM25 (Robertson
& Zaragoza 2009) over windows; dense evidence the cosine to the window's mean vector, computed for
the rows that either leg proposes.  The legs are fused as a sum of scores normalised by their
maximum, which beats rank fusion when tuned lightly (Bruch et al. 2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocortex_engine.recall.corpus import Corpus
from hippocortex_engine.recall.index import NONE, RecallIndex, signs
from hippocortex_engine.recall.query import Query

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
    """Events that may answer, best first, with what speaks for each.

    `sequence` numbers them; `fused` is relative to the best (0..1); `coverage` is the share of
    the query's terms, by weight, found in the event's window; `cosine` that of the window;
    `named` the share of what the query names that the event holds, 1 if the query names its actor.
    """

    sequence: NDArray[np.int64]
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


@dataclass(frozen=True, slots=True)
class Part:
    """Events that are searched together, and which of them may be shown (None: all).

    `chosen`: somebody else has found the rows that may answer.
    """

    index: RecallIndex
    allowed: NDArray[np.bool_] | None
    chosen: Rows | None = None


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What speaks for the rows that may answer, before parts are compared."""

    sequence: NDArray[np.int64]
    bm25: Floats
    coverage: Floats
    cosine: Floats
    acting: NDArray[np.bool_]
    length: NDArray[np.float64]
    held: Floats


def search(parts: Sequence[Part], query: Query, corpus: Corpus, limit: int) -> Hits:
    """The best `limit` events of all parts; the first is the one the corpus was made of."""
    found = _joined([_evidence(part, query, corpus) for part in parts])
    if not len(found.sequence):
        return NOTHING
    fused = (
        LEXICAL * _relative(found.bm25)
        + DENSE * _relative(np.maximum(found.cosine, 0))
        + ACTOR * found.acting
        + LENGTH * found.length
    ).astype(np.float32)
    fused /= np.float32(LEXICAL + DENSE + LENGTH + (ACTOR if found.acting.any() else 0))
    order = np.lexsort((found.sequence, -np.round(fused, 6)))[:limit]
    return Hits(
        sequence=found.sequence[order],
        fused=fused[order],
        coverage=found.coverage[order],
        cosine=found.cosine[order],
        named=np.maximum(found.held[order], found.acting[order]).astype(np.float32),
    )


def _joined(found: Sequence[_Evidence]) -> _Evidence:
    if len(found) == 1:
        return found[0]
    names = [one.name for one in fields(_Evidence)]
    return _Evidence(*(np.concatenate([getattr(one, name) for one in found]) for name in names))


def lexical(index: RecallIndex, corpus: Corpus, query: Query) -> tuple[Floats, Floats]:
    """BM25 of every row's window, and the share of the query's term weight it covers."""
    size = len(index)
    scores, covered = np.zeros(size, np.float32), np.zeros(size, np.float32)
    found = {term: index.postings.find(term) for term in query.terms}
    frequency = np.zeros(size, np.float32)
    for term in corpus.terms({term: len(rows) for term, (rows, _) in found.items()}):
        rows, counts = found[term]
        touched = _spread(index, rows, counts, frequency)
        weight = corpus.weight(term, len(touched), len(rows))
        if len(touched):
            tf = frequency[touched]
            norm = K1 * (1 - B + B * index.window_length(touched) / corpus.average)
            scores[touched] += weight * tf * (K1 + 1) / (tf + norm)
            covered[touched] += weight
            frequency[touched] = 0
    return scores, (covered / np.float32(corpus.total or 1.0)).astype(np.float32)


def _evidence(part: Part, query: Query, corpus: Corpus) -> _Evidence:
    """What speaks for the rows of a part that either leg proposes."""
    index = part.index
    bm25, coverage = lexical(index, corpus, query)
    rows = part.chosen
    if rows is None:
        if part.allowed is not None:
            bm25 = np.where(part.allowed, bm25, np.float32(0))
        near = nearest(index, query, part.allowed, SHORTLIST)
        rows = np.union1d(_best(bm25, SHORTLIST), near)
    tokens = np.minimum(index.columns["tokens"][rows], FULL_LENGTH)
    return _Evidence(
        sequence=index.columns["seq"][rows],
        bm25=bm25[rows],
        coverage=coverage[rows],
        cosine=window_cosine(index, query, rows),
        acting=np.isin(index.columns["actor"][rows], _named_actors(index, query)),
        length=tokens / FULL_LENGTH,
        held=entity_share(index, query, rows),
    )


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
