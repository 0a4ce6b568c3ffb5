"""The older events of a large tenant, searched in PostgreSQL instead of in memory.

Up to a number of events per tenant everything is searched in memory, the same in every home.
Beyond, the database proposes candidates among the older ones, by an HNSW index over the signs of
their vectors (Malkov & Yashunin 2016; Charikar 2002) and a GIN index over their terms; what they
are worth is decided by the same code as ever.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
)
from sqlalchemy.dialects.postgresql import BIT, TSVECTOR
from sqlalchemy.exc import DBAPIError

from hippocortex_engine.storage.columns import text
from hippocortex_engine.storage.events import RECALL
from hippocortex_engine.text import unpack_terms

INDEX_LIMIT = 200_000
"""Events of a tenant that are searched in memory, unless the URL says `index_limit=`."""

PROPOSED = 150
"""Events that each of the two indexes proposes."""

REACH = 3
"""Neighbours in the session that are read with an event, on either side: those of its window."""

BITS = 256
"""Signs kept of a vector; of a longer one the first, a shorter one is filled up."""

ADVANCED_AT_ONCE = 1_000
"""Events taken in by one transaction: forgetting has to wait for it."""

postgresql_metadata = MetaData()
"""Tables that only PostgreSQL has."""

search_events = Table(
    "search_events",
    postgresql_metadata,
    Column("tenant_id", text(256), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("session_id", text(256), nullable=False),
    Column("user_id", text(256)),
    Column("agent_id", text(256)),
    Column("code", BIT(BITS), nullable=False),
    # Terms as words that hold the tenant too: the index is shared, its lists are not.
    Column("terms", TSVECTOR, nullable=False),
    PrimaryKeyConstraint("tenant_id", "seq", name="pk_search_events"),
    Index("ix_search_events_session", "tenant_id", "session_id"),
    Index("ix_search_events_user", "tenant_id", "user_id"),
    Index("ix_search_events_agent", "tenant_id", "agent_id"),
    Index("ix_search_events_terms", "terms", postgresql_using="gin"),
)
search_terms = Table(
    "search_terms",
    postgresql_metadata,
    Column("tenant_id", text(256), nullable=False),
    Column("term", BigInteger, nullable=False),
    Column("events", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id", "term", name="pk_search_terms"),
)
search_states = Table(
    "search_states",
    postgresql_metadata,
    Column("tenant_id", text(256), nullable=False),
    Column("upto", BigInteger, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("newest", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id", name="pk_search_states"),
)


@dataclass(frozen=True, slots=True)
class Archived:
    """What is in the archive of a tenant: everything up to `upto`.

    Attributes:
        upto: the last sequence number in it.
        events: how many events.
        length: how many terms they have together.
        newest: when the newest of them happened.
    """

    upto: int = 0
    events: int = 0
    length: int = 0
    newest: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for among the events up to `floor`.

    Attributes:
        floor: the last sequence number looked at.
        vector: the query's.
        terms: hashes of the terms worth looking for, and how much each tells.
        owners: columns of `search_events`, and the value they must have; None: none, in the whole
            session.
    """

    floor: int
    vector: NDArray[np.int8]
    terms: Mapping[int, float]
    owners: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])


