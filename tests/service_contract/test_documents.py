"""Keyed documents: the same through every way to every home."""

import math

import pytest

from hippocortex_core import UnavailableError, ValidationError
from hippocortex_core.documents import MAX_OPERATIONS
from hippocortex_core.operations import (
    DeleteDocument,
    GetDocument,
    ListNamespaces,
    PutDocument,
    SearchDocuments,
)
from hippocortex_core.types import NamespaceMatch

NOTES = ("users", "ada", "notes")


def keys(found):
    return [document.key for document in found.documents]


def fill(memory, count=5, namespace=NOTES):
    for number in range(count):
        memory.put_document(namespace, f"k{number}", {"n": number})


def until(condition):
    """Waits for what the clock brings about; bounded by the work done meanwhile."""
    for _ in range(100_000):
        if found := condition():
            return found
    return None


# --- put and get ---------------------------------------------------------------------------------


def test_what_is_put_can_be_got(memory):
    value = {
        "text": "likes tea",
        "n": 1.5,
        "deep": {"a": [1, None, True, {"b": "ö 漢 🎉"}]},
        "": "",
    }
    memory.put_document(NOTES, "k", value)
    found = memory.get_document(NOTES, "k")
    assert (found.namespace, found.key, found.value) == (list(NOTES), "k", value)
    assert found.created_at == found.updated_at
    assert found.updated_at.endswith("Z")
    assert len(found.updated_at) == len("2026-01-01T00:00:00.000000Z")
    assert found.expires_at is None
    assert found.score is None


def test_what_is_not_there_is_none(memory):
    fill(memory, 1)
    assert memory.get_document(NOTES, "other") is None
    assert memory.get_document((*NOTES, "deeper"), "k0") is None
    assert memory.get_document(NOTES[:2], "k0") is None
    assert memory.get_document((), "k0") is None


def test_a_put_replaces_the_value_and_keeps_when_it_was_created(memory):
    memory.put_document(NOTES, "k", {"a": 1, "b": 2})
    before = memory.get_document(NOTES, "k")
    memory.put_document(NOTES, "k", {"a": 3})
    after = memory.get_document(NOTES, "k")
    assert after.value == {"a": 3}
    assert after.created_at == before.created_at
    assert after.updated_at > before.updated_at


def test_every_put_is_later_than_all_before(memory):
    fill(memory, 20)
    found = memory.search_documents(limit=20).documents
    times = [document.updated_at for document in found]
    assert times == sorted(set(times), reverse=True)
    assert [document.key for document in found] == [f"k{n}" for n in reversed(range(20))]


def test_what_is_handed_out_is_the_callers(memory):
    value = {"list": [1]}
    memory.put_document(NOTES, "k", value)
    value["list"].append(2)
    memory.get_document(NOTES, "k").value["list"].append(3)
    memory.search_documents().documents[0].value.clear()
    assert memory.get_document(NOTES, "k").value == {"list": [1]}


def test_documents_are_there_after_the_memory_was_closed(home, reopen):
    with home() as memory:
        memory.put_document(NOTES, "k", {"a": 1})
    assert reopen().get_document(NOTES, "k").value == {"a": 1}


def test_two_who_have_the_same_memory_open_see_each_others_documents_at_once(memory, reopen):
    other = reopen()
    for number in range(3):
        memory.put_document(NOTES, f"k{number}", {"text": f"tea number {number}"})
        assert f"k{number}" in keys(other.search_documents(query="tea"))
    other.put_document(NOTES, "k1", {"text": "coffee"})
    assert memory.get_document(NOTES, "k1").value == {"text": "coffee"}
    assert keys(memory.search_documents(query="coffee"))[0] == "k1"
    assert other.delete_document(NOTES, "k0")
    assert sorted(keys(memory.search_documents(query="tea"))) == ["k1", "k2"]
    assert memory.delete_document(NOTES, "k0") is False


def test_a_key_belongs_to_its_namespace(memory):
    memory.put_document(("a", "b"), "c", {"n": 1})
    memory.put_document(("a",), "b", {"n": 2})
    memory.put_document(("a", "b", "c"), "c", {"n": 3})
    memory.put_document(("ab",), "c", {"n": 4})
    assert memory.get_document(("a", "b"), "c").value == {"n": 1}
    assert memory.get_document(("a",), "b").value == {"n": 2}
    assert len(memory.search_documents().documents) == 4


