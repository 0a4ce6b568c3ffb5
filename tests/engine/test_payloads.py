"""The spellings of payloads in the wild are all read."""

from __future__ import annotations

import pytest

from hippocortex_engine.payloads import message_text, role, succeeded, tool_use

ARGS = {"env": "staging"}


@pytest.mark.parametrize("tool", ["tool", "tool_name", "name"])
@pytest.mark.parametrize("args", ["args", "arguments", "input"])
@pytest.mark.parametrize("call_id", ["call_id", "callId", "tool_call_id"])
@pytest.mark.parametrize("value", [ARGS, '{"env": "staging"}'])
def test_a_call_is_read_in_every_spelling(tool, args, call_id, value):
    use = tool_use({tool: "deploy", args: value, call_id: "c1"})
    assert (use.tool, use.args, use.call_id, use.failed) == ("deploy", ARGS, "c1", False)


@pytest.mark.parametrize("result", ["result", "output"])
def test_a_result_is_read_in_every_spelling(result):
    assert tool_use({"tool": "t", result: '{"rows": 3}'}).result == {"rows": 3}
    assert tool_use({"tool": "t", result: "3 rows"}).result == "3 rows"


def test_openais_nested_function_is_read():
    use = tool_use({"id": "c1", "function": {"name": "deploy", "arguments": '{"env": "staging"}'}})
    assert (use.tool, use.args, use.call_id) == ("deploy", ARGS, "c1")


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        ({"success": False, "result": "no such tag"}, "no such tag"),
        ({"error": "no such tag"}, "no such tag"),
        ({"error": {"message": "no such tag"}}, "no such tag"),
        ({"is_error": True, "output": "no such tag"}, "no such tag"),
        ({"exit_code": 2}, "exit code 2"),
        ({"exit_code": 1, "stderr": "no such tag"}, "no such tag"),
        ({"status_code": 503, "result": "busy"}, "busy"),
        ({"result": "Error: no such tag"}, "Error: no such tag"),
        ({"result": "ValueError: no such tag"}, "ValueError: no such tag"),
        ({"result": {"error": "no such tag"}}, "no such tag"),
        (
            {"result": "Traceback (most recent call last)\n..."},
            "Traceback (most recent call last)\n...",
        ),
    ],
)
def test_a_failure_is_seen_in_every_shape(payload, error):
    use = tool_use({"tool": "deploy", **payload})
    assert use.failed
    assert use.error == error


@pytest.mark.parametrize(
    "payload",
    [
        {"success": True, "result": "ok"},
        {"exit_code": 0, "stderr": "a warning"},
        {"status_code": 200},
        {"error": None, "result": "fine"},
        {"error": "", "result": "fine"},
        {"result": "Error handling in Rust: an introduction"},
        {"result": "no errors found"},
        {"result": {"status": {"phase": "Running"}}},
        {"result": ""},
    ],
)
def test_a_success_is_no_failure(payload):
    assert not tool_use({"tool": "deploy", **payload}).failed


@pytest.mark.parametrize(
    ("payload", "verdict"),
    [
        ({"success": True}, True),
        ({"reward": 0.0}, False),
        ({"reward": 1}, True),
        ({"resolved": False}, False),
        ({"status": "Completed"}, True),
        ({"status": "incomplete"}, False),
        ({"status": "pending"}, None),
        ({}, None),
    ],
)
def test_an_outcome_says_how_it_went_or_nothing(payload, verdict):
    assert succeeded(payload) is verdict


def test_messages_are_read_in_text_and_in_parts():
    parts = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "x"}}]
    assert message_text({"content": parts}) == "look\n[image]"
    assert message_text({"text": "hello"}) == "hello"
    assert [role({"role": said}) for said in ("human", "ai", "developer", "User")] == [
        "user",
        "assistant",
        "system",
        "user",
    ]
