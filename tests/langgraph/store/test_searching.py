"""Searching: below a namespace, by filter, by query, page by page."""

import pytest

DOCS = ("docs",)


def keys(items):
    return [item.key for item in items]


@pytest.fixture
def filled(store):
    store.put(("docs", "a"), "one", {"n": 1, "tag": "x", "who": {"name": "ann", "age": 30}})
    store.put(("docs", "b"), "two", {"n": 10, "tag": "y", "labels": ["p", "q"]})
    store.put(("docsX",), "three", {"n": 2.5, "tag": "x"})
    return store


def test_a_prefix_is_of_whole_labels(filled):
    assert set(keys(filled.search(DOCS))) == {"one", "two"}
    assert keys(filled.search(("docs", "a"))) == ["one"]
    assert filled.search(("doc",)) == []
    assert len(filled.search(())) == 3


def test_a_list_will_do_for_a_prefix(filled):
    assert keys(filled.search(["docs", "b"])) == ["two"]


def test_case_matters(filled):
    assert filled.search(("Docs",)) == []


def test_without_a_query_the_newest_comes_first_and_nothing_has_a_score(filled):
    filled.put(("docs", "a"), "one", {"n": 1})
    found = filled.search(())
    assert keys(found) == ["one", "three", "two"]
    assert {item.score for item in found} == {None}


def test_pages_do_not_overlap(store):
    for number in range(5):
        store.put(DOCS, str(number), {"n": number})
    pages = [keys(store.search(DOCS, limit=2, offset=offset)) for offset in (0, 2, 4)]
    assert pages == [["4", "3"], ["2", "1"], ["0"]]
    assert store.search(DOCS, limit=0) == []


FILTERS = [
    ({"tag": "x"}, {"one", "three"}),
    ({"tag": "x", "n": 1}, {"one"}),
    ({"n": {"$eq": 10}}, {"two"}),
    ({"n": {"$gt": 2}}, {"two", "three"}),
    ({"n": {"$gte": 2.5, "$lt": 10}}, {"three"}),
    ({"n": {"$lte": 1}}, {"one"}),
    ({"tag": {"$ne": "x"}}, {"two"}),
    ({"who": {"name": "ann"}}, {"one"}),
    ({"who": {"age": {"$gt": 29}}}, {"one"}),
    ({"who.name": "ann"}, {"one"}),
    ({"labels": ["p", "q"]}, {"two"}),
    ({"labels": ("p", "q")}, {"two"}),
    ({"labels": ["q", "p"]}, set()),
    ({}, {"one", "two", "three"}),
    ({"missing": None}, {"one", "two", "three"}),
]


def test_filters(filled):
    for wanted, found in FILTERS:
        assert set(keys(filled.search((), filter=wanted))) == found, wanted


NOWHERE = [
    {"missing": {"$gt": 1}},
    {"missing": {"$ne": 1}},
    {"missing": {"$eq": 1}},
    {"tag": {"$gt": 1}},
    {"who": {"$lt": 5}},
    {"tag": {"deeper": 1}},
    {"labels": {"$gte": 0}},
]


def test_what_is_missing_or_cannot_be_compared_does_not_match(filled):
    for wanted in NOWHERE:
        assert filled.search((), filter=wanted) == [], wanted


def test_numbers_compare_as_numbers(filled):
    assert keys(filled.search((), filter={"n": {"$gt": 9}})) == ["two"]
    assert keys(filled.search((), filter={"n": {"$lt": 10**100, "$gt": 9}})) == ["two"]


def test_infinity_and_nan_are_operands_too(filled):
    assert len(filled.search((), filter={"n": {"$lt": float("inf")}})) == 3
    assert len(filled.search((), filter={"n": {"$gt": float("-inf")}})) == 3
    assert filled.search((), filter={"n": {"$eq": float("nan")}}) == []
    assert filled.search((), filter={"n": float("nan")}) == []
    assert len(filled.search((), filter={"n": {"$ne": float("nan")}})) == 3


def test_text_that_cannot_be_stored_is_found_nowhere(filled):
    assert filled.search((), filter={"tag": "x\0' OR '1'='1"}) == []
    assert filled.search((), filter={"tag": "\ud800"}) == []
    assert len(filled.search((), filter={"tag": {"$ne": "\0"}})) == 3


def test_true_is_not_one(store):
    store.put(DOCS, "flag", {"v": True})
    store.put(DOCS, "one", {"v": 1})
    assert keys(store.search(DOCS, filter={"v": True})) == ["flag"]
    assert keys(store.search(DOCS, filter={"v": 1})) == ["one"]


def test_a_query_ranks_by_meaning_without_any_configuration(store):
    store.put(DOCS, "pizza", {"text": "Ann likes pizza with mushrooms for dinner"})
    store.put(DOCS, "deploy", {"text": "The payment service is deployed on Fridays"})
    found = store.search(DOCS, query="what food does she enjoy?")
    assert keys(found) == ["pizza", "deploy"]
    assert found[0].score > found[1].score >= 0


def test_what_is_not_indexed_comes_last_without_a_score(store):
    store.put(DOCS, "hidden", {"text": "pizza pizza pizza"}, index=False)
    store.put(DOCS, "shown", {"text": "deploy the service"})
    found = store.search(DOCS, query="pizza")
    assert keys(found) == ["shown", "hidden"]
    assert found[1].score is None
    assert keys(store.search(DOCS, query="pizza", limit=1)) == ["shown"]


def test_only_the_given_paths_are_searched(store):
    store.put(DOCS, "title", {"title": "pizza", "body": "engines"}, index=["title"])
    store.put(DOCS, "body", {"title": "engines", "body": "pizza"}, index=["title"])
    assert keys(store.search(DOCS, query="pizza")) == ["title", "body"]


def test_a_query_and_a_filter_go_together(store):
    store.put(DOCS, "old", {"text": "pizza with mushrooms", "year": 2020})
    store.put(DOCS, "new", {"text": "pasta with mushrooms", "year": 2025})
    found = store.search(DOCS, query="pizza", filter={"year": {"$gt": 2021}})
    assert keys(found) == ["new"]


def test_a_blank_query_is_none(filled):
    for query in ("", "   ", None):
        assert [item.score for item in filled.search((), query=query)] == [None] * 3
