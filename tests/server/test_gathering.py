"""Group commit: captures that arrive together are stored together, and nobody can tell."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from hippocortex_core.errors import (
    QuotaExceededError,
    UnavailableError,
    ValidationError,
)
from hippocortex_core.testing import InMemoryService
from hippocortex_core.types import CaptureEvent
from hippocortex_server import gathering
from hippocortex_server.gathering import Gatherer, store_together


def event(number=0, **changes):
    fields = {"type": "message", "session_id": "s1", "payload": {"n": number}}
    return CaptureEvent(**{**fields, **changes})


class Store:
    """Stores in groups, when it is let."""

    def __init__(self, service=None):
        self.service = service or InMemoryService()
        self.groups = []
        self.let = asyncio.Event()

    async def __call__(self, events):
        self.groups.append(len(events))
        await self.let.wait()
        return store_together(self.service, events)


async def capture_all(gatherer, store, events, size=100):
    tasks = [asyncio.create_task(gatherer.capture(one, size)) for one in events]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    store.let.set()
    return await asyncio.gather(*tasks, return_exceptions=True)


def gathered(events, service=None, **more):
    """The outcomes of captures that arrive while the first is under way, and the groups."""

    async def run():
        store = Store(service)
        gatherer = Gatherer(store, 30)
        first = asyncio.create_task(gatherer.capture(event(-1), 100))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        outcomes = await capture_all(gatherer, store, events, **more)
        await first
        return outcomes, store.groups

    return asyncio.run(run())


def test_an_event_that_finds_no_transaction_is_stored_at_once():
    async def run():
        store = Store()
        store.let.set()
        gatherer = Gatherer(store, 30)
        for number in range(3):
            assert (await gatherer.capture(event(number), 1)).status == "ingested"
        return store.groups

    assert asyncio.run(run()) == [1, 1, 1]


def test_events_that_arrive_meanwhile_share_the_next_one():
    outcomes, groups = gathered([event(n) for n in range(50)])
    assert groups == [1, 50]
    assert [one.status for one in outcomes] == ["ingested"] * 50
    assert len({one.event_id for one in outcomes}) == 50


def test_a_transaction_has_bounds(monkeypatch):
    monkeypatch.setattr(gathering, "MOST_EVENTS", 20)
    assert gathered([event(n) for n in range(50)])[1] == [1, 20, 20, 10]
    monkeypatch.setattr(gathering, "MOST_BYTES", 1_000)
    assert gathered([event(n) for n in range(4)], size=400)[1] == [1, 2, 2]
    assert gathered([event(n) for n in range(3)], size=5_000)[1] == [1, 1, 1, 1]


def test_the_queue_has_a_bound(monkeypatch):
    monkeypatch.setattr(gathering, "MOST_WAITING", 10)
    outcomes, _ = gathered([event(n) for n in range(15)])
    refused = [one for one in outcomes if isinstance(one, UnavailableError)]
    assert len(refused) == 5
    assert refused[0].retry_after == 1.0


def test_each_gets_what_it_would_have_got_alone():
    events = [
        event(0, idempotency_key="k"),
        event(1, type="dream"),
        event(2, idempotency_key="k"),
        event(3, session_id=""),
        event(4, payload={"x": float("nan")}),
        event(5),
    ]
    outcomes, groups = gathered(events)
    assert groups == [1, 6]
    alone = InMemoryService()
    alone.capture(event(-1))
    assert list(map(comparable, outcomes)) == [comparable(attempt(alone, one)) for one in events]
    assert [one.details[0].field for one in outcomes if isinstance(one, ValidationError)] == [
        *("type", "session_id", "payload.x"),
    ]


def attempt(service, one):
    try:
        return service.capture(one)
    except ValidationError as error:
        return error


def comparable(outcome):
    if isinstance(outcome, ValidationError):
        return outcome.message, outcome.details
    return outcome


class Broken(InMemoryService):
    """Fails as told: on an event, or on everything."""

    def __init__(self, error, *, only=None):
        super().__init__()
        self.error, self.only, self.calls = error, only, 0

    def capture(self, event):
        self.calls += 1
        if self.only in {None, event.payload.get("n")}:
            raise self.error
        return super().capture(event)

    def capture_batch(self, events):
        self.calls += 1
        if self.only is None or any(one.payload.get("n") == self.only for one in events):
            raise self.error
        return super().capture_batch(events)


@pytest.mark.parametrize(
    "error", [QuotaExceededError("used up"), ValueError("a fault of ours"), KeyError("x")]
)
def test_an_event_that_fails_fails_no_other(error):
    service = Broken(error, only=3)
    outcomes = store_together(service, [event(n) for n in range(6)])
    assert outcomes[3] is error
    assert [one.status for n, one in enumerate(outcomes) if n != 3] == ["ingested"] * 5


def test_when_the_store_does_not_answer_it_is_asked_once_for_all():
    error = UnavailableError("gone")
    service = Broken(error)
    assert store_together(service, [event(n) for n in range(6)]) == [error] * 6
    assert service.calls == 1


def test_a_fault_of_the_store_reaches_everybody_who_waits():
    async def run():
        async def fail(events):
            raise UnavailableError("gone")

        gatherer = Gatherer(fail, 30)
        tasks = [gatherer.capture(event(n), 1) for n in range(3)]
        return await asyncio.gather(*tasks, return_exceptions=True)

    assert [one.code for one in asyncio.run(run())] == ["unavailable"] * 3


def test_somebody_who_gives_up_waiting_disturbs_nobody():
    async def run():
        store = Store()
        gatherer = Gatherer(store, 30)
        first = asyncio.create_task(gatherer.capture(event(0), 1))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        gone = asyncio.create_task(gatherer.capture(event(1), 1))
        stays = asyncio.create_task(gatherer.capture(event(2), 1))
        await asyncio.sleep(0)
        first.cancel()
        gone.cancel()
        store.let.set()
        result = await stays
        return result.status, store.groups

    assert asyncio.run(run()) == ("ingested", [1, 1])


def test_an_event_waits_for_so_long_and_no_longer():
    async def run():
        store = Store()
        gatherer = Gatherer(store, 0.05)
        tasks = [gatherer.capture(event(n), 1) for n in range(3)]
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        store.let.set()
        return outcomes, (await gatherer.capture(event(3), 1)).status

    outcomes, status = asyncio.run(run())
    assert [str(one) for one in outcomes] == [
        "no answer within 0.05 s; what was sent may yet be carried out"
    ] * 3
    assert status == "ingested"


def test_a_gatherer_goes_on_after_a_failure():
    async def run():
        answers = iter([UnavailableError("gone"), None])
        service = InMemoryService()

        async def store(events):
            if error := next(answers):
                raise error
            return store_together(service, events)

        gatherer = Gatherer(store, 30)
        with pytest.raises(UnavailableError):
            await gatherer.capture(event(), 1)
        return (await gatherer.capture(event(), 1)).status

    assert asyncio.run(run()) == "ingested"


def test_what_is_acknowledged_over_http_is_stored_once(serve, store, caller_of):
    server = serve(store)
    callers = [caller_of(server) for _ in range(8)]
    barrier = threading.Barrier(len(callers))

    def work(number):
        caller, seen = callers[number], []
        barrier.wait()
        for n in range(40):
            key = f"shared-{n // 2}" if n % 4 == 0 else f"{number}-{n}"
            reply = caller.capture(f"{number}-{n}", session=f"s{number}", idempotencyKey=key)
            bad = caller.capture("x", session="", idempotencyKey=f"bad-{number}-{n}")
            assert bad.status == 400
            assert bad.fields == ["sessionId"]
            seen.append((key, reply.data["eventId"], reply.data["status"]))
        return seen

    with ThreadPoolExecutor(len(callers)) as threads:
        seen = [one for part in threads.map(work, range(len(callers))) for one in part]
    stored = {one["idempotencyKey"]: one["id"] for one in callers[0].events()}
    assert {key: identifier for key, identifier, _ in seen} == stored
    assert len(stored) == callers[0].get("/events?limit=1").data["pagination"]["total"]
    ingested = [key for key, _, status in seen if status == "ingested"]
    assert sorted(ingested) == sorted(stored)
