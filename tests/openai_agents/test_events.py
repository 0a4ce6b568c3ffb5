"""Items of any kind become the same steps, as dicts and as models."""

import asyncio

import pytest
from agents import Agent, LocalShellTool, Runner
from openai.types.responses import (
    ResponseCodeInterpreterToolCall,
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputRefusal,
)
from openai.types.responses.response_output_item import (
    LocalShellCall,
    LocalShellCallAction,
)

from hippocortex_core.render import CLOSING, OPENING
from hippocortex_core.steps import AssistantMessage, ToolCall, ToolResult, UserMessage
from hippocortex_openai_agents import HippocortexHooks, _events

CALL = ResponseFunctionToolCall(
    arguments='{"n": 1}', call_id="c", name="add", type="function_call", id="fc_1"
)
MCP = {
    "id": "mcp_1",
    "arguments": '{"q": "x"}',
    "name": "ask",
    "server_label": "wiki",
    "type": "mcp_call",
    "error": {"type": "protocol_error", "code": 1, "message": "gone"},
}
CODE = ResponseCodeInterpreterToolCall(
    id="ci_1",
    code="1/0",
    container_id="box",
    outputs=[{"type": "logs", "logs": "ZeroDivisionError"}],
    status="completed",
    type="code_interpreter_call",
)
REFUSAL = ResponseOutputMessage(
    id="m",
    content=[ResponseOutputRefusal(refusal="No.", type="refusal")],
    role="assistant",
    status="completed",
    type="message",
)

STEPS = [
    (CALL, [ToolCall("add", {"n": 1}, call_id="c")]),
    (
        MCP,
        [
            ToolCall("ask", {"q": "x"}, call_id="mcp_1"),
            ToolResult("ask", call_id="mcp_1", error="gone"),
        ],
    ),
    (
        CODE,
        [
            ToolCall("code_interpreter", {"code": "1/0", "container_id": "box"}, call_id="ci_1"),
            ToolResult(
                "code_interpreter", [{"type": "logs", "logs": "ZeroDivisionError"}], call_id="ci_1"
            ),
        ],
    ),
    (REFUSAL, [AssistantMessage("No.", name="Clerk")]),
    ({"role": "user", "content": "Hello"}, [UserMessage("Hello")]),
    ({"role": "developer", "content": "Be brief"}, []),
    ({"type": "reasoning", "id": "r", "summary": []}, []),
    (
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "no JSON"},
        [ToolCall("f", "no JSON", call_id="c")],
    ),
    (
        {"type": "function_call_output", "call_id": "c", "output": "done"},
        [ToolResult("", "done", call_id="c")],
    ),
    (
        {
            "type": "function_call_output",
            "call_id": "c",
            "output": [
                {"type": "input_text", "text": "a"},
                {"type": "input_image", "image_url": "b"},
            ],
        },
        [ToolResult("", "a\n[image]", call_id="c")],
    ),
    (
        {
            "type": "function_call_output",
            "call_id": "c",
            "output": "An error occurred while running the tool. Please try again. Error: full",
        },
        [ToolResult("", call_id="c", error="full")],
    ),
]


@pytest.mark.parametrize(("item", "steps"), STEPS)
def test_an_item_is_so_many_steps(item, steps):
    assert list(_events.steps_in([item], "Clerk")) == steps


@pytest.mark.parametrize(("item", "steps"), STEPS)
def test_a_model_and_its_dict_are_the_same(item, steps):
    if not isinstance(item, dict):
        assert list(_events.steps_in([item.model_dump()], "Clerk")) == steps


def test_the_user_says_what_stands_at_the_end():
    before = [{"role": "user", "content": "old"}, {"role": "assistant", "content": "answer"}]
    image = {"role": "user", "content": [{"type": "input_image", "image_url": "data:…"}]}
    new = [{"role": "user", "content": "new"}, {"role": "system", "content": "!"}, image]
    assert _events.said_now([*before, *new]) == [UserMessage("new"), UserMessage("[image]")]
    assert _events.said_now(before) == []


def test_a_question_is_the_last_text_of_the_user():
    said = [{"role": "user", "content": text} for text in ("first", "second")]
    assert _events.question_in([*said, CALL]) == (2, "second")
    assert _events.question_in([{"role": "user", "content": "  "}]) is None
    assert _events.question_in([]) is None


def test_memory_is_seen_where_somebody_has_put_it():
    block = f"{OPENING}- a\n{CLOSING}"
    said = {"role": "user", "content": "Hello"}
    assert _events.holds_memory([said], f"Be brief.\n{block}")
    assert _events.holds_memory([{"role": "user", "content": f"{block}\nHello"}], None)
    assert not _events.holds_memory([said, {"role": "assistant", "content": block}], "Be brief.")


def test_a_tool_without_ids_has_the_id_of_its_call(scripted, reading):
    action = LocalShellCallAction(command=["ls"], env={}, type="exec")
    call = LocalShellCall(
        id="l", action=action, call_id="shell-1", status="completed", type="local_shell_call"
    )
    agent = Agent(
        "Clerk",
        model=scripted([call], "Two files."),
        tools=[LocalShellTool(executor=lambda request: "a b")],
    )
    asyncio.run(Runner.run(agent, "List", hooks=HippocortexHooks(client=reading.recorder)))
    called, result = (e.payload for e in reading.events if e.type.startswith("tool_"))
    assert called["call_id"] == result["call_id"] == "shell-1"
    assert called["args"]["action"]["command"] == ["ls"]
    assert result["result"] == "a b"
