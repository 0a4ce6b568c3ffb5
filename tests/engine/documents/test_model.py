"""Whatever is done to the documents, the engine says what a dictionary would say."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hippocortex_core.operations import (
    DeleteDocument,
    GetDocument,
    ListNamespaces,
    PutDocument,
    SearchDocuments,
)
from hippocortex_core.testing import InMemoryService
from hippocortex_core.types import Document, DocumentSearchResult, NamespaceMatch

LABELS = st.sampled_from(["a", "b", "a b", "ab", "*", "a\n", "ö"])
NAMESPACES = st.lists(LABELS, min_size=1, max_size=3).map(tuple)
KEYS = st.sampled_from(["k", "l", "k k"])
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, -2.0]), LABELS
)
VALUES = st.dictionaries(
    st.sampled_from(["x", "y", "x.y"]),
    st.recursive(
        LEAVES,
        lambda inner: st.one_of(
            st.lists(inner, max_size=2),
            st.dictionaries(st.sampled_from(["x", "y"]), inner, max_size=2),
        ),
        max_leaves=4,
    ),
    max_size=3,
)
CONDITIONS = st.one_of(
    LEAVES,
    st.lists(LEAVES, max_size=2),
    st.dictionaries(
        st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]),
        LEAVES,
        min_size=1,
        max_size=2,
    ),
    st.dictionaries(st.sampled_from(["x", "y"]), LEAVES, max_size=2),
)
FILTERS = st.none() | st.dictionaries(st.sampled_from(["x", "y", "x.y"]), CONDITIONS, max_size=2)
MATCHES = st.lists(
    st.builds(NamespaceMatch, st.sampled_from(["prefix", "suffix"]), st.lists(LABELS, max_size=2)),
    max_size=2,
)

PUTS = st.builds(
    PutDocument,
    NAMESPACES,
    KEYS,
    VALUES,
    index=st.sampled_from([None, False, ["x"]]),
    ttl=st.sampled_from([None, 1.0, 10]),
    vectors=st.sampled_from([None, [[1, 0]], [[0, 1], [3, 4]]]),
    user_id=st.sampled_from([None, "u", "v"]),
    capture=st.booleans(),
)
OPERATIONS = st.one_of(
    PUTS,
    PUTS,
    st.builds(GetDocument, NAMESPACES, KEYS, refresh_ttl=st.booleans()),
    st.builds(DeleteDocument, NAMESPACES, KEYS),
    st.builds(
        SearchDocuments,
        st.lists(LABELS, max_size=2).map(tuple),
        vector=st.sampled_from([None, None, [1, 0], [1, 0, 0]]),
        filter=FILTERS,
        limit=st.integers(0, 5),
        offset=st.integers(0, 2),
        refresh_ttl=st.booleans(),
    ),
    st.builds(
        ListNamespaces,
        MATCHES,
        max_depth=st.sampled_from([None, 1, 2]),
        limit=st.integers(0, 5),
        offset=st.integers(0, 2),
    ),
)
STEPS = st.lists(
    st.one_of(
        OPERATIONS.map(lambda one: [one]),
        st.lists(OPERATIONS, max_size=5),
        st.sampled_from([1, 400, 3_000]),  # milliseconds that pass
        st.sampled_from(["forget u", "sweep"]),
    ),
    max_size=12,
)

numbers = itertools.count()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@given(steps=STEPS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_engine_says_what_a_dictionary_would_say(open_memory, clock, kind, steps):
    engine = open_memory(tenant_id=f"tenant {next(numbers)}")
    model = InMemoryService()
    model.documents.now = clock() * 1000
    for step in steps:
        if isinstance(step, int):
            clock.now += step
            model.documents.now = clock() * 1000
        elif step == "sweep":
            engine.sweep_documents()
        elif step == "forget u":
            engine.forget(user_id="u")
            model.forget(user_id="u")
        else:
            assert plain(engine.batch_documents(step)) == plain(model.batch_documents(step))
    engine.sweep_documents()
    everything = [SearchDocuments(limit=1000), ListNamespaces(limit=1000)]
    assert plain(engine.batch_documents(everything)) == plain(model.batch_documents(everything))
    events = engine.list_events(limit=1000).events
    assert [one.payload["key"] for one in events] == [
        one.payload["key"] for one in model.list_events(limit=1000).events
    ]


def plain(outcomes):
    """What must be the same: of the times of puts only their order, which all lists show."""
    for outcome in outcomes:
        one = [outcome] if isinstance(outcome, Document) else []
        for document in getattr(outcome, "documents", one):
            document.created_at = document.created_at == document.updated_at
            document.updated_at = None
            document.score = document.score and round(document.score, 5)
    return outcomes


def test_a_document_of_the_engine_has_the_fields_that_callers_know(engine):
    engine.put_document(("a",), "k", {"n": 1}, ttl=60)
    (found,) = engine.search_documents().documents
    assert engine.search_documents() == DocumentSearchResult(
        [
            Document(
                ["a"],
                "k",
                {"n": 1},
                "2027-01-15T08:00:00.000000Z",
                "2027-01-15T08:00:00.000000Z",
                "2027-01-15T08:01:00.000000Z",
            )
        ]
    )
    assert found == engine.get_document(("a",), "k")
