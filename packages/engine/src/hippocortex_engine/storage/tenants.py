"""The row that holds a tenant's counters."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, Connection, bindparam, select, update

from hippocortex_engine.storage.prepared import Prepared
from hippocortex_engine.storage.schema import tenants
from hippocortex_engine.storage.upserts import upsert


@dataclass(frozen=True, slots=True)
class TenantState:
    """Where a tenant stands: what was given out, compiled and changed."""

    head: int
    compiled_head: int
    generation: int
    digest_generation: int
    artifact_generation: int
    mined_generation: int
    mined_with: str
    embedder: str

    @classmethod
    def nobody(cls) -> TenantState:
        """A tenant that has nothing yet."""
        return cls(0, 0, 0, 0, 0, -1, "", "")


_STATE = Prepared(
    select(
        tenants.c.head,
        tenants.c.compiled_head,
        tenants.c.generation,
        tenants.c.digest_generation,
        tenants.c.artifact_generation,
        tenants.c.mined_generation,
        tenants.c.mined_with,
        tenants.c.embedder,
    ).where(tenants.c.tenant_id == bindparam("tenant"))
)


def state(connection: Connection, tenant_id: str) -> TenantState | None:
    """The tenant's state, or None if it is not known yet."""
    rows = _STATE.rows(connection, {"tenant": tenant_id})
    return TenantState(*rows[0]) if rows else None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a tenant may capture in a calendar month (None: any number), and has captured in it."""

    name: str
    limit: int | None
    used: int


def plan(connection: Connection, tenant_id: str, month: int) -> Plan | None:
    """The tenant's plan, or None if the tenant is not known yet."""
    row = connection.execute(
        select(
            tenants.c.plan,
            tenants.c.events_limit,
            tenants.c.month,
            tenants.c.head - tenants.c.month_head,
        ).where(tenants.c.tenant_id == tenant_id)
    ).first()
    if row is None:
        return None
    # Nothing was captured yet in a month that is newer than the last one counted.
    return Plan(row[0], row[1], int(row[3]) if row[2] >= month else 0)


def create(connection: Connection, tenant_id: str, embedder: str, now: int) -> None:
    """Register a tenant, unless somebody else just has."""
    connection.execute(
        upsert(connection, tenants)
        .values(
            tenant_id=tenant_id,
            head=0,
            compiled_head=0,
            generation=0,
            digest_generation=0,
            artifact_generation=0,
            mined_generation=-1,
            mined_with="",
            embedder=embedder,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["tenant_id"])
    )


def events_changed(connection: Connection, tenant_id: str) -> None:
    """Make every cache of the tenant's events start anew."""
    _raise(connection, tenant_id, tenants.c.generation)
    digests_changed(connection, tenant_id)


def digests_changed(connection: Connection, tenant_id: str) -> None:
    """Make whoever is mining the tenant's digests start anew."""
    _raise(connection, tenant_id, tenants.c.digest_generation)


def artifacts_changed(connection: Connection, tenant_id: str) -> None:
    """Make every cache of the tenant's artifacts start anew."""
    _raise(connection, tenant_id, tenants.c.artifact_generation)


def _raise(connection: Connection, tenant_id: str, counter: Column[int]) -> None:
    connection.execute(
        update(tenants).where(tenants.c.tenant_id == tenant_id).values({counter: counter + 1})
    )


def set_compiled(connection: Connection, tenant_id: str, head: int) -> None:
    """Everything up to `head` has been compiled."""
    connection.execute(
        update(tenants)
        .where(tenants.c.tenant_id == tenant_id, tenants.c.compiled_head < head)
        .values(compiled_head=head)
    )


def set_mined(connection: Connection, tenant_id: str, generation: int, how: str) -> None:
    """The artifacts are what mining these digests in this way gives."""
    connection.execute(
        update(tenants)
        .where(tenants.c.tenant_id == tenant_id)
        .values(mined_generation=generation, mined_with=how)
    )


def set_embedder(connection: Connection, tenant_id: str, embedder: str) -> None:
    """The model that wrote the tenant's vectors."""
    connection.execute(
        update(tenants).where(tenants.c.tenant_id == tenant_id).values(embedder=embedder)
    )
