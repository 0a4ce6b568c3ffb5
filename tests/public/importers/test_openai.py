"""OpenAI chat messages, in all the shapes people keep them in."""

import pytest

CALL = {"id": "c1", "type": "function", "function": {"name": "search", "arguments": '{"q": "x"}'}}
CHAT = [
    {"role": "system", "content": "You are an airline agent."},
    {"role": "user", "content": "Cancel my flight"},
    {"role": "assistant", "content": "Let me look.", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c1", "content": "Error: not found"},
    {"role": "assistant", "content": "I could not find it."},
]
EVENTS = [
    ("message", {"role": "user", "content": "Cancel my flight"}),
    ("message", {"role": "assistant", "content": "Let me look."}),
    ("tool_call", {"tool": "search", "args": {"q": "x"}, "call_id": "c1"}),
    ("tool_result", {"tool": "search", "result": "Error: not found", "call_id": "c1"}),
    ("message", {"role": "assistant", "content": "I could not find it."}),
]


def test_a_list_of_messages_becomes_events_without_the_instructions(write, read):
    assert read(write("chat.json", CHAT)) == EVENTS


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([{"messages": CHAT}], id="object"),
        pytest.param([{"messages": CHAT, "tools": [], "parallel_tool_calls": False}], id="tuning"),
        pytest.param(CHAT, id="a message per line"),
        pytest.param([[CHAT]], id="a list of conversations"),
    ],
)
def test_every_shape_of_a_conversation_gives_the_same_events(write, read, values):
    assert read(write("chat.jsonl", *values)) == EVENTS


def test_parallel_calls_and_their_results_keep_their_ids(write, read):
    second = {"id": "c2", "type": "function", "function": {"name": "book", "arguments": "{}"}}
    events = read(
        write(
            "chat.json",
            [
                {"role": "assistant", "content": None, "tool_calls": [CALL, second]},
                {"role": "tool", "tool_call_id": "c2", "content": "booked"},
                {"role": "tool", "tool_call_id": "c1", "content": "found"},
            ],
        )
    )

    assert [(kind, p["tool"], p["call_id"]) for kind, p in events] == [
        ("tool_call", "search", "c1"),
        ("tool_call", "book", "c2"),
        ("tool_result", "book", "c2"),
        ("tool_result", "search", "c1"),
    ]


def test_the_older_function_calls_are_read(write, read):
    call = {"name": "search", "arguments": '{"q": "x"}'}
    assert read(
        write(
            "chat.json",
            [
                {"role": "assistant", "content": None, "function_call": call},
                {"role": "function", "name": "search", "content": "found"},
            ],
        )
    ) == [
        ("tool_call", {"tool": "search", "args": {"q": "x"}}),
        ("tool_result", {"tool": "search", "result": "found"}),
    ]


def test_arguments_that_are_not_json_are_kept_as_text(write, read):
    call = {"id": "c1", "function": {"name": "run", "arguments": '{"cut off'}}
    events = read(write("chat.json", [{"role": "assistant", "tool_calls": [call]}]))
    assert events == [("tool_call", {"tool": "run", "args": '{"cut off', "call_id": "c1"})]


def test_content_parts_become_text_and_media_are_named(write, read):
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    ]
    events = read(write("chat.json", [{"role": "user", "content": parts, "name": "Ann"}]))
    assert events == [
        ("message", {"role": "user", "content": "What is this?\n[image]", "name": "Ann"})
    ]


def test_errors_that_a_result_states_are_kept(write, read):
    result = {
        "role": "tool",
        "tool_call_id": "c9",
        "name": "pay",
        "content": "no",
        "is_error": True,
    }
    assert read(write("chat.json", [result]))[0][1]["is_error"] is True
