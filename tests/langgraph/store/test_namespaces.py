"""Listing namespaces."""

import pytest

HELD = [
    ("a", "b", "c"),
    ("a", "b", "d", "e"),
    ("a", "b", "d", "i"),
    ("a", "c", "f"),
    ("ab",),
    ("users", "ann", "settings"),
]


@pytest.fixture
def filled(store):
    for namespace in reversed(HELD):
        store.put(namespace, "k", {"a": 1})
    return store


def test_they_are_sorted(filled):
    assert filled.list_namespaces() == HELD


CONDITIONS = [
    ({"prefix": ("a", "b")}, HELD[:3]),
    ({"prefix": ["a"]}, HELD[:4]),
    ({"prefix": ("a", "*", "d")}, HELD[1:3]),
    ({"suffix": ("f",)}, [("a", "c", "f")]),
    ({"suffix": ("*", "settings")}, [("users", "ann", "settings")]),
    ({"prefix": ("a",), "suffix": ("e",)}, [("a", "b", "d", "e")]),
    ({"prefix": ("x",)}, []),
    ({"suffix": ("*", "*", "*", "*", "*")}, []),
    ({"max_depth": 1}, [("a",), ("ab",), ("users",)]),
    ({"prefix": ("a", "b"), "max_depth": 3}, [("a", "b", "c"), ("a", "b", "d")]),
    ({"limit": 2, "offset": 1}, HELD[1:3]),
    ({"max_depth": 1, "offset": 2}, [("users",)]),
]


def test_conditions(filled):
    for conditions, found in CONDITIONS:
        assert filled.list_namespaces(**conditions) == found, conditions


def test_an_emptied_namespace_is_not_listed(filled):
    filled.delete(("ab",), "k")
    filled.get(("never", "put"), "k")
    assert ("ab",) not in filled.list_namespaces()
    assert ("never", "put") not in filled.list_namespaces()
