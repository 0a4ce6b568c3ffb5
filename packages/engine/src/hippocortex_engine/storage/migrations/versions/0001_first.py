"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hippocortex_engine.storage.columns import text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "artifacts",
        sa.Column("tenant_id", text(256), nullable=False),
        sa.Column("artifact_id", text(64), nullable=False),
        sa.Column("type", text(32), nullable=False),
        sa.Column("key", text(), nullable=False),
        sa.Column("status", text(16), nullable=False),
        sa.Column("retired", sa.Integer(), nullable=False),
        sa.Column("title", text(), nullable=False),
        sa.Column("content", text(), nullable=False),
        sa.Column("text", text(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("strength", sa.Float(), nullable=False),
        sa.Column("salience", sa.Float(), nullable=False),
        sa.Column("evidence_count", sa.Integer(), nullable=False),
        sa.Column("evidence", text(), nullable=False),
        sa.Column("sessions", text(), nullable=False),
        sa.Column("users", text(), nullable=False),
        sa.Column("agents", text(), nullable=False),
        sa.Column("entities", text(), nullable=False),
        sa.Column("personal", sa.Integer(), nullable=False),
        sa.Column("owner", text(256), nullable=True),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("index_text", text(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "artifact_id", name="pk_artifacts"),
    )
    op.create_index("ix_artifacts_type", "artifacts", ["tenant_id", "type", "status"], unique=False)
    op.create_table(
        "digests",
        sa.Column("tenant_id", text(256), nullable=False),
        sa.Column("session_id", text(256), nullable=False),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("start_seq", sa.BigInteger(), nullable=False),
        sa.Column("compiled_seq", sa.BigInteger(), nullable=False),
        sa.Column("digest_version", sa.Integer(), nullable=False),
        sa.Column("digest", text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "session_id", "start_at", "start_seq", name="pk_digests"
        ),
    )
    op.create_table(
        "events",
        sa.Column("tenant_id", text(256), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("event_id", text(64), nullable=False),
        sa.Column("session_id", text(256), nullable=False),
        sa.Column("user_id", text(256), nullable=True),
        sa.Column("agent_id", text(256), nullable=True),
        sa.Column("type", text(32), nullable=False),
        sa.Column("actor", text(256), nullable=True),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("captured_at", sa.BigInteger(), nullable=False),
        sa.Column("salience", sa.Float(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("idempotency_key", text(256), nullable=True),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=False),
        sa.Column("said", text(), nullable=True),
        sa.Column("payload", text(), nullable=False),
        sa.Column("metadata", text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "seq", name="pk_events"),
        sa.UniqueConstraint("tenant_id", "event_id", name="uq_events_event_id"),
    )
    op.create_index(
        "ix_events_session",
        "events",
        ["tenant_id", "session_id", "occurred_at", "seq"],
        unique=False,
    )
    op.create_index(
        "ix_events_session_arrival", "events", ["tenant_id", "session_id", "seq"], unique=False
    )
    op.create_index(
        "uq_events_idempotency_key", "events", ["tenant_id", "idempotency_key"], unique=True
    )
    op.create_table(
        "tenants",
        sa.Column("tenant_id", text(256), nullable=False),
        sa.Column("head", sa.BigInteger(), nullable=False),
        sa.Column("compiled_head", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("digest_generation", sa.BigInteger(), nullable=False),
        sa.Column("artifact_generation", sa.BigInteger(), nullable=False),
        sa.Column("mined_generation", sa.BigInteger(), nullable=False),
        sa.Column("mined_with", text(), nullable=False),
        sa.Column("embedder", text(128), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_tenants"),
    )
    op.create_table(
        "usage",
        sa.Column("tenant_id", text(256), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("duplicates", sa.BigInteger(), nullable=False),
        sa.Column("syntheses", sa.BigInteger(), nullable=False),
        sa.Column("compilations", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "hour", name="pk_usage"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("usage")
    op.drop_table("tenants")
    op.drop_index("uq_events_idempotency_key", table_name="events")
    op.drop_index("ix_events_session_arrival", table_name="events")
    op.drop_index("ix_events_session", table_name="events")
    op.drop_table("events")
    op.drop_table("digests")
    op.drop_index("ix_artifacts_type", table_name="artifacts")
    op.drop_table("artifacts")
