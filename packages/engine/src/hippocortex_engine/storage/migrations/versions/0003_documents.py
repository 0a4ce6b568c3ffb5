"""Keyed documents, their events, and the clock that orders them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hippocortex_engine.storage.columns import text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for name in ("documents_at", "documents_floor"):
        clock = sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")
        op.add_column("tenants", clock)
    op.create_table(
        "documents",
        sa.Column("tenant_id", text(256), nullable=False),
        sa.Column("document_id", text(32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("ttl", sa.BigInteger(), nullable=True),
        sa.Column("head", text(128), nullable=False),
        sa.Column("user_id", text(256), nullable=True),
        sa.Column("agent_id", text(256), nullable=True),
        sa.Column("session_id", text(256), nullable=True),
        sa.Column("captured", sa.Integer(), nullable=False),
        sa.Column("vectors", sa.LargeBinary(), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=False),
        sa.Column("own_dimensions", sa.Integer(), nullable=False),
        sa.Column("own_vectors", sa.LargeBinary(), nullable=False),
        sa.Column("path", text(), nullable=False),
        sa.Column("key", text(), nullable=False),
        sa.Column("indexed", text(), nullable=False),
        sa.Column("value", text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "document_id", name="pk_documents"),
        sa.UniqueConstraint("tenant_id", "updated_at", name="uq_documents_updated_at"),
    )
    op.create_index(
        "ix_documents_namespace", "documents", ["tenant_id", "head", "updated_at", "expires_at"]
    )
    for name, column in (("ix_documents_expiry", "expires_at"), ("ix_documents_user", "user_id")):
        present = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            name,
            "documents",
            ["tenant_id", column],
            sqlite_where=present,
            postgresql_where=present,
        )
    op.create_table(
        "document_events",
        sa.Column("tenant_id", text(256), nullable=False),
        sa.Column("document", sa.BigInteger(), nullable=False),
        sa.Column("event_id", text(64), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "document", "event_id", name="pk_document_events"),
    )
    op.create_table(
        "document_tombstones",
        sa.Column("tenant_id", text(256), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "deleted_at", name="pk_document_tombstones"),
    )
