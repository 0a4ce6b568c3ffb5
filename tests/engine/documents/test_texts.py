from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hippocortex_engine.documents.texts import MAX_TEXTS, statement, texts

VALUE = {
    "title": "Tea",
    "author": {"name": "Ada", "age": 36},
    "parts": [{"text": "one"}, {"text": "two"}, {"other": 3}],
    "rows": [["a", "b"], ["c"]],
    "open": True,
    "nothing": None,
    "odd.name": "dotted",
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("title", ["Tea"]),
        ("author.name", ["Ada"]),
        ("author.age", ["36"]),
        ("author", ["name: Ada\nage: 36"]),
        ("parts[0].text", ["one"]),
        ("parts[-2].text", ["two"]),
        ("parts[*].text", ["one", "two"]),
        ("parts.*.text", ["one", "two"]),
        ("rows[0]", ["a, b"]),
        ("rows[*][0]", ["a", "c"]),
        ("rows[0][1]", ["b"]),
        ("author.{name,age}", ["Ada", "36"]),
        ("{title, open}", ["Tea", "true"]),
        ("$.title", ["Tea"]),
        ("author.*", ["Ada", "36"]),
        ("nothing", []),
        ("absent", []),
        ("title.deeper", []),
        ("parts[9]", []),
        ("parts[x]", []),
        ("parts.text", []),
        ("author[0]", []),
        ("odd.name", []),
    ],
)
def test_the_texts_at_a_path(path, found):
    assert texts(VALUE, [path]) == found


def test_the_whole_value_reads_like_a_note():
    assert statement(VALUE) == (
        "title: Tea\nname: Ada\nage: 36\none\ntwo\nother: 3\n"
        "rows: a, b\nrows: c\nopen: true\nodd.name: dotted"
    )
    assert texts(VALUE, ["$"]) == [statement(VALUE)]
    assert statement({"text": "likes tea", "content": {"content": "and cake"}}) == (
        "likes tea\nand cake"
    )
    assert statement({"a": [], "b": {}, "c": " "}) == ""


def test_no_text_comes_twice_and_there_are_not_too_many():
    assert texts(VALUE, ["title", "$.title", "author.name"]) == ["Tea", "Ada"]
    many = {"parts": [f"part {number}" for number in range(1000)]}
    assert texts(many, ["parts[*]"]) == [f"part {number}" for number in range(MAX_TEXTS)]


@given(st.text(max_size=40))
def test_any_path_is_harmless(path):
    assert isinstance(texts(VALUE, [path]), list)


def test_a_path_of_many_choices_is_no_bomb():
    assert texts(VALUE, ["{a,b}" * 200]) == []
