import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hippocortex_core import AssistantMessage, ToolResult, UserMessage
from hippocortex_core.marking import contains, mark, strip
from hippocortex_core.render import render_entry

MEMORY = mark("## Facts\n- The code is 4711")


def test_marked_text_is_recognized_and_marked_once():
    assert contains(MEMORY)
    assert mark(MEMORY) == MEMORY
    assert mark("  ") == ""
    assert not contains("a memory of hippocortex")


def test_text_without_memory_comes_back_as_it_is():
    text = "  I like <b>hippocortex_memory</b> < 3\n"
    assert strip(text) is text


@pytest.mark.parametrize(
    "text",
    [
        f"{MEMORY}Hello",
        f"Hello\n\n{MEMORY}",
        f"{MEMORY}\n{MEMORY}\nHello",
        f"{MEMORY}Hello\n{MEMORY[: len(MEMORY) // 2]}",
        f"Hello\n{MEMORY.replace('<', '&lt;').replace('>', '&gt;')}",
        f"Hello {mark('outer ' + MEMORY + ' outer')}",
        f"<hippocortex_memory>a{MEMORY}b</hippocortex_memory>Hello",
        "Hello <HIPPOCORTEX_MEMORY >x</ hippocortex_memory>",
        f"{MEMORY[60:]}Hello",
        "Hello <hippocortex_mem",
        "Hello\n</hippocortex_memory",
    ],
    ids=[
        "before",
        "after",
        "repeated",
        "cut off at the end",
        "as HTML",
        "nested and defused",
        "nested",
        "spelled loosely",
        "cut off at the beginning",
        "cut off in the marker",
        "cut off in the end marker",
    ],
)
def test_injected_memory_is_taken_out_wherever_it_stands(text):
    assert strip(text) == "Hello"


def test_memory_inside_json_text_is_taken_out():
    for ascii_only in (True, False):
        quoted = json.dumps({"said": f"Hello {MEMORY}"}, ensure_ascii=ascii_only)
        assert "4711" not in strip(quoted)
        assert "4711" not in strip(quoted.replace("<", "\\u003c").replace(">", "\\u003e"))


@pytest.mark.parametrize("quote", [MEMORY, f"> {MEMORY}", f"```\n{MEMORY}\n```", MEMORY[:80]])
def test_nothing_but_memory_is_nothing(quote):
    assert strip(quote) == ""


@given(st.lists(st.sampled_from(["<hippocortex_memory>", "</hippocortex_memory>", "x", "\n- y\n"])))
def test_no_marker_survives_and_stripping_twice_is_stripping_once(pieces):
    once = strip("".join(pieces))
    assert not contains(once)
    assert strip(once) == once


def test_a_large_hostile_text_is_stripped_in_no_time():
    assert strip("<hippocortex_memory>" * 20_000) == ""
    assert strip("- a\n" * 50_000 + "</hippocortex_memory>x") == "x"
    assert strip("<hippocortex_ " * 50_000)
    gap = f"<{' ' * 500_000}x"
    assert strip(f"hippocortex_ {gap}") == f"hippocortex_ {gap}"
    assert render_entry(gap) == f"- {gap}\n"


def test_memory_quoted_back_is_not_captured(memory, record_to):
    recorder = record_to(memory)
    recorder.record(UserMessage(f"{MEMORY}\nWhat is the code?"))
    recorder.record(UserMessage("", parts=[{"type": "text", "text": MEMORY}]))
    recorder.record(AssistantMessage(MEMORY))
    recorder.record(AssistantMessage("   "))
    recorder.record(ToolResult("memory", {"found": MEMORY}))
    assert recorder.flush()
    assert [event.payload for event in memory.events] == [
        {"role": "user", "content": "What is the code?"},
        {"tool": "memory", "result": {"found": ""}},
    ]
    assert recorder.stats().echoes == 3
