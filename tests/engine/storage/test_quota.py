"""A tenant's monthly quota: kept to the event, whatever comes at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

import pytest
from sqlalchemy import update

from hippocortex_core import CaptureEvent, QuotaExceededError
from hippocortex_core.types import QuotaInfo
from hippocortex_engine.storage.schema import tenants

pytestmark = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])


def at(year, month, day=1):
    return int(datetime(year, month, day, tzinfo=timezone.utc).timestamp() * 1000)


def message(number, key=None):
    return CaptureEvent("message", f"s{number}", {"content": f"event {number}"}, None, key)


def allow(engine, limit, plan=""):
    engine._register()
    with engine._database.write(engine._tenant_id) as connection:
        connection.execute(update(tenants).values(events_limit=limit, plan=plan))


def test_without_a_limit_nothing_is_counted_against_one(engine):
    engine.capture(message(1))
    assert engine.get_metrics().quota == QuotaInfo("embedded", 1, None, None)


def test_the_quota_is_kept_to_the_event(engine):
    allow(engine, 3, "free")
    for number in range(3):
        engine.capture(message(number))
    with pytest.raises(QuotaExceededError, match="3 events of this month"):
        engine.capture(message(4))
    assert engine.list_events().pagination.total == 3
    assert engine.get_metrics().quota == QuotaInfo("free", 3, 3, 0)


def test_a_batch_that_does_not_fit_is_refused_whole(engine):
    allow(engine, 5)
    engine.capture(message(0))
    with pytest.raises(QuotaExceededError):
        engine.capture_batch([message(number) for number in range(1, 7)])
    assert engine.list_events().pagination.total == 1
    assert engine.capture_batch([message(n) for n in range(4)]).summary.ingested == 4


def test_duplicates_cost_nothing(engine):
    allow(engine, 2)
    for _ in range(3):
        engine.capture(message(1, "one"))
    assert engine.get_metrics().quota.events_remaining == 1
    engine.capture(message(2, "two"))
    assert engine.capture(message(1, "one")).status == "duplicate"


def test_a_new_month_starts_anew_and_the_clock_may_not_turn_it_back(engine, clock):
    allow(engine, 2)
    clock.now = at(2027, 1, 31)
    engine.capture_batch([message(1), message(2)])
    clock.now = at(2027, 2)
    assert engine.get_metrics().quota == QuotaInfo("embedded", 0, 2, 2)
    engine.capture(message(3))
    clock.now = at(2027, 1, 31)  # another machine's clock is behind
    engine.capture(message(4))
    for when in (at(2027, 1, 31), at(2027, 2, 28)):
        clock.now = when
        with pytest.raises(QuotaExceededError):
            engine.capture(message(5))


def test_forgetting_gives_no_quota_back(engine):
    allow(engine, 2)
    engine.capture_batch([message(1), message(2)])
    engine.forget(session_id="s1")
    with pytest.raises(QuotaExceededError):
        engine.capture(message(3))


def test_who_captures_at_once_does_not_get_more_together(open_memory):
    engines = [open_memory() for _ in range(2)]
    allow(engines[0], 20)

    def work(number):
        try:
            engines[number % 2].capture(message(number))
        except QuotaExceededError:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(40))) == 20
    assert engines[0].list_events().pagination.total == 20
