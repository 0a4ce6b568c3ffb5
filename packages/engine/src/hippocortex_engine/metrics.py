"""Usage: what was asked of a tenant's memory, by the hour or the day."""

from __future__ import annotations

import threading

from sqlalchemy import Connection

from hippocortex_core.types import (
    EventUsage,
    MetricsPeriod,
    MetricsPoint,
    MetricsResult,
    QuotaInfo,
    UsageMetrics,
)
from hippocortex_core.validation import format_time
from hippocortex_engine.storage import tenants as tenant_store
from hippocortex_engine.storage import usage as usage_store
from hippocortex_engine.storage.usage import HOUR, Counts
from hippocortex_engine.times import month_number

DAY = 24 * HOUR
PERIODS = {"24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY}
GRANULES = {"hour": HOUR, "day": DAY}


class Meter:
    """Counts calls in memory until somebody writes them down.

    A read must not wait for the write lock, so its count is written with the next write.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[int, Counts] = {}

    def count(
        self, now: int, *, duplicates: int = 0, syntheses: int = 0, compilations: int = 0
    ) -> None:
        """Count calls made now."""
        with self._lock:
            counts = self._counts.setdefault(now - now % HOUR, Counts())
            counts.duplicates += duplicates
            counts.syntheses += syntheses
            counts.compilations += compilations

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write down."""
        return not self._counts

    def write(self, connection: Connection, tenant_id: str) -> None:
        """Write down what was counted."""
        for hour, counted in sorted(self._counts.items()):
            usage_store.add(connection, tenant_id, hour, counted)

    def take(self) -> Meter:
        """What was counted, to be written; counting starts anew."""
        taken = Meter()
        with self._lock:
            taken._counts, self._counts = self._counts, {}
        return taken

    def put_back(self, taken: Meter) -> None:
        """What could not be written counts again."""
        for hour, counted in taken._counts.items():
            self.count(
                hour,
                duplicates=counted.duplicates,
                syntheses=counted.syntheses,
                compilations=counted.compilations,
            )


def metrics(
    connection: Connection, tenant_id: str, *, period: str, granularity: str, now: int
) -> MetricsResult:
    """Usage of the period that ends with the current granule."""
    granule = GRANULES[granularity]
    end = now - now % granule + granule
    start = end - max(PERIODS[period], granule)
    ingested = usage_store.ingested(connection, tenant_id, start, end)
    counted = usage_store.between(connection, tenant_id, start, end)
    series = [_point(at, at + granule, ingested, counted) for at in range(start, end, granule)]
    stored, duplicates = sum(p.events for p in series), sum(p.duplicates for p in series)
    return MetricsResult(
        period=MetricsPeriod(format_time(start), format_time(end), granularity),
        usage=UsageMetrics(
            events=EventUsage(stored + duplicates, stored, duplicates),
            syntheses=sum(point.syntheses for point in series),
            compilations=sum(point.compilations for point in series),
        ),
        quota=_quota(connection, tenant_id, now),
        series=series,
    )


def _quota(connection: Connection, tenant_id: str, now: int) -> QuotaInfo:
    """The plan, and what of it the calendar month (UTC) has used up; without one, all events."""
    plan = tenant_store.plan(connection, tenant_id, month_number(now))
    if plan is None or (plan.limit is None and not plan.name):
        return QuotaInfo("embedded", events_used=usage_store.total_events(connection, tenant_id))
    left = None if plan.limit is None else max(0, plan.limit - plan.used)
    return QuotaInfo(plan.name or "embedded", plan.used, plan.limit, left)


def _point(
    start: int, end: int, ingested: dict[int, int], counted: dict[int, Counts]
) -> MetricsPoint:
    hours = range(start, end, HOUR)
    counts = [counted[hour] for hour in hours if hour in counted]
    return MetricsPoint(
        timestamp=format_time(start),
        events=sum(ingested.get(hour, 0) for hour in hours),
        duplicates=sum(one.duplicates for one in counts),
        syntheses=sum(one.syntheses for one in counts),
        compilations=sum(one.compilations for one in counts),
    )
