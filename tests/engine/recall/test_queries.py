"""What a query is about, and whether it asks how things were."""

from __future__ import annotations

import pytest

from hippocortex_engine.embeddings.static import StaticEmbedder
from hippocortex_engine.recall.query import names, understand

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
    ],
)
def test_a_question_about_the_past_is_told_from_one_about_an_order(query, past):
    assert understand(query, EMBEDDER).past is past
