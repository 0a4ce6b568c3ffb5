"""The small surfaces, and what every one of them does with odd input."""

import asyncio
import subprocess
import sys

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.func import entrypoint
from langgraph.graph import START, MessagesState, StateGraph

from hippocortex_core import MissingExtraError, session
from hippocortex_langgraph import (
    _events,
    create_capture_memory_tool,
    create_recall_node,
    create_search_memory_tool,
    with_memory,
    wrap,
)
from hippocortex_langgraph._memory import Memory, RecallOptions

CONFIG = {"configurable": {"thread_id": "t1", "user_id": "ann"}}


# --- messages as steps ---------------------------------------------------------------------------


def test_a_conversation_as_steps():
    call = {"id": "call_1", "name": "deploy", "args": {"env": "prod"}}
    steps = _events.steps_of(
        [
            SystemMessage("You deploy."),
            HumanMessage("Deploy", id="h1", name="ann"),
            AIMessage("On it.", id="a1", tool_calls=[call]),
            ToolMessage("disk full", tool_call_id="call_1", status="error"),
        ]
    )
    said, answer, called, result = steps
    assert (said.kind, said.text, said.name) == ("user", "Deploy", "ann")
    assert (answer.kind, answer.text) == ("assistant", "On it.")
    assert (called.tool, called.args, called.call_id) == ("deploy", {"env": "prod"}, "call_1")
    assert (result.tool, result.error, result.key) == ("deploy", "disk full", "a1/call_1/failed")


def test_media_are_named_and_never_kept():
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}
    message = HumanMessage([{"type": "text", "text": "What is this?"}, image], id="h1")
    (step,) = _events.steps_of([message])
    assert step.text == "What is this?\n[image]"
    assert _events.question_in([message])[1] == "What is this?"


def test_equal_messages_without_ids_are_told_apart_by_their_place():
    keys = [step.key for step in _events.steps_of([HumanMessage("yes"), HumanMessage("yes")])]
    assert len(set(keys)) == 2
    again = [step.key for step in _events.steps_of([HumanMessage("yes"), HumanMessage("yes")])]
    assert keys == again


@pytest.mark.parametrize("odd", [None, 7, {"messages": None}, {"messages": [7, object()]}, [[]]])
def test_what_holds_no_messages_holds_none(odd):
    assert _events.messages_in(odd) == []


@pytest.mark.parametrize(
    "given",
    ["Hi", {"messages": "Hi"}, [("user", "Hi")], {"messages": [{"role": "user", "content": "Hi"}]}],
)
def test_messages_in_every_spelling(given):
    (message,) = _events.messages_in(given)
    assert (message.type, message.content) == ("human", "Hi")


# --- whose it is ---------------------------------------------------------------------------------


def test_the_thread_the_context_and_the_surrounding_session_say_whose_it_is():
    memory = Memory(user_id_key="member")
    assert memory.scope({"configurable": {"thread_id": 7, "member": "ann"}}).session_id == "7"
    assert memory.scope({}, {"member": "bob"}).user_id == "bob"
    assert memory.scope({}, type("Context", (), {"member": "eve"})()).user_id == "eve"
    with session("s9", user_id="zoe"):
        assert memory.scope({}).session_id == "s9"
        assert memory.scope({}).user_id == "zoe"
        assert memory.scope({"configurable": {"thread_id": "t1"}}).session_id == "t1"
    assert Memory(session_id="mine").scope(CONFIG).session_id == "mine"


def test_without_a_thread_each_surface_and_user_has_a_session_of_its_own():
    memory, other = Memory(), Memory()
    ann, bob = ({"configurable": {"user_id": name}} for name in ("ann", "bob"))
    sessions = [one.scope(config).session_id for one in (memory, other) for config in (ann, bob)]
    assert len(set(sessions)) == 4
    assert memory.scope(ann).session_id == sessions[0]


# --- nodes and prompts ---------------------------------------------------------------------------


def test_memory_joins_the_system_prompt_in_its_own_form():
    said = HumanMessage("Hi")
    assert with_memory([said], "") == [said]
    assert [m.content for m in with_memory([said], "M")] == ["M", "Hi"]
    assert with_memory([SystemMessage("S"), said], "M")[0].content == "S\n\nM"
    blocks = [{"type": "text", "text": "S", "cache_control": {"type": "ephemeral"}}]
    system = SystemMessage(blocks)
    (found, _) = with_memory([system, said], "M")
    assert found.content == [*blocks, {"type": "text", "text": "M"}]
    assert system.content == blocks


def test_a_recall_node_passes_its_limits_on(reading):
    reading.knows("Hi there")
    node = create_recall_node(reading.recorder, max_tokens=99, sections=["facts"])
    assert "Hi there" in node.invoke({"messages": [HumanMessage("Hi")]}, CONFIG)["memory"]
    ((query, options),) = reading.queries
    assert (query, options.max_tokens, options.sections) == ("Hi", 99, ["facts"])
    assert (options.user_id, options.active_session_id) == ("ann", "t1")


def test_what_is_not_sure_enough_is_left_out(reading):
    reading.knows("Hi there")
    memory = Memory(reading.recorder, options=RecallOptions(min_confidence=0.9))
    assert memory.recall([HumanMessage("Hi")], memory.scope(CONFIG)) == ""


