"""Captures of several threads go together, and each gets the answer to its own."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sqlalchemy import update

from hippocortex_core import CaptureEvent, ConfigurationError, QuotaExceededError, UnavailableError
from hippocortex_engine.storage.schema import tenants

pytestmark = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])


def message(number, key=None, session=None):
    payload = {"role": "user", "content": f"event {number}"}
    return CaptureEvent("message", session or f"s{number}", payload, None, key)


def held(engine, calls):
    """Begin calls while nobody can write, then let them go: (result or error) of each, in order."""

    def attempt(call):
        try:
            return call()
        except Exception as fault:  # noqa: BLE001 - it is what the caller wants to see
            return fault

    with ThreadPoolExecutor(len(calls)) as pool:
        with engine._database.write("default"):
            running = [pool.submit(attempt, call) for call in calls]
            waiting = threading.Event()
            # All but the one that leads are in the queue.
            for _ in range(20_000):
                if len(engine._intake._queue) == len(calls) - 1:
                    break
                waiting.wait(0.001)
        return [one.result() for one in running]


def test_who_waits_is_stored_together_and_answered_apart(engine):
    engine.capture(message(0))
    results = held(engine, [lambda n=n: engine.capture(message(n, f"k{n}")) for n in range(20)])
    assert [one.status for one in results] == ["ingested"] * 20
    for number, result in enumerate(results):
        stored = engine.list_events(event_ids=[result.event_id]).events[0]
        assert stored.payload["content"] == f"event {number}"


def test_the_same_key_from_several_is_stored_once(engine):
    engine.capture(message(0))
    results = held(engine, [lambda: engine.capture(message(7, "same")) for _ in range(8)])
    assert sorted(one.status for one in results) == ["duplicate"] * 7 + ["ingested"]
    assert len({one.event_id for one in results}) == 1


def test_who_exceeds_the_quota_does_not_take_others_down(engine):
    engine.capture(message(0))
    with engine._database.write("default") as connection:
        connection.execute(update(tenants).values(events_limit=4))
    batches = [[message(n) for n in range(size)] for size in (1, 9, 2, 8)]
    results = held(engine, [lambda one=one: engine.capture_batch(one) for one in batches])
    refused = [isinstance(one, QuotaExceededError) for one in results]
    assert refused == [False, True, False, True]
    assert engine.list_events().pagination.total == 4


def test_batches_keep_their_order_within(engine):
    engine.capture(message(0))
    batches = [[message(n, session=f"b{b}") for n in range(30)] for b in range(6)]
    held(engine, [lambda one=one: engine.capture_batch(one) for one in batches])
    for number in range(6):
        events = engine.list_events(session_id=f"b{number}", order="asc", limit=100).events
        assert [one.payload["content"] for one in events] == [f"event {n}" for n in range(30)]


def test_when_the_database_fails_everybody_hears_it_and_the_next_call_works(engine, monkeypatch):
    engine.capture(message(0))

    def fail(*_given):
        raise UnavailableError("the database is on holiday")

    with monkeypatch.context() as patched:
        patched.setattr("hippocortex_engine.intake.store", fail)
        patched.setattr("hippocortex_engine.intake.store_at_once", lambda *_given: None)
        results = held(engine, [lambda n=n: engine.capture(message(n)) for n in range(6)])
    assert [str(one) for one in results] == ["the database is on holiday"] * 6
    assert len({id(one) for one in results}) == 6  # an error belongs to one thread
    assert engine.capture(message(9)).status == "ingested"


def test_an_interrupted_leader_leaves_nobody_waiting(engine, monkeypatch):
    import hippocortex_engine.intake as module

    engine.capture(message(0))
    original, interrupted = module.Intake._transact, []

    def interrupt(self, prepared):
        if not interrupted:
            interrupted.append(len(prepared))
            raise KeyboardInterrupt
        return original(self, prepared)

    monkeypatch.setattr(module.Intake, "_transact", interrupt)

    def attempt(number):
        try:
            return engine.capture(message(number, f"k{number}")).status
        except KeyboardInterrupt:
            return "interrupted"

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(attempt, range(6)))
    assert sorted(results) == ["ingested"] * 5 + ["interrupted"]


class Other:
    """Another model, whose vectors have another size."""

    name, dimensions = "other/1", 8

    def embed(self, texts):
        return np.ones((len(texts), 8), np.float32) / np.sqrt(8)


@pytest.mark.parametrize("first", range(4))
def test_another_models_vectors_are_refused_to_everybody(open_memory, first):
    engine, other = open_memory(), open_memory(embedder=Other())
    engine.capture(message(0))
    other.capture(message(1))
    with pytest.raises(ConfigurationError):
        engine.capture(message(first))
    results = held(engine, [lambda n=n: engine.capture(message(n)) for n in range(4)])
    assert [type(one) for one in results] == [ConfigurationError] * 4
