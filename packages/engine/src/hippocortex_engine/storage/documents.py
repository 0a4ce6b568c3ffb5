"""Keyed documents in the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from hippocortex_engine.storage.events import chunks
from hippocortex_engine.storage.prepared import Prepared
from hippocortex_engine.storage.schema import (
    document_events,
    document_tombstones,
    documents,
    tenants,
)

_OURS = documents.c.tenant_id == bindparam("tenant")


class Clock(NamedTuple):
    """The last instant given out; since when caches can catch up; whose vectors are stored."""

    now: int
    floor: int
    embedder: str


class Shown(NamedTuple):
    """A document as far as a reader sees it."""

    document_id: str
    created_at: int
    updated_at: int
    expires_at: int | None
    ttl: int | None
    path: str
    key: str
    value: str


class Old(NamedTuple):
    """A document that is about to be overwritten or removed."""

    document_id: str
    created_at: int
    expires_at: int | None
    captured: int
    user_id: str | None
    agent_id: str | None
    session_id: str | None
    value: str


class Doomed(NamedTuple):
    """A document that is to go."""

    document_id: str
    created_at: int


class Indexed(NamedTuple):
    """A document as far as a search looks at it."""

    created_at: int
    updated_at: int
    path: str
    vectors: bytes
    terms: bytes
    own_dimensions: int
    own_vectors: bytes


@dataclass(frozen=True, slots=True)
class Below:
    """Which documents: in a part of the namespaces, not expired, with all these signs in them.

    The part is heads from one on up to another (None: all), and below that a path (None: all).  A
    sign is a text that the value must hold somewhere, as JSON.
    """

    heads: tuple[str, str] | None
    path: str | None
    now: int
    signs: Sequence[str] = ()

    def narrow(self, found: Select[Any]) -> Select[Any]:
        """Only these."""
        if self.heads is not None:
            found = found.where(documents.c.head >= self.heads[0], documents.c.head < self.heads[1])
        if self.path is not None:
            size = len(self.path)
            found = found.where(func.substr(documents.c.path, 1, size) == self.path)
        for sign in self.signs:
            found = found.where(documents.c.value.contains(sign, autoescape=True))
        return found.where(lives(self.now))


def lives(now: int) -> ColumnElement[bool]:
    """Whether a document has not expired."""
    return or_(documents.c.expires_at.is_(None), documents.c.expires_at > now)


# --- the clock -----------------------------------------------------------------------------------

_CLOCK = Prepared(
    select(tenants.c.documents_at, tenants.c.documents_floor, tenants.c.embedder).where(
        tenants.c.tenant_id == bindparam("tenant")
    )
)
_TAKE = Prepared(
    update(tenants)
    .where(tenants.c.tenant_id == bindparam("tenant"))
    .values(
        documents_at=case(
            (tenants.c.documents_at >= bindparam("now"), tenants.c.documents_at),
            else_=bindparam("now", type_=BigInteger) - 1,
        )
        + bindparam("count")
    )
    .returning(tenants.c.documents_at, tenants.c.documents_floor, tenants.c.embedder)
)


def clock(connection: Connection, tenant_id: str) -> Clock:
    """Where the tenant's clock of documents stands."""
    rows = _CLOCK.rows(connection, {"tenant": tenant_id})
    return Clock(*rows[0]) if rows else Clock(0, 0, "")


def take(connection: Connection, tenant_id: str, now: int, count: int) -> Clock:
    """Let the clock go on by as many instants, each its own, none of them before `now`."""
    values = {"tenant": tenant_id, "now": now, "count": count}
    (row,) = _TAKE.rows(connection, values)
    return Clock(*row)


def start_anew(connection: Connection, tenant_id: str, floor: int) -> None:
    """Make caches that were not caught up since then start anew."""
    connection.execute(
        update(tenants).where(tenants.c.tenant_id == tenant_id).values(documents_floor=floor)
    )


# --- reading -------------------------------------------------------------------------------------

_SHOWN = [getattr(documents.c, name) for name in Shown._fields]
_GET = Prepared(select(*_SHOWN).where(_OURS, documents.c.document_id == bindparam("document")))
_FEW, _MANY = 16, 256


def _at(*columns: Any) -> Mapping[int, Prepared]:
    """A statement for few and one for many documents, by when they were last put."""
    return {
        size: Prepared(
            select(*columns).where(
                _OURS,
                documents.c.updated_at.in_([bindparam(f"s{place}") for place in range(size)]),
            )
        )
        for size in (_FEW, _MANY)
    }


_SHOWN_AT = _at(*_SHOWN)
_VALUE_AT = _at(documents.c.updated_at, documents.c.expires_at, documents.c.value)


def get(connection: Connection, tenant_id: str, document_id: str) -> Shown | None:
    """One document, expired or not."""
    rows = _GET.rows(connection, {"tenant": tenant_id, "document": document_id})
    return Shown(*rows[0]) if rows else None


