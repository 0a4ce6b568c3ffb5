"""Searching the index: BM25 over windows and sessions, cosine, who is named, how much is said.

A row's window is itself with its neighbours in the session.  Lexical evidence is BM25 (Robertson
& Zaragoza 2009) over windows whose neighbours count less, as fields do in BM25F, and over whole
sessions; dense evidence the cosine to the window's mean vector.  Both are computed for the rows
that a cheaper look at words or sign bits proposes, and fused as a sum of scores normalised by
their maximum, which beats rank fusion when tuned lightly (Bruch et al. 2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocortex_engine.recall.corpus import Corpus
from hippocortex_engine.recall.dates import nearness
from hippocortex_engine.recall.index import RecallIndex, signs
from hippocortex_engine.recall.postings import Ints
from hippocortex_engine.recall.query import Query
from hippocortex_engine.recall.windows import K1, MEANING, WORDS, around, norm, spread, weighted

LEXICAL, DENSE, ACTOR, LENGTH, SESSION, DATE = 1.0, 1.0, 0.4, 0.5, 0.3, 0.5
"""Weights of the fused score: BM25, cosine, the actor is named, it says something, its session,
and how near it is to a date in the query."""

FULL_LENGTH = 48
"""Tokens from which on a text counts as a whole statement."""

UNLIKE = 0.3
"""A cosine from which on differences mean something."""

SHORTLIST = 150
"""Rows that each leg proposes."""

WINDOW_TOKENS = 96
"""A long text weighs no more than this in a window's vector."""

Rows = NDArray[np.int64]
Floats = NDArray[np.float32]

