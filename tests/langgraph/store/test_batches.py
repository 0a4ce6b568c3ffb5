"""Batches: results in order, reads before writes, the last write wins."""

import pytest
from langgraph.store.base import (
    GetOp,
    InvalidNamespaceError,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchOp,
)

DOCS = ("docs",)


def test_results_are_in_the_order_of_the_operations(store):
    store.put(DOCS, "k", {"a": 1})
    put, listed, found, missing, got = store.batch(
        [
            PutOp(DOCS, "new", {"a": 2}),
            ListNamespacesOp(),
            SearchOp(DOCS),
            GetOp(DOCS, "none"),
            GetOp(DOCS, "k"),
        ]
    )
    assert (put, missing) == (None, None)
    assert listed == [DOCS]
    assert [item.key for item in found] == ["k"]
    assert got.value == {"a": 1}


def test_reads_see_what_was_there_before_the_batch(store):
    store.put(DOCS, "k", {"v": "old"})
    _, _, got, found, listed = store.batch(
        [
            PutOp(DOCS, "k", {"v": "new"}),
            PutOp(("other",), "k", {"v": "new"}),
            GetOp(DOCS, "k"),
            SearchOp(()),
            ListNamespacesOp(),
        ]
    )
    assert got.value == {"v": "old"}
    assert [item.value for item in found] == [{"v": "old"}]
    assert listed == [DOCS]
    assert store.get(DOCS, "k").value == {"v": "new"}


def test_the_last_write_of_an_item_wins(store):
    store.batch([PutOp(DOCS, "k", {"v": 1}), PutOp(DOCS, "k", {"v": 2})])
    assert store.get(DOCS, "k").value == {"v": 2}
    store.batch([PutOp(DOCS, "k", {"v": 3}), PutOp(DOCS, "k", None)])
    assert store.get(DOCS, "k") is None
    store.batch([PutOp(DOCS, "k", None), PutOp(DOCS, "k", {"v": 4})])
    assert store.get(DOCS, "k").value == {"v": 4}


def test_nothing_is_a_batch_too(store):
    assert store.batch([]) == []


def test_an_iterator_will_do(store):
    assert store.batch(op for op in [PutOp(DOCS, "k", {}), GetOp(DOCS, "k")]) == [None, None]


def test_conditions_of_a_listing_are_all_to_hold(store):
    for namespace in (("a", "x"), ("a", "y"), ("b", "x")):
        store.put(namespace, "k", {})
    both = (MatchCondition("prefix", ("a",)), MatchCondition("suffix", ("x",)))
    assert store.batch([ListNamespacesOp(match_conditions=both)]) == [[("a", "x")]]


@pytest.mark.parametrize(
    "op",
    [
        GetOp(("foo.bar",), "k"),
        PutOp(("foo", ""), "k", {}),
        PutOp(("foo.bar",), "k", None),
        SearchOp(("foo", 1)),
        ListNamespacesOp((MatchCondition("suffix", ("foo\0",)),)),
    ],
)
def test_one_invalid_namespace_refuses_the_whole_batch(store, op):
    with pytest.raises(InvalidNamespaceError):
        store.batch([PutOp(("valid",), "k", {}), op])
    assert store.get(("valid",), "k") is None


def test_the_root_that_put_refuses_can_be_had_by_an_operation(store):
    # As upstream: the rule belongs to `put`, so that LangGraph itself may write there.
    store.batch([PutOp(("langgraph", "x"), "k", {"a": 1})])
    assert store.get(("langgraph", "x"), "k").value == {"a": 1}


def test_what_is_no_operation_refuses_the_batch(store):
    with pytest.raises(ValueError, match="Unknown operation type"):
        store.batch([PutOp(DOCS, "k", {}), "get"])
    assert store.get(DOCS, "k") is None


def test_more_operations_than_a_request_holds_keep_their_meaning(store):
    store.put(DOCS, "k0", {"v": "old"})
    puts = [PutOp(DOCS, f"k{number}", {"v": number}, index=False) for number in range(1200)]
    results = store.batch([*puts, GetOp(DOCS, "k0"), *puts[:5], GetOp(DOCS, "k1199")])
    assert results[1200].value == {"v": "old"}
    assert results[-1] is None
    assert results[:1200] == [None] * 1200
    assert store.get(DOCS, "k1199").value == {"v": 1199}