def test_long_and_odd_names_are_names(memory):
    label = "label\nwith spaces, 'quotes', %_*, dots.and 漢字 🎉"
    long = tuple(f"{number:02}" + "ß" * 253 for number in range(32))
    for namespace in ((label, "%"), long):
        memory.put_document(namespace, "key/with ? and % " + "x" * 1000, {"n": 1})
        (found,) = memory.search_documents(namespace).documents
        assert found.namespace == list(namespace)
        assert memory.get_document(namespace, found.key) is not None
        assert memory.search_documents((*namespace[:-1], namespace[-1] + "x")).documents == []
    other = (*long[:-1], "31other")
    memory.put_document(other, "k", {})
    assert keys(memory.search_documents(other)) == ["k"]
    assert len(memory.search_documents(long[:-1]).documents) == 2
    assert memory.list_namespaces().namespaces == sorted([list(long), list(other), [label, "%"]])


# --- deleting ------------------------------------------------------------------------------------


def test_deleting_says_whether_there_was_something(memory):
    fill(memory, 2)
    assert memory.delete_document(NOTES, "k0") is True
    assert memory.delete_document(NOTES, "k0") is False
    assert memory.get_document(NOTES, "k0") is None
    assert keys(memory.search_documents()) == ["k1"]


def test_what_comes_again_after_a_delete_is_new(memory):
    memory.put_document(NOTES, "k", {"a": 1})
    before = memory.get_document(NOTES, "k")
    memory.delete_document(NOTES, "k")
    memory.put_document(NOTES, "k", {"a": 1})
    assert memory.get_document(NOTES, "k").created_at > before.created_at


# --- searching without a query -------------------------------------------------------------------


def test_a_prefix_matches_whole_labels(memory):
    for namespace in (("a",), ("a", "b"), ("a", "b", "c"), ("a", "bb"), ("ab",)):
        memory.put_document(namespace, "/".join(namespace), {})
    assert keys(memory.search_documents(("a", "b"))) == ["a/b/c", "a/b"]
    assert keys(memory.search_documents(("a",))) == ["a/bb", "a/b/c", "a/b", "a"]
    assert keys(memory.search_documents(("b",))) == []
    assert len(memory.search_documents().documents) == 5
    assert keys(memory.search_documents(["a", "b", "c"])) == ["a/b/c"]


def test_pages_of_the_newest_first(memory):
    fill(memory, 25)
    assert keys(memory.search_documents()) == [f"k{n}" for n in range(24, 14, -1)]
    assert keys(memory.search_documents(offset=23, limit=5)) == ["k1", "k0"]
    assert memory.search_documents(offset=25).documents == []
    assert memory.search_documents(limit=0).documents == []
    memory.put_document(NOTES, "k7", {"n": 7})
    assert keys(memory.search_documents(limit=2)) == ["k7", "k24"]


# --- filters -------------------------------------------------------------------------------------