_TENTHS: Floats = np.array(
    [[round(10 * MEANING[(line + 1) // 2])] for line in range(2 * len(MEANING) - 1)], np.float32
)
"""Weights of the places of a window: whole numbers, whose sums stay below 2^24, add up exactly."""


@dataclass(frozen=True, slots=True)
class Hits:
    """Events that may answer, best first, with what speaks for each.

    `sequence` numbers them; `fused` is relative to the best there could be (0..1); `coverage` is
    the share of the query's terms, by weight, found in the event or next to it; `cosine` that of
    the window; `named` the share of what the query names that the event holds, 1 if the query
    names its actor.
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

    `foreign`: events that must not matter at all; `chosen`: somebody else has found the rows that
    may answer.
    """

    index: RecallIndex
    allowed: NDArray[np.bool_] | None
    foreign: NDArray[np.bool_] | None = None
    chosen: Rows | None = None


@dataclass(frozen=True, slots=True)
class _Term:
    """Where a term of the query stands in a part: rows in order, and how often.

    `weight` is what it tells one window from another, `share` what it is of the query.
    """

    term: int
    rows: Ints
    counts: Floats
    weight: float
    share: float


@dataclass(frozen=True, slots=True)
class _Words:
    """What the words of a query say for some rows: BM25 of windows and sessions, coverage."""

    window: Floats
    session: Floats
    coverage: Floats


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What speaks for the rows that may answer, before parts are compared."""

    sequence: NDArray[np.int64]
    window: Floats
    session: Floats
    coverage: Floats
    cosine: Floats
    acting: NDArray[np.bool_]
    length: NDArray[np.float64]
    near: Floats
    held: Floats


def search(parts: Sequence[Part], query: Query, corpus: Corpus, newest: int, limit: int) -> Hits:
    """The best `limit` events of all parts.

    Args:
        parts: what is searched.
        query: what is asked.
        corpus: what its words tell.
        newest: the time that relative dates are counted from.
        limit: how many.
    """
    found = _joined([_evidence(part, query, corpus, newest) for part in parts])
    if not len(found.sequence):
        return NOTHING
    fused = (
        LEXICAL * _relative(found.window)
        + DENSE * _relative(np.maximum(found.cosine, 0), UNLIKE)
        + SESSION * _relative(found.session)
        + ACTOR * found.acting
        + LENGTH * found.length
        + DATE * found.near
    ).astype(np.float32)
    asked = ACTOR * found.acting.any() + DATE * found.near.any()
    fused /= np.float32(LEXICAL + DENSE + LENGTH + SESSION + asked)
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


def _evidence(part: Part, query: Query, corpus: Corpus, newest: int) -> _Evidence:
    """What speaks for the rows of a part that are proposed."""
    index, columns = part.index, part.index.columns
    terms = _terms(part, corpus)
    near = nearness(query.dates, columns["occurred_at"], newest)
    rows = _proposed(part, query, corpus, terms, near) if part.chosen is None else part.chosen
    places = around(index, rows, len(MEANING) - 1)
    if part.foreign is not None:
        places[np.append(part.foreign, np.False_)[places]] = len(index)
    words = _lexical(part, corpus, terms, rows, places[: 2 * len(WORDS) - 1], near[rows])
    return _Evidence(
        sequence=columns["seq"][rows],
        window=words.window,
        session=words.session,
        coverage=words.coverage,
        cosine=window_cosine(index, query, places),
        acting=_acting(index, query, rows),
        length=np.minimum(columns["tokens"][rows], FULL_LENGTH) / FULL_LENGTH,
        near=near[rows],
        held=entity_share(index, query, corpus, rows),
    )


def _terms(part: Part, corpus: Corpus) -> list[_Term]:
    """Where the terms of the query stand, the rarest first."""
    found: list[_Term] = []
    for term in corpus.terms:
        own = part.index is corpus.index
        rows, counts = corpus.held[term] if own else part.index.postings.find(term)
        if part.foreign is not None:
            mine = ~part.foreign[rows]
            rows, counts = rows[mine], counts[mine]
        found.append(_Term(term, rows, counts, corpus.weight(term), corpus.share(term)))
    return found


def _proposed(part: Part, query: Query, corpus: Corpus, terms: list[_Term], near: Floats) -> Rows:
    """The rows that words, dates or sign bits speak for."""
    likely = _likely(part.index, corpus, terms, near)
    if part.allowed is not None:
        likely = np.where(part.allowed, likely, np.float32(0))
    alike = nearest(part.index, query, part.allowed, SHORTLIST)
    return np.union1d(_best(likely, SHORTLIST), alike)


def _likely(index: RecallIndex, corpus: Corpus, terms: list[_Term], near: Floats) -> Floats:
    """About the BM25 of every row's window: that of the row, and shares of its neighbours'.

    A date counts as much as the best row's words: what happened then may use none of them.
    """
    scores = np.zeros(len(index), np.float32)
    norms = index.lengths().norms(corpus.row)
    for term in terms:
        scores[term.rows] += _saturated(term.weight, term.counts, norms[term.rows])
    scores = spread(index, scores)
    return scores + near * np.float32(max(1.0, float(scores.max()))) if near.any() else scores


def _lexical(
    part: Part,
    corpus: Corpus,
    terms: list[_Term],
    rows: Rows,
    places: Rows,
    near: Floats,
) -> _Words:
    """BM25 of some rows' windows and sessions, and the share of the query found there.

    A date in the query is as much of it as a rare word is.
    """
    index = part.index
    scale, length = index.lengths().of_windows(places)
    norms = norm(length, corpus.window)
    window: Floats = np.zeros(len(rows), np.float32)
    dated = corpus.rarity(0) if near.any() else 0.0
    covered = near * np.float32(dated)
    counts = np.zeros(len(index) + 1, np.float32)
    for term in terms:
        counts[term.rows] = term.counts
        held = counts[places]
        counts[term.rows] = 0
        window += _saturated(term.weight, weighted(held * scale, WORDS), norms)
        covered += np.float32(term.share) * (held[:3].max(axis=0) > 0)
    total = np.float32(dated + sum(term.share for term in terms) or 1.0)
    session = _of_sessions(part, corpus, terms)[index.columns["session"][rows]]
    return _Words(window, session, (covered / total).astype(np.float32))


def _of_sessions(part: Part, corpus: Corpus, terms: list[_Term]) -> Floats:
    """BM25 of every session, taken as one text."""
    index, whole = part.index, part.index is corpus.index and part.foreign is None
    average = corpus.index.lengths().average_session
    length = index.lengths().of_session
    if index is not corpus.index:
        length = np.maximum(length, average)  # it holds only pieces of sessions
    norms = norm(length, average)
    scores = np.zeros(len(norms), np.float32)
    for term in terms:
        often = np.bincount(index.columns["session"][term.rows], term.counts, len(norms))
        weight = corpus.session_weight(term.term, often if whole else None)
        scores += _saturated(weight, often, norms)
    return scores


def _saturated(weight: float, often: NDArray[Any], norms: Floats) -> Floats:
    return (weight * (K1 + 1) * often / (often + norms)).astype(np.float32)


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
    weight *= _TENTHS[: len(places)]
    total = np.einsum("ijk,ij->jk", columns["vector"][known].astype(np.float32), weight)
    vector = query.vector.astype(np.float32)
    # einsum adds in a fixed order; a BLAS product may not, from one machine to the next.
    norms = np.sqrt(np.einsum("ij,ij->i", total, total)) * np.sqrt(np.dot(vector, vector))
    return np.divide(
        np.einsum("ij,j->i", total, vector), norms, out=np.zeros_like(norms), where=norms > 0
    )


def entity_share(index: RecallIndex, query: Query, corpus: Corpus, rows: Rows) -> Floats:
    """Share of what the query names that each row holds."""
    held = np.zeros(len(rows), np.float32)
    for term in sorted(query.entities):
        known = corpus.held.get(term) if index is corpus.index else None
        held += _among(rows, (known or index.postings.find(term))[0])
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
    rows = None if allowed is None else np.flatnonzero(allowed)
    size = len(index) if rows is None else len(rows)
    if size <= count:
        return np.arange(size) if rows is None else rows
    codes = index.columns["sign"] if rows is None else index.columns["sign"][:, rows]
    distance = np.zeros(size, np.uint16)
    for word, bits in zip(codes, signs(query.vector[None, :])[:, 0], strict=True):
        distance += np.bitwise_count(word ^ bits)
    # A tie at the edge is broken by the row, whatever partition does.
    edge = np.partition(distance, count - 1)[count - 1]
    closer = np.flatnonzero(distance < edge)
    best = np.concatenate((closer, np.flatnonzero(distance == edge)[: count - len(closer)]))
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
    wanted += [code for role in query.roles for code in index.of_role(role)]
    return np.isin(index.columns["actor"][rows], wanted)
