"""What expires is invisible at once, and removed with what was learned from it."""

from __future__ import annotations

import pytest

from hippocortex_engine.documents.writing import LINGER, SWEEP

NOTES = ("notes",)
SECOND = 1000
on_both = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])


def rows(engine, table="documents"):
    with engine._database.read() as connection:
        return connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()


@on_both
def test_a_document_is_there_until_its_time_is_over(engine, clock):
    engine.put_document(NOTES, "k", {"text": "tea"}, ttl=2)
    clock.now += 2 * SECOND - 1
    assert engine.get_document(NOTES, "k", refresh_ttl=False) is not None
    clock.now += 1
    assert engine.get_document(NOTES, "k") is None
    assert engine.search_documents().documents == []
    assert engine.search_documents(query="tea").documents == []
    assert engine.list_namespaces().namespaces == []
    assert rows(engine) == 1


@on_both
def test_reading_gives_it_time_again(engine, clock):
    engine.put_document(NOTES, "k", {"text": "tea"}, ttl=2)
    for read in (
        lambda: engine.get_document(NOTES, "k"),
        lambda: engine.search_documents(NOTES).documents[0],
        lambda: engine.search_documents(query="tea").documents[0],
        lambda: engine.search_documents(filter={"text": "tea"}).documents[0],
    ):
        clock.now += 1_500
        assert read().expires_at == engine.get_document(NOTES, "k", refresh_ttl=False).expires_at
    assert engine.get_document(NOTES, "k") is not None


@on_both
def test_sweeping_removes_documents_and_their_events(engine, clock):
    engine.put_document(NOTES, "a", {"text": "the code is 4711"}, ttl=1)
    engine.put_document(NOTES, "b", {"text": "tea"})
    clock.now += SECOND
    assert engine.sweep_documents() == 1
    assert engine.sweep_documents() == 0
    assert rows(engine) == rows(engine, "document_events") == 1
    assert [event.payload["key"] for event in engine.list_events().events] == ["b"]
    assert not any("4711" in entry.content for entry in engine.synthesize("the code").entries)


def test_a_write_sweeps_once_something_expired_a_while_ago(engine, clock):
    engine.put_document(NOTES, "early", {"n": 1}, ttl=1)
    engine.put_document(NOTES, "late", {"n": 1}, ttl=59)
    clock.now += LINGER // 1000
    engine.put_document(NOTES, "k", {"n": 1})
    assert rows(engine) == 3
    clock.now += SECOND
    engine.put_document(NOTES, "k", {"n": 2})
    assert rows(engine) == 1


def test_one_write_removes_only_so_many_and_a_sweep_all(engine, clock):
    for number in range(SWEEP + 10):
        engine.put_document(NOTES, f"k{number}", {"n": 1}, ttl=1, capture=False, index=False)
    clock.now += 3600 * SECOND
    engine.delete_document(NOTES, "none")
    assert rows(engine) == 10
    for number in range(2 * SWEEP):
        engine.put_document(NOTES, f"k{number}", {"n": 1}, ttl=1, capture=False, index=False)
    clock.now += 2 * SECOND
    assert engine.sweep_documents() == 2 * SWEEP
    assert rows(engine) == 0


@on_both
def test_what_is_put_in_place_of_an_expired_document_is_new(engine, clock):
    engine.put_document(NOTES, "k", {"text": "tea"}, ttl=1)
    before = engine.get_document(NOTES, "k")
    clock.now += 2 * SECOND
    engine.put_document(NOTES, "k", {"text": "tea"})
    after = engine.get_document(NOTES, "k")
    assert after.created_at > before.created_at
    assert engine.list_events().pagination.total == 1
    assert [one.key for one in engine.search_documents(query="tea").documents] == ["k"]


def test_deleting_what_has_expired_removes_it_but_says_there_was_nothing(engine, clock):
    engine.put_document(NOTES, "k", {"text": "tea"}, ttl=1)
    clock.now += SECOND
    assert engine.delete_document(NOTES, "k") is False
    assert rows(engine) == engine.list_events().pagination.total == 0


def test_the_clock_of_the_machine_may_go_back(engine, clock):
    engine.put_document(NOTES, "a", {"n": 1})
    clock.now -= 3600 * SECOND
    engine.put_document(NOTES, "b", {"n": 1})
    newer, older = engine.search_documents().documents
    assert (newer.key, older.key) == ("b", "a")
    assert newer.updated_at > older.updated_at