class Archive:
    """Finds candidates among the older events of tenants.

    Args:
        limit: events of a tenant that are searched in memory.
    """

    def __init__(self, limit: int = INDEX_LIMIT) -> None:
        self.limit = limit
        self.is_ready = False

    def look(self, connection: Connection) -> None:
        """See whether there is an index of the codes: it needs pgvector."""
        found = connection.exec_driver_sql("SELECT to_regclass('ix_search_events_code')")
        self.is_ready = found.scalar() is not None

    def prepare(self, connection: Connection) -> None:
        """Make the index of the codes, if pgvector is there or can be installed."""
        with connection.begin_nested() as attempt:
            try:
                connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS vector")
                connection.exec_driver_sql(
                    "CREATE INDEX IF NOT EXISTS ix_search_events_code ON search_events"
                    " USING hnsw (code bit_hamming_ops)"
                )
            except DBAPIError:
                attempt.rollback()
        self.look(connection)

    def state(self, connection: Connection, tenant_id: str) -> Archived:
        """What of the tenant is in it."""
        row: Any = connection.exec_driver_sql(
            "SELECT upto, events, length, newest FROM search_states WHERE tenant_id = %(tenant)s",
            {"tenant": tenant_id},
        ).first()
        return Archived() if row is None else Archived(*row)

    def counts(
        self, connection: Connection, tenant_id: str, terms: Sequence[int]
    ) -> dict[int, int]:
        """How many events in it hold each term."""
        rows = connection.exec_driver_sql(
            "SELECT term, events FROM search_terms"
            " WHERE tenant_id = %(tenant)s AND term = ANY(%(terms)s)",
            {"tenant": tenant_id, "terms": list(terms)},
        )
        return {int(row[0]): int(row[1]) for row in rows}

    def candidates(self, connection: Connection, tenant_id: str, wanted: Wanted) -> list[int]:
        """Sequence numbers of events that may answer, of those that may be seen, in order."""
        found = set(self._near(connection, tenant_id, wanted))
        if wanted.terms:
            found.update(self._worded(connection, tenant_id, wanted))
        return sorted(found)

    def rows(
        self, connection: Connection, tenant_id: str, sequence: Sequence[int]
    ) -> Sequence[Any]:
        """What recall needs of events and of their neighbours in the session, in order."""
        return connection.exec_driver_sql(
            _ROWS, {"tenant": tenant_id, "wanted": list(sequence)}
        ).fetchall()

    def tokens(self, connection: Connection, tenant_id: str, sequence: Sequence[int]) -> int:
        """Tokens of events together."""
        found = connection.exec_driver_sql(
            "SELECT sum(tokens) FROM events"
            " WHERE tenant_id = %(tenant)s AND seq = ANY(%(wanted)s::bigint[])",
            {"tenant": tenant_id, "wanted": list(sequence)},
        )
        return int(found.scalar() or 0)

    def _near(self, connection: Connection, tenant_id: str, wanted: Wanted) -> list[int]:
        """Those whose vectors point where the query's does."""
        if not wanted.vector.any():
            return []
        conditions, values = _conditions(tenant_id, wanted)
        rows = connection.exec_driver_sql(
            f"SELECT seq FROM search_events WHERE {conditions}"
            f" ORDER BY code <~> %(code)s::bit({BITS}) LIMIT {PROPOSED}",
            {**values, "code": _code(wanted.vector)},
        )
        return [int(row[0]) for row in rows]

    def _worded(self, connection: Connection, tenant_id: str, wanted: Wanted) -> list[int]:
        """Those that hold most of the query's words, by how much each tells."""
        conditions, values = _conditions(tenant_id, wanted)
        words = {_word(tenant_id, term): told for term, told in wanted.terms.items()}
        rows = connection.exec_driver_sql(
            f"SELECT seq FROM search_events WHERE {conditions} AND terms @@ %(any)s::tsquery"
            " ORDER BY (SELECT sum(told) FROM unnest(%(words)s::text[], %(told)s::float8[])"
            f" AS q (word, told) WHERE terms @@ word::tsquery) DESC, seq DESC LIMIT {PROPOSED}",
            {
                **values,
                "any": " | ".join(words),
                "words": list(words),
                "told": list(words.values()),
            },
        )
        return [int(row[0]) for row in rows]

    # --- keeping it up to date -------------------------------------------------------------------

    def advance(self, connection: Connection, tenant_id: str, floor: int) -> bool:
        """Take in the next events up to `floor`; whether there may be more.

        Another process that is at it is left alone.
        """
        connection.exec_driver_sql(
            "INSERT INTO search_states (tenant_id, upto, events, length, newest)"
            " VALUES (%(tenant)s, 0, 0, 0, 0) ON CONFLICT (tenant_id) DO NOTHING",
            {"tenant": tenant_id},
        )
        locked = self._lock(connection, tenant_id, "FOR UPDATE SKIP LOCKED")
        if locked is None:
            return False
        rows = connection.exec_driver_sql(
            "SELECT seq, session_id, user_id, agent_id, vector, terms, occurred_at FROM events"
            " WHERE tenant_id = %(tenant)s AND seq > %(after)s AND seq <= %(floor)s"
            f" ORDER BY seq LIMIT {ADVANCED_AT_ONCE}",
            {"tenant": tenant_id, "after": locked, "floor": floor},
        ).fetchall()
        more = len(rows) == ADVANCED_AT_ONCE
        self._take_in(connection, tenant_id, rows)
        self._count(connection, tenant_id, [row.terms for row in rows], 1)
        connection.exec_driver_sql(
            "UPDATE search_states SET upto = %(upto)s, newest = GREATEST(newest, %(newest)s)"
            " WHERE tenant_id = %(tenant)s",
            {
                "tenant": tenant_id,
                "upto": rows[-1].seq if more else max(floor, locked),
                "newest": max((row.occurred_at for row in rows), default=0),
            },
        )
        return more

    def remove(self, connection: Connection, tenant_id: str, sequence: Sequence[int]) -> None:
        """Forget events; to be called before they are deleted, in the same transaction."""
        # Waits for whoever takes events in: what he has read of them is visible, or gone, then.
        if not self._lock(connection, tenant_id, "FOR UPDATE"):
            return
        values = {"tenant": tenant_id, "gone": list(sequence)}
        rows = connection.exec_driver_sql(
            "DELETE FROM search_events WHERE tenant_id = %(tenant)s"
            " AND seq = ANY(%(gone)s::bigint[]) RETURNING seq",
            values,
        )
        held = [int(row[0]) for row in rows]
        packed = connection.exec_driver_sql(
            "SELECT terms FROM events WHERE tenant_id = %(tenant)s"
            " AND seq = ANY(%(gone)s::bigint[])",
            {**values, "gone": held},
        )
        self._count(connection, tenant_id, [row[0] for row in packed], -1)

    def clear(self, connection: Connection, tenant_id: str) -> None:
        """Forget everything of a tenant: it will be taken in anew."""
        if self._lock(connection, tenant_id, "FOR UPDATE") is not None:
            for table in (search_events, search_terms, search_states):
                connection.exec_driver_sql(
                    f"DELETE FROM {table.name} WHERE tenant_id = %(tenant)s", {"tenant": tenant_id}
                )

    def _lock(self, connection: Connection, tenant_id: str, how: str) -> int | None:
        """How far the tenant's events have been taken in, for nobody else to change."""
        return connection.exec_driver_sql(
            f"SELECT upto FROM search_states WHERE tenant_id = %(tenant)s {how}",
            {"tenant": tenant_id},
        ).scalar()

    def _take_in(self, connection: Connection, tenant_id: str, rows: Sequence[Any]) -> None:
        if not rows:
            return
        connection.exec_driver_sql(
            "INSERT INTO search_events"
            " (tenant_id, seq, session_id, user_id, agent_id, code, terms) VALUES"
            " (%(tenant)s, %(seq)s, %(session)s, %(user)s, %(agent)s, %(code)s, %(terms)s)",
            [
                {
                    "tenant": tenant_id,
                    "seq": row.seq,
                    "session": row.session_id,
                    "user": row.user_id,
                    "agent": row.agent_id,
                    "code": _code(np.frombuffer(row.vector, np.int8)),
                    "terms": " ".join(_word(tenant_id, term) for term in _terms(row.terms)),
                }
                for row in rows
            ],
        )

    def _count(
        self, connection: Connection, tenant_id: str, packed: Sequence[bytes], sign: int
    ) -> None:
        """Add events to the statistics, or take them away (`sign` -1)."""
        counted = Counter(term for data in packed for term in _terms(data))
        length = sum(int(unpack_terms(data)["count"].sum()) for data in packed)
        if counted:
            connection.exec_driver_sql(
                "INSERT INTO search_terms (tenant_id, term, events)"
                " SELECT %(tenant)s, term, events FROM"
                " unnest(%(terms)s::bigint[], %(events)s::bigint[]) AS c (term, events)"
                " ON CONFLICT (tenant_id, term)"
                " DO UPDATE SET events = search_terms.events + excluded.events",
                {
                    "tenant": tenant_id,
                    "terms": sorted(counted),
                    "events": [sign * counted[term] for term in sorted(counted)],
                },
            )
        connection.exec_driver_sql(
            "UPDATE search_states SET events = events + %(events)s, length = length + %(length)s"
            " WHERE tenant_id = %(tenant)s",
            {"tenant": tenant_id, "events": sign * len(packed), "length": sign * length},
        )


