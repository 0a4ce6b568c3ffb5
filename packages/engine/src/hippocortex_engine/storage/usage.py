"""Counters of calls, by the hour.

Ingested events are counted from the events themselves; only what leaves no other trace is kept
here.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from hippocortex_engine.storage.schema import events, usage
from hippocortex_engine.storage.upserts import upsert

HOUR = 3_600_000
"""Milliseconds of an hour."""


@dataclass
class Counts:
    """Calls of one hour."""

    duplicates: int = 0
    syntheses: int = 0
    compilations: int = 0


def add(connection: Connection, tenant_id: str, hour: int, counts: Counts) -> None:
    """Add to an hour's counters."""
    added = upsert(connection, usage).values(
        tenant_id=tenant_id,
        hour=hour,
        duplicates=counts.duplicates,
        syntheses=counts.syntheses,
        compilations=counts.compilations,
    )
    connection.execute(
        added.on_conflict_do_update(
            index_elements=["tenant_id", "hour"],
            set_={
                name: usage.c[name] + added.excluded[name]
                for name in ("duplicates", "syntheses", "compilations")
            },
        )
    )


def between(connection: Connection, tenant_id: str, start: int, end: int) -> dict[int, Counts]:
    """Counters by hour, for the hours that begin in [start, end)."""
    rows = connection.execute(
        select(usage.c.hour, usage.c.duplicates, usage.c.syntheses, usage.c.compilations).where(
            usage.c.tenant_id == tenant_id, usage.c.hour >= start, usage.c.hour < end
        )
    )
    return {int(row[0]): Counts(*row[1:]) for row in rows}


def ingested(connection: Connection, tenant_id: str, start: int, end: int) -> dict[int, int]:
    """Events captured in [start, end), by hour."""
    hour = events.c.captured_at - events.c.captured_at % HOUR
    rows = connection.execute(
        select(hour, func.count())
        .where(
            events.c.tenant_id == tenant_id,
            events.c.captured_at >= start,
            events.c.captured_at < end,
        )
        .group_by(hour)
    )
    return {int(row[0]): int(row[1]) for row in rows}


def total_events(connection: Connection, tenant_id: str) -> int:
    """Events the tenant has stored."""
    return int(
        connection.execute(
            select(func.count()).select_from(events).where(events.c.tenant_id == tenant_id)
        ).scalar_one()
    )
