"""Events in the database."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    case,
    delete,
    func,
    select,
    tuple_,
    update,
)

from hippocortex_engine.records import EventRecord
from hippocortex_engine.storage.prepared import Prepared
from hippocortex_engine.storage.schema import events

BEGINNING = (-(2**62), 0)
"""A place before every event of a session; events may have happened before 1970."""

RECALLED_AT_ONCE = 4_000
"""Rows that loading an index holds beside it."""

_CHUNK = 500  # values in one IN list: every database takes that many

_RECORD = (
    events.c.seq,
    events.c.event_id,
    events.c.session_id,
    events.c.type,
    events.c.payload,
    events.c.occurred_at,
    events.c.captured_at,
    events.c.salience,
    events.c.tokens,
    events.c.user_id,
    events.c.agent_id,
    events.c.metadata,
    events.c.idempotency_key,
)
RECALL = (
    events.c.seq,
    events.c.session_id,
    events.c.user_id,
    events.c.agent_id,
    events.c.actor,
    events.c.occurred_at,
    events.c.salience,
    events.c.tokens,
    events.c.vector,
    events.c.terms,
)


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are meant: those that match all that is given."""

    event_ids: Sequence[str] | None = None
    session_id: str | None = None
    agent_id: str | None = None
    user_id: str | None = None
    type: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was given."""
        return self == EventFilter()

    def conditions(self, tenant_id: str) -> list[ColumnElement[bool]]:
        """The filter in SQL, always within the tenant."""
        found: list[ColumnElement[bool]] = [events.c.tenant_id == tenant_id]
        for column, value in (
            (events.c.session_id, self.session_id),
            (events.c.agent_id, self.agent_id),
            (events.c.user_id, self.user_id),
            (events.c.type, self.type),
        ):
            if value is not None:
                found.append(column == value)
        if self.event_ids is not None:
            found.append(events.c.event_id.in_(list(self.event_ids)))
        return found


def ids_by_sequence(
    connection: Connection, tenant_id: str, sequence: Sequence[int]
) -> dict[int, str]:
    """Event ids by sequence number."""
    return {
        row.seq: row.event_id
        for chunk in chunks(sequence)
        for row in connection.execute(
            select(events.c.seq, events.c.event_id).where(
                events.c.tenant_id == tenant_id, events.c.seq.in_(chunk)
            )
        )
    }


def set_vectors(
    connection: Connection, tenant_id: str, vectors: Sequence[tuple[int, bytes]]
) -> None:
    """Give events new vectors, by sequence number."""
    connection.execute(
        update(events)
        .where(events.c.tenant_id == tenant_id, events.c.seq == bindparam("of"))
        .values(vector=bindparam("new")),
        [{"of": seq, "new": vector} for seq, vector in vectors],
    )


def after(connection: Connection, tenant_id: str, seq: int, limit: int) -> list[EventRecord]:
    """The next events in the order of arrival."""
    rows = connection.execute(
        select(*_RECORD)
        .where(events.c.tenant_id == tenant_id, events.c.seq > seq)
        .order_by(events.c.seq)
        .limit(limit)
    )
    return [record(row) for row in rows]


_RECALL = Prepared(
    select(*RECALL)
    .where(events.c.tenant_id == bindparam("tenant"), events.c.seq > bindparam("after"))
    .order_by(events.c.seq)
    .limit(bindparam("most"))
)


def recall_rows(connection: Connection, tenant_id: str, after: int) -> Iterator[Sequence[Any]]:
    """What recall needs of every event after a sequence number, in order, some at a time."""
    while True:
        values = {"tenant": tenant_id, "after": after, "most": RECALLED_AT_ONCE}
        rows: Sequence[Any] = _RECALL.run(connection, values).all()
        if rows:
            yield rows
        if len(rows) < RECALLED_AT_ONCE:
            return
        after = rows[-1].seq


class Excerptable(NamedTuple):
    """What a pack needs of an event: of a long one its text, cut to size, else its payload."""

    seq: int
    event_id: str
    session_id: str
    type: str
    actor: str | None
    occurred_at: int
    salience: float
    said: str | None
    payload: str | None


_AT_ONCE = (
    48  # half of what a pack asks for at most; psycopg remembers statements of so many values
)
_TO_SHOW = Prepared(
    select(
        events.c.seq,
        events.c.event_id,
        events.c.session_id,
        events.c.type,
        events.c.actor,
        events.c.occurred_at,
        events.c.salience,
        events.c.said,
        case((events.c.said.is_(None), events.c.payload)),
    ).where(
        events.c.tenant_id == bindparam("tenant"),
        events.c.seq.in_([bindparam(f"s{place}") for place in range(_AT_ONCE)]),
    )
)


def to_show(
    connection: Connection, tenant_id: str, sequence: Sequence[int]
) -> dict[int, Excerptable]:
    """Events by their sequence numbers, as far as a pack needs them."""
    found: dict[int, Excerptable] = {}
    for start in range(0, len(sequence), _AT_ONCE):
        wanted = list(sequence[start : start + _AT_ONCE])
        wanted += [wanted[0]] * (_AT_ONCE - len(wanted))
        values: dict[str, Any] = {f"s{place}": seq for place, seq in enumerate(wanted)}
        for row in _TO_SHOW.run(connection, {**values, "tenant": tenant_id}).fetchall():
            found[row[0]] = Excerptable(*row)
    return found


def page(
    connection: Connection,
    tenant_id: str,
    wanted: EventFilter,
    *,
    descending: bool,
    after: int | None,
    limit: int,
) -> tuple[list[EventRecord], int]:
    """One page in the order of arrival, and how many events match in all."""
    conditions = wanted.conditions(tenant_id)
    total = connection.execute(select(func.count()).select_from(events).where(*conditions))
    if after is not None:
        conditions.append(events.c.seq < after if descending else events.c.seq > after)
    rows = connection.execute(
        select(*_RECORD)
        .where(*conditions)
        .order_by(events.c.seq.desc() if descending else events.c.seq)
        .limit(limit)
    )
    return [record(row) for row in rows], int(total.scalar_one())


_OF_SESSION = Prepared(
    select(*_RECORD)
    .where(
        events.c.tenant_id == bindparam("tenant"),
        events.c.session_id == bindparam("session"),
        events.c.seq <= bindparam("head"),
        tuple_(events.c.occurred_at, events.c.seq)
        >= tuple_(bindparam("start_at"), bindparam("start_seq")),
    )
    .order_by(events.c.occurred_at, events.c.seq)
)


def session_events(
    connection: Connection, tenant_id: str, session_id: str, start: tuple[int, int], head: int
) -> list[EventRecord]:
    """A session's events from a place on, in the order they happened, none newer than `head`.

    In these records `event_id` is the sequence number: what the compiler cites is stored by the
    thousand, and a number is a tenth of an id.
    """
    values = {
        "tenant": tenant_id,
        "session": session_id,
        "head": head,
        "start_at": start[0],
        "start_seq": start[1],
    }
    rows = _OF_SESSION.run(connection, values).fetchall()
    return [record(row, event_id=str(row[0])) for row in rows]


@dataclass(frozen=True, slots=True)
class Pending:
    """Events of a session that are not compiled yet: how many, since which place, up to where."""

    session_id: str
    place: tuple[int, int]
    last_seq: int
    count: int

    def from_the_start(self) -> Pending:
        """The whole session."""
        return replace(self, place=BEGINNING)


def pending(
    connection: Connection, tenant_id: str, after: int, wanted: EventFilter
) -> list[Pending]:
    """What came after a sequence number, by session.

    The filter chooses sessions; of those, all events count, whoever's they are: a session is
    read as a whole.
    """
    conditions = [events.c.tenant_id == tenant_id, events.c.seq > after]
    if not wanted.is_empty:
        chosen = select(events.c.session_id).where(
            *wanted.conditions(tenant_id), events.c.seq > after
        )
        conditions.append(events.c.session_id.in_(chosen))
    rows = connection.execute(
        select(
            events.c.session_id,
            func.min(events.c.occurred_at),
            func.min(events.c.seq),
            func.max(events.c.seq),
            func.count(),
        )
        .where(*conditions)
        .group_by(events.c.session_id)
        .order_by(events.c.session_id)
    )
    return [Pending(row[0], (row[1], row[2]), row[3], row[4]) for row in rows]


def matching(connection: Connection, tenant_id: str, wanted: EventFilter) -> list[tuple[int, str]]:
    """(sequence number, session) of the events that match."""
    rows = connection.execute(
        select(events.c.seq, events.c.session_id)
        .where(*wanted.conditions(tenant_id))
        .order_by(events.c.seq)
    )
    return [(int(row[0]), row[1]) for row in rows]


def matching_unnamed(
    connection: Connection, tenant_id: str, wanted: EventFilter, sessions: Sequence[str]
) -> list[tuple[int, str]]:
    """(sequence number, session) of events without a user in these sessions that are the wanted's.

    An event without a user is of whoever was named last before it, at the start of a session of
    whoever is named first.
    """
    found: list[tuple[int, str]] = []
    for chunk in chunks(sessions):
        rows = connection.execute(
            select(events.c.session_id, events.c.seq, events.c.user_id, events.c.agent_id)
            .where(events.c.tenant_id == tenant_id, events.c.session_id.in_(chunk))
            .order_by(events.c.session_id, events.c.occurred_at, events.c.seq)
        )
        for session_id, session in groupby(rows, key=itemgetter(0)):
            said = [(int(row[1]), row[2], row[3]) for row in session]
            whose = next((user for _, user, _ in said if user is not None), None)
            for seq, user, agent in said:
                whose = whose if user is None else user
                fits = wanted.agent_id in (None, agent)
                if user is None and whose == wanted.user_id and fits:
                    found.append((seq, session_id))
    return found


def remove(connection: Connection, tenant_id: str, sequence: Sequence[int]) -> None:
    """Delete events by their sequence numbers."""
    for chunk in chunks(sequence):
        connection.execute(
            delete(events).where(events.c.tenant_id == tenant_id, events.c.seq.in_(chunk))
        )


def record(row: Any, event_id: str | None = None) -> EventRecord:
    """A row as a record."""
    return EventRecord(
        seq=row.seq,
        event_id=event_id or row.event_id,
        session_id=row.session_id,
        type=row.type,
        payload=json.loads(row.payload),
        occurred_at=row.occurred_at,
        captured_at=row.captured_at,
        salience=row.salience,
        tokens=row.tokens,
        user_id=row.user_id,
        agent_id=row.agent_id,
        metadata=None if row.metadata is None else json.loads(row.metadata),
        idempotency_key=row.idempotency_key,
    )


def chunks(values: Sequence[Any]) -> list[list[Any]]:
    """The values in lists short enough for an IN."""
    return [list(values[start : start + _CHUNK]) for start in range(0, len(values), _CHUNK)]
