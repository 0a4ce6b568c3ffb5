"""`hippocortex metrics`: how the memory is used."""

from __future__ import annotations

from typing import Any

import typer

from hippocortex.cli.describe import moment
from hippocortex.cli.options import AsJson, Granularity, Period
from hippocortex.cli.output import console, emit, right, table
from hippocortex.cli.state import memory
from hippocortex_core.types import MetricsResult


def metrics(
    ctx: typer.Context,
    period: Period = None,
    granularity: Granularity = None,
    as_json: AsJson = False,
) -> None:
    """Show how much the memory is used."""
    asked: dict[str, Any] = {"period": period, "granularity": granularity}
    with memory(ctx) as home:
        result = home.get_metrics(**asked)
    if as_json:
        emit(result)
    else:
        _show(result)


def _show(result: MetricsResult) -> None:
    out = console()
    usage, quota = result.usage, result.quota
    out.print(f"{moment(result.period.start)} to {moment(result.period.end)} (UTC)", style="bold")
    out.print(
        f"events {usage.events.total:,} ({usage.events.ingested:,} new,"
        f" {usage.events.duplicates:,} duplicates), syntheses {usage.syntheses:,},"
        f" compilations {usage.compilations:,}"
    )
    limit = "no limit" if quota.events_limit is None else f"of {quota.events_limit:,}"
    out.print(f"plan {quota.plan}: {quota.events_used:,} events used, {limit}")
    busy = [p for p in result.series if p.events or p.syntheses or p.compilations]
    if not busy:
        return
    made = table("from", *map(right, ("events", "duplicates", "syntheses", "compilations")))
    for point in busy:
        numbers = (point.events, point.duplicates, point.syntheses, point.compilations)
        made.add_row(moment(point.timestamp), *(f"{number:,}" for number in numbers))
    out.print()
    out.print(made)
