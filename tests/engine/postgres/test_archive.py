"""Tenants too large for memory: PostgreSQL proposes, and the same code decides."""

from __future__ import annotations

import logging

import psycopg
import pytest
from sqlalchemy import text

from hippocortex.data import tau_bench_sample
from hippocortex.importers import read_events
from hippocortex_core import CaptureEvent, SynthesizeOptions
from hippocortex_core.types import NOBODY
from hippocortex_engine import open_engine
from hippocortex_engine.storage.migrating import migrate

LIMIT = 100
QUESTIONS = [
    "a customer wants to cancel a reservation",
    "the payment fails while booking a flight",
    "economy flights from New York to Seattle on May 20",
    "is travel insurance included",
    "baggage allowance for gold members",
    "change the passenger's name",
    "refund to a gift card",
    "upgrade to business class",
    "find the user's profile",
    "which certificates and credit cards are on file",
]


@pytest.fixture(scope="module")
def events():
    with tau_bench_sample() as path:
        found = [item.event for item in read_events(path)]
    sessions = list(dict.fromkeys(one.session_id for one in found))
    nobodys = set(sessions[::4])
    return [
        CaptureEvent(
            one.type,
            one.session_id,
            one.payload,
            {
                "agent_id": f"a{place % 2}",
                # Where a user is named, not every event does so.
                **(
                    {}
                    if one.session_id in nobodys or not place % 5
                    else {"user_id": f"u{place % 3}"}
                ),
            },
            one.idempotency_key,
            one.occurred_at,
        )
        for place, one in enumerate(found[:900])
    ]


@pytest.fixture
def pair(events, postgres_url):
    """The same memory twice: searched in memory, and all but the newest in the database."""
    whole = open_engine("sqlite://", clock=lambda: 1_800_000_000_000)
    split = open_engine(f"{postgres_url}&index_limit={LIMIT}", clock=lambda: 1_800_000_000_000)
    for engine in (whole, split):
        engine.capture_batch(events)
        engine.learn()
    split._archivist.catch_up()
    yield whole, split
    whole.close()
    split.close()


def shown(engine, question, **options):
    wanted = SynthesizeOptions(max_tokens=1500, sections=["context"], **options)
    return [one.provenance[0].source_id for one in engine.synthesize(question, wanted).entries]


def count(engine, table="search_events"):
    with engine._database.read() as connection:
        return connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()


def test_what_is_found_is_what_memory_would_have_found(pair, events):
    whole, split = pair
    assert count(split) == len(events) - LIMIT
    shares = []
    for question in QUESTIONS:
        expected, found = shown(whole, question)[:10], shown(split, question)[:10]
        shares.append(len(set(expected) & set(found)) / max(1, len(expected)))
    assert len(split._cache._index) == LIMIT
    assert sum(shares) / len(shares) >= 0.9, shares


def test_artifacts_and_budgets_are_the_same(pair):
    whole, split = pair
    options = SynthesizeOptions(max_tokens=800, sections=["procedures", "failures", "facts"])
    for question in QUESTIONS:
        one, other = whole.synthesize(question, options), split.synthesize(question, options)
        assert [entry.content for entry in one.entries] == [e.content for e in other.entries]
        assert one.budget == other.budget


@pytest.mark.parametrize("name", ["user_id", "agent_id", "session_id"])
def test_filters_hold_among_the_older_events_too(pair, events, name):
    _, split = pair
    value = {"user_id": "u1", "agent_id": "a0", "session_id": events[5].session_id}[name]
    found = [one for question in QUESTIONS for one in shown(split, question, **{name: value})]
    assert found
    for one in split.list_events(event_ids=sorted(set(found)), limit=1000).events:
        held = one.session_id if name == "session_id" else one.metadata[name]
        assert held == value


def test_nobodys_older_events_are_found_without_those_of_users(pair, events):
    _, split = pair
    found = [one for question in QUESTIONS for one in shown(split, question, user_id=NOBODY)]
    old = split.list_events(event_ids=sorted(set(found)), limit=1000).events
    assert len(old) > 10
    named = {one.session_id for one in events if "user_id" in one.metadata}
    assert named.isdisjoint(one.session_id for one in old)


def test_events_are_found_while_they_wait_for_the_archive(events, postgres_url):
    engine = open_engine(f"{postgres_url}&index_limit={LIMIT}")
    engine.capture_batch(events[:300])
    first = shown(engine, QUESTIONS[0])
    assert first
    engine._archivist.catch_up()
    assert set(shown(engine, QUESTIONS[0])[:5]) == set(first[:5])
    engine.close()