def at(connection: Connection, tenant_id: str, instants: Sequence[int]) -> dict[int, Shown]:
    """Documents by when they were last put; what is not there any more is left out."""
    return {row[2]: Shown(*row) for row in _run_at(_SHOWN_AT, connection, tenant_id, instants)}


def values_at(
    connection: Connection, tenant_id: str, instants: Sequence[int]
) -> dict[int, tuple[int, int | None, str]]:
    """The same, but only (last put, expiry, value) of each."""
    return {row[0]: row for row in _run_at(_VALUE_AT, connection, tenant_id, instants)}


def _run_at(
    sizes: Mapping[int, Prepared], connection: Connection, tenant_id: str, instants: Sequence[int]
) -> Iterator[Any]:
    start = 0
    while start < len(instants):
        size = _FEW if len(instants) - start <= _FEW else _MANY
        wanted = list(instants[start : start + size])
        wanted += [wanted[0]] * (size - len(wanted))
        values: dict[str, Any] = {f"s{place}": one for place, one in enumerate(wanted)}
        yield from sizes[size].rows(connection, {**values, "tenant": tenant_id})
        start += size


def newest(
    connection: Connection,
    tenant_id: str,
    below: Below,
    before: int | None,
    limit: int,
    offset: int,
) -> list[int]:
    """When the newest documents were last put, newest first."""
    wanted = select(documents.c.updated_at).where(documents.c.tenant_id == tenant_id)
    if before is not None:
        wanted = wanted.where(documents.c.updated_at < before)
    wanted = below.narrow(wanted).order_by(documents.c.updated_at.desc())
    cursor: Any = connection.execute(wanted.limit(limit).offset(offset)).cursor
    return [one for (one,) in cursor.fetchall()]  # the driver's tuples: there may be many


def namespace_heads(connection: Connection, tenant_id: str, below: Below) -> list[str]:
    """The heads of the paths that hold documents."""
    wanted = select(documents.c.head).where(documents.c.tenant_id == tenant_id).distinct()
    return list(connection.scalars(below.narrow(wanted)))


def paths_of(
    connection: Connection, tenant_id: str, heads: Sequence[str], below: Below
) -> list[str]:
    """The whole paths that begin with the heads."""
    return [
        path
        for chunk in chunks(heads)
        for path in connection.scalars(
            below.narrow(select(documents.c.path).distinct()).where(
                documents.c.tenant_id == tenant_id, documents.c.head.in_(chunk)
            )
        )
    ]


_INDEXED = [getattr(documents.c, name) for name in Indexed._fields]
_CHANGED = Prepared(
    select(*_INDEXED)
    .where(_OURS, documents.c.updated_at > bindparam("after"))
    .order_by(documents.c.updated_at)
)
_GONE = Prepared(
    select(document_tombstones.c.document).where(
        document_tombstones.c.tenant_id == bindparam("tenant"),
        document_tombstones.c.deleted_at > bindparam("after"),
    )
)


def changed(connection: Connection, tenant_id: str, after: int) -> list[Indexed]:
    """What was put since, in that order."""
    rows = _CHANGED.rows(connection, {"tenant": tenant_id, "after": after})
    return [Indexed(*row) for row in rows]


def gone(connection: Connection, tenant_id: str, after: int) -> list[int]:
    """When the documents were created that were deleted since."""
    return [row[0] for row in _GONE.rows(connection, {"tenant": tenant_id, "after": after})]


# --- writing -------------------------------------------------------------------------------------

_OLD = [getattr(documents.c, name) for name in Old._fields]
_GET_OLD = Prepared(select(*_OLD).where(_OURS, documents.c.document_id == bindparam("document")))
_INSERT = Prepared(insert(documents))
_OVERWRITTEN = [
    column.name
    for column in documents.c
    if column.name not in {"tenant_id", "document_id", "created_at", "head", "path", "key"}
]
_OVERWRITE = Prepared(
    update(documents)
    .where(_OURS, documents.c.document_id == bindparam("document"))
    .values({name: bindparam(f"new_{name}") for name in _OVERWRITTEN})
)
_EXPIRED = Prepared(
    select(documents.c.document_id, documents.c.created_at)
    .where(_OURS, documents.c.expires_at <= bindparam("until"))
    .order_by(documents.c.expires_at)
    .limit(bindparam("most"))
)
_INSERT_EVENT = Prepared(insert(document_events))
_BURY = Prepared(insert(document_tombstones))


def old(connection: Connection, tenant_id: str, document_ids: Sequence[str]) -> dict[str, Old]:
    """What is there under the ids."""
    if len(document_ids) == 1:
        values = {"tenant": tenant_id, "document": document_ids[0]}
        return {row[0]: Old(*row) for row in _GET_OLD.rows(connection, values)}
    return {
        row[0]: Old(*row)
        for chunk in chunks(document_ids)
        for row in connection.execute(
            select(*_OLD).where(
                documents.c.tenant_id == tenant_id, documents.c.document_id.in_(chunk)
            )
        )
    }


