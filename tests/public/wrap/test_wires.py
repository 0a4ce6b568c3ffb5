"""Where memory goes in each wire format, and what is read from requests, answers and streams."""

import copy

import pytest

from hippocortex._instrument.providers import CHAT, MESSAGES, RESPONSES, Call, Result, find_wire

MEMORY = "<hippocortex_memory>known</hippocortex_memory>"
USER = {"role": "user", "content": "Hi"}
CACHED = {"type": "text", "text": "Rules", "cache_control": {"type": "ephemeral"}}


def _system(text, role="system"):
    return {"role": role, "content": text}


@pytest.mark.parametrize(
    ("wire", "body", "expected"),
    [
        (CHAT, {"messages": [USER]}, {"messages": [_system(MEMORY), USER]}),
        (
            CHAT,
            {"messages": [_system("A"), _system("B"), USER, _system("late")]},
            {"messages": [_system("A"), _system("B"), _system(MEMORY), USER, _system("late")]},
        ),
        (
            CHAT,
            {"messages": [_system("A", "developer"), USER]},
            {"messages": [_system("A", "developer"), _system(MEMORY, "developer"), USER]},
        ),
        (RESPONSES, {"input": "Hi"}, {"input": "Hi", "instructions": MEMORY}),
        (
            RESPONSES,
            {"input": [USER], "instructions": "Rules"},
            {"input": [USER], "instructions": f"Rules\n\n{MEMORY}"},
        ),
        (
            RESPONSES,
            {"input": [_system("A", "developer"), USER], "instructions": "Rules"},
            {
                "input": [_system("A", "developer"), _system(MEMORY, "developer"), USER],
                "instructions": "Rules",
            },
        ),
        (MESSAGES, {"messages": [USER]}, {"messages": [USER], "system": MEMORY}),
        (
            MESSAGES,
            {"messages": [USER], "system": "Rules"},
            {
                "messages": [USER],
                "system": [{"type": "text", "text": "Rules"}, {"type": "text", "text": MEMORY}],
            },
        ),
        (
            MESSAGES,
            {"messages": [USER], "system": [CACHED]},
            {"messages": [USER], "system": [CACHED, {"type": "text", "text": MEMORY}]},
        ),
        (MESSAGES, {"messages": [USER], "system": ""}, {"messages": [USER], "system": MEMORY}),
        (
            MESSAGES,
            {"messages": [USER], "system": object},
            {"messages": [USER], "system": MEMORY},
        ),
    ],
)
def test_memory_comes_after_the_callers_own_system_text(wire, body, expected):
    before = copy.deepcopy(body)
    assert wire.inject(body, MEMORY) == expected
    assert body == before


@pytest.mark.parametrize(
    ("method", "url", "body", "expected"),
    [
        ("post", "/chat/completions", {"messages": []}, CHAT),
        ("post", "/openai/deployments/x/chat/completions", {"messages": []}, CHAT),
        ("post", "/responses?beta=true", {"input": "Hi"}, RESPONSES),
        ("post", "/v1/messages?beta=true", {"messages": []}, MESSAGES),
        ("post", "/v1/messages", {"messages": [], "compaction": {"type": "x"}}, None),
        ("post", "/v1/messages/count_tokens", {"messages": []}, None),
        ("post", "/v1/messages/batches", {"requests": []}, None),
        ("post", "/responses/compact", {"input": "Hi"}, None),
        ("post", "/embeddings", {"input": "Hi"}, None),
        ("get", "/chat/completions", {"messages": []}, None),
        ("post", "/chat/completions", {}, None),
    ],
)
def test_only_calls_of_models_are_touched(method, url, body, expected):
    assert find_wire(method, url, body) is expected


