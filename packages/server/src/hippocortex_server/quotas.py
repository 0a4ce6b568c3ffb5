"""What a tenant may capture in a calendar month."""

from __future__ import annotations

from sqlalchemy import update

from hippocortex_core.errors import invalid
from hippocortex_core.validation import check_id, check_text
from hippocortex_engine.clock import Clock, system_clock
from hippocortex_engine.embeddings.static import StaticEmbedder
from hippocortex_engine.storage import tenants as tenant_store
from hippocortex_engine.storage.database import Database
from hippocortex_engine.storage.schema import tenants

_MAX_PLAN = 64
_MAX_EVENTS = 10**15


def set_quota(
    database: Database,
    tenant_id: str,
    events_per_month: int | None,
    plan: str | None = None,
    *,
    clock: Clock = system_clock,
) -> None:
    """Set or lift a tenant's quota; the tenant need not have captured anything yet.

    Args:
        database: where the tenant is kept.
        tenant_id: whose quota.
        events_per_month: events it may capture in a calendar month, UTC; None: no limit.
        plan: what the quota is called in metrics; None: as it is called now.
        clock: milliseconds since the epoch.

    Raises:
        ValidationError: an argument is not what it should be.
        UnavailableError: the database cannot answer.
    """
    checked = check_id("tenant_id", tenant_id)
    if events_per_month is not None and not 0 <= events_per_month <= _MAX_EVENTS:
        raise invalid("events_per_month", f"must be between 0 and {_MAX_EVENTS:,}")
    values: dict[str, object] = {"events_limit": events_per_month}
    if plan is not None:
        if len(check_text("plan", plan)) > _MAX_PLAN:
            raise invalid("plan", f"has {len(plan):,} characters; at most {_MAX_PLAN}")
        values["plan"] = plan
    with database.write() as connection:
        tenant_store.create(connection, checked, StaticEmbedder.name, clock())
        connection.execute(update(tenants).where(tenants.c.tenant_id == checked).values(values))
