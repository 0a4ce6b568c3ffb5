"""Where the data are, and what happens when that is closed or out of reach."""

import asyncio
import threading

import pytest

from hippocortex_core import (
    ConfigurationError,
    Hippocortex,
    HippocortexError,
    NetworkError,
    SyncHippocortex,
    UnavailableError,
)
from hippocortex_core.testing import HttpHome, InMemoryService
from hippocortex_langgraph import HippocortexStore

DOCS = ("docs",)


def test_without_any_configuration_the_data_are_in_this_folder(tmp_path, capsys):
    with HippocortexStore() as store:
        store.put(DOCS, "k", {"a": 1})
    assert (tmp_path / ".hippocortex" / "memory.db").exists()
    assert "memory lives in" in capsys.readouterr().err
    with HippocortexStore() as again:
        assert again.get(DOCS, "k").value == {"a": 1}


@pytest.mark.parametrize("where", ["sqlite:///notes.db", "notes.db"])
def test_a_connection_string_opens_a_home(where, tmp_path):
    with HippocortexStore.from_conn_string(where) as store:
        store.setup()
        store.put(DOCS, "k", {"a": 1})
    assert (tmp_path / "notes.db").exists()
    with HippocortexStore(base_url="sqlite:///notes.db") as again:
        assert again.get(DOCS, "k").value == {"a": 1}


def test_a_connection_string_may_name_memory_only(tmp_path):
    with HippocortexStore.from_conn_string(":memory:", ttl={"default_ttl": 1}) as store:
        store.put(DOCS, "k", {"a": 1})
        assert store.get(DOCS, "k").value == {"a": 1}
    assert list(tmp_path.glob("*memory*")) == []


def test_it_is_an_asynchronous_context_too():
    async def use():
        async with HippocortexStore.from_conn_string(":memory:") as store:
            await store.setup()
            await store.aput(DOCS, "k", {"a": 1})
            return await store.aget(DOCS, "k")

    assert asyncio.run(use()).value == {"a": 1}


def test_a_closed_store_says_so():
    store = HippocortexStore(base_url="sqlite:///memory.db")
    store.put(DOCS, "k", {"a": 1})
    store.close()
    with pytest.raises(UnavailableError, match="closed"):
        store.get(DOCS, "k")
    with pytest.raises(UnavailableError, match="closed"):
        asyncio.run(store.aput(DOCS, "k", {"a": 1}))
    store.close()


def test_a_client_that_was_given_stays_open():
    memory = SyncHippocortex(service=InMemoryService())
    HippocortexStore(memory).close()
    assert memory.health().status == "ok"


@pytest.mark.parametrize("call", ["get", "put"])
def test_a_home_out_of_reach_is_an_error(call):
    args = (DOCS, "k", {"a": 1})[: 2 if call == "get" else 3]
    with HippocortexStore(base_url="http://127.0.0.1:9/v1") as store:
        with pytest.raises(NetworkError):
            getattr(store, call)(*args)
        with pytest.raises(NetworkError):
            asyncio.run(getattr(store, f"a{call}")(*args))
        with pytest.raises(NetworkError):
            store.setup()


def test_a_broken_configuration_shows_at_once():
    with pytest.raises(ConfigurationError):
        HippocortexStore(base_url="ftp://somewhere")


def test_what_the_home_refuses_is_an_error():
    store = HippocortexStore(InMemoryService())
    with pytest.raises(HippocortexError, match="NUL"):
        store.put(DOCS, "k", {"text": "\0"})
    with pytest.raises(HippocortexError, match="limit"):
        store.search(DOCS, limit=-1)


def test_a_batch_is_one_request():
    from langgraph.store.base import GetOp, PutOp

    with HttpHome(InMemoryService()) as home, HippocortexStore(base_url=home.url) as store:
        store.batch([PutOp(DOCS, str(n), {"n": n}) for n in range(50)] + [GetOp(DOCS, "1")])
        assert len(home.received) == 1


def test_one_store_serves_several_event_loops_and_blocking_calls_between():
    with HttpHome(InMemoryService()) as home, HippocortexStore(base_url=home.url) as store:
        for number in range(3):
            asyncio.run(store.aput(DOCS, str(number), {"n": number}))
            assert store.get(DOCS, str(number)).value == {"n": number}


@pytest.mark.parametrize("over_http", [True, False])
def test_blocking_calls_work_with_an_asynchronous_client_even_inside_a_loop(over_http):
    service = InMemoryService()
    with HttpHome(service) as home:
        client = Hippocortex(base_url=home.url) if over_http else Hippocortex(service=service)
        store = HippocortexStore(client)

        async def use():
            store.put(DOCS, "k", {"a": 1})
            return await store.aget(DOCS, "k")

        assert asyncio.run(use()).value == {"a": 1}
        assert store.get(DOCS, "k").value == {"a": 1}


def test_threads_may_share_a_store():
    with HippocortexStore(base_url="sqlite:///memory.db") as store:

        def work(name):
            for number in range(20):
                store.put((name,), str(number), {"n": number})

        threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(store.search((), limit=1000)) == 80


def test_concurrent_calls_do_not_mix():
    async def use(store):
        puts = (store.aput(DOCS, str(n), {"n": n}) for n in range(50))
        await asyncio.gather(*puts)
        return await asyncio.gather(*(store.aget(DOCS, str(n)) for n in range(50)))

    with HippocortexStore(base_url="sqlite:///memory.db") as store:
        assert [item.value["n"] for item in asyncio.run(use(store))] == list(range(50))
