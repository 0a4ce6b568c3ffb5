"""Items: kept, overwritten, deleted, and returned as copies."""

from collections import UserDict
from datetime import timezone
from types import MappingProxyType

ANN = ("users", "ann")


def test_an_item_comes_back_as_it_was_put(store):
    value = {"text": "ümläut", "n": 1.5, "flag": True, "none": None, "list": [1, {"a": []}]}
    store.put(ANN, "k", value)
    item = store.get(ANN, "k")
    assert (item.namespace, item.key, item.value) == (ANN, "k", value)


def test_what_is_not_there_is_none(store):
    store.put(ANN, "k", {"a": 1})
    assert store.get(ANN, "other") is None
    assert store.get(("users",), "k") is None
    assert store.get(("users", "ann", "x"), "k") is None


def test_overwriting_keeps_when_it_was_created(store, clock):
    store.put(ANN, "k", {"a": 1})
    first = store.get(ANN, "k")
    clock.forward(1)
    store.put(ANN, "k", {"b": 2})
    second = store.get(ANN, "k")
    assert second.value == {"b": 2}
    assert second.created_at == first.created_at
    assert second.updated_at > first.updated_at


def test_times_know_their_zone(store):
    store.put(ANN, "k", {"a": 1})
    item = store.get(ANN, "k")
    assert item.created_at.tzinfo is not None
    assert item.created_at.astimezone(timezone.utc).year == 2027


def test_a_deleted_item_is_gone_and_may_be_deleted_again(store):
    store.put(ANN, "k", {"a": 1})
    store.delete(ANN, "k")
    store.delete(ANN, "k")
    assert store.get(ANN, "k") is None
    assert store.search(ANN) == []
    assert store.list_namespaces() == []


def test_keys_are_text(store):
    store.put(ANN, 7, {"a": 1})
    assert store.get(ANN, "7").value == {"a": 1}
    assert store.get(ANN, 7).key == "7"
    store.delete(ANN, 7)
    assert store.get(ANN, "7") is None


def test_changing_what_was_returned_changes_nothing(store):
    store.put(ANN, "k", {"list": [1]})
    store.get(ANN, "k").value["list"].append(2)
    store.search(ANN)[0].value["more"] = True
    assert store.get(ANN, "k").value == {"list": [1]}


def test_changing_what_was_put_changes_nothing(store):
    value = {"list": [1]}
    store.put(ANN, "k", value)
    value["list"].append(2)
    assert store.get(ANN, "k").value == {"list": [1]}


def test_any_mapping_can_be_put_and_comes_back_as_plain_json(store):
    store.put(ANN, "k", UserDict({"inner": MappingProxyType({"a": (1, 2)})}))
    assert store.get(ANN, "k").value == {"inner": {"a": [1, 2]}}


def test_labels_may_hold_whatever_text_but_dots(store):
    odd = ("a%b", "*", "x y", "line\nbreak", "日本", "user_1")
    store.put(odd, "k/with:odd?chars ", {"a": 1})
    assert store.get(odd, "k/with:odd?chars ").namespace == odd
    assert store.get(("aXb", *odd[1:]), "k/with:odd?chars ") is None


def test_an_empty_object_is_an_item(store):
    store.put(ANN, "k", {})
    assert store.get(ANN, "k").value == {}
