"""What the plugin makes of texts is what the Recorder and the importer make of them."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hippocortex_core import SynthesizeResult
from hippocortex_core.marking import mark, strip
from hippocortex_core.render import HEADINGS, render_pack
from hippocortex_core.types import BudgetInfo, SynthesisEntry

HERE = Path(__file__).parent
MARKERS = (
    *("<hippocortex_memory>", "</hippocortex_memory>", "< / HIPPOCORTEX_memory >"),
    *("&lt;hippocortex_memory&gt;", "\\u003c/hippocortex_memory\\u003e"),
    *("<hippocortex_mem", "</hippocortex_memory", "hippocortex_memory"),
)
AROUND = (
    *("\n", "## Facts\n", "- a fact\n", "  more\n", "> ", " words ", "```"),
    *("\x1c", "\x85", "\ufeff", "\r"),
)
QUOTED = st.lists(
    st.one_of(
        st.sampled_from(MARKERS),
        st.sampled_from(AROUND),
        st.just(mark("remember the milk")),
        st.text("ab \n<>-#", max_size=8),
    ),
    max_size=10,
).map("".join)
DATED = (
    "[8 May 2023] it rained",
    "[21 November 2026] user: hi\nthere\n\n",
    "[8 May 2023]x",
    "",
    " \n ",
)
CONTENTS = st.one_of(QUOTED, st.sampled_from(DATED))
SECTIONS = st.sampled_from([*HEADINGS, "news", "constructor"])


def table(name):
    rows = json.loads((HERE / name).read_text(encoding="utf-8"))
    return [pytest.param(row, id=row["name"]) for row in rows]


@settings(max_examples=200)
@given(st.lists(QUOTED, max_size=6))
def test_recalled_memory_is_taken_out_as_the_recorder_does(pure, texts):
    for text in texts:
        assert pure.call("marking", "withoutMemory", text) == strip(text)


@settings(max_examples=200)
@given(st.lists(st.tuples(SECTIONS, CONTENTS), max_size=6))
def test_a_pack_is_rendered_as_the_recorder_does(pure, given_entries):
    entries = [SynthesisEntry(section, content, 0.5) for section, content in given_entries]
    pack = SynthesizeResult("p", entries, BudgetInfo(1, 1, 1.0, len(entries), 0))
    rows = [{"section": section, "content": content} for section, content in given_entries]
    assert pure.call("marking", "renderPack", rows) == render_pack(pack)


@pytest.mark.parametrize("row", table("conversations.json"))
def test_a_session_key_says_whose_the_memory_is(pure, row):
    found = pure.call("conversation", "conversationOf", row["given"], row["given"]["settings"])
    assert {
        "agent_id": found["agentId"],
        "user_id": found["userId"],
        "session_id": found["sessionId"],
    } == row["expected"]
    if "recall" in row:
        settings = row["given"]["settings"]
        assert pure.call("conversation", "recallFilter", found, settings) == row["recall"]


@pytest.mark.parametrize("row", table("words.json"))
def test_the_users_words_are_what_is_left_of_a_prompt(pure, row):
    assert pure.call("words", "userWords", row["raw"]) == row["clean"]


@pytest.mark.parametrize("unit", [" ", "<", "hippocortex_", "<hippocortex_memory>", "- a\n"])
def test_no_text_takes_long_to_be_searched_for_memory(pure, unit):
    text = "hippocortex_ <" + (unit * 200_000)[:200_000] + "x"
    pure.send(op="call", module="marking", name="withoutMemory", args=[text])
    assert pure.answer()["tookMs"] < 5_000


@pytest.mark.parametrize(
    "unit",
    [
        *("[", "\n", " ", "Runtime: agent=", "<relevant-memories>", "System: [2026-01-01 "),
        *("⟦openclaw:ctx⟧\n", "Context: ⟦openclaw:ctx⟧", "[message_id: ", "[Subagent Context] "),
    ],
)
def test_no_prompt_takes_long_to_clean(pure, unit):
    text = (unit * 200_000)[:200_000] + " x ⟦openclaw:ctx⟧ y"
    pure.send(op="call", module="words", name="userWords", args=[text])
    assert pure.answer()["tookMs"] < 5_000