VALUES = {
    "one": {"n": 1, "s": "apple", "flag": True, "tags": ["a", "b"], "in": {"x": {"y": 5}, "z": 1}},
    "two": {"n": 2.5, "s": "banana", "flag": False, "tags": [], "in": {"x": {"y": "5"}}},
    "ten": {"n": 10, "s": None, "tags": ["a"], "in": {"x": None}, "a.b": 1},
    "text": {"n": "10", "s": "Äpfel", "in": 7, "list": [{"k": 1}, 2]},
}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, "one two ten text"),
        ({"n": 1}, "one"),
        ({"n": 1.0}, "one"),
        ({"n": "10"}, "text"),
        ({"n": True}, ""),
        ({"flag": True}, "one"),
        ({"flag": 1}, ""),
        ({"s": "apple", "n": 1}, "one"),
        ({"s": "apple", "n": 2.5}, ""),
        ({"s": None}, "ten"),
        ({"absent": None}, "one two ten text"),
        ({"flag": None}, "ten text"),
        ({"s": {"$eq": None}}, "ten"),
        ({"n": {"$eq": 10}}, "ten"),
        ({"n": {"$ne": 10}}, "one two text"),
        ({"s": {"$ne": "apple"}}, "two text"),
        ({"absent": {"$ne": 1}}, ""),
        ({"s": {"$ne": None}}, "one two text"),
        ({"n": {"$gt": 2}}, "two ten"),
        ({"n": {"$gte": 2.5}}, "two ten"),
        ({"n": {"$lt": 10}}, "one two"),
        ({"n": {"$lte": 10}}, "one two ten"),
        ({"n": {"$gt": 1, "$lt": 10}}, "two"),
        ({"n": {"$gt": "1"}}, "text"),
        ({"s": {"$lt": "b"}}, "one"),
        ({"s": {"$gte": "b"}}, "two text"),
        ({"absent": {"$gt": 0}}, ""),
        ({"flag": {"$gt": False}}, ""),
        ({"tags": {"$gt": []}}, ""),
        ({"n": {"$gt": None}}, ""),
        ({"in.x.y": 5}, "one"),
        ({"in.x.y": {"$gte": 5}}, "one"),
        ({"in.x": None}, "ten text"),
        ({"in.x.y.z": None}, "one two ten text"),
        ({"in": {"x": {"y": 5}}}, "one"),
        ({"in": {"x": {"y": {"$ne": 5}}}}, "two"),
        ({"in": {"x.y": "5"}}, "two"),
        ({"in": {"$eq": {"x": {"y": 5}}}}, ""),
        ({"in": {"$eq": {"x": {"y": 5}, "z": 1}}}, "one"),
        ({"in": {}}, "one two ten"),
        ({"a.b": 1}, "ten"),
        ({"tags": ["a"]}, "ten"),
        ({"tags": ["a", {"$gt": "a"}]}, "one"),
        ({"tags": []}, "two"),
        ({"tags": {"$ne": ["a"]}}, "one two"),
        ({"list": [{"k": 1}, {"$gte": 2}]}, "text"),
    ],
)
def test_a_filter_chooses_by_what_the_value_holds(memory, wanted, found):
    for name, value in VALUES.items():
        memory.put_document(NOTES, name, value)
    assert set(keys(memory.search_documents(filter=wanted))) == set(found.split())


def test_a_filter_comes_before_paging_and_after_the_prefix(memory):
    for number in range(60):
        memory.put_document(("a", str(number % 2)), f"k{number}", {"n": number, "s": "x%_'\"\\"})
    wanted = {"n": {"$gte": 10}, "s": "x%_'\"\\"}
    page = memory.search_documents(("a", "1"), filter=wanted, offset=2, limit=3)
    assert keys(page) == ["k55", "k53", "k51"]
    rest = memory.search_documents(("a", "1"), filter=wanted, offset=24, limit=10)
    assert keys(rest) == ["k11"]


@pytest.mark.parametrize(
    ("wanted", "name"),
    [({"n": {"$in": [1]}}, "$in"), ({"$or": []}, "$or"), ({"n": {"$gt": 1, "x": 2}}, "x")],
)
def test_an_unknown_operator_is_named(memory, wanted, name):
    with pytest.raises(ValidationError) as caught:
        memory.search_documents(filter=wanted)
    assert repr(name) in caught.value.message
    assert caught.value.details[0].field.startswith("filter")


# --- searching with a query ----------------------------------------------------------------------


def say(memory):
    memory.put_document(NOTES, "food", {"text": "Ada likes Italian food, above all pizza"})
    memory.put_document(NOTES, "home", {"text": "She lives in a small house near Berlin"})
    memory.put_document(NOTES, "work", {"text": "Her job is writing compilers"})


