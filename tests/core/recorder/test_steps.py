from hippocortex_core import (
    AssistantMessage,
    Failure,
    Observation,
    Outcome,
    ToolCall,
    ToolResult,
    UserMessage,
)
from hippocortex_core.steps import idempotency_key, step_key
from hippocortex_engine.describe import describe
from hippocortex_engine.payloads import tool_use


def test_every_step_has_a_payload_the_engine_can_put_into_words():
    parts = [{"type": "text", "text": "what is this?"}, {"type": "image_url", "image_url": "…"}]
    steps = [
        UserMessage("Hello"),
        UserMessage("", parts=parts),
        UserMessage("Hi", name="Ada"),
        AssistantMessage("Good day"),
        ToolCall("search", {"q": "x"}, "c1"),
        ToolResult("search", {"hits": 0}, "c1"),
        ToolResult("search", None, "c2", error="timed out"),
        Failure(ValueError("no model"), where="model"),
        Failure("no answer"),
        Outcome(success=True, summary="refunded"),
        Outcome(success=False),
        Observation("the build is green", {"branch": "main"}),
    ]
    assert [describe(step.type, step.payload()).line for step in steps] == [
        "user: Hello",
        "user: what is this?\n[image]",
        "Ada: Hi",
        "assistant: Good day",
        "search: called with q=x",
        'search: returned {"hits": 0}',
        "search: failed: timed out",
        "model failed: ValueError: no model",
        "agent failed: no answer",
        "outcome: success: refunded",
        "outcome: failure",
        "the build is green",
    ]


def test_a_call_and_its_result_are_paired_by_the_id_and_read_by_the_engine():
    call = tool_use(ToolCall("search", '{"q": "x"}', "c1").payload())
    result = tool_use(ToolResult("search", "found", "c1", error="").payload())
    assert (call.call_id, dict(call.args)) == ("c1", {"q": "x"})
    assert (result.call_id, result.result, result.failed) == ("c1", "found", True)


def test_the_call_id_is_the_key_unless_another_is_given():
    assert step_key(ToolCall("t", call_id="c1")) == "c1"
    assert step_key(ToolCall("t", call_id="c1", key="k")) == "k"
    assert step_key(UserMessage("Hello")) is None


def test_an_idempotency_key_tells_sessions_kinds_and_keys_apart_and_nothing_else():
    keys = {
        idempotency_key(session, kind, key)
        for session, kind, key in [
            ("s", "call", "1"),
            ("s", "result", "1"),
            ("s", "call", "2"),
            ("s2", "call", "1"),
            ("sc", "all", "1"),
        ]
    }
    assert len(keys) == 5
    assert idempotency_key("s", "call", "1") == "bc19aa8bb5b60cee7985474a6c8b7976"
