"""The events of a large tenant that are not in memory: proposed by the database, scored here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from hippocortex_core.types import NOBODY, SynthesizeOptions
from hippocortex_engine.recall.corpus import Beyond
from hippocortex_engine.recall.index import RecallIndex
from hippocortex_engine.recall.query import MAX_TERMS, Query
from hippocortex_engine.recall.search import Part
from hippocortex_engine.recall.visible import foreign, visible
from hippocortex_engine.recall.windows import around
from hippocortex_engine.storage.archive import Archive, Archived, Wanted

COMMON = 0.05
"""Share of the older events from which on a term is too common to look them up by."""


@dataclass(frozen=True, slots=True)
class Older:
    """Candidates among the older events, and what is known of all of them."""

    part: Part | None
    beyond: Beyond
    newest: int


def propose(
    connection: Connection,
    archive: Archive,
    tenant_id: str,
    floor: int,
    query: Query,
    options: SynthesizeOptions,
    dimensions: int,
) -> Older:
    """What the archive proposes of the events up to `floor`, ready to be scored."""
    state = archive.state(connection, tenant_id)
    holding = archive.counts(connection, tenant_id, query.terms) if query.terms else {}
    wanted = Wanted(floor, query.vector, _telling(query, holding, state), _owners(options))
    sequence = archive.candidates(connection, tenant_id, wanted)
    beyond = Beyond(state.events, state.length, holding)
    if not sequence:
        return Older(None, beyond, state.newest)
    index = RecallIndex(dimensions)
    index.add(archive.rows(connection, tenant_id, sequence))
    rows = _with_neighbours(index, np.flatnonzero(np.isin(index.columns["seq"], sequence)))
    # Neighbours may be in memory as well, or somebody else's.
    rows = rows[index.columns["seq"][rows] <= floor]
    seen = visible(index, options)
    rows = rows if seen is None else rows[seen[rows]]
    return Older(Part(index, None, foreign(index, options), rows), beyond, state.newest)


def _with_neighbours(index: RecallIndex, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """An answer often stands next to what was found."""
    places = around(index, rows, 1)
    return np.unique(places[places < len(index)])


def _telling(query: Query, holding: dict[int, int], state: Archived) -> dict[int, float]:
    """The rarer terms of the query, with their weights (idf); of common ones only the rarest."""
    held = sorted((holding[term], term) for term in query.terms if holding.get(term))[:MAX_TERMS]
    rare = [(count, term) for count, term in held if count <= max(100.0, COMMON * state.events)]
    return {
        term: float(np.log1p((state.events + 0.5) / (count + 0.5)))
        for count, term in rare or held[:1]
    }


def _owners(options: SynthesizeOptions) -> dict[str, str | None]:
    given = {
        "user_id": options.user_id,
        "agent_id": options.agent_id,
        "session_id": options.session_id,
    }
    return {
        column: None if value == NOBODY else value
        for column, value in given.items()
        if value is not None
    }
