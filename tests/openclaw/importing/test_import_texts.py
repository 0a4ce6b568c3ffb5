"""The plugin and the importer agree: on whose a conversation is, and on what was said in it."""

import json
import time
from pathlib import Path

import pytest

from hippocortex_core.recorder.intake import clean_text
from hippocortex_core.redaction import walk
from hippocortex_openclaw._history.conversations import Settings, conversation_of
from hippocortex_openclaw._words import bounded, text_of, user_words

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


@pytest.mark.parametrize("unit", [" ", "\t", "\n", "<", "Context:\n ", "<relevant-memories>"])
def test_no_text_takes_long_to_clean(unit):
    began = time.process_time()
    user_words((unit * 100_000)[:100_000] + "x")
    assert time.process_time() - began < 3


DEEP = json.loads("[" * 60 + '"ghp_' + "aB3d" * 9 + '"' + "]" * 60)


@pytest.mark.parametrize(
    "args",
    [
        {"command": "make", "password": "correct horse"},
        {"text": "w " * 3_000, "short": "x " * 100},
        {"many": ["y " * 500] * 3_000},
        {"k " * 3_000: 1},
        {"numbers": list(range(100_000))},
        {"deep": DEEP},
        {"none": None, "yes": True, "one": 1.5},
    ],
    ids=["few", "long", "many", "name", "too large", "deep", "plain"],
)
def test_arguments_of_a_call_are_bounded_as_the_plugin_does(pure, args):
    mine = bounded(walk(args, clean_text))
    assert mine == pure.call("text", "cleanData", args, {"redact": True})
    assert len(json.dumps(mine)) < 210_000
    assert "aB3d" not in json.dumps(mine)
