"""What a server needs: keys, plans, and who is learning."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hippocortex_engine.storage.columns import text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "api_keys",
        sa.Column("key_hash", text(64), nullable=False),
        sa.Column("key_id", text(32), nullable=False),
        sa.Column("tenant_id", text(256), nullable=False),
        sa.Column("name", text(), nullable=False),
        sa.Column("hint", text(32), nullable=False),
        sa.Column("scopes", text(64), nullable=False),
        sa.Column("rate_limit", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key_hash", name="pk_api_keys"),
        sa.UniqueConstraint("key_id", name="uq_api_keys_key_id"),
    )
    for column in (
        sa.Column("plan", text(64), nullable=False, server_default=""),
        sa.Column("events_limit", sa.BigInteger(), nullable=True),
        sa.Column("month", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("month_head", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("learning_until", sa.BigInteger(), nullable=False, server_default="0"),
    ):
        op.add_column("tenants", column)
