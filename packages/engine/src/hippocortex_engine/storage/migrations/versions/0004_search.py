"""What finds the older events of large tenants: only PostgreSQL has it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from hippocortex_engine.storage.columns import text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; the index of the codes needs pgvector and is made by `Archive.prepare`."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.create_table(
        "search_events",
        sa.Column("tenant_id", text(256), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("session_id", text(256), nullable=False),
        sa.Column("user_id", text(256), nullable=True),
        sa.Column("agent_id", text(256), nullable=True),
        sa.Column("code", postgresql.BIT(256), nullable=False),
        sa.Column("terms", postgresql.TSVECTOR(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "seq", name="pk_search_events"),
    )
    for name in ("session_id", "user_id", "agent_id"):
        op.create_index(f"ix_search_events_{name[:-3]}", "search_events", ["tenant_id", name])
    op.create_index("ix_search_events_terms", "search_events", ["terms"], postgresql_using="gin")
    op.create_table(
        "search_terms",
        sa.Column("tenant_id", text(256), nullable=False),
        sa.Column("term", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "term", name="pk_search_terms"),
    )
    op.create_table(
        "search_states",
        sa.Column("tenant_id", text(256), nullable=False),
        sa.Column("upto", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("newest", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_search_states"),
    )
