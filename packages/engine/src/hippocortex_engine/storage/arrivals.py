"""Statements that take events in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, case, insert, select, update

from hippocortex_core.errors import QuotaExceededError
from hippocortex_engine.storage.events import chunks
from hippocortex_engine.storage.prepared import Prepared
from hippocortex_engine.storage.schema import events, tenants

_MONTH = bindparam("month", type_=tenants.c.month.type)
_NEW_MONTH = tenants.c.month < _MONTH  # never back: the clocks of two machines may differ
_TAKE_SEQUENCE = Prepared(
    update(tenants)
    .where(tenants.c.tenant_id == bindparam("tenant"))
    .values(
        head=tenants.c.head + bindparam("count"),
        month=case((_NEW_MONTH, _MONTH), else_=tenants.c.month),
        month_head=case((_NEW_MONTH, tenants.c.head), else_=tenants.c.month_head),
    )
    .returning(
        tenants.c.head,
        tenants.c.generation,
        tenants.c.embedder,
        tenants.c.head - tenants.c.month_head,
        tenants.c.events_limit,
    )
)
_INSERT = Prepared(insert(events))
_KNOWN_KEY = Prepared(
    select(events.c.event_id, events.c.salience).where(
        events.c.tenant_id == bindparam("tenant"), events.c.idempotency_key == bindparam("key")
    )
)
_RECENT = Prepared(
    select(events.c.vector)
    .where(events.c.tenant_id == bindparam("tenant"), events.c.session_id == bindparam("session"))
    .order_by(events.c.seq.desc())
    .limit(bindparam("most"))
)


class Taken(NamedTuple):
    """The first of the reserved sequence numbers, and how the tenant stands."""

    first: int
    generation: int
    embedder: str


def take_sequence(connection: Connection, tenant_id: str, count: int, month: int) -> Taken:
    """Reserve `count` sequence numbers, and count them in the month.

    Raises:
        QuotaExceededError: these are more than the tenant may still use this month.
    """
    values = {"tenant": tenant_id, "count": count, "month": month}
    row: Any = _TAKE_SEQUENCE.run(connection, values).one()
    head, generation, embedder, used, limit = row
    if limit is not None and used > limit:
        raise QuotaExceededError(
            f"the plan's {limit:,} events of this month are used up (UTC); "
            "wait for the next, or ask for more"
        )
    return Taken(int(head) - count + 1, int(generation), str(embedder))


def insert_rows(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Insert complete rows."""
    _INSERT.run_many(connection, rows)


def known_key(connection: Connection, tenant_id: str, key: str) -> tuple[str, float] | None:
    """(event id, salience) of the event with an idempotency key."""
    row: Any = _KNOWN_KEY.run(connection, {"tenant": tenant_id, "key": key}).first()
    return None if row is None else (row[0], row[1])


def known_keys(
    connection: Connection, tenant_id: str, keys: Sequence[str]
) -> dict[str, tuple[str, float]]:
    """Which idempotency keys are stored already: key to (event id, salience)."""
    if len(keys) == 1:
        found = known_key(connection, tenant_id, keys[0])
        return {} if found is None else {keys[0]: found}
    return {
        row.idempotency_key: (row.event_id, row.salience)
        for chunk in chunks(keys)
        for row in connection.execute(
            select(events.c.idempotency_key, events.c.event_id, events.c.salience).where(
                events.c.tenant_id == tenant_id, events.c.idempotency_key.in_(chunk)
            )
        )
    }


def known_ids(connection: Connection, tenant_id: str, ids: Sequence[str]) -> dict[str, float]:
    """Which of the event ids are stored: id to salience."""
    return {
        row.event_id: row.salience
        for chunk in chunks(ids)
        for row in connection.execute(
            select(events.c.event_id, events.c.salience).where(
                events.c.tenant_id == tenant_id, events.c.event_id.in_(chunk)
            )
        )
    }


def recent_vectors(
    connection: Connection, tenant_id: str, session_id: str, count: int
) -> list[bytes]:
    """The vectors of a session's last events, newest first."""
    wanted = {"tenant": tenant_id, "session": session_id, "most": count}
    return [row[0] for row in _RECENT.run(connection, wanted)]
