"""Statements that take events in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, case, insert, select, update

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
_RECENT_OF_MANY = """
SELECT wanted.session_id, found.vector
FROM unnest(%(sessions)s::text[]) AS wanted (session_id) CROSS JOIN LATERAL (
  SELECT seq, vector FROM events
  WHERE tenant_id = %(tenant)s AND session_id = wanted.session_id
  ORDER BY seq DESC LIMIT %(most)s
) AS found
ORDER BY found.seq
"""
"""All sessions in one round trip (PostgreSQL)."""
_KNOWN = """
SELECT given.value, found.event_id, found.salience
FROM unnest(%(wanted)s::text[]) AS given (value) CROSS JOIN LATERAL (
  SELECT event_id, salience FROM events
  WHERE tenant_id = %(tenant)s AND {column} = given.value
  LIMIT 1
) AS found
"""
"""A look into the index for each: of a young table PostgreSQL would rather read everything."""
_SINCE = Prepared(
    select(events.c.session_id, events.c.vector)
    .where(events.c.tenant_id == bindparam("tenant"), events.c.seq > bindparam("seq"))
    .order_by(events.c.seq)
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
    rows = _known(connection, tenant_id, events.c.idempotency_key, keys)
    return {key: (name, salience) for key, name, salience in rows}


def known_ids(connection: Connection, tenant_id: str, ids: Sequence[str]) -> dict[str, float]:
    """Which of the event ids are stored: id to salience."""
    rows = _known(connection, tenant_id, events.c.event_id, ids)
    return {key: salience for key, _, salience in rows}


def _known(
    connection: Connection, tenant_id: str, column: ColumnElement[Any], wanted: Sequence[str]
) -> list[tuple[str, str, float]]:
    """(value of the column, event id, salience) of the tenant's events with these values."""
    if connection.dialect.name == "postgresql":
        statement = _KNOWN.format(column=column.key)
        values = {"tenant": tenant_id, "wanted": list(wanted)}
        return [tuple(row) for row in connection.exec_driver_sql(statement, values)]
    return [
        tuple(row)
        for chunk in chunks(wanted)
        for row in connection.execute(
            select(column, events.c.event_id, events.c.salience).where(
                events.c.tenant_id == tenant_id, column.in_(chunk)
            )
        )
    ]


def recent_vectors(
    connection: Connection, tenant_id: str, sessions: Sequence[str], count: int
) -> list[tuple[str, bytes]]:
    """(session, vector) of the last events of each session, oldest first."""
    if len(sessions) > 1 and connection.dialect.name == "postgresql":
        values = {"tenant": tenant_id, "sessions": list(sessions), "most": count}
        return [(row[0], row[1]) for row in connection.exec_driver_sql(_RECENT_OF_MANY, values)]
    found: list[tuple[str, bytes]] = []
    for session in sessions:
        wanted = {"tenant": tenant_id, "session": session, "most": count}
        found += [(session, row[0]) for row in reversed(_RECENT.rows(connection, wanted))]
    return found


def vectors_since(connection: Connection, tenant_id: str, seq: int) -> list[tuple[str, bytes]]:
    """(session, vector) of the events after a sequence number, oldest first."""
    rows = _SINCE.rows(connection, {"tenant": tenant_id, "seq": seq})
    return [(row[0], row[1]) for row in rows]