# --- tools ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", ["sync", "async"])
def test_an_agent_searches_and_adds_to_its_memory(reading, entry):
    search = create_search_memory_tool(reading.recorder)
    remember = create_capture_memory_tool(reading.recorder)

    def use(tool, args):
        if entry == "sync":
            return tool.invoke(args, CONFIG)
        return asyncio.run(tool.ainvoke(args, CONFIG))

    assert use(remember, {"content": "Ann prefers the aisle"}) == "Remembered."
    (event,) = reading.events
    assert (event.type, event.payload["content"]) == ("observation", "Ann prefers the aisle")
    assert event.metadata["user_id"] == "ann"
    assert "Ann prefers the aisle" in use(search, {"query": "aisle"})
    assert use(search, {"query": "weather"}) == "Nothing is known about that."
    assert list(search.args) == ["query"]
    assert list(remember.args) == ["content"]


# --- wrap(graph) ---------------------------------------------------------------------------------


def test_a_graph_without_messages_is_remembered_by_its_words(reading, model):
    from typing import TypedDict

    class Question(TypedDict, total=False):
        question: str
        answer: str

    reading.knows("What is it? A cat.")
    asked = model("It is a cat.")
    builder = StateGraph(Question)
    builder.add_node(
        "agent", lambda state: {"answer": asked.invoke(f"Q: {state['question']}").content}
    )
    graph = wrap(builder.add_edge(START, "agent").compile(), client=reading.recorder)
    graph.invoke({"question": "What is it?"}, CONFIG)
    graph.unwrap()
    assert reading.said == [("user", "What is it?"), ("assistant", "It is a cat.")]
    assert "A cat." in asked.asked[0][0].content


def test_the_functional_api_can_be_wrapped(reading, model):
    asked = model("Hello, Ann.")

    @entrypoint()
    def greet(name):
        return asked.invoke(f"Greet {name}").content

    graph = wrap(greet, client=reading.recorder)
    assert graph.invoke("Ann", CONFIG) == "Hello, Ann."
    graph.unwrap()
    assert reading.said == [("user", "Ann"), ("assistant", "Hello, Ann.")]


def test_a_wrapped_graph_is_a_graph(reading, model):
    builder = StateGraph(MessagesState)
    builder.add_node("agent", lambda state: {"messages": [model("Hi").invoke(state["messages"])]})
    plain = builder.add_edge(START, "agent").compile()
    graph = wrap(plain, client=reading.recorder)
    assert wrap(graph) is graph
    assert list(graph.get_graph().nodes) == list(plain.get_graph().nodes)
    assert graph.unwrap() is plain


def test_a_stream_leaves_nothing_behind_in_the_callers_context(reading, model):
    from hippocortex_core import current, guard

    builder = StateGraph(MessagesState)
    builder.add_node("agent", lambda state: {"messages": [model("Hi").invoke(state["messages"])]})
    graph = wrap(builder.add_edge(START, "agent").compile(), client=reading.recorder)
    stream = graph.stream({"messages": [("user", "Hello")]}, CONFIG)
    next(stream)
    assert (current().session_id, guard.inside.get()) == (None, False)
    stream.close()
    graph.unwrap()


def test_memory_goes_only_into_requests_about_the_users_words(reading, model):
    reading.knows("Deploy payments with make")
    router, answerer = model("billing"), model("Done.")

    def agent(state):
        router.invoke("Classify the mood of: nothing at all")
        return {"messages": [answerer.invoke(state["messages"])]}

    builder = StateGraph(MessagesState).add_node("agent", agent).add_edge(START, "agent")
    graph = wrap(builder.compile(), client=reading.recorder)
    graph.invoke({"messages": [("user", "Deploy payments")]}, CONFIG)
    graph.unwrap()
    assert "with make" in str(answerer.asked[-1])
    assert "with make" not in str(router.asked[0])


# --- what is missing -----------------------------------------------------------------------------


def test_without_langchain_only_the_middleware_is_missing():
    code = """
import sys
sys.modules["langchain"] = None
import hippocortex_langgraph as h
h.HippocortexSaver, h.wrap
try:
    h.HippocortexMiddleware
except h.__dict__.get("MissingExtraError", ImportError) as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(MissingExtraError.__name__)
    assert "pip install 'hippocortex[langgraph]'" in done.stdout


def test_an_asynchronous_client_is_refused_with_the_fix():
    from hippocortex_core import Hippocortex
    from hippocortex_langgraph import HippocortexSaver

    with pytest.raises(TypeError, match="give a SyncHippocortex"):
        HippocortexSaver(None, Hippocortex(base_url="sqlite://"))
    with pytest.raises(TypeError, match="a memory was expected, not 'int'"):
        create_recall_node(7)


def test_without_a_configured_memory_nothing_happens_but_one_line(monkeypatch, capsys):
    from hippocortex_core import config

    monkeypatch.setattr(config, "find_spec", lambda name: None)
    node = create_recall_node()
    for _ in range(2):
        assert node.invoke({"messages": [HumanMessage("Hi")]}, CONFIG) == {"memory": ""}
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("hippocortex: no memory: ")
