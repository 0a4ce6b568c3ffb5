"""Taking events in: from what a caller sends to rows that are durable and searchable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from hippocortex_core.errors import ConfigurationError
from hippocortex_core.validation import CheckedEvent
from hippocortex_engine.describe import Description, describe
from hippocortex_engine.embeddings.base import Embedder, quantize
from hippocortex_engine.identifiers import event_id, unkeyed_event_id
from hippocortex_engine.recent import Kept, Place, Recent
from hippocortex_engine.salience import salience
from hippocortex_engine.storage import arrivals
from hippocortex_engine.storage.at_once import Expected, insert_at_once
from hippocortex_engine.strict import swallow
from hippocortex_engine.text import pack_terms, terms
from hippocortex_engine.times import month, month_number
from hippocortex_engine.tokens import TokenCounter

LONG, SAID = 32_000, 16_000
"""Characters of JSON from which on a payload's text is kept beside it, and how many of it."""

Names = tuple["str | None", "str | None"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A checked event with everything that does not depend on what is stored already."""

    event: CheckedEvent
    description: Description
    tokens: int
    vector: NDArray[np.int8]
    terms: bytes
    occurred_at: int
    captured_at: int
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of one event."""

    event_id: str
    salience: float
    duplicate: bool


def prepare(
    checked: Sequence[CheckedEvent], embedder: Embedder, counter: TokenCounter, now: int
) -> list[Prepared]:
    """Describe, embed and index events; the expensive part, done outside any transaction."""
    described = [_described(event) for event in checked]
    lines = [description.line for description in described]
    vectors = quantize(embedder.embed(lines))
    tokens = counter.count_all(lines)
    return [
        Prepared(
            event=event,
            description=description,
            tokens=count,
            vector=vector,
            terms=pack_terms(terms(line) + terms(month(occurred_at))),
            occurred_at=occurred_at,
            captured_at=now,
        )
        for event, description, line, count, vector in zip(
            checked, described, lines, tokens, vectors, strict=True
        )
        for occurred_at in (now if event.occurred_at is None else event.occurred_at,)
    ]


def _described(event: CheckedEvent) -> Description:
    """The event in words; one that nobody foresaw is its own JSON, and stored all the same."""
    try:
        return describe(event.type, event.payload)
    except Exception as fault:  # noqa: BLE001 - a capture must not fail for want of words
        swallow(fault)
        return Description(None, event.payload_json[:SAID])


def check_embedder(found: str, ours: str) -> None:
    """Vectors of two models must never meet.

    Raises:
        ConfigurationError: the tenant's vectors are another model's.
    """
    if found and found != ours:
        raise ConfigurationError(
            f"the memory has been re-embedded with {found!r} while this process uses {ours!r}; "
            "open it with that embedder"
        )


def store(
    connection: Connection,
    tenant_id: str,
    prepared: Sequence[Prepared],
    recent: Recent,
    embedder: str,
    now: int,
) -> list[Stored]:
    """Insert what is new, within the caller's transaction; one result per event, in order.

    Raises:
        ConfigurationError: another process gave the tenant's events vectors of another model.
        QuotaExceededError: the tenant may not capture so many more this month.
    """
    names = [_names(one) for one in prepared]
    known = _known(connection, tenant_id, names)
    results, fresh = _split(names, known)
    if fresh:
        taken = arrivals.take_sequence(connection, tenant_id, len(fresh), month_number(now))
        check_embedder(taken.embedder, embedder)
        recent.catch_up(connection, tenant_id, Place(taken.first - 1, taken.generation))
        rows = _rows(connection, tenant_id, prepared, fresh, results, recent, taken.first)
        arrivals.insert_rows(connection, rows)
        recent.moved(Place(taken.first + len(fresh) - 1, taken.generation))
    return _resolved(names, results)


def store_at_once(
    connection: Connection,
    tenant_id: str,
    prepared: Sequence[Prepared],
    recent: Recent,
    embedder: str,
    now: int,
) -> list[Stored] | None:
    """The same in a single statement, committed; None: nothing was stored, `store` has to do it.

    It supposes that nobody else has written since, and that every event is new; the statement
    finds out whether both are so.
    """
    place = recent.place
    if place is None:
        return None
    names = [_names(one) for one in prepared]
    results, fresh = _split(names, {})
    rows = _rows(connection, tenant_id, prepared, fresh, results, recent, place.head + 1)
    wanted = Expected(*place, embedder, month_number(now))
    if not insert_at_once(connection, tenant_id, rows, wanted):
        return None
    recent.moved(Place(place.head + len(fresh), place.generation))
    return _resolved(names, results)


def _rows(
    connection: Connection,
    tenant_id: str,
    prepared: Sequence[Prepared],
    fresh: Sequence[int],
    results: list[Stored | None],
    recent: Recent,
    first: int,
) -> list[dict[str, Any]]:
    """The rows of new events, numbered from `first`; says in `results` what becomes of them."""
    rows: list[dict[str, Any]] = []
    recent.load(connection, tenant_id, (prepared[one].event.session_id for one in fresh))
    for seq, position in enumerate(fresh, first):
        one = prepared[position]
        score = _salience(one, recent.of(one.event.session_id))
        identifier = one.event_id or _identifier(tenant_id, seq, one.event)
        recent.add(one.event.session_id, one.vector)
        rows.append(_row(tenant_id, seq, identifier, score, one))
        results[position] = Stored(identifier, score, duplicate=False)
    return rows


def _split(
    names: Sequence[Names], known: Mapping[str | None, Stored]
) -> tuple[list[Stored | None], list[int]]:
    """Results of known events, and the positions of new ones."""
    results: list[Stored | None] = [known.get(key) or known.get(name) for key, name in names]
    fresh: list[int] = []
    seen: set[str] = set()
    for position, pair in enumerate(names):
        given = {name for name in pair if name is not None}
        if results[position] is None and not given & seen:
            fresh.append(position)
        seen |= given
    return results, fresh


def _names(one: Prepared) -> Names:
    """What makes an event the same as another: its idempotency key, or an imported id."""
    key = one.event.idempotency_key
    return None if key is None else "key " + key, one.event_id and "id " + one.event_id


def _known(
    connection: Connection, tenant_id: str, names: Sequence[Names]
) -> dict[str | None, Stored]:
    keys = [key[4:] for key, _ in names if key]
    ids = [name[3:] for _, name in names if name]
    found: dict[str | None, Stored] = {}
    if keys:
        for key, (name, score) in arrivals.known_keys(connection, tenant_id, keys).items():
            found["key " + key] = Stored(name, score, duplicate=True)
    if ids:
        for name, score in arrivals.known_ids(connection, tenant_id, ids).items():
            found["id " + name] = Stored(name, score, duplicate=True)
    return found


def _resolved(names: Sequence[Names], results: Sequence[Stored | None]) -> list[Stored]:
    """What came twice in one batch: the second is a duplicate of the first."""
    first: dict[str, Stored] = {}
    resolved: list[Stored] = []
    for pair, result in zip(names, results, strict=True):
        given = [name for name in pair if name is not None]
        if result is None:
            original = next(first[name] for name in given if name in first)
            result = replace(original, duplicate=True)  # noqa: PLW2901 - it is what the loop is for
        for name in given:
            first.setdefault(name, result)
        resolved.append(result)
    return resolved


def _salience(one: Prepared, known: Kept) -> float:
    similarity = 0.0
    if len(known) and known.shape[1] == len(one.vector):
        # Whole numbers below 2^24: float arithmetic is exact, in whatever order it adds.
        vector, others = one.vector.astype(np.float32), known.astype(np.float32)
        norms = np.sqrt(np.einsum("ij,ij->i", others, others) * np.dot(vector, vector))
        similarity = float(np.max(others @ vector / np.maximum(norms, np.float32(1))))
    return salience(
        one.event.type,
        one.description.text,
        failed=one.description.failed,
        similarity=round(similarity, 4),
    )


def _identifier(tenant_id: str, seq: int, event: CheckedEvent) -> str:
    if event.idempotency_key is not None:
        return event_id(tenant_id, event.idempotency_key)
    return unkeyed_event_id(tenant_id, seq, event.session_id, event.payload_json)


def _row(tenant_id: str, seq: int, identifier: str, score: float, one: Prepared) -> dict[str, Any]:
    event, said = one.event, one.description.text
    return {
        "tenant_id": tenant_id,
        "seq": seq,
        "event_id": identifier,
        "session_id": event.session_id,
        "user_id": event.user_id,
        "agent_id": event.agent_id,
        "type": event.type,
        "actor": one.description.actor and one.description.actor[:256],
        "occurred_at": one.occurred_at,
        "captured_at": one.captured_at,
        "salience": score,
        "tokens": one.tokens,
        "idempotency_key": event.idempotency_key,
        "vector": one.vector.tobytes(),
        "terms": one.terms,
        "said": said[:SAID] if len(event.payload_json) > LONG else None,
        "payload": event.payload_json,
        "metadata": event.metadata_json,
    }