def test_recall_hands_older_events_over_by_itself(events, postgres_url):
    engine = open_engine(f"{postgres_url}&index_limit={LIMIT}")
    engine.capture_batch(events[:300])
    engine.synthesize(QUESTIONS[0])
    while count(engine) < 200:
        pass  # the test's timeout is the limit
    engine.synthesize(QUESTIONS[0])
    assert len(engine._cache._index) == LIMIT
    engine.close()


def test_what_is_forgotten_is_forgotten_there_too(pair, events):
    _, split = pair
    doomed = events[0].session_id
    gone = sum(one.session_id == doomed for one in events)
    before, stated = count(split), _state(split)
    split.forget(session_id=doomed)
    assert count(split) == before - gone
    assert _state(split)[0] == stated[0] - gone
    with split._database.read() as connection:
        left = connection.execute(
            text("SELECT count(*) FROM search_events WHERE session_id = :s"), {"s": doomed}
        )
        assert left.scalar() == 0
    assert all(shown(split, question) for question in QUESTIONS)
    split.forget(user_id="u0")
    split.forget(user_id="u1")
    split.forget(user_id="u2")
    split.forget(agent_id="a0")
    split.forget(agent_id="a1")
    assert count(split) == 0
    assert _state(split) == (0, 0)
    with split._database.read() as connection:
        most = connection.execute(text("SELECT max(events) FROM search_terms")).scalar()
    assert most == 0


def test_another_model_starts_the_archive_anew(pair, postgres_url):
    import numpy as np

    class Tiny:
        name, dimensions = "tiny/1", 16

        def embed(self, texts):
            made = np.array([[len(t) % (n + 2) - n / 2 for n in range(16)] for t in texts])
            return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)

    _, split = pair
    before = count(split)
    other = open_engine(f"{postgres_url}&index_limit={LIMIT}", embedder=Tiny())
    assert shown(other, QUESTIONS[0])
    while count(other) < before:
        pass  # the test's timeout is the limit
    assert shown(other, QUESTIONS[0])
    other.close()


def test_the_indexes_are_used(pair, postgres_url):
    _, split = pair
    vector, words = "01" * 128, "t0000000000000001 | t0000000000000002"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE search_events")
        connection.execute("SET enable_seqscan = off; SET enable_sort = off")
        for query, index in (
            (f"ORDER BY code <~> '{vector}'::bit(256) LIMIT 150", "ix_search_events_code"),
            (f"AND terms @@ '{words}'::tsquery", "ix_search_events_terms"),
        ):
            plan = connection.execute(
                "EXPLAIN SELECT seq FROM search_events WHERE tenant_id = 'default'"
                f" AND seq <= 1000000 {query}"
            )
            assert index in "\n".join(row[0] for row in plan)
    assert count(split) == 800


def test_two_archivists_at_once_take_every_event_once(events, postgres_url):
    from concurrent.futures import ThreadPoolExecutor

    engines = [open_engine(f"{postgres_url}&index_limit=10") for _ in range(4)]
    engines[0].capture_batch(events[:400])
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: one._archivist.catch_up(), engines))
    engines[0]._archivist.catch_up()
    assert count(engines[0]) == 390
    assert _state(engines[0])[0] == 390
    for engine in engines:
        engine.close()


def test_without_pgvector_everything_is_searched_in_memory_and_a_warning_says_so(
    events, postgres_url, caplog
):
    with psycopg.connect(postgres_url) as connection:
        connection.execute("DROP EXTENSION vector CASCADE")
    engine = open_engine(f"{postgres_url}&index_limit={LIMIT}")
    engine.capture_batch(events[:300])
    with caplog.at_level(logging.WARNING, "hippocortex"):
        assert shown(engine, QUESTIONS[0])
        shown(engine, QUESTIONS[1])
    (said,) = (one.getMessage() for one in caplog.records if "pgvector" in one.getMessage())
    assert said.startswith("a tenant has more than 100 events, all kept in memory")
    assert said.endswith("install it and run: hippocortex migrate")
    engine.close()
    migrate(postgres_url)  # which installs it
    again = open_engine(f"{postgres_url}&index_limit={LIMIT}")
    again._archivist.catch_up()
    assert count(again) == 200
    again.close()


def test_small_tenants_never_touch_the_archive(events, postgres_url):
    engine = open_engine(postgres_url)
    engine.capture_batch(events[:300])
    assert shown(engine, QUESTIONS[0])
    engine._archivist.catch_up()
    assert count(engine) == count(engine, "search_states") == 0
    engine.close()


def _state(engine):
    with engine._database.read() as connection:
        row = connection.execute(text("SELECT events, length FROM search_states")).one()
    return tuple(row)
