"""The index in memory is right whoever writes, and takes no more room than it may."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest

from hippocortex_core import ConfigurationError
from hippocortex_engine import Database, Engine, open_engine
from hippocortex_engine.documents import index as document_index
from hippocortex_engine.documents.writing import REMEMBERED
from hippocortex_engine.embeddings.static import StaticEmbedder
from hippocortex_engine.recall.room import Room

NOTES = ("notes",)
on_both = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])


class Reversed(StaticEmbedder):
    name = "reversed/1"

    def embed(self, texts):
        return np.ascontiguousarray(super().embed(texts)[:, ::-1])


def found(engine, query="tea", **options):
    documents = engine.search_documents(query=query, limit=1000, **options).documents
    return {one.key: one.score for one in documents}


def fresh(open_memory, query="tea"):
    """What an engine says that has never searched before."""
    engine = open_memory()
    try:
        return found(engine, query)
    finally:
        engine.close()


@on_both
def test_a_cache_that_caught_up_says_what_a_new_one_says(open_memory):
    engine, other = open_memory(), open_memory()
    for number in range(30):
        writer = (engine, other)[number % 2]
        writer.put_document(NOTES, f"k{number % 12}", {"text": f"tea and cake {number * 7 % 5}"})
        if number % 4 == 3:
            writer.delete_document(NOTES, f"k{number % 5}")
        if number % 3 == 0:
            assert found(engine) == found(other) == fresh(open_memory)
    assert found(engine, "cake 3") == found(other, "cake 3") == fresh(open_memory, "cake 3")


def test_a_document_put_again_and_again_does_not_fill_the_index(engine, monkeypatch):
    monkeypatch.setattr(document_index, "_MOST_DEAD", 8)
    for number in range(40):
        engine.put_document(NOTES, "k", {"text": f"tea {number}"})
        assert list(found(engine)) == ["k"]
    assert len(engine._documents._cache._index.alive.array) < 20


def test_a_cache_that_slept_too_long_starts_anew(open_memory, clock):
    engine, other = open_memory(), open_memory()
    for key in "abc":
        engine.put_document(NOTES, key, {"text": "tea"})
    assert set(found(other)) == {"a", "b", "c"}
    engine.delete_document(NOTES, "a")
    clock.now += REMEMBERED // 1000 + 1
    engine.delete_document(NOTES, "b")
    with engine._database.read() as connection:
        left = connection.exec_driver_sql("SELECT count(*) FROM document_tombstones").scalar()
    assert left == 1
    assert set(found(other)) == set(found(engine)) == {"c"}


@on_both
def test_a_new_embedding_model_reembeds_documents(open_memory):
    first = open_memory()
    first.put_document(NOTES, "a", {"title": "tea", "n": 1}, index=["title"])
    first.put_document(NOTES, "b", {"text": "a bicycle"})
    first.put_document(NOTES, "own", {"text": "tea"}, vectors=[[1.0, 2.0]])
    first.put_document(NOTES, "none", {"text": "tea"}, index=False)
    before = found(first, "hot drinks")
    near = found(first, None, vector=[1.0, 2.0])
    second = open_memory(embedder=Reversed())
    # Turned around, documents and queries alike, every cosine is what it was.
    assert found(second, "hot drinks") == before
    assert found(second, None, vector=[1.0, 2.0]) == near
    with pytest.raises(ConfigurationError, match="re-embedded"):
        first.search_documents(query="tea")
    with pytest.raises(ConfigurationError, match="re-embedded"):
        first.put_document(NOTES, "c", {"text": "tea"})
    assert first.get_document(NOTES, "a").value == {"title": "tea", "n": 1}


def test_what_is_longest_unused_makes_room():
    room, database = Room(most_rows=12), Database("sqlite:///memory.db")
    engines = [
        Engine(database, tenant_id=f"t{n}", room=room, owns_database=False) for n in range(3)
    ]
    for engine in engines:
        for number in range(10):
            engine.put_document(NOTES, f"k{number}", {"text": "tea"}, capture=False)
        assert len(found(engine)) == 10
    held = [len(engine._documents._cache._index) for engine in engines]
    assert (held[0], held[-1]) == (0, 10)
    assert all(len(found(engine)) == 10 for engine in engines)
    for engine in engines:
        engine.close()
    assert room.rows == 0
    database.close()


@on_both
def test_tenants_never_see_each_others_documents(open_memory):
    one, two = open_memory(tenant_id="one"), open_memory(tenant_id="two")
    one.put_document(NOTES, "k", {"text": "tea"}, user_id="u", vectors=[[1.0]])
    two.put_document(NOTES, "k", {"text": "coffee"}, user_id="u")
    assert two.get_document(NOTES, "k").value == {"text": "coffee"}
    assert [one.value for one in two.search_documents(query="tea").documents] == [
        {"text": "coffee"}
    ]
    assert two.search_documents(vector=[1.0]).documents[0].score is None
    two.forget(user_id="u")
    assert two.list_namespaces().namespaces == []
    assert one.get_document(NOTES, "k").value == {"text": "tea"}


@on_both
def test_threads_and_engines_share_documents_without_loss(open_memory):
    engines = [open_memory(), open_memory()]
    faults = []

    def work(name, engine):
        try:
            for number in range(25):
                engine.put_document((name,), f"k{number}", {"text": f"tea {name} {number}"})
                engine.put_document(("shared",), f"k{number}", {"text": name})
                assert engine.search_documents((name,), query="tea", limit=100).documents
                if number % 5 == 4:
                    assert engine.delete_document((name,), f"k{number}")
        except Exception as fault:  # noqa: BLE001 - told below
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(f"t{n}", engines[n % 2])) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    everything = engines[0].search_documents(limit=1000).documents
    assert len(everything) == 4 * 20 + 25
    assert len({one.updated_at for one in everything}) == len(everything)
    assert found(engines[0]) == found(engines[1])


def test_both_databases_give_the_same_answers(open_memory, new_postgres_url, clock):
    sqlite, postgres = open_memory(), open_engine(new_postgres_url(), clock=clock)
    answers = []
    for engine in (sqlite, postgres):
        for number in range(40):
            engine.put_document(
                ("users", f"Ü{number % 3}\n", "x" * (number % 2) * 250 or "y"),
                f"k{number}",
                {"text": f"Tea {number % 7} %_\\ 漢字", "n": number},
                vectors=None if number % 4 else [[1.0, number]],
            )
        answers.append(
            [
                engine.search_documents(("users",), limit=100),
                engine.search_documents(("users", "Ü1\n"), query="tea 5", limit=100),
                engine.search_documents(vector=[0.5, 7], limit=100),
                engine.search_documents(filter={"text": "Tea 3 %_\\ 漢字"}),
                engine.list_namespaces(),
                [event.id for event in engine.list_events(limit=100).events],
            ]
        )
    assert answers[0] == answers[1]
    assert len(answers[0][3].documents) == 6
    postgres.close()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # that is what is tested
def test_a_forked_child_searches_with_an_index_of_its_own(engine):
    engine.put_document(NOTES, "a", {"text": "tea"})
    assert set(found(engine)) == {"a"}
    with engine._documents._cache.lock:
        child = os.fork()
    if child == 0:
        status = 1
        try:
            engine.put_document(NOTES, "b", {"text": "tea"})
            status = 0 if set(found(engine)) == {"a", "b"} else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert set(found(engine)) == {"a", "b"}
