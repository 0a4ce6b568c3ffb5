"""Reading documents: one, the best, the newest, and the namespaces that there are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from hippocortex_core.documents import CheckedListing, CheckedSearch, Namespace
from hippocortex_core.filters import Predicate
from hippocortex_core.types import Document
from hippocortex_core.validation import format_micros
from hippocortex_engine.documents import namespaces, ranking
from hippocortex_engine.documents.index import DocumentIndex, Floats
from hippocortex_engine.documents.ranking import Ranking
from hippocortex_engine.embeddings.base import Embedder, quantize
from hippocortex_engine.storage import documents as document_store
from hippocortex_engine.storage.documents import Below, Shown
from hippocortex_engine.text import MAX_CHARS, query_terms, term_hash

_FIRST, _LARGEST = 32, 256  # documents looked at in one go: ever more, as long as few fit
_MANY_INSTANTS = 32_768  # numbers are cheaper

Candidate = tuple[int, float | None]
"""When a document was last put, and its score."""


@dataclass(frozen=True, slots=True)
class Found:
    """A document that is shown, and what is known of it besides."""

    shown: Shown
    value: dict[str, Any]
    score: float | None = None

    def document(self, *, refreshed_at: int | None) -> Document:
        """The document as callers know it; its time to live may just have begun anew."""
        one = self.shown
        expires = one.expires_at
        if refreshed_at is not None and one.ttl is not None:
            expires = refreshed_at + one.ttl
        return Document(
            namespace=namespaces.labels(one.path),
            key=one.key,
            value=self.value,
            created_at=format_micros(one.created_at),
            updated_at=format_micros(one.updated_at),
            expires_at=None if expires is None else format_micros(expires),
            score=self.score,
        )


def get(connection: Connection, tenant_id: str, document_id: str, now: int) -> Found | None:
    """One document."""
    shown = document_store.get(connection, tenant_id, document_id)
    if shown is None or not _lives(shown.expires_at, now):
        return None
    return Found(shown, json.loads(shown.value))


def newest(connection: Connection, tenant_id: str, search: CheckedSearch, now: int) -> list[Found]:
    """A search without a query: the newest first."""
    below = _below(namespaces.path(search.prefix), now, search.signs)
    if search.fits is None:
        page = (search.limit, search.offset)
        wanted = document_store.newest(connection, tenant_id, below, None, *page)
        return _found(connection, tenant_id, [(one, None) for one in wanted], now)
    chunks = _downward(connection, tenant_id, below)
    return _page(connection, tenant_id, chunks, search, now)


def ranked(
    connection: Connection,
    tenant_id: str,
    search: CheckedSearch,
    best: Ranking,
    now: int,
) -> list[Found]:
    """A search with a query or a vector: what is there and fits, the best first."""
    return _page(connection, tenant_id, _in_chunks(best, search), search, now)


@dataclass(frozen=True, slots=True)
class Question:
    """A query as its terms and its vector, or a caller's vector."""

    terms: tuple[int, ...]
    vector: NDArray[np.int8] | None
    own: Sequence[float] | None

    def scores(self, index: DocumentIndex) -> Floats:
        """A score for every row of the index."""
        if self.vector is None:
            return ranking.by_vector(index, self.own or ())
        return ranking.by_query(index, self.terms, self.vector)


def question(search: CheckedSearch, embedder: Embedder) -> Question | None:
    """What a search ranks by; None: it does not."""
    if search.query is None:
        return None if search.vector is None else Question((), None, search.vector)
    query = search.query[:MAX_CHARS]
    terms = dict.fromkeys(term_hash(term) for term in query_terms(query))
    return Question(tuple(terms), quantize(embedder.embed([query]))[0], None)


def ranking_of(index: DocumentIndex, prefix: Namespace, asked: Question) -> Ranking:
    """Every document below a namespace, the best first."""
    return ranking.order(index, asked.scores(index), index.below(namespaces.path(prefix)))


def listed(
    connection: Connection, tenant_id: str, listing: CheckedListing, now: int
) -> list[list[str]]:
    """The namespaces that hold documents."""
    below = _below(namespaces.path(namespaces.common_prefix(listing)), now)
    heads = document_store.namespace_heads(connection, tenant_id, below)
    cut = [one for one in heads if not namespaces.is_whole(one)]
    paths = [one for one in heads if namespaces.is_whole(one)]
    paths += document_store.paths_of(connection, tenant_id, cut, below)
    return namespaces.listed((tuple(namespaces.labels(one)) for one in paths), listing)


def _below(prefix: str, now: int, signs: Sequence[str] = ()) -> Below:
    whole = namespaces.is_whole(prefix)
    return Below(namespaces.heads_below(prefix), None if whole else prefix, now, signs)


def _lives(expires_at: int | None, now: int) -> bool:
    return expires_at is None or expires_at > now


# --- page by page --------------------------------------------------------------------------------


def _page(
    connection: Connection,
    tenant_id: str,
    chunks: Iterator[Sequence[Candidate]],
    search: CheckedSearch,
    now: int,
) -> list[Found]:
    """What fits, from the offset on, until there are enough."""
    enough = search.offset + search.limit
    fitting: list[Candidate] = []
    if search.limit:
        for chunk in chunks:
            fitting += _fitting(connection, tenant_id, chunk, search.fits, now)
            if len(fitting) >= enough:
                break
    return _found(connection, tenant_id, fitting[search.offset : enough], now)


def _fitting(
    connection: Connection,
    tenant_id: str,
    chunk: Sequence[Candidate],
    fits: Predicate | None,
    now: int,
) -> list[Candidate]:
    """Those that are there, have not expired, and pass the filter."""
    stored = document_store.values_at(connection, tenant_id, [instant for instant, _ in chunk])
    living = [
        (one, stored[one[0]][2])
        for one in chunk
        if one[0] in stored and _lives(stored[one[0]][1], now)
    ]
    if fits is None:
        return [one for one, _ in living]
    # One list is parsed faster than many objects.
    values = json.loads("[" + ",".join([value for _, value in living]) + "]")
    return [one for (one, _), value in zip(living, values, strict=True) if fits(value)]


def _found(
    connection: Connection, tenant_id: str, page: Sequence[Candidate], now: int
) -> list[Found]:
    stored = document_store.at(connection, tenant_id, [instant for instant, _ in page])
    return [
        Found(stored[instant], json.loads(stored[instant].value), score)
        for instant, score in page
        if instant in stored and _lives(stored[instant].expires_at, now)
    ]


def _downward(connection: Connection, tenant_id: str, below: Below) -> Iterator[list[Candidate]]:
    """Everything below a path, newest first."""
    size, before = _FIRST, None
    while True:
        wanted = document_store.newest(connection, tenant_id, below, before, size, 0)
        for start in range(0, len(wanted), _LARGEST):
            yield [(one, None) for one in wanted[start : start + _LARGEST]]
        if len(wanted) < size:
            return
        size, before = min(size * 16, _MANY_INSTANTS), wanted[-1]


def _in_chunks(best: Ranking, search: CheckedSearch) -> Iterator[Sequence[Candidate]]:
    # Mostly everything fits, and the first chunk is enough.
    size, start = min(search.offset + search.limit, _LARGEST), 0
    while start < len(best):
        yield best.part(start, start + size)
        size, start = min(max(size, _FIRST) * 4, _LARGEST), start + size
