"""The plugin and the importer agree: on whose a conversation is, and on what was said in it."""

import json
from pathlib import Path

import pytest

from hippocortex_openclaw._history.conversations import Settings, conversation_of
from hippocortex_openclaw._words import text_of, user_words

TABLES = Path(__file__).parents[1]


def table(name):
    rows = json.loads((TABLES / name).read_text(encoding="utf-8"))
    assert rows
    return [pytest.param(row, id=row["name"]) for row in rows]


@pytest.mark.parametrize("row", table("conversations.json"))
def test_whose_a_conversation_is(row):
    given, named = row["given"], row["given"]["settings"]
    settings = Settings(named.get("scope", "conversation"), named.get("userId", "owner"))
    found = conversation_of(
        given.get("agentId"),
        given.get("sessionKey"),
        given.get("sessionId"),
        settings,
        given.get("requesterKey"),
    )
    assert vars(found) == row["expected"]


@pytest.mark.parametrize("row", table("words.json"))
def test_what_a_user_said(row):
    assert user_words(text_of(row["raw"])) == row["clean"]
