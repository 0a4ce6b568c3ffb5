"""LangChain messages in the three forms LangChain writes them."""

import pytest

CALLS = [{"name": "search", "args": {"q": "x"}, "id": "c1", "type": "tool_call"}]
FIELDS = [
    ("system", "SystemMessage", {"content": "You are an agent."}),
    ("human", "HumanMessage", {"content": "Cancel my flight"}),
    ("ai", "AIMessage", {"content": "Let me look.", "tool_calls": CALLS, "name": "agent"}),
    ("tool", "ToolMessage", {"content": "boom", "tool_call_id": "c1", "status": "error"}),
    ("AIMessageChunk", "AIMessageChunk", {"content": [{"type": "text", "text": "Sorry."}]}),
]
EVENTS = [
    ("message", {"role": "user", "content": "Cancel my flight"}),
    ("message", {"role": "assistant", "content": "Let me look."}),
    ("tool_call", {"tool": "search", "args": {"q": "x"}, "call_id": "c1"}),
    ("tool_result", {"tool": "search", "result": "boom", "call_id": "c1", "is_error": True}),
    ("message", {"role": "assistant", "content": "Sorry."}),
]


def _constructor(cls, fields):
    path = ["langchain", "schema", "messages", cls]
    return {"lc": 1, "type": "constructor", "id": path, "kwargs": fields}


FORMS = {
    "messages_to_dict": [{"type": t, "data": {"type": t, **f}} for t, _, f in FIELDS],
    "model_dump": [{"type": t, **f} for t, _, f in FIELDS],
    "constructor": [_constructor(c, f) for _, c, f in FIELDS],
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("wrap", [list, lambda messages: {"messages": messages}])
def test_every_form_gives_the_same_events(write, read, form, wrap):
    assert read(write("chat.json", wrap(FORMS[form]))) == EVENTS


def test_calls_are_found_in_additional_kwargs_too(write, read):
    given = {"tool_calls": [{"id": "c1", "function": {"name": "search", "arguments": "{}"}}]}
    message = {"type": "ai", "content": "", "additional_kwargs": given}
    assert read(write("chat.json", [message])) == [
        ("tool_call", {"tool": "search", "args": {}, "call_id": "c1"})
    ]


def test_calls_with_invalid_arguments_are_calls(write, read):
    bad = [{"name": "search", "args": '{"q', "id": "c1", "error": "no JSON"}]
    message = {"type": "ai", "content": "", "tool_calls": [], "invalid_tool_calls": bad}
    assert read(write("chat.json", [message]))[0][1]["args"] == '{"q'


def test_a_chat_message_speaks_in_the_role_it_names(write, read):
    message = {"type": "chat", "role": "assistant", "content": "Hello"}
    assert read(write("chat.json", [message])) == [
        ("message", {"role": "assistant", "content": "Hello"})
    ]


def test_tool_use_blocks_beside_tool_calls_are_not_counted_twice(write, read):
    blocks = [{"type": "tool_use", "id": "c1", "name": "search", "input": {"q": "x"}}]
    message = {"type": "ai", "content": blocks, "tool_calls": CALLS}
    assert [kind for kind, _ in read(write("chat.json", [message]))] == ["tool_call"]
