"""An index with the user's own embeddings: cosines, paths, and what is asked of the embeddings."""

import math

import pytest
from langchain_core.embeddings import Embeddings

DOCS = ("docs",)


class Letters(Embeddings):
    """Counts of four letters; remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def embed_documents(self, texts):
        self.asked.append(list(texts))
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text):
        return [float(text.count(letter)) for letter in "abcd"]


@pytest.fixture
def letters():
    return Letters()


def keys(items):
    return [item.key for item in items]


def test_scores_are_cosines(new_store, letters):
    store = new_store(index={"dims": 4, "embed": letters, "fields": ["text"]})
    store.put(DOCS, "ab", {"text": "ab"})
    store.put(DOCS, "a", {"text": "a"})
    store.put(DOCS, "c", {"text": "c"})
    found = store.search(DOCS, query="a")
    assert keys(found) == ["a", "ab", "c"]
    assert [item.score for item in found] == pytest.approx([1.0, math.sqrt(0.5), 0.0], abs=1e-6)


def test_the_best_vector_of_an_item_counts(new_store, letters):
    store = new_store(index={"dims": 4, "embed": letters, "fields": ["x", "y[*].z"]})
    store.put(DOCS, "near", {"x": "dddd", "y": [{"z": "c"}, {"z": "a"}]})
    store.put(DOCS, "far", {"x": "dd", "y": []})
    found = store.search(DOCS, query="aaa")
    assert keys(found) == ["near", "far"]
    assert found[0].score == pytest.approx(1.0)


def test_a_put_may_name_its_own_paths_or_none(new_store, letters):
    store = new_store(index={"dims": 4, "embed": letters, "fields": ["absent"]})
    store.put(DOCS, "own", {"x": "a", "y": "b"}, index=["y"])
    store.put(DOCS, "not", {"x": "a", "y": "b"}, index=False)
    store.put(DOCS, "default", {"x": "a", "y": "b"})
    found = {item.key: item.score for item in store.search(DOCS, query="b")}
    assert found == {"own": pytest.approx(1.0), "not": None, "default": None}


def test_overwriting_replaces_the_vectors(new_store, letters):
    store = new_store(index={"dims": 4, "embed": letters})
    store.put(DOCS, "k", {"text": "aaaa"})
    store.put(DOCS, "k", {"text": "bbbb"})
    (found,) = store.search(DOCS, query="a")
    assert found.score < 0.5


def test_equal_texts_are_embedded_once_per_batch(new_store, letters):
    from langgraph.store.base import PutOp

    store = new_store(index={"dims": 4, "embed": letters, "fields": ["text"]})
    store.batch([PutOp(DOCS, str(number), {"text": "same"}) for number in range(3)])
    assert letters.asked == [["same"]]
    assert len(store.search(DOCS, query="a")) == 3


def test_the_fields_of_sql_stores_are_understood(new_store, letters):
    store = new_store(index={"dims": 4, "embed": letters, "text_fields": ["title"]})
    store.put(DOCS, "k", {"title": "a", "text": "d"})
    assert letters.asked == [["a"]]
    assert store.index_config["text_fields"] == ["title"]
    assert store.embeddings is letters


def test_a_function_will_do_for_embeddings(new_store, letters):
    store = new_store(index={"dims": 4, "embed": letters.embed_documents})
    store.put(DOCS, "k", {"text": "a"})
    assert store.search(DOCS, query='{"text": "a"}')[0].score == pytest.approx(1.0)


def test_embeddings_that_return_too_few_vectors_are_an_error(new_store):
    store = new_store(index={"dims": 4, "embed": lambda texts: []})
    with pytest.raises(ValueError, match="returned 0 vectors for 1 texts"):
        store.put(DOCS, "k", {"text": "a"})
    assert store.get(DOCS, "k") is None


def test_embeddings_that_fail_are_an_error_and_nothing_is_kept(new_store):
    def fail(texts):
        raise RuntimeError("no quota")

    store = new_store(index={"dims": 4, "embed": fail})
    with pytest.raises(RuntimeError, match="no quota"):
        store.put(DOCS, "k", {"text": "a"})
    assert store.get(DOCS, "k") is None


def test_without_a_query_nothing_is_embedded(new_store, letters):
    store = new_store(index={"dims": 4, "embed": letters})
    store.put(DOCS, "k", {"text": "a"}, index=False)
    store.search(DOCS)
    store.get(DOCS, "k")
    assert letters.asked == []
