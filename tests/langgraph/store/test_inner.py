"""Around another store: its own behaviour, captured and with what was learned."""

import asyncio

import pytest
from langgraph.store.base import GetOp, InvalidNamespaceError, ListNamespacesOp, PutOp, SearchOp
from langgraph.store.memory import InMemoryStore
from langgraph.store.sqlite import SqliteStore
from langgraph.store.sqlite.aio import AsyncSqliteStore

from hippocortex_core import Hippocortex, UnavailableError
from hippocortex_core.testing import InMemoryService
from hippocortex_langgraph import HippocortexStore

DOCS = ("docs",)


@pytest.fixture
def memory():
    return InMemoryService()


@pytest.fixture
def inner():
    return InMemoryStore()


@pytest.fixture
def store(memory, inner):
    with HippocortexStore(memory, inner=inner) as store:
        yield store


def test_the_data_are_in_the_inner_store(store, inner, memory):
    store.put(DOCS, "k", {"a": 1})
    assert inner.get(DOCS, "k").value == {"a": 1}
    assert store.get(DOCS, "k") == inner.get(DOCS, "k")
    assert memory.search_documents().documents == []


def test_operations_reach_it_unchanged(memory):
    class Watched(InMemoryStore):
        seen = ()

        def batch(self, ops):
            self.seen = list(ops)
            return super().batch(self.seen)

    inner = Watched()
    ops = [PutOp(DOCS, "k", {"a": object}), GetOp(DOCS, "x"), SearchOp(DOCS), ListNamespacesOp()]
    with HippocortexStore(memory, inner=inner) as store:
        results = store.batch(iter(ops))
    assert all(one is other for one, other in zip(inner.seen, ops, strict=True))
    assert results == [None, None, [], [DOCS]]


def test_asynchronous_calls_reach_it_too(store, inner):
    async def use():
        await store.aput(DOCS, "k", {"a": 1})
        return await store.asearch(DOCS)

    assert asyncio.run(use()) == inner.search(DOCS)


def test_a_put_is_captured_once_it_is_kept(memory, inner):
    with HippocortexStore(memory, inner=inner, namespace_template=("{user_id}",)) as store:
        store.put(("ann",), "k", {"text": "tea"})
        store.put(("ann",), "k", {"text": "tea"})
        store.delete(("ann",), "k")
    (event,) = memory.events
    assert "tea" in event.payload["content"]
    assert event.payload["data"] == {"namespace": ["ann"], "key": "k"}
    assert event.metadata["user_id"] == "ann"


def test_what_the_inner_store_refuses_is_not_captured(memory):
    class Full(InMemoryStore):
        def batch(self, ops):
            raise OSError("disk full")

    with HippocortexStore(memory, inner=Full()) as store:
        with pytest.raises(OSError, match="disk full"):
            store.put(DOCS, "k", {"text": "tea"})
        with pytest.raises(InvalidNamespaceError):
            store.put((), "k", {"text": "tea"})
    assert memory.events == []


def test_nothing_is_captured_where_that_is_not_wanted(memory, inner):
    with HippocortexStore(memory, inner=inner, capture_on_put=False) as store:
        store.put(DOCS, "k", {"text": "tea"})
    assert memory.events == []


def test_secrets_do_not_reach_the_memory(store, inner, memory):
    store.put(DOCS, "k", {"note": "key sk-proj-abcdefghij0123456789abcd"})
    store.close()
    assert "sk-proj" in inner.get(DOCS, "k").value["note"]
    assert "sk-proj" not in str(memory.events)


def test_a_memory_that_is_gone_does_not_keep_the_store_from_working(inner, monkeypatch):
    monkeypatch.setenv("HIPPOCORTEX_STRICT", "0")
    memory = InMemoryService()
    memory.close()
    with HippocortexStore(memory, inner=inner, include_learned=True) as store:
        store.put(DOCS, "k", {"text": "tea"})
        assert [item.key for item in store.search(DOCS, query="tea")] == ["k"]


def test_what_was_learned_can_be_searched(store, memory):
    store.put(DOCS, "k", {"text": "tea"})
    store.close()
    with HippocortexStore(memory, inner=InMemoryStore()) as other:
        (item,) = other.search(DOCS, query="tea", include_learned=True)
    assert item.namespace == ("hippocortex", "context")


def test_an_asynchronous_client_will_do(inner, memory):
    with HippocortexStore(Hippocortex(service=memory), inner=inner) as store:
        store.put(DOCS, "k", {"text": "tea"})
    assert len(memory.events) == 1


@pytest.mark.filterwarnings("ignore:The default datetime adapter:DeprecationWarning")  # upstream's
def test_it_expires_what_the_inner_store_expires():
    with SqliteStore.from_conn_string(":memory:", ttl={"default_ttl": 5}) as inner:
        store = HippocortexStore(InMemoryService(), inner=inner)
        store.setup()
        store.put(DOCS, "k", {"a": 1}, ttl=1)
        assert store.supports_ttl
        assert store.ttl_config == {"default_ttl": 5}
        assert store.sweep_ttl() == 0
        assert store.stop_ttl_sweeper()
        store.close()
        assert inner.get(DOCS, "k") is not None
    store = HippocortexStore(InMemoryService(), inner=InMemoryStore())
    assert not store.supports_ttl
    assert not store.sweep_ttl()
    with pytest.raises(NotImplementedError):
        store.put(DOCS, "k", {"a": 1}, ttl=1)


def test_an_asynchronous_inner_store_is_set_up_as_ever():
    async def use():
        async with (
            AsyncSqliteStore.from_conn_string(":memory:") as inner,
            HippocortexStore(InMemoryService(), inner=inner) as store,
        ):
            await store.setup()
            await store.aput(DOCS, "k", {"a": 1})
            return await store.aget(DOCS, "k")

    assert asyncio.run(use()).value == {"a": 1}


def test_index_and_ttl_are_the_inner_stores_business(inner, memory):
    for options in ({"ttl": {"default_ttl": 1}}, {"index": {"dims": 1, "embed": list}}):
        with pytest.raises(ValueError, match="belong to the `inner` store"):
            HippocortexStore(memory, inner=inner, **options)


def test_without_a_memory_the_inner_store_works_alone(inner, capsys):
    with HippocortexStore(base_url="ftp://x", inner=inner, include_learned=True) as store:
        store.put(DOCS, "k", {"text": "tea"})
        assert [item.key for item in store.search(DOCS, query="tea")] == ["k"]
    assert "no memory" in capsys.readouterr().err


def test_the_process_shares_one_recorder_for_a_home(inner):
    with HippocortexStore(base_url="sqlite:///memory.db", inner=inner) as store:
        store.put(DOCS, "k", {"text": "Ann prefers tea"})
    with HippocortexStore(base_url="sqlite:///memory.db", inner=InMemoryStore()) as store:
        (item,) = store.search(DOCS, query="what does Ann drink?", include_learned=True)
    assert "tea" in item.value["content"]
    from hippocortex_core.recorder.recorder import close_shared

    close_shared()


def test_errors_of_the_memory_are_raised_in_strict_mode(inner, monkeypatch):
    monkeypatch.setenv("HIPPOCORTEX_STRICT", "1")
    memory = InMemoryService()
    memory.close()
    store = HippocortexStore(memory, inner=inner)
    with pytest.raises(UnavailableError):
        store.search(DOCS, query="tea", include_learned=True)
