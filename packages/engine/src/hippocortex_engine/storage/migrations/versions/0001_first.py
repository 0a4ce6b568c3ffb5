"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "artifacts",
        sa.Column("tenant_id", sa.String(length=256), nullable=False),
        sa.Column("artifact_id", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("retired", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("strength", sa.Float(), nullable=False),
        sa.Column("salience", sa.Float(), nullable=False),
        sa.Column("evidence_count", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("sessions", sa.Text(), nullable=False),
        sa.Column("users", sa.Text(), nullable=False),
        sa.Column("agents", sa.Text(), nullable=False),
        sa.Column("entities", sa.Text(), nullable=False),
        sa.Column("personal", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=256), nullable=True),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("index_text", sa.Text(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "artifact_id", name="pk_artifacts"),
    )
    op.create_index("ix_artifacts_type", "artifacts", ["tenant_id", "type", "status"], unique=False)
    op.create_table(
        "digests",
        sa.Column("tenant_id", sa.String(length=256), nullable=False),
        sa.Column("session_id", sa.String(length=256), nullable=False),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("start_seq", sa.BigInteger(), nullable=False),
        sa.Column("compiled_seq", sa.BigInteger(), nullable=False),
        sa.Column("digest_version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "session_id", "start_at", "start_seq", name="pk_digests"
        ),
    )
    op.create_table(
        "events",
        sa.Column("tenant_id", sa.String(length=256), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.String(length=256), nullable=False),
        sa.Column("user_id", sa.String(length=256), nullable=True),
        sa.Column("agent_id", sa.String(length=256), nullable=True),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=256), nullable=True),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("captured_at", sa.BigInteger(), nullable=False),
        sa.Column("salience", sa.Float(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("idempotency_key", sa.String(length=256), nullable=True),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=False),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=True),
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
        sa.Column("tenant_id", sa.String(length=256), nullable=False),
        sa.Column("head", sa.BigInteger(), nullable=False),
        sa.Column("compiled_head", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("digest_generation", sa.BigInteger(), nullable=False),
        sa.Column("artifact_generation", sa.BigInteger(), nullable=False),
        sa.Column("mined_generation", sa.BigInteger(), nullable=False),
        sa.Column("mined_with", sa.Text(), nullable=False),
        sa.Column("embedder", sa.String(length=128), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_tenants"),
    )
    op.create_table(
        "usage",
        sa.Column("tenant_id", sa.String(length=256), nullable=False),
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
