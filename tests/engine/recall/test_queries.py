"""What a query is about, and whether it asks how things were."""

from __future__ import annotations

import pytest

from hippocortex_engine.embeddings.static import StaticEmbedder
from hippocortex_engine.recall.query import names, understand
from hippocortex_engine.text import term_hash, terms

EMBEDDER = StaticEmbedder()


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("who said 'see you in Ghent' yesterday?", ["see you in Ghent", "Ghent"]),
        (
            "find \u2018the old mill\u2019 and \u201cthe new mill\u201d",
            ["the old mill", "the new mill"],
        ),
        ('what does "don\'t panic" mean', ["don't panic"]),
        ("which page says 'don't panic'?", ["don't panic"]),
        ("why does update_user fail in src/app.py", ["update_user", "src/app.py"]),
    ],
)
def test_quoted_text_and_identifiers_are_names(query, named):
    assert names(query) == named


@pytest.mark.parametrize(
    "query",
    [
        "what's the name of my sister's dog?",
        "it's what the user\u2019s team doesn\u2019t want",
        "the users' settings and the admins' settings",
        "don't forget, that's all",
    ],
)
def test_apostrophes_quote_nothing(query):
    assert names(query) == []


@pytest.mark.parametrize(
    ("query", "past"),
    [
        ("where did I live before?", True),
        ("what was the deadline before it was moved", True),
        ("which editor did she use until May", True),
        ("did I use to work with Slack", True),
        ("what has changed since the kick-off", True),
        ("what must be checked before deploying", False),
        ("which tool is used to deploy", False),
        ("how do I change my password", False),
        ("until when is the offer valid", False),
        ("where do I live today?", False),
        ("where do I live as of today, 1 April 2025?", False),
        ("where does the team meeting in June take place?", False),
        ("where was I today?", False),
        ("where did I live in 2024?", True),
        ("when is it due, as of 5 April 2025?", True),
        ("who visited us on 3 March 2025?", True),
        ("where do I live, ask from April?", False),
    ],
)
def test_a_question_about_the_past_is_told_from_one_about_an_order(query, past):
    assert understand(query, EMBEDDER).past is past


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("who directed Before Sunrise?", "before"),
        ("what does NOW() return?", "now"),
        ("what does now() return?", "now"),
        ("who said 'now or never'?", "now"),
        ("is the flag `initially` set?", "initially"),
    ],
)
def test_a_word_of_time_that_names_something_is_searched_for(query, word):
    understood = understand(query, EMBEDDER)
    assert {term_hash(term) for term in terms(word)} <= set(understood.terms)


def test_what_says_when_is_not_searched_for():
    understood = understand("where do I live now?", EMBEDDER)
    assert understood.terms == understand("where do I live?", EMBEDDER).terms


@pytest.mark.parametrize(
    ("query", "roles"),
    [
        ("where do I live?", ("user",)),
        ("what did Ann tell me?", ("user",)),
        ("my address", ("user",)),
        ("Quanto dormono I gatti?", ()),
        ("quien me ayuda", ()),
    ],
)
def test_english_pronouns_are_read_in_english_questions(query, roles):
    assert understand(query, EMBEDDER).roles == roles
