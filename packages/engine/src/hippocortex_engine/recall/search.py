"""Searching the index: BM25 over windows and sessions, cosine, who is named, how much is said.

A row's window is itself with its neighbours in the session.  Lexical evidence is BM25 (Robertson
& Zaragoza 2009) over windows whose neighbours count less, as fields do in BM25F, and over whole
sessions; dense evidence the cosine to the window's mean vector.  Both are computed for the rows
that a cheaper look at words or sign bits proposes, and fused as a sum of scores normalised by
their maximum, which beats rank fusion when tuned lightly (Bruch et al. 2023).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocortex_engine.recall.dates import nearness
from hippocortex_engine.recall.index import RecallIndex, signs
from hippocortex_engine.recall.postings import Ints
from hippocortex_engine.recall.query import MAX_TERMS, Query
from hippocortex_engine.recall.windows import MEANING, WORDS, around, spread, weighted

K1, B = 1.5, 0.75
LEXICAL, DENSE, ACTOR, LENGTH, SESSION, DATE = 1.0, 1.0, 0.4, 0.5, 0.3, 0.5
"""Weights of the fused score: BM25, cosine, the actor is named, it says something, its session,
and how near it is to a date in the query."""

FULL_LENGTH = 48
"""Tokens from which on a text counts as a whole statement."""

UNLIKE = 0.3
"""A cosine from which on differences mean something."""

CLUSTER = 4
"""Windows in which a row's word is found that is in no other: fewer than they have rows, because
words come in clusters.  How many windows hold a word is inferred from it, not counted."""

SHORTLIST = 150
"""Rows that each leg proposes."""

WINDOW_TOKENS = 96
"""A long text weighs no more than this in a window's vector."""

_TENTHS = [round(10 * share) for share in MEANING]  # whole numbers below 2^24 add up exactly