def test_a_query_ranks_by_what_documents_say(memory):
    say(memory)
    found = memory.search_documents(query="which dishes does she like to eat?").documents
    assert found[0].key == "food"
    scores = [document.score for document in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert keys(memory.search_documents(query="compilers", limit=1)) == ["work"]


def test_a_score_does_not_depend_on_the_rest_of_the_page(memory):
    say(memory)
    whole = memory.search_documents(query="Berlin house").documents
    rest = memory.search_documents(query="Berlin house", offset=1, limit=1).documents
    assert [(one.key, one.score) for one in rest] == [(whole[1].key, whole[1].score)]


def test_what_is_not_indexed_comes_last_without_a_score(memory):
    say(memory)
    memory.put_document(NOTES, "hidden", {"text": "pizza pizza pizza"}, index=False)
    memory.put_document(NOTES, "empty", {})
    found = memory.search_documents(query="pizza").documents
    assert keys(memory.search_documents(query="pizza")) == [
        "food",
        *keys_of(found)[1:3],
        "empty",
        "hidden",
    ]
    assert [document.score is None for document in found] == [False] * 3 + [True] * 2
    assert keys(memory.search_documents(query="pizza", limit=1)) == ["food"]


def keys_of(documents):
    return [document.key for document in documents]


def test_only_the_indexed_paths_are_searched(memory):
    value = {
        "title": "volcano",
        "body": {"parts": [{"text": "pizza"}, {"text": "bicycle"}]},
        "secret": "umbrella",
    }
    memory.put_document(NOTES, "k", value, index=["title", "body.parts[*].text"])
    memory.put_document(NOTES, "first", value, index=["body.parts[0].text"])
    memory.put_document(NOTES, "last", value, index=["body.parts[-1].text"])
    memory.put_document(NOTES, "none", value, index=["absent", "body.parts[7]", "title.deeper"])

    def score(query):
        return {one.key: one.score for one in memory.search_documents(query=query).documents}

    assert score("pizza")["k"] == score("pizza")["first"] > 0.5 > score("pizza")["last"]
    assert score("bicycle")["k"] == score("bicycle")["last"] > 0.5 > score("bicycle")["first"]
    assert score("volcano")["k"] > 0.5 > score("umbrella")["k"]
    assert score("volcano")["none"] is None


def test_a_query_with_prefix_filter_and_offset(memory):
    for number in range(30):
        namespace = ("users", "ada" if number % 2 else "bob")
        value = {"text": "green tea", "n": number}
        memory.put_document(namespace, f"k{number}", value, index=["text"])
    found = memory.search_documents(
        ("users", "ada"), query="tea", filter={"n": {"$lt": 20}}, offset=2, limit=3
    )
    assert keys(found) == ["k15", "k13", "k11"]  # equal scores: the newest first
    assert len({document.score for document in found.documents}) == 1


def test_a_put_again_is_found_by_its_new_words_only(memory):
    say(memory)
    memory.search_documents(query="pizza")
    memory.put_document(NOTES, "food", {"text": "He keeps bees"})
    assert memory.search_documents(query="pizza").documents[0].score < 0.3
    assert keys(memory.search_documents(query="bees"))[0] == "food"


def test_a_blank_query_is_none(memory):
    fill(memory, 2)
    assert [one.score for one in memory.search_documents(query=" \n").documents] == [None, None]


# --- the caller's own vectors --------------------------------------------------------------------


def test_own_vectors_are_compared_exactly(memory):
    memory.put_document(NOTES, "x", {"n": 1}, vectors=[[1.0, 0.0, 0.0]])
    memory.put_document(NOTES, "xy", {"n": 2}, vectors=[[3.0, 3.0, 0.0]])
    memory.put_document(NOTES, "y or z", {"n": 3}, vectors=[[0, 2, 0], [0, 0, 5]])
    memory.put_document(NOTES, "minus", {"n": 4}, vectors=[[-1e-20, 0, 0]])
    memory.put_document(NOTES, "zero", {"n": 5}, vectors=[[0, 0, 0]])
    memory.put_document(NOTES, "flat", {"n": 6}, vectors=[[1.0, 0.0]])
    memory.put_document(NOTES, "none", {"n": 7})
    found = memory.search_documents(vector=[2.0, 0.0, 0.0]).documents
    scores = {document.key: document.score for document in found}
    assert keys_of(found)[:2] == ["x", "xy"]
    assert keys_of(found)[-3:] == ["minus", "none", "flat"]
    assert scores["x"] == pytest.approx(1)
    assert scores["xy"] == pytest.approx(math.sqrt(0.5), abs=1e-6)
    assert scores["y or z"] == scores["zero"] == 0
    assert scores["minus"] == pytest.approx(-1)
    assert scores["flat"] is scores["none"] is None
    best = memory.search_documents(vector=[0, 0.1, 1.0], limit=1).documents[0]
    assert (best.key, best.score) == ("y or z", pytest.approx(1 / math.sqrt(1.01), abs=1e-6))
    assert keys(memory.search_documents(vector=[5.0, 0], filter={"n": 6})) == ["flat"]


def test_own_vectors_are_replaced_with_the_document(memory):
    memory.put_document(NOTES, "k", {"n": 1}, vectors=[[1.0, 0.0]])
    assert memory.search_documents(vector=[1.0, 0.0]).documents[0].score == pytest.approx(1)
    memory.put_document(NOTES, "k", {"n": 1}, vectors=[[0.0, 1.0]])
    assert memory.search_documents(vector=[1.0, 0.0]).documents[0].score == 0
    memory.put_document(NOTES, "k", {"n": 1})
    assert memory.search_documents(vector=[1.0, 0.0]).documents[0].score is None


# --- namespaces ----------------------------------------------------------------------------------

NAMESPACES = [
    ("a", "b", "c"),
    ("a", "b", "d"),
    ("a", "x", "c"),
    ("b",),
    ("b", "b", "c", "e"),
    ("b", "z"),
]


@pytest.mark.parametrize(
    ("conditions", "options", "found"),
    [
        ([], {}, "a/b/c a/b/d a/x/c b b/b/c/e b/z"),
        ([("prefix", ["a", "b"])], {}, "a/b/c a/b/d"),
        ([("suffix", ["c"])], {}, "a/b/c a/x/c"),
        ([("prefix", ["a"]), ("suffix", ["c"])], {}, "a/b/c a/x/c"),
        ([("prefix", ["*", "b"])], {}, "a/b/c a/b/d b/b/c/e"),
        ([("suffix", ["b", "*"])], {}, "a/b/c a/b/d b/z"),
        ([("prefix", ["a", "*", "c"])], {}, "a/b/c a/x/c"),
        ([("prefix", ["a"]), ("prefix", ["b"])], {}, ""),
        ([("prefix", [])], {"limit": 2}, "a/b/c a/b/d"),
        ([], {"max_depth": 1}, "a b"),
        ([], {"max_depth": 2}, "a/b a/x b b/b b/z"),
        ([("suffix", ["c"])], {"max_depth": 2}, "a/b a/x"),
        ([], {"limit": 2, "offset": 3}, "b b/b/c/e"),
        ([], {"max_depth": 2, "limit": 2, "offset": 1}, "a/x b"),
        ([], {"offset": 9}, ""),
        ([("prefix", ["absent"])], {}, ""),
    ],
)
def test_namespaces_are_listed(memory, conditions, options, found):
    for namespace in reversed(NAMESPACES):
        memory.put_document(namespace, "k", {}, capture=False)
        memory.put_document(namespace, "l", {}, capture=False)
    match = [NamespaceMatch(kind, path) for kind, path in conditions]
    listed = memory.list_namespaces(match=match or None, **options).namespaces
    assert ["/".join(namespace) for namespace in listed] == found.split()


def test_a_namespace_goes_with_its_last_document(memory):
    memory.put_document(("a",), "k", {})
    memory.get_document(("b",), "k")
    assert memory.list_namespaces().namespaces == [["a"]]
    memory.delete_document(("a",), "k")
    assert memory.list_namespaces().namespaces == []


# --- time to live --------------------------------------------------------------------------------


def test_what_has_expired_is_not_there(memory):
    memory.put_document(NOTES, "short", {"text": "tea"}, ttl=0.001, vectors=[[1.0]])
    memory.put_document(NOTES, "long", {"text": "tea"}, ttl=3600)
    assert until(lambda: memory.get_document(NOTES, "short", refresh_ttl=False) is None)
    assert keys(memory.search_documents()) == ["long"]
    assert keys(memory.search_documents(query="tea")) == ["long"]
    assert keys(memory.search_documents(vector=[1.0])) == ["long"]
    assert keys(memory.search_documents(filter={"text": "tea"})) == ["long"]
    assert memory.delete_document(NOTES, "short") is False
    assert memory.list_namespaces().namespaces == [list(NOTES)]


def test_a_namespace_of_expired_documents_is_not_listed(memory):
    memory.put_document(("gone",), "k", {}, ttl=0.001)
    assert until(lambda: memory.list_namespaces().namespaces == [])


def test_the_time_to_live_begins_anew_when_read_unless_told_otherwise(memory):
    memory.put_document(NOTES, "k", {"text": "tea"}, ttl=1000)

    def expiry(read):
        read()
        return memory.get_document(NOTES, "k", refresh_ttl=False).expires_at

    first = expiry(lambda: None)
    assert expiry(lambda: memory.get_document(NOTES, "k", refresh_ttl=False)) == first
    assert expiry(lambda: memory.search_documents(query="tea", refresh_ttl=False)) == first
    second = until(lambda: max(expiry(lambda: memory.get_document(NOTES, "k")), first) != first)
    assert second
    second = expiry(lambda: None)
    assert until(lambda: expiry(lambda: memory.search_documents(query="tea")) > second)
    assert memory.get_document(NOTES, "k").updated_at < first


def test_a_put_sets_or_takes_away_the_time_to_live(memory):
    memory.put_document(NOTES, "k", {"a": 1}, ttl=1000)
    assert memory.get_document(NOTES, "k").expires_at is not None
    memory.put_document(NOTES, "k", {"a": 1})
    assert memory.get_document(NOTES, "k").expires_at is None


# --- batches -------------------------------------------------------------------------------------


def test_a_batch_reads_before_it_writes(memory):
    memory.put_document(NOTES, "old", {"n": 1})
    outcomes = memory.batch_documents(
        [
            PutDocument(NOTES, "new", {"n": 2}),
            GetDocument(NOTES, "new"),
            PutDocument(NOTES, "old", {"n": 3}),
            GetDocument(NOTES, "old"),
            SearchDocuments(NOTES),
            ListNamespaces(),
            DeleteDocument(NOTES, "old"),
            DeleteDocument(NOTES, "new"),
            PutDocument(NOTES, "new", {"n": 4}),
            DeleteDocument(("never",), "there"),
        ]
    )
    assert [outcomes[n] for n in (0, 1, 2, 8)] == [None] * 4
    assert outcomes[3].value == {"n": 1}
    assert keys(outcomes[4]) == ["old"]
    assert outcomes[5].namespaces == [list(NOTES)]
    assert [outcomes[n] for n in (6, 7, 9)] == [True, False, False]
    assert [one.value for one in memory.search_documents().documents] == [{"n": 4}]


def test_of_several_writes_to_one_document_the_last_wins(memory):
    memory.batch_documents(
        [
            PutDocument(NOTES, "a", {"n": 1}),
            PutDocument(NOTES, "b", {"n": 1}),
            PutDocument(NOTES, "a", {"n": 2}),
            DeleteDocument(NOTES, "b"),
            DeleteDocument(NOTES, "c"),
            PutDocument(NOTES, "c", {"n": 3}),
        ]
    )
    found = memory.search_documents().documents
    assert [(one.key, one.value["n"]) for one in found] == [("c", 3), ("a", 2)]
    assert memory.list_events().pagination.total == 2


def test_an_empty_batch_and_a_large_one(memory):
    assert memory.batch_documents([]) == []
    puts = [PutDocument(("n", str(n % 7)), f"k{n}", {"n": n}) for n in range(MAX_OPERATIONS)]
    assert memory.batch_documents(puts) == [None] * MAX_OPERATIONS
    gets = [GetDocument(put.namespace, put.key) for put in puts]
    assert [one.value["n"] for one in memory.batch_documents(gets)] == list(range(MAX_OPERATIONS))
    with pytest.raises(ValidationError):
        memory.batch_documents([*puts, puts[0]])


def test_a_batch_with_a_bad_operation_does_nothing(memory):
    with pytest.raises(ValidationError) as caught:
        memory.batch_documents(
            [PutDocument(NOTES, "k", {"n": 1}), PutDocument(NOTES, "", {}), GetDocument(NOTES, "k")]
        )
    assert [detail.field for detail in caught.value.details] == ["operations[1].key"]
    assert memory.search_documents().documents == []


# --- a put is also an event ----------------------------------------------------------------------


def test_a_put_is_an_event_that_recall_finds(memory):
    memory.put_document(
        NOTES, "k", {"text": "The door code is 4711", "n": 1}, user_id="u", agent_id="a"
    )
    (event,) = memory.list_events(user_id="u", agent_id="a").events
    assert event.type == "observation"
    assert event.session_id.startswith("document:")
    assert "The door code is 4711" in event.payload["text"]
    assert event.payload["namespace"] == list(NOTES)
    assert event.payload["key"] == "k"
    pack = memory.synthesize("what is the door code?")
    assert any("4711" in entry.content for entry in pack.entries)


def test_a_put_may_belong_to_a_session_or_be_no_event(memory):
    memory.put_document(NOTES, "a", {"n": 1}, session_id="s1")
    memory.put_document(NOTES, "b", {"n": 1}, capture=False)
    assert [event.session_id for event in memory.list_events().events] == ["s1"]


def test_only_what_is_new_is_an_event(memory):
    for value in (1, 1, 2, 2, 1):
        memory.put_document(NOTES, "k", {"n": value})
    assert memory.list_events().pagination.total == 3
    memory.put_document(NOTES, "k", {"n": 1}, ttl=100, user_id="u")
    assert memory.list_events().pagination.total == 3
    memory.put_document(NOTES, "quiet", {"n": 1}, capture=False)
    memory.put_document(NOTES, "quiet", {"n": 1})
    assert memory.list_events().pagination.total == 4


def test_the_events_of_a_document_go_with_it(memory):
    memory.put_document(NOTES, "k", {"text": "one"})
    memory.put_document(NOTES, "k", {"text": "two"}, session_id="s")
    memory.put_document(NOTES, "other", {"text": "three"}, session_id="s")
    memory.delete_document(NOTES, "k")
    (event,) = memory.list_events().events
    assert event.payload["text"] == "three"
    assert not any("two" in entry.content for entry in memory.synthesize("two").entries)


def test_what_was_learned_from_a_document_goes_with_it(memory):
    for number in range(3):
        memory.put_document(
            ("people", str(number)), "k", {"text": "I prefer window seats."}, user_id="ada"
        )
    memory.learn()
    (learned,) = memory.list_artifacts(limit=100).artifacts
    assert learned.evidence_count == 3
    for number in range(3):
        memory.delete_document(("people", str(number)), "k")
    assert memory.list_events().events == []
    assert memory.list_artifacts(limit=100).artifacts == []
    assert not any("window" in entry.content for entry in memory.synthesize("seat").entries)


def test_forgetting_a_user_removes_their_documents(memory):
    memory.put_document(NOTES, "a", {"text": "tea"}, user_id="u1")
    memory.put_document(NOTES, "b", {"text": "tea"}, user_id="u2", session_id="s")
    memory.put_document(NOTES, "c", {"text": "tea"}, user_id="u1", capture=False)
    memory.put_document(NOTES, "d", {"text": "tea"})
    result = memory.forget(user_id="u1")
    assert result.events_deleted == 1
    assert keys(memory.search_documents()) == ["d", "b"]
    assert sorted(keys(memory.search_documents(query="tea"))) == ["b", "d"]
    memory.forget(user_id="u2", session_id="other")
    assert keys(memory.search_documents()) == ["d", "b"]
    memory.forget(user_id="u2", session_id="s")
    assert keys(memory.search_documents()) == ["d"]
    memory.forget(session_id=memory.list_events().events[0].session_id)
    assert keys(memory.search_documents()) == ["d"]


def test_a_document_stays_its_users_when_a_put_names_nobody(memory):
    memory.put_document(NOTES, "k", {"text": "tea"}, user_id="u1")
    memory.put_document(NOTES, "k", {"text": "green tea"})
    memory.put_document(NOTES, "l", {"text": "tea"}, user_id="u1")
    memory.put_document(NOTES, "l", {"text": "coffee"}, user_id="u2")
    memory.forget(user_id="u1")
    assert keys(memory.search_documents()) == ["l"]
    assert [event.payload["text"] for event in memory.list_events().events] == ["coffee"]


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (((), "k", {}), "namespace"),
        (("abc", "k", {}), "namespace"),
        ((("a",) * 33, "k", {}), "namespace"),
        ((("a", ""), "k", {}), "namespace[1]"),
        ((("a\x1fb",), "k", {}), "namespace[0]"),
        ((("a\x00",), "k", {}), "namespace[0]"),
        ((("\ud800",), "k", {}), "namespace[0]"),
        ((("x" * 257,), "k", {}), "namespace[0]"),
        (((1,), "k", {}), "namespace[0]"),
        ((("a",), "", {}), "key"),
        ((("a",), "x" * 1025, {}), "key"),
        ((("a",), "\x00", {}), "key"),
        ((("a",), 5, {}), "key"),
        ((("a",), "k", [1]), "value"),
        ((("a",), "k", None), "value"),
        ((("a",), "k", {"a": [{"b": {1}}]}), "value.a[0].b"),
        ((("a",), "k", {"a": math.nan}), "value.a"),
        ((("a",), "k", {"a": "\x00"}), "value.a"),
        ((("a",), "k", {"a": "\udfff"}), "value.a"),
        ((("a",), "k", {"a": "x" * 1_048_576}), "value"),
    ],
)
def test_a_bad_document_is_refused_by_name(memory, arguments, field):
    with pytest.raises(ValidationError) as caught:
        memory.put_document(*arguments)
    assert [detail.field for detail in caught.value.details] == [field]
    assert memory.search_documents().documents == []


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"ttl": 0}, "ttl"),
        ({"ttl": -1.5}, "ttl"),
        ({"ttl": math.inf}, "ttl"),
        ({"ttl": "60"}, "ttl"),
        ({"index": "text"}, "index"),
        ({"index": [""]}, "index[0]"),
        ({"index": [1]}, "index[0]"),
        ({"vectors": [1.0]}, "vectors[0]"),
        ({"vectors": [[]]}, "vectors[0]"),
        ({"vectors": [[math.nan]]}, "vectors[0]"),
        ({"vectors": [[1e39]]}, "vectors[0]"),
        ({"vectors": [["a"]]}, "vectors[0]"),
        ({"vectors": [[1.0], [1.0, 2.0]]}, "vectors"),
        ({"user_id": ""}, "user_id"),
        ({"agent_id": "x" * 257}, "agent_id"),
        ({"session_id": "\x00"}, "session_id"),
        ({"capture": 1}, "capture"),
    ],
)
def test_a_bad_option_of_a_put_is_refused_by_name(memory, options, field):
    with pytest.raises(ValidationError) as caught:
        memory.put_document(("a",), "k", {}, **options)
    assert [detail.field for detail in caught.value.details] == [field]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"namespace_prefix": "abc"}, "namespace_prefix"),
        ({"namespace_prefix": ("",)}, "namespace_prefix[0]"),
        ({"query": 5}, "query"),
        ({"query": "x" * 100_001}, "query"),
        ({"vector": []}, "vector"),
        ({"vector": "abc"}, "vector"),
        ({"query": "x", "vector": [1.0]}, "vector"),
        ({"filter": [1]}, "filter"),
        ({"filter": {"a": {1}}}, "filter.a"),
        ({"limit": -1}, "limit"),
        ({"limit": 10_001}, "limit"),
        ({"limit": 1.5}, "limit"),
        ({"offset": -1}, "offset"),
        ({"offset": True}, "offset"),
        ({"refresh_ttl": "no"}, "refresh_ttl"),
    ],
)
def test_a_bad_search_is_refused_by_name(memory, options, field):
    with pytest.raises(ValidationError) as caught:
        memory.search_documents(**options)
    assert [detail.field for detail in caught.value.details] == [field]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"match": [("prefix", ["a"])]}, "match[0]"),
        ({"match": [NamespaceMatch("middle", ["a"])]}, "match[0].kind"),
        ({"match": [NamespaceMatch("prefix", "abc")]}, "match[0].path"),
        ({"match": [NamespaceMatch("prefix", [""])]}, "match[0].path[0]"),
        ({"max_depth": 0}, "max_depth"),
        ({"limit": -1}, "limit"),
        ({"offset": "1"}, "offset"),
    ],
)
def test_a_bad_listing_is_refused_by_name(memory, options, field):
    with pytest.raises(ValidationError) as caught:
        memory.list_namespaces(**options)
    assert [detail.field for detail in caught.value.details] == [field]


def test_a_closed_memory_says_so(home):
    with home() as memory:
        pass
    for call in (
        lambda: memory.put_document(NOTES, "k", {}),
        lambda: memory.get_document(NOTES, "k"),
        memory.search_documents,
        lambda: memory.batch_documents([GetDocument(NOTES, "k")]),
    ):
        with pytest.raises(UnavailableError):
            call()