def add(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert complete rows."""
    _INSERT.do_many(connection, rows)


def overwrite(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Give documents that are there the values of complete rows."""
    _OVERWRITE.do_many(
        connection,
        [
            {
                **{f"new_{name}": row[name] for name in _OVERWRITTEN},
                "tenant": row["tenant_id"],
                "document": row["document_id"],
            }
            for row in rows
        ],
    )


def link(connection: Connection, tenant_id: str, events: Sequence[tuple[int, str]]) -> None:
    """Remember which events the puts of documents were: (created at, event id)."""
    rows = [
        {"tenant_id": tenant_id, "document": created_at, "event_id": event_id}
        for created_at, event_id in events
    ]
    _INSERT_EVENT.do_many(connection, rows)


def refresh(connection: Connection, tenant_id: str, document_ids: Sequence[str], now: int) -> None:
    """Let the time to live of documents begin anew; what has expired stays so."""
    for chunk in chunks(sorted(document_ids)):
        connection.execute(
            update(documents)
            .where(
                documents.c.tenant_id == tenant_id,
                documents.c.document_id.in_(chunk),
                documents.c.ttl.is_not(None),
                documents.c.expires_at > now,
            )
            .values(expires_at=documents.c.ttl + now)
        )


def events_of(connection: Connection, tenant_id: str, created: Sequence[int]) -> list[str]:
    """The ids of the events that the puts of documents were."""
    return [
        event_id
        for chunk in chunks(created)
        for event_id in connection.scalars(
            select(document_events.c.event_id)
            .where(document_events.c.tenant_id == tenant_id, document_events.c.document.in_(chunk))
            .order_by(document_events.c.document, document_events.c.event_id)
        )
    ]


def expired(connection: Connection, tenant_id: str, until: int, limit: int) -> list[Doomed]:
    """What expired first, if it did up to an instant."""
    values = {"tenant": tenant_id, "until": until, "most": limit}
    return [Doomed(*row) for row in _EXPIRED.rows(connection, values)]


def owned(
    connection: Connection,
    tenant_id: str,
    user_id: str,
    agent_id: str | None,
    session_id: str | None,
) -> list[Doomed]:
    """What was last put for a user, and by an agent and in a session if these are given."""
    wanted = select(documents.c.document_id, documents.c.created_at).where(
        documents.c.tenant_id == tenant_id, documents.c.user_id == user_id
    )
    for column, value in ((documents.c.agent_id, agent_id), (documents.c.session_id, session_id)):
        if value is not None:
            wanted = wanted.where(column == value)
    return [Doomed(*row) for row in connection.execute(wanted.order_by(documents.c.created_at))]


def remove(connection: Connection, tenant_id: str, doomed: Sequence[Doomed], last: int) -> None:
    """Delete documents, one at each of the instants up to the last."""
    for chunk in chunks(doomed):
        connection.execute(
            delete(documents).where(
                documents.c.tenant_id == tenant_id,
                documents.c.document_id.in_([one.document_id for one in chunk]),
            )
        )
        connection.execute(
            delete(document_events).where(
                document_events.c.tenant_id == tenant_id,
                document_events.c.document.in_([one.created_at for one in chunk]),
            )
        )
    first = last - len(doomed) + 1
    _BURY.do_many(
        connection,
        [
            {"tenant_id": tenant_id, "deleted_at": first + place, "document": one.created_at}
            for place, one in enumerate(doomed)
        ],
    )


def forget_removed(connection: Connection, tenant_id: str, until: int) -> bool:
    """Drop old tombstones; returns whether there were any."""
    dropped = connection.execute(
        delete(document_tombstones).where(
            document_tombstones.c.tenant_id == tenant_id,
            document_tombstones.c.deleted_at <= until,
        )
    )
    return dropped.rowcount > 0


# --- embedding again -----------------------------------------------------------------------------


class Embedded(NamedTuple):
    """A document whose vectors are the engine's."""

    document_id: str
    updated_at: int
    indexed: str
    value: str


def embedded(connection: Connection, tenant_id: str, after: int, limit: int) -> list[Embedded]:
    """The next documents, in the order of their last put, that have vectors of the engine."""
    rows = connection.execute(
        select(*(getattr(documents.c, name) for name in Embedded._fields))
        .where(
            documents.c.tenant_id == tenant_id,
            documents.c.updated_at > after,
            documents.c.own_dimensions == 0,
        )
        .order_by(documents.c.updated_at)
        .limit(limit)
    )
    return [Embedded(*row) for row in rows]


def set_vectors(
    connection: Connection, tenant_id: str, vectors: Sequence[tuple[str, bytes]]
) -> None:
    """Give documents new vectors, by id."""
    connection.execute(
        update(documents)
        .where(documents.c.tenant_id == tenant_id, documents.c.document_id == bindparam("of"))
        .values(vectors=bindparam("new")),
        [{"of": document_id, "new": vector} for document_id, vector in vectors],
    )