_NAMES = ", ".join(column.name for column in RECALL)
_ROWS = f"""
WITH wanted AS (
  SELECT seq, session_id FROM events
  WHERE tenant_id = %(tenant)s AND seq = ANY(%(wanted)s::bigint[])
), beside AS (
  SELECT seq FROM wanted
  UNION
  SELECT near.seq FROM wanted CROSS JOIN LATERAL (
    SELECT seq FROM events WHERE tenant_id = %(tenant)s AND session_id = wanted.session_id
    AND seq < wanted.seq ORDER BY seq DESC LIMIT {REACH}) AS near
  UNION
  SELECT near.seq FROM wanted CROSS JOIN LATERAL (
    SELECT seq FROM events WHERE tenant_id = %(tenant)s AND session_id = wanted.session_id
    AND seq > wanted.seq ORDER BY seq LIMIT {REACH}) AS near
)
SELECT {_NAMES} FROM events
WHERE tenant_id = %(tenant)s AND seq IN (SELECT seq FROM beside) ORDER BY seq
"""


def _conditions(tenant_id: str, wanted: Wanted) -> tuple[str, dict[str, Any]]:
    parts = ["tenant_id = %(tenant)s", "seq <= %(floor)s"]
    owners: dict[str, str] = {}
    for column, value in wanted.owners.items():
        if value is None:
            # Where a user is named, the rest of the session is the user's, too.
            parts.append(
                "NOT EXISTS (SELECT FROM events AS named WHERE named.tenant_id = %(tenant)s"
                f" AND named.session_id = search_events.session_id AND named.{column} IS NOT NULL)"
            )
        else:
            parts.append(f"{column} = %(of_{column})s")
            owners[f"of_{column}"] = value
    return " AND ".join(parts), {"tenant": tenant_id, "floor": wanted.floor, **owners}


def _terms(packed: bytes) -> Iterable[int]:
    return unpack_terms(packed)["term"].tolist()


def _word(tenant_id: str, term: int) -> str:
    """A term of a tenant as a word of PostgreSQL's full text."""
    return f"t{zlib.crc32(tenant_id.encode()):08x}{term:08x}"


def _code(vector: NDArray[np.int8]) -> str:
    """The signs of a vector as PostgreSQL writes bits."""
    digits = (vector[:BITS] > 0).astype(np.uint8) + ord("0")
    return digits.tobytes().decode("ascii").ljust(BITS, "0")
