"""Time to live, in minutes."""

import asyncio
import threading

import pytest

DOCS = ("docs",)


def test_an_item_expires(new_store, clock):
    store = new_store()
    store.put(DOCS, "short", {"a": 1}, ttl=1)
    store.put(DOCS, "long", {"a": 1}, ttl=10)
    store.put(DOCS, "ever", {"a": 1})
    clock.forward(2)
    assert store.get(DOCS, "short") is None
    assert {item.key for item in store.search(DOCS)} == {"long", "ever"}


def test_the_default_is_of_the_store(new_store, clock):
    store = new_store(ttl={"default_ttl": 1})
    store.put(("default",), "k", {"a": 1})
    store.put(("ever",), "k", {"a": 1}, ttl=None)
    clock.forward(2)
    assert store.list_namespaces() == [("ever",)]


@pytest.mark.parametrize("read", ["get", "search"])
def test_reading_extends_a_life_where_the_store_says_so(new_store, clock, read):
    store = new_store(ttl={"default_ttl": 2, "refresh_on_read": True})
    store.put(DOCS, "k", {"a": 1})
    for _ in range(3):
        clock.forward(1.5)
        assert store.get(DOCS, "k") if read == "get" else store.search(DOCS)
    clock.forward(2.5)
    assert store.get(DOCS, "k") is None


def test_reading_does_not_extend_a_life_unless_asked_to(new_store, clock):
    store = new_store(ttl={"default_ttl": 2})
    store.put(DOCS, "k", {"a": 1})
    clock.forward(1.5)
    assert store.get(DOCS, "k") is not None
    assert store.search(DOCS) != []
    clock.forward(1)
    assert store.get(DOCS, "k") is None


def test_a_call_decides_for_itself(new_store, clock):
    store = new_store(ttl={"default_ttl": 2, "refresh_on_read": False})
    store.put(DOCS, "k", {"a": 1})
    clock.forward(1.5)
    assert store.get(DOCS, "k", refresh_ttl=True) is not None
    clock.forward(1.5)
    assert len(store.search(DOCS, refresh_ttl=True)) == 1
    clock.forward(1.5)
    assert store.get(DOCS, "k") is not None


def test_what_has_expired_cannot_be_brought_back_by_reading(new_store, clock):
    store = new_store(ttl={"default_ttl": 1, "refresh_on_read": True})
    store.put(DOCS, "k", {"a": 1})
    clock.forward(2)
    assert store.get(DOCS, "k", refresh_ttl=True) is None
    assert store.search(DOCS, query="a", refresh_ttl=True) == []


def test_putting_again_begins_a_new_life(new_store, clock):
    store = new_store(ttl={"default_ttl": 2})
    store.put(DOCS, "k", {"a": 1})
    clock.forward(1.5)
    store.put(DOCS, "k", {"a": 1})
    clock.forward(1.5)
    assert store.get(DOCS, "k") is not None


def test_expired_items_fill_no_page(new_store, clock):
    store = new_store()
    for number in range(4):
        store.put(DOCS, str(number), {"n": number}, ttl=1 if number % 2 else None)
    clock.forward(2)
    assert [item.key for item in store.search(DOCS, limit=2)] == ["2", "0"]
    assert store.search(DOCS, limit=2, offset=2) == []


def test_sweeping_tells_how_many_it_deleted(new_store, clock):
    store = new_store(ttl={"default_ttl": 1})
    store.put(DOCS, "a", {"a": 1})
    store.put(DOCS, "b", {"a": 1}, ttl=None)
    assert store.sweep_ttl() == 0
    clock.forward(2)
    assert store.get(DOCS, "a") is None
    assert store.sweep_ttl() == 1
    assert store.sweep_ttl() == 0
    assert store.get(DOCS, "b") is not None


def test_maintenance_may_be_awaited(new_store, clock):
    store = new_store(ttl={"default_ttl": 1}).store

    async def maintain():
        await store.setup()
        await store.aput(DOCS, "a", {"a": 1})
        clock.forward(2)
        swept = await store.sweep_ttl()
        started = await store.start_ttl_sweeper()
        return swept, started, await store.stop_ttl_sweeper()

    assert asyncio.run(maintain()) == (1, 1, 1)


def test_the_sweeper_sweeps_until_it_is_stopped(embedded, clock):
    from hippocortex_langgraph import HippocortexStore

    with HippocortexStore(embedded, ttl={"default_ttl": 1}) as store:
        store.put(DOCS, "a", {"a": 1})
        clock.forward(2)
        swept = threading.Event()
        sweep = embedded.sweep_documents

        def watched():
            found = sweep()
            swept.set()
            return found

        embedded.sweep_documents = watched
        assert store.start_ttl_sweeper(sweep_interval_minutes=0.0001)
        assert store.start_ttl_sweeper()
        assert swept.wait(10)
        assert store.stop_ttl_sweeper(10)
        swept.clear()
        assert not swept.wait(0.05)
        assert embedded.sweep_documents() == 0


def test_without_a_configuration_nothing_sweeps(embedded):
    from hippocortex_langgraph import HippocortexStore

    with HippocortexStore(embedded) as store:
        assert not store.start_ttl_sweeper()
        assert store.stop_ttl_sweeper()
