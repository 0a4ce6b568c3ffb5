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
    Table,
    UniqueConstraint,
)
from sqlalchemy import text as sql

from hippocortex_engine.storage.columns import text

metadata = MetaData()

ID = text(256)
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
    Column("mined_with", text(), nullable=False),
    Column("embedder", text(128), nullable=False),
    Column("created_at", TIME, nullable=False),
    # What the tenant may capture in a calendar month (UTC); None: no limit.
    Column("plan", text(64), nullable=False, server_default=""),
    Column("events_limit", BigInteger),
    # The month last captured in (year * 12 + month - 1), and `head` before its first event.
    Column("month", Integer, nullable=False, server_default="0"),
    Column("month_head", BigInteger, nullable=False, server_default="0"),
    # Until when some process has the right to learn by itself; 0: nobody.
    Column("learning_until", TIME, nullable=False, server_default="0"),
    # The clock of documents: every put and delete takes the next microsecond, or a later one.
    Column("documents_at", BigInteger, nullable=False, server_default="0"),
    # A cache of documents that was not caught up since then must start anew.
    Column("documents_floor", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("tenant_id", name="pk_tenants"),
)

# Who may call the server.  The one table that is not keyed by tenant: a key is looked up before
# its tenant is known (on Citus it is a reference table).
api_keys = Table(
    "api_keys",
    metadata,
    Column("key_hash", text(64), nullable=False),
    # What the key is called in lists and for revoking; says nothing about the key.
    Column("key_id", text(32), nullable=False),
    Column("tenant_id", ID, nullable=False),
    Column("name", text(), nullable=False),
    # The first characters of the key, for recognising it.
    Column("hint", text(32), nullable=False),
    # Words separated by spaces: read, write, admin.
    Column("scopes", text(64), nullable=False),
    # Requests a minute; None: the server's default.
    Column("rate_limit", Integer),
    Column("created_at", TIME, nullable=False),
    Column("expires_at", TIME),
    Column("revoked_at", TIME),
    PrimaryKeyConstraint("key_hash", name="pk_api_keys"),
    UniqueConstraint("key_id", name="uq_api_keys_key_id"),
)

events = Table(
    "events",
    metadata,
    Column("tenant_id", ID, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("event_id", text(64), nullable=False),
    Column("session_id", ID, nullable=False),
    Column("user_id", ID),
    Column("agent_id", ID),
    Column("type", text(32), nullable=False),
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
    Column("said", text()),
    Column("payload", text(), nullable=False),
    Column("metadata", text()),
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
    Column("digest", text(), nullable=False),
    PrimaryKeyConstraint("tenant_id", "session_id", "start_at", "start_seq", name="pk_digests"),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("tenant_id", ID, nullable=False),
    Column("artifact_id", text(64), nullable=False),
    Column("type", text(32), nullable=False),
    Column("key", text(), nullable=False),
    Column("status", text(16), nullable=False),
    # Set by hand: learning may refresh the artifact but never brings it back.
    Column("retired", Integer, nullable=False),
    Column("title", text(), nullable=False),
    Column("content", text(), nullable=False),
    Column("text", text(), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("strength", Float, nullable=False),
    Column("salience", Float, nullable=False),
    Column("evidence_count", Integer, nullable=False),
    Column("evidence", text(), nullable=False),
    Column("sessions", text(), nullable=False),
    Column("users", text(), nullable=False),
    Column("agents", text(), nullable=False),
    Column("entities", text(), nullable=False),
    Column("personal", Integer, nullable=False),
    Column("owner", ID),
    Column("first_at", TIME, nullable=False),
    Column("last_at", TIME, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("updated_at", TIME, nullable=False),
    Column("version", Integer, nullable=False),
    Column("index_text", text(), nullable=False),
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

HEAD_CHARS = 128
"""Characters of a namespace's path that are indexed: PostgreSQL cannot index very long text."""

# Times of documents are microseconds since the epoch, UTC.
documents = Table(
    "documents",
    metadata,
    Column("tenant_id", ID, nullable=False),
    # A digest of namespace and key, which are too long for a primary key.
    Column("document_id", text(32), nullable=False),
    # The tenant's clock at the first put; no other document ever has it, so it also names this one.
    Column("created_at", TIME, nullable=False),
    # The tenant's clock at the last put.
    Column("updated_at", TIME, nullable=False),
    Column("expires_at", TIME),
    Column("ttl", BigInteger),
    Column("head", text(HEAD_CHARS), nullable=False),
    Column("user_id", ID),
    Column("agent_id", ID),
    Column("session_id", ID),
    # Whether the value is also an event.
    Column("captured", Integer, nullable=False),
    # The indexed texts: their vectors one after the other (none, if the caller gave his own),
    # and their terms, each behind its length.
    Column("vectors", LargeBinary, nullable=False),
    Column("terms", LargeBinary, nullable=False),
    # The caller's vectors, float32.
    Column("own_dimensions", Integer, nullable=False),
    Column("own_vectors", LargeBinary, nullable=False),
    # Labels, each followed by U+001F.
    Column("path", text(), nullable=False),
    Column("key", text(), nullable=False),
    # Where the indexed texts stand in the value: a JSON list.
    Column("indexed", text(), nullable=False),
    Column("value", text(), nullable=False),
    PrimaryKeyConstraint("tenant_id", "document_id", name="pk_documents"),
    UniqueConstraint("tenant_id", "updated_at", name="uq_documents_updated_at"),
    # Holds all that a listing of a namespace in order needs.
    Index("ix_documents_namespace", "tenant_id", "head", "updated_at", "expires_at"),
    Index(
        "ix_documents_expiry",
        "tenant_id",
        "expires_at",
        sqlite_where=sql("expires_at IS NOT NULL"),
        postgresql_where=sql("expires_at IS NOT NULL"),
    ),
    Index(
        "ix_documents_user",
        "tenant_id",
        "user_id",
        sqlite_where=sql("user_id IS NOT NULL"),
        postgresql_where=sql("user_id IS NOT NULL"),
    ),
)

# The events that the puts of a document were; `document` is its `created_at`.
document_events = Table(
    "document_events",
    metadata,
    Column("tenant_id", ID, nullable=False),
    Column("document", TIME, nullable=False),
    Column("event_id", text(64), nullable=False),
    PrimaryKeyConstraint("tenant_id", "document", "event_id", name="pk_document_events"),
)

# Documents that were deleted a short while ago, for caches to catch up with.
document_tombstones = Table(
    "document_tombstones",
    metadata,
    Column("tenant_id", ID, nullable=False),
    Column("deleted_at", TIME, nullable=False),
    Column("document", TIME, nullable=False),
    PrimaryKeyConstraint("tenant_id", "deleted_at", name="pk_document_tombstones"),
)