def test_tool_results_of_anthropic_are_read_with_names_and_errors():
    uses = [{"type": "tool_use", "id": f"toolu_{n}", "name": f"tool_{n}"} for n in (1, 2)]
    results = [
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "fine"},
        {
            "type": "tool_result",
            "tool_use_id": "toolu_2",
            "is_error": True,
            "content": [{"type": "text", "text": "no disk"}],
        },
    ]
    said = [*results, {"type": "text", "text": "Go on"}]
    asked = MESSAGES.read(
        {
            "messages": [
                USER,
                {"role": "assistant", "content": uses},
                {"role": "user", "content": said},
            ]
        }
    )
    assert asked.user == "Go on"
    assert asked.fresh
    assert asked.results == (
        Result("toolu_1", "tool_1", "fine", failed=False),
        Result("toolu_2", "tool_2", "no disk", failed=True),
    )


def test_a_message_of_tool_results_only_says_nothing_new_of_the_user():
    use = {"type": "tool_use", "id": "t", "name": "look"}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image"}]}
    asked = MESSAGES.read(
        {
            "messages": [
                USER,
                {"role": "assistant", "content": [use]},
                {"role": "user", "content": [result]},
            ]
        }
    )
    assert (asked.user, asked.fresh) == ("Hi", False)
    assert asked.results == (Result("t", "look", "[image]", failed=False),)


def test_responses_that_follow_an_earlier_one_are_read():
    output = {"type": "function_call_output", "call_id": "c", "output": "42"}
    asked = RESPONSES.read({"input": [output], "previous_response_id": "resp_1"})
    assert (asked.user, asked.follows) == ("", "resp_1")
    assert asked.results == (Result("c", "", "42", failed=False),)


def test_items_of_a_response_in_the_next_request_are_the_models():
    items = [
        USER,
        {"type": "reasoning", "summary": []},
        {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": [{"text": "a"}, {"text": "b"}]},
    ]
    asked = RESPONSES.read({"input": items})
    assert (asked.user, asked.fresh) == ("Hi", False)
    assert asked.results == (Result("c", "look", "a\nb", failed=False),)


def test_a_cut_off_stream_of_responses_gives_the_words_so_far():
    call = {"type": "function_call", "call_id": "c", "name": "look", "arguments": '{"at": 1}'}
    events = [
        {"type": "response.output_item.done", "output_index": 0, "item": call},
        {"type": "response.output_text.delta", "output_index": 1, "delta": "Let "},
        {"type": "response.output_text.delta", "output_index": 1, "delta": "me"},
    ]
    reply = RESPONSES.reduce(events)
    assert (reply.text, reply.calls) == ("Let me", [Call("c", "look", {"at": 1})])


def test_tools_that_the_provider_runs_are_calls_with_results():
    reply = MESSAGES.reply(
        {
            "content": [
                {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": "x"}},
                {
                    "type": "web_search_tool_result",
                    "tool_use_id": "s",
                    "content": {"error_code": "too_many_requests"},
                },
                {"type": "thinking", "thinking": "hm"},
                {"type": "text", "text": "No luck."},
            ]
        }
    )
    assert reply.text == "No luck."
    assert reply.calls == [Call("s", "web_search", {"q": "x"})]
    assert reply.results == [Result("s", "web_search", "too_many_requests", failed=True)]


def test_a_streamed_tool_call_is_put_together():
    def chunk(**delta):
        return {"choices": [{"index": 0, "delta": delta}]}

    parts = [
        {"index": 0, "id": "c", "function": {"name": "look", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"at"'}},
        {"index": 0, "function": {"arguments": ": 1}"}},
    ]
    other = {"choices": [{"index": 1, "delta": {"content": "second choice"}}]}
    reply = CHAT.reduce([chunk(content="Hm"), other, *(chunk(tool_calls=[p]) for p in parts)])
    assert (reply.text, reply.calls) == ("Hm", [Call("c", "look", {"at": 1})])


@pytest.mark.parametrize("wire", [CHAT, RESPONSES, MESSAGES], ids=lambda wire: wire.name)
@pytest.mark.parametrize("nonsense", [None, 7, "text", {}, {"choices": 3, "output": "x"}, [[]]])
def test_nonsense_says_nothing(wire, nonsense):
    assert not wire.reply(nonsense)
    assert not wire.reduce([nonsense, {"type": 3}, {"choices": [None]}])
    body = nonsense if isinstance(nonsense, dict) else {wire.field: nonsense}
    assert wire.read(body).results == ()