Rows = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Hits:
    """Rows that may answer, best first, with what speaks for each.

    `fused` is relative to the best there could be (0..1); `coverage` is the share of the query's
    terms, by weight, found in the row or next to it; `cosine` that of the window; `named` the
    share of what the query names that the row holds, 1 if the query names its actor.
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


@dataclass(frozen=True, slots=True)
class Found:
    """Where a term of the query stands: rows in order, how often, and what it tells.

    `weight` is what it tells one window from another (idf), `share` what it is of the query.
    """

    rows: Ints
    counts: Floats
    weight: float
    share: float


@dataclass(frozen=True, slots=True)
class Words:
    """What the words of a query say for some rows: BM25 of windows and sessions, coverage."""

    window: Floats
    session: Floats
    coverage: Floats


def search(index: RecallIndex, query: Query, allowed: NDArray[np.bool_] | None, limit: int) -> Hits:
    """The best `limit` rows among those allowed (None: all)."""
    if not len(index):
        return NOTHING
    terms = find_terms(index, query)
    near = nearness(query.dates, index.columns["occurred_at"], index.newest)
    likely = propose(index, terms, near)
    if allowed is not None:
        likely = np.where(allowed, likely, np.float32(0))
    rows = np.union1d(_best(likely, SHORTLIST), nearest(index, query, allowed, SHORTLIST))
    if not len(rows):
        return NOTHING
    places = around(index, rows, len(MEANING) - 1)
    near = near[rows]
    words = lexical(index, terms, rows, places[: 2 * len(WORDS) - 1], near)
    cosine = window_cosine(index, query, places)
    acting = _acting(index, query, rows)
    length = np.minimum(index.columns["tokens"][rows], FULL_LENGTH) / FULL_LENGTH
    fused = (
        LEXICAL * _relative(words.window)
        + DENSE * _relative(np.maximum(cosine, 0), UNLIKE)
        + SESSION * _relative(words.session)
        + ACTOR * acting
        + LENGTH * length
        + DATE * near
    ).astype(np.float32)
    most = LEXICAL + DENSE + LENGTH + SESSION + ACTOR * acting.any() + DATE * near.any()
    fused /= np.float32(most)
    order = np.lexsort((rows, -np.round(fused, 6)))[:limit]
    best = rows[order]
    named = np.maximum(entity_share(index, query, best), acting[order]).astype(np.float32)
    return Hits(best, fused[order], words.coverage[order], cosine[order], named)


def find_terms(index: RecallIndex, query: Query) -> list[Found]:
    """The terms of a query, the rarest first, at most `MAX_TERMS`."""
    found = sorted(
        ((index.postings.find(term), term) for term in query.terms),
        key=lambda item: (len(item[0][0]), item[1]),
    )[:MAX_TERMS]
    size = len(index)
    return [
        Found(
            rows,
            counts,
            weight=_idf(size, size * (1 - (1 - len(rows) / size) ** CLUSTER)),
            share=rarity(size, len(rows)),
        )
        for (rows, counts), _ in found
    ]


def rarity(size: int, holding: int) -> float:
    """The weight of a term of the query that so many of `size` events hold; most, if none does."""
    return float(np.log1p((size + 0.5) / (holding + 0.5)))


def _idf(size: int, holding: float) -> float:
    """What a term tells that so many of `size` texts hold: little, if most of them do."""
    return float(np.log1p((size - holding + 0.5) / (holding + 0.5)))


def propose(index: RecallIndex, terms: list[Found], near: Floats) -> Floats:
    """About the BM25 of every row's window: that of the row, and shares of its neighbours'.

    A date counts as much as the best row's words: what happened then may use none of them.
    """
    scores = np.zeros(len(index), np.float32)
    lengths = index.lengths()
    for term in terms:
        norm = _norm(index.columns["length"][term.rows], lengths.average_row)
        scores[term.rows] += _saturated(term.weight, term.counts, norm)
    scores = spread(index, scores)
    return scores + near * np.float32(max(1.0, float(scores.max()))) if near.any() else scores


def lexical(
    index: RecallIndex, terms: list[Found], rows: Rows, places: Rows, near: Floats
) -> Words:
    """BM25 of some rows' windows and sessions, and the share of the query found there.

    A date in the query is as much of it as a rare word is.
    """
    lengths = index.lengths()
    scale, length = lengths.of_windows(places)
    norm = _norm(length, lengths.average_window)
    window: Floats = np.zeros(len(rows), np.float32)
    dated = rarity(len(index), 0) if near.any() else 0.0
    covered = near * np.float32(dated)
    counts = np.zeros(len(index) + 1, np.float32)
    for term in terms:
        counts[term.rows] = term.counts
        held = counts[places]
        counts[term.rows] = 0
        often = weighted(held * scale, WORDS)
        window += _saturated(term.weight, often, norm)
        covered += np.float32(term.share) * (held[:3].max(axis=0) > 0)
    total = np.float32(dated + sum(term.share for term in terms) or 1.0)
    session = of_sessions(index, terms)[index.columns["session"][rows]]
    return Words(window, session, (covered / total).astype(np.float32))


def _norm(length: NDArray[Any], average: float) -> Floats:
    """How much a text of some length must hold of a word to be half as good as can be."""
    return (K1 * (1 - B + B * length / average)).astype(np.float32)


def _saturated(weight: float, often: NDArray[Any], norm: Floats) -> Floats:
    return (weight * (K1 + 1) * often / (often + norm)).astype(np.float32)


def of_sessions(index: RecallIndex, terms: list[Found]) -> Floats:
    """BM25 of every session, taken as one text."""
    lengths = index.lengths()
    norm = _norm(lengths.of_session, lengths.average_session)
    scores = np.zeros(len(norm), np.float32)
    for term in terms:
        often = np.bincount(index.columns["session"][term.rows], term.counts, len(norm))
        weight = _idf(len(norm), int(np.count_nonzero(often)))
        scores += _saturated(weight, often, norm)
    return scores


def window_cosine(index: RecallIndex, query: Query, places: Rows) -> Floats:
    """Cosine of the query to windows, exact in integers up to the final division.

    Args:
        index: what is searched.
        query: what is asked.
        places: the windows as `around` gives them, or one line of rows by themselves.
    """
    columns = index.columns
    inside = places < len(index)
    known = np.where(inside, places, 0)
    length = np.minimum(columns["tokens"][known], WINDOW_TOKENS).astype(np.float32)
    weight = np.where(inside, np.round(length * np.float32(1024) / columns["norm"][known]), 0)
    total = np.zeros((places.shape[1], columns["vector"].shape[1]), np.float32)
    part = np.empty_like(total)
    for line, rows in enumerate(known):
        share = (_TENTHS[(line + 1) // 2] * weight[line]).astype(np.float32)
        np.multiply(columns["vector"][rows], share[:, None], out=part)
        total += part
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


def _among(rows: Rows, known: Ints) -> NDArray[np.bool_]:
    """Which rows are among those known, which are sorted."""
    if not len(known):
        return np.zeros(len(rows), np.bool_)
    places = np.minimum(np.searchsorted(known, rows), len(known) - 1)
    return known[places] == rows


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


def _relative(scores: Floats, least: float = 0.0) -> Floats:
    """Scores as shares of the highest, or of `least` if none is as high."""
    peak = max(least, float(scores.max(initial=0.0)))
    return (scores / np.float32(peak)).astype(np.float32) if peak > 0 else scores


def _acting(index: RecallIndex, query: Query, rows: Rows) -> NDArray[np.bool_]:
    """Which rows have an actor that the query names: by the first word of the name, or by more.

    "Ann Lee" means her alone, "Ann" every Ann there is.
    """
    named = {
        code: sum(word in query.words for word in words)
        for code, words in index.actor_words()
        if words and words[0] in query.words
    }
    most = max(named.values(), default=0)
    wanted = [code for code, count in named.items() if count == most]
    wanted += [code for role in query.roles if (code := index.actors.find(role)) is not None]
    return np.isin(index.columns["actor"][rows], wanted)
