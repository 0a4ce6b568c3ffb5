"""Many tenants in one database: apart from each other, and within one memory budget."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from hippocortex_core import CaptureEvent, UnavailableError, ValidationError
from hippocortex_engine import Database, Tenants
from hippocortex_engine.recall.room import Room
from hippocortex_engine.tenancy import MOST_ENGINES

on_both = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])


def message(text, session="s1"):
    return CaptureEvent("message", session, {"role": "user", "content": text})


@pytest.fixture
def database(url_of):
    opened = Database(url_of())
    yield opened
    opened.close()


@pytest.fixture
def tenants(database, clock):
    opened = Tenants(database, clock=clock, most_rows=100)
    yield opened
    opened.close()


@on_both
def test_tenants_never_see_each_others_memory(tenants):
    for name in ("ann", "ben"):
        tenants.engine(name).capture(message(f"the secret of {name} is {name}-4711"))
        tenants.engine(name).learn()
    for name, other in (("ann", "ben"), ("ben", "ann")):
        engine = tenants.engine(name)
        found = engine.synthesize("secret").entries
        assert found
        assert all(other not in entry.content for entry in found)
        assert engine.list_events().pagination.total == 1
        theirs = tenants.engine(other).list_events().events[0].id
        assert engine.forget(event_ids=[theirs]).events_deleted == 0
    assert tenants.engine("nobody").synthesize("secret").entries == []


@on_both
def test_engines_are_made_once_and_share_what_is_large(tenants):
    with ThreadPoolExecutor(8) as pool:
        engines = set(pool.map(lambda _: tenants.engine("t"), range(32)))
    assert len(engines) == 1
    assert tenants.engine("t")._embedder is tenants.engine("u")._embedder
    assert tenants.engine("t")._counter is tenants.engine("u")._counter


@on_both
def test_the_indexes_stay_within_their_rows_together_and_come_back(tenants):
    for number in range(12):
        tenants.engine(f"t{number}").capture_batch(
            [message(f"event {step} of t{number}", f"s{step}") for step in range(20)]
        )
    for _ in range(2):
        for number in range(12):
            found = tenants.engine(f"t{number}").synthesize("event").entries
            assert found
            assert all(f"of t{number}" in entry.content for entry in found)
            assert tenants._room.rows <= 100


def test_a_tenant_larger_than_the_room_is_served_all_the_same(tenants):
    tenants.engine("large").capture_batch([message(f"event {n}", f"s{n}") for n in range(150)])
    tenants.engine("small").capture(message("event"))
    for _ in range(2):
        assert tenants.engine("large").synthesize("event").entries
        assert tenants.engine("small").synthesize("event").entries
    assert tenants._room.rows == 1  # the large one had to go


def test_threads_search_while_indexes_come_and_go(tenants):
    for number in range(8):
        tenants.engine(f"t{number}").capture_batch(
            [message(f"event {step} of t{number}", f"s{step}") for step in range(30)]
        )

    def search(place):
        name = f"t{place % 8}"
        found = tenants.engine(name).synthesize("event").entries
        return bool(found) and all(f"of {name}" in entry.content for entry in found)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(search, range(160)))
    assert tenants._room.rows <= 100


def test_what_could_not_go_while_it_was_used_goes_afterwards():
    class Cache:
        busy = dropped = False

        def try_drop(self):
            self.dropped = not self.busy
            return self.dropped

    room, first, second = Room(10), Cache(), Cache()
    first.busy = True
    room.used(first, 8)
    room.used(second, 8)
    assert (room.rows, first.dropped) == (16, False)
    first.busy = False
    room.settle()
    assert (room.rows, first.dropped, second.dropped) == (8, True, False)


@on_both
def test_what_one_worker_counts_another_sees(tenants, database, clock):
    other = Tenants(database, clock=clock)
    tenants.engine("t").capture(message("hello"))
    for _ in range(3):
        tenants.engine("t").synthesize("hello")
    other.engine("t").synthesize("hello")
    tenants.write_meters()
    assert other.engine("t").get_metrics().usage.syntheses == 4
    tenants.engine("t").synthesize("hello")
    tenants.close()
    assert other.engine("t").get_metrics().usage.syntheses == 5
    other.close()


def test_counters_are_written_down_now_and_then(database, monkeypatch):
    monkeypatch.setattr("hippocortex_engine.tenancy.METER_SECONDS", 0.01)
    counting, reading = Tenants(database), Tenants(database)
    counting.engine("t").capture(message("hello"))
    counting.engine("t").synthesize("hello")
    while reading.engine("t").get_metrics().usage.syntheses < 1:
        pass  # the test's timeout is the limit
    counting.close()
    reading.close()


def test_engines_of_tenants_long_silent_are_let_go_with_their_counts(tenants, monkeypatch):
    monkeypatch.setattr("hippocortex_engine.tenancy.MOST_ENGINES", 3)
    for number in range(6):
        tenants.engine(f"t{number}").capture(message("hello"))
        tenants.engine(f"t{number}").synthesize("hello")
    assert len(tenants._engines) == 3
    tenants.write_meters()
    assert tenants.engine("t0").get_metrics().usage.syntheses == 1
    assert MOST_ENGINES > 3


def test_closing_leaves_the_database_open_and_engines_closed(database):
    tenants = Tenants(database)
    engine = tenants.engine("t")
    engine.capture(message("hello"))
    tenants.close()
    tenants.close()
    for call in (lambda: tenants.engine("t"), engine.health):
        with pytest.raises(UnavailableError, match="closed"):
            call()
    with database.read():
        pass


def test_a_tenants_name_is_checked(tenants):
    for name in ("", " ", "a\0b", "x" * 257, 7):
        with pytest.raises(ValidationError, match="tenant_id"):
            tenants.engine(name)


@on_both
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # that is what is tested
def test_a_forked_child_goes_on_by_itself(tenants):
    tenants.engine("t").capture(message("hello"))
    tenants.engine("t").synthesize("hello")
    child = os.fork()
    if child == 0:
        try:
            found = tenants.engine("t").synthesize("hello").entries
            tenants.engine("u").capture(message("from the child"))
            tenants.close()
            os._exit(0 if found else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert tenants.engine("u").list_events().pagination.total == 1
    assert tenants.engine("t").synthesize("hello").entries
