"""The tables, one schema for every database.

Everything of a tenant is keyed by tenant first, so that the same schema can be distributed by
tenant (Citus).  Times are milliseconds since the epoch, UTC.  JSON is kept as text: it is never
queried inside, only handed back as it came.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

ID = String(256)
TIME = BigInteger

tenants = Table(
    "tenants",
    metadata,
    Column("tenant_id", ID, nullable=False),
    # The last sequence number given out: gap-free and in commit order, because it is taken
    # inside the transaction that uses it.
    Column("head", BigInteger, nullable=False),
    # Everything up to here has been compiled, except what a filtered `learn` left out.
    Column("compiled_head", BigInteger, nullable=False),
    # Raised whenever stored rows change or go, so that caches of them start anew.
    Column("generation", BigInteger, nullable=False),
    Column("digest_generation", BigInteger, nullable=False),
    Column("artifact_generation", BigInteger, nullable=False),
    # What the artifacts were last mined from, and how: the same again would change nothing.
    Column("mined_generation", BigInteger, nullable=False),
    Column("mined_with", Text, nullable=False),
    Column("embedder", String(128), nullable=False),
    Column("created_at", TIME, nullable=False),
    PrimaryKeyConstraint("tenant_id", name="pk_tenants"),
)

events = Table(
    "events",
    metadata,
    Column("tenant_id", ID, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("event_id", String(64), nullable=False),
    Column("session_id", ID, nullable=False),
    Column("user_id", ID),
    Column("agent_id", ID),
    Column("type", String(32), nullable=False),
    Column("actor", ID),
    Column("occurred_at", TIME, nullable=False),
    Column("captured_at", TIME, nullable=False),
    Column("salience", Float, nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("idempotency_key", ID),
    # What recall looks at stands before the payload, so that loading it skips the payload's pages.
    Column("vector", LargeBinary, nullable=False),
    Column("terms", LargeBinary, nullable=False),
    # What a long payload says, cut to what is indexed, so that showing it needs no parsing.
    Column("said", Text),
    Column("payload", Text, nullable=False),
    Column("metadata", Text),
    PrimaryKeyConstraint("tenant_id", "seq", name="pk_events"),
    UniqueConstraint("tenant_id", "event_id", name="uq_events_event_id"),
    Index("ix_events_session", "tenant_id", "session_id", "occurred_at", "seq"),
    Index("ix_events_session_arrival", "tenant_id", "session_id", "seq"),
    Index(
        "uq_events_idempotency_key",
        "tenant_id",
        "idempotency_key",
        unique=True,
    ),
)

# What the compiler read out of a stretch of a session.  A stretch ends where no later event can
# change it, so a long session costs only what is new.
digests = Table(
    "digests",
    metadata,
    Column("tenant_id", ID, nullable=False),
    Column("session_id", ID, nullable=False),
    # The place of its first event: sessions are read in the order things happened.
    Column("start_at", TIME, nullable=False),
    Column("start_seq", BigInteger, nullable=False),
    # The newest event it was made from.
    Column("compiled_seq", BigInteger, nullable=False),
    Column("digest_version", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    PrimaryKeyConstraint("tenant_id", "session_id", "start_at", "start_seq", name="pk_digests"),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("tenant_id", ID, nullable=False),
    Column("artifact_id", String(64), nullable=False),
    Column("type", String(32), nullable=False),
    Column("key", Text, nullable=False),
    Column("status", String(16), nullable=False),
    # Set by hand: learning may refresh the artifact but never brings it back.
    Column("retired", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("strength", Float, nullable=False),
    Column("salience", Float, nullable=False),
    Column("evidence_count", Integer, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("sessions", Text, nullable=False),
    Column("users", Text, nullable=False),
    Column("agents", Text, nullable=False),
    Column("entities", Text, nullable=False),
    Column("personal", Integer, nullable=False),
    Column("owner", ID),
    Column("first_at", TIME, nullable=False),
    Column("last_at", TIME, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("updated_at", TIME, nullable=False),
    Column("version", Integer, nullable=False),
    Column("index_text", Text, nullable=False),
    Column("vector", LargeBinary, nullable=False),
    Column("terms", LargeBinary, nullable=False),
    PrimaryKeyConstraint("tenant_id", "artifact_id", name="pk_artifacts"),
    Index("ix_artifacts_type", "tenant_id", "type", "status"),
)

usage = Table(
    "usage",
    metadata,
    Column("tenant_id", ID, nullable=False),
    Column("hour", TIME, nullable=False),
    Column("duplicates", BigInteger, nullable=False),
    Column("syntheses", BigInteger, nullable=False),
    Column("compilations", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id", "hour", name="pk_usage"),
)
