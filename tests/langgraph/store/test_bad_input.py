"""Bad input is refused before anything is stored, and the message says what is wrong."""

import enum
import re
from datetime import datetime

import pytest
from langgraph.store.base import InvalidNamespaceError, PutOp

from hippocortex_langgraph import HippocortexStore

DOCS = ("docs",)


@pytest.fixture
def store(embedded):
    with HippocortexStore(embedded) as store:
        yield store


@pytest.mark.parametrize(
    "namespace", [(), ("langgraph", "x"), ("a.b",), ("a", ""), ("a", 1), ("a\0",), ("x" * 257,)]
)
def test_invalid_namespaces_are_langgraphs_own_error(store, namespace):
    with pytest.raises(InvalidNamespaceError):
        store.put(namespace, "k", {"a": 1})
    assert store.search(()) == []


def test_a_namespace_may_be_so_deep_and_no_deeper(store):
    store.put(("a",) * 32, "k", {})
    with pytest.raises(InvalidNamespaceError, match="32"):
        store.put(("a",) * 33, "k", {})


@pytest.mark.parametrize("call", ["get", "delete"])
def test_reads_check_labels_too(store, call):
    with pytest.raises(InvalidNamespaceError):
        getattr(store, call)(("a.b",), "k")
    assert getattr(store, call)((), "k") is None
    assert getattr(store, call)(("langgraph",), "k") is None


@pytest.mark.parametrize("key", ["", "x" * 1025])
def test_invalid_keys_are_a_value_error(store, key):
    with pytest.raises(ValueError, match="Invalid key"):
        store.put(DOCS, key, {"a": 1})


@pytest.mark.parametrize("value", ["text", ["list"], 5, {1, 2}])
def test_a_value_must_be_a_mapping(store, value):
    with pytest.raises(ValueError, match="value must be a mapping"):
        store.batch([PutOp(DOCS, "k", value)])


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": [object()]}, "value['a'][0] is not JSON: object"),
        ({"a": {"b": {1, 2}}}, "value['a']['b'] is not JSON: set"),
        ({"when": datetime(2026, 1, 1)}, "value['when'] is not JSON: datetime"),  # noqa: DTZ001
        ({"raw": b"x"}, "value['raw'] is not JSON: bytes"),
        ({"n": [1, float("nan")]}, "value['n'][1] is nan"),
        ({"n": float("-inf")}, "value['n'] is -inf"),
        ({"a": {7: 1}}, "value['a'] has the key 7"),
        ({None: 1}, "value has the key None"),
    ],
)
def test_what_is_not_json_is_a_type_error_that_names_the_place(store, value, place):
    with pytest.raises(TypeError, match=re.escape(place)):
        store.put(DOCS, "k", value)
    assert store.get(DOCS, "k") is None


def test_one_bad_value_refuses_the_whole_batch(store):
    with pytest.raises(TypeError):
        store.batch([PutOp(DOCS, "good", {"a": 1}), PutOp(DOCS, "bad", {"a": object()})])
    assert store.get(DOCS, "good") is None


def test_a_value_that_holds_itself_is_refused(store):
    value = {}
    value["self"] = [value]
    with pytest.raises(ValueError, match="nested deeper"):
        store.put(DOCS, "k", value)


def test_members_of_enums_are_what_they_are_equal_to(store):
    class Mood(str, enum.Enum):
        GOOD = "good"

    class Level(enum.IntEnum):
        HIGH = 3

    store.put(DOCS, "k", {"mood": Mood.GOOD, "level": Level.HIGH, Mood.GOOD: 1})
    assert store.get(DOCS, "k").value == {"mood": "good", "level": 3, "good": 1}
    assert len(store.search(DOCS, filter={"mood": Mood.GOOD, "level": Level.HIGH})) == 1


@pytest.mark.parametrize(
    "wanted", [{"a": {"$in": [1]}}, {"a": {"$gt": 1, "b": 2}}, {"$or": []}, {"a": {"b": {"$x": 1}}}]
)
def test_unknown_operators_are_a_value_error_that_names_them(store, wanted):
    with pytest.raises(ValueError, match=r"Unsupported operator: (\$in|b|\$or|\$x)$"):
        store.search(DOCS, filter=wanted)


@pytest.mark.parametrize("key", ["", "a') = 'public' OR '1'='1", 'a"b', "a\\b", "a\0b", 5])
def test_invalid_filter_keys_are_a_value_error(store, key):
    with pytest.raises(ValueError, match="Invalid filter key"):
        store.search(DOCS, filter={key: 1})


@pytest.mark.parametrize("key", ["größe", "with space", "price (EUR)", "a-b", "123"])
def test_keys_in_any_language_are_filter_keys(store, key):
    store.put(DOCS, "k", {key: 1})
    assert len(store.search(DOCS, filter={key: 1})) == 1


def test_an_operand_that_is_not_json_is_a_type_error(store):
    with pytest.raises(TypeError, match=re.escape("filter['a']['$eq'] is not JSON: object")):
        store.search(DOCS, filter={"a": {"$eq": object()}})
    with pytest.raises(TypeError, match=re.escape("filter['a'][0] is not JSON: set")):
        store.search(DOCS, filter={"a": [set()]})
