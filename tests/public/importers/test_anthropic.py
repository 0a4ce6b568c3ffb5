"""Anthropic messages and their content blocks."""

CHAT = [
    {"role": "user", "content": "Cancel my flight"},
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            {"type": "text", "text": "Let me look."},
            {"type": "tool_use", "id": "t1", "name": "search", "input": {"q": "x"}},
            {"type": "tool_use", "id": "t2", "name": "pay", "input": {}},
        ],
    },
    {
        "role": "user",
        "content": [
            {
                "type": "tool_result",
                "tool_use_id": "t1",
                "content": [{"type": "text", "text": "two"}, {"type": "text", "text": "lines"}],
            },
            {"type": "tool_result", "tool_use_id": "t2", "content": "declined", "is_error": True},
            {"type": "text", "text": "go on"},
        ],
    },
]
EVENTS = [
    ("message", {"role": "user", "content": "Cancel my flight"}),
    ("message", {"role": "assistant", "content": "Let me look."}),
    ("tool_call", {"tool": "search", "args": {"q": "x"}, "call_id": "t1"}),
    ("tool_call", {"tool": "pay", "args": {}, "call_id": "t2"}),
    ("tool_result", {"tool": "search", "result": "two\nlines", "call_id": "t1"}),
    (
        "tool_result",
        {"tool": "pay", "result": "declined", "call_id": "t2", "is_error": True},
    ),
    ("message", {"role": "user", "content": "go on"}),
]


def test_blocks_become_events_in_their_order_and_thoughts_are_left_out(write, read):
    assert read(write("chat.json", CHAT)) == EVENTS


def test_a_logged_request_is_read_without_its_system_prompt(write, read):
    assert read(write("log.jsonl", {"system": "Be brief.", "messages": CHAT}, [])) == EVENTS


def test_tools_that_run_on_the_server_are_tools_too(write, read):
    blocks = [
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "x"}},
        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"title": "A"}]},
    ]
    events = read(write("chat.json", [{"role": "assistant", "content": blocks}]))
    assert [(kind, payload["tool"]) for kind, payload in events] == [
        ("tool_call", "web_search"),
        ("tool_result", "web_search"),
    ]
